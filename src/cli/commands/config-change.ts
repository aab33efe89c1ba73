/** What changes the configuration as a whole: apply, rollback; and what they would do: diff. */
import { applyDocument, type ApplyOptions, type ApplyStep } from '../../config/documents/apply-document';
import { afterApply } from '../../config/documents/canonical';
import { documentChanges, summary, type Change } from '../../config/documents/changes';
import { currentConfiguration, documentAt, type Current } from '../../config/documents/history';
import { impactOf, type Impact } from '../../config/documents/impact';
import type { Document } from '../../config/documents/schema';
import { unifiedDiff } from '../../config/documents/unified-diff';
import { SidekickError } from '../../lib/errors';
import type { Database } from '../../store';
import { confirm } from '../confirm';
import type { CommonOptions, Context } from '../context';
import { byWhom, withDatabase } from '../database';
import { line } from '../io';
import { printJson } from '../output/json';
import { baseName, formatOf, readFileOf, shownName, type FileOptions } from './config';
import { drain } from './config-drain';

export interface DiffOptions extends CommonOptions, FileOptions {
  readonly prune?: boolean;
  readonly output?: string;
}

interface ChangeOptions extends CommonOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly drain?: boolean;
  /** Version that the change is meant for. */
  readonly base?: number;
}

export interface ApplyCommandOptions extends ChangeOptions, FileOptions {
  readonly prune?: boolean;
}

export type RollbackOptions = ChangeOptions;

/** Longer differences are shown as a summary before the question. */
const MOST_LINES = 200;

/** Exit code 0: no difference; 1: there is one. */
export async function diffConfig(context: Context, options: DiffOptions): Promise<number> {
  const format = formatOf(options.output, ['unified', 'json']);
  const wanted = await readFileOf(context, options.file);
  const { current, target } = await withDatabase(context, options, async (db) => {
    const now = await currentConfiguration(db);
    return { current: now, target: afterApply(now.document, wanted, options.prune === true) };
  });
  const changes = documentChanges(current.document, target);
  if (format === 'json') {
    printJson(context.io, { version: current.version, differs: changes.length > 0, changes: changes.map(changeJson) });
  } else {
    const names = [baseName(current), shownName(options.file)] as const;
    unifiedDiff(current.document, target, names).forEach((text) => line(context.io.stdout, text));
  }
  return changes.length > 0 ? 1 : 0;
}

/** A change as the JSON of commands has it. */
export function changeJson({ noun, name, tenant, change, before, after }: Change): object {
  return { noun, name, tenant: tenant ?? null, change, before: before ?? null, after: after ?? null };
}

export async function applyConfig(context: Context, options: ApplyCommandOptions): Promise<number> {
  const document = await readFileOf(context, options.file);
  return withDatabase(context, options, (db) =>
    change(context, db, options, {
      document,
      prune: options.prune === true,
      name: shownName(options.file),
      what: 'apply',
    }),
  );
}

export async function rollbackConfig(context: Context, version: number, options: RollbackOptions): Promise<number> {
  return withDatabase(context, options, async (db) =>
    change(context, db, options, {
      document: await documentAt(db, version),
      prune: true,
      name: `version ${version}`,
      what: `rollback to version ${version}`,
    }),
  );
}

/** What is to be in force. */
export interface Wish {
  readonly document: Document;
  readonly prune: boolean;
  /** Where it comes from, for people. */
  readonly name: string;
  /** For the history. */
  readonly what: string;
}

async function change(context: Context, db: Database, options: ChangeOptions, wish: Wish): Promise<number> {
  const { io } = context;
  const current = await currentConfiguration(db);
  checkBase(current, options.base);
  const target = afterApply(current.document, wish.document, wish.prune);
  const changes = documentChanges(current.document, target);
  if (changes.length === 0) {
    line(io.stdout, `nothing to change; version ${current.version} is in force`);
    return 0;
  }
  const diff = unifiedDiff(current.document, target, [baseName(current), wish.name]);
  const impacts = await impactOf(db, current.document, target);
  if (options.dryRun === true) {
    diff.forEach((text) => line(io.stdout, text));
    impacts.forEach((impact) => line(io.stderr, impactText(impact, true)));
    line(io.stderr, `would change: ${summary(changes)}; nothing was changed`);
    return 0;
  }
  showPlan(context, diff, changes);
  refuseBlocked(impacts, options.drain === true);
  await confirm(context, {
    action: `apply ${wish.name}: ${summary(changes)}`,
    touches: impacts.map((impact) => impactText(impact, options.drain === true)),
    yes: options.yes,
  });
  let version = current.version;
  if (impacts.some(({ blocks }) => blocks)) {
    version = await drain(context, db, wish, target, version);
  }
  const result = await applyDocument(db, wish.document, applyOptions(context, wish, version));
  line(io.stdout, `version ${result.version} is in force; changed: ${summary(result.changes)}`);
  return 0;
}

export function applyOptions(context: Context, wish: Wish, version: number): ApplyOptions {
  return {
    by: byWhom(),
    what: wish.what,
    prune: wish.prune,
    expectedVersion: version,
    progress: (step) => showProgress(context, step),
  };
}

function checkBase(current: Current, base: number | undefined): void {
  if (base !== undefined && base !== current.version) {
    throw new SidekickError('SK_CONFLICT', `The configuration is version ${current.version}, not ${base}`, {
      why: current.changedByHand
        ? 'somebody changed it in the database since then'
        : 'somebody changed it since the one that --base names',
      next: 'look at it with `sidekick config diff`, then apply with --base of the new version',
    });
  }
}

function impactText({ text, blocks }: Impact, drains: boolean): string {
  return blocks ? `${text}; ${drains ? 'that is waited for' : '--drain waits for them'}` : text;
}

function refuseBlocked(impacts: readonly Impact[], drains: boolean): void {
  const blocked = impacts.filter(({ blocks }) => blocks);
  if (blocked.length > 0 && !drains) {
    throw new SidekickError('SK_CONFLICT', 'What would be removed is in use', {
      why: blocked.map((impact) => impactText(impact, false)).join('\n'),
      next: 'apply with --drain, or without --prune, or wait until those calls are over',
    });
  }
}

function showPlan({ io }: Context, diff: readonly string[], changes: readonly Change[]): void {
  if (io.stderr.isTTY !== true) {
    return;
  }
  diff.slice(0, MOST_LINES).forEach((text) => line(io.stderr, text));
  if (diff.length > MOST_LINES) {
    line(io.stderr, `… ${diff.length - MOST_LINES} more lines; \`sidekick config diff\` shows them all`);
  }
  line(io.stderr, `changes: ${summary(changes)}`);
}

/** One line that is written over, on a terminal only. */
function showProgress({ io, global }: Context, { list, rows, step, steps }: ApplyStep): void {
  if (io.stderr.isTTY === true && !global.quiet) {
    const text = `applying ${step}/${steps}: ${rows} ${list}`;
    io.stderr.write(`\r${text.padEnd(50)}${step === steps ? `\r${' '.repeat(50)}\r` : ''}`);
  }
}
