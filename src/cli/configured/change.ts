/** Changes of single entries of the configuration, by the way that every change takes: checked, in the history, audited. */
import { canonical, EMPTY, keyOf } from '../../config/documents/canonical';
import type { PrunedList } from '../../config/documents/apply-document';
import { removeEntries, writeEntries } from '../../config/documents/apply-document';
import type { Base, ChangeResult } from '../../config/documents/change-configuration';
import { changeConfiguration } from '../../config/documents/change-configuration';
import type { Change } from '../../config/documents/changes';
import { afterEntries } from '../../config/documents/named-entries';
import { explainIssue } from '../../config/documents/problems';
import type { Document } from '../../config/documents/schema';
import { documentSchema } from '../../config/documents/schema';
import { YamlSource } from '../../config/documents/yaml-source';
import { SidekickError } from '../../lib/errors';
import type { Database, Queryable } from '../../store';
import type { Context, ListOptions } from '../context';
import { say } from '../context';
import { byWhom } from '../database';
import { line } from '../io';
import { printData } from '../output/json';
import { outputFormat } from '../output/list';
import type { Noun } from './nouns';
import { SINGULAR } from './nouns';
import type { Item, Setting } from './settings';
import { valueAt, withSettings } from './settings';

export interface ChangeOptions extends ListOptions {
  readonly tenant?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** Entries as somebody wants them, by list; those that are not named stay as they are. */
export type Wanted = { readonly [N in Noun]?: readonly Item[] };

/** Carries the result of a dry run out of the transaction, which is undone by it. */
class Undone extends Error {
  constructor(readonly result: ChangeResult<void>) {
    super('a dry run');
  }
}

/**
 * Writes the entries that `make` wants of the configuration as it is.
 * @throws SidekickError SK_CONFIG_INVALID, SK_CONFLICT, and what `make` throws
 */
export function putEntries(
  db: Database,
  what: string,
  options: ChangeOptions,
  make: (document: Document) => Wanted,
): Promise<ChangeResult<void>> {
  return change(db, what, options, async (tx, { before, plan }) => {
    const entries = withKnownSkills(before, canonical(checkedEntries(before, make(before))));
    // Statements that write rows leave out what a name does not lead to, so names are looked at before.
    plan(afterEntries(before, entries));
    await writeEntries(tx, entries);
  });
}

/** What agents know is in the list of skills already, with a description that stays. */
function withKnownSkills(before: Document, entries: Document): Document {
  const known = new Map(before.skills.map((skill) => [keyOf('skills', skill), skill]));
  return {
    ...entries,
    skills: entries.skills.map(
      (skill) => (skill.description === '' ? known.get(keyOf('skills', skill)) : undefined) ?? skill,
    ),
  };
}

/** Removes the entry that `choose` picks. @throws SidekickError SK_CONFIG_INVALID, SK_CONFLICT, and what `choose` throws */
export function removeEntry(
  db: Database,
  what: string,
  options: ChangeOptions,
  list: PrunedList,
  choose: (document: Document) => object,
): Promise<ChangeResult<void>> {
  return change(db, what, options, async (tx, { before, plan }) => {
    const gone = choose(before);
    const rest = { ...before, [list]: (before[list] as readonly object[]).filter((item) => item !== gone) };
    plan(rest);
    await removeEntries(tx, list, rest);
  });
}

async function change(
  db: Database,
  what: string,
  options: ChangeOptions,
  write: (tx: Queryable, base: Base) => Promise<void>,
): Promise<ChangeResult<void>> {
  const request = { by: byWhom(), what };
  if (options.dryRun !== true) {
    return changeConfiguration(db, request, write);
  }
  try {
    await db.transaction(async (tx) => {
      throw new Undone(await changeConfiguration(tx, request, write));
    });
  } catch (error) {
    if (error instanceof Undone) {
      return error.result;
    }
    throw error;
  }
  throw new SidekickError('SK_INTERNAL', 'a dry run was not undone');
}

/** The wanted entries with every default filled in. @throws SidekickError SK_CONFIG_INVALID with what is allowed */
function checkedEntries(document: Document, wanted: Wanted): Document {
  const partial = { ...EMPTY, tenants: document.tenants, ...wanted };
  const parsed = documentSchema.safeParse(partial);
  if (parsed.success) {
    return parsed.data;
  }
  const source = new YamlSource(JSON.stringify(partial));
  const lines = parsed.error.issues
    .flatMap((issue) => explainIssue(source, issue))
    .map(({ path, what, hint }) => `${entryPath(path)}${what}${hint === undefined ? '' : ` (${hint})`}`);
  throw new SidekickError('SK_CONFIG_INVALID', 'this is not a valid entry', {
    why: lines.join('\n'),
    next: 'docs/configuration.md describes every key',
  });
}

/** `exits.full: ` of `queues[0].exits.full`. */
function entryPath(path: string): string {
  const inner = path.replace(/^\w+\[\d+\]\.?/, '');
  return inner === '' ? '' : `${inner}: `;
}

/**
 * The item with the settings. What YAML reads as a number or a truth value where text belongs, such as a user of a PBX, is
 * taken as it was written.
 */
export function settled(noun: Noun, item: Item, settings: readonly Setting[]): Item {
  const made = withSettings(item, settings);
  const parsed = documentSchema.shape[noun].unwrap().safeParse([made]);
  const issues = parsed.success ? [] : parsed.error.issues;
  const asText = settings.map((setting): Setting => {
    const wrong = issues.some(
      (issue) =>
        issue.code === 'invalid_type' &&
        issue.expected === 'string' &&
        issue.path.slice(1).join('.') === setting.path.join('.') &&
        valueAt(made, issue.path.slice(1)) !== undefined &&
        !/^[[{]/.test(setting.raw),
    );
    return wrong ? { ...setting, value: setting.raw } : setting;
  });
  return withSettings(item, asText);
}

/** Says what changed: on stdout each change, on stderr the version. */
export function report(context: Context, options: ChangeOptions, done: ChangeResult<void>): void {
  const { io } = context;
  const dryRun = options.dryRun === true;
  const data = { version: done.version, changed: done.changed, dryRun, changes: done.changes };
  if (options.output !== undefined || options.json === true) {
    const format = outputFormat(io, options);
    if (printData(io, format, data)) {
      return;
    }
  }
  if (!done.changed) {
    line(io.stdout, 'nothing to change');
  }
  done.changes.flatMap(changeLines).forEach((text) => line(io.stdout, text));
  if (dryRun) {
    say(context, 'nothing was changed: this was a dry run');
  } else if (done.changed) {
    say(context, `version ${done.version} is in force; \`sidekick config rollback ${done.version - 1}\` takes it back`);
  }
}

function changeLines({ list, name, change: kind, before, after }: Change): string[] {
  const what = `${SINGULAR[list]} ${name}`;
  if (kind === 'create') {
    return [`${what} made`];
  }
  if (kind === 'remove') {
    return [`${what} removed`];
  }
  const keys = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return keys.flatMap((key) => keyLines(`${what}: ${key}`, before?.[key], after?.[key]));
}

/** Of a list of entries with names, only those that differ. */
function keyLines(what: string, before: unknown, after: unknown): string[] {
  if (!Array.isArray(before) || !Array.isArray(after)) {
    return [`${what} ${shown(before)} → ${shown(after)}`];
  }
  const texts = (list: readonly unknown[]): string[] => list.map((entry) => JSON.stringify(entry));
  const [old, now] = [texts(before), texts(after)];
  return [
    ...old.filter((text) => !now.includes(text)).map((text) => `${what} - ${text}`),
    ...now.filter((text) => !old.includes(text)).map((text) => `${what} + ${text}`),
  ];
}

function shown(value: unknown): string {
  if (value === undefined) {
    return 'default';
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}
