import { summary } from '../../config/documents/changes';
import { documentAt, listVersions, type Version } from '../../config/documents/history';
import { unifiedDiff } from '../../config/documents/unified-diff';
import { SidekickError } from '../../lib/errors';
import type { Context, ListOptions } from '../context';
import { withDatabase } from '../database';
import { line } from '../io';
import { printJson } from '../output/json';
import { isoTime, outputFormat, printList, shortDuration, type ListView } from '../output/list';
import { changeJson } from './config-change';

export interface HistoryOptions extends ListOptions {
  readonly limit: number;
}

/** The versions, newest first; or what one of them changed. */
export async function configHistory(
  context: Context,
  version: number | undefined,
  options: HistoryOptions,
): Promise<number> {
  const format = outputFormat(context.io, options);
  if (version !== undefined) {
    return showVersion(context, version, options, format === 'json');
  }
  const versions = await withDatabase(context, options, (db) => listVersions(db, options.limit));
  printList(context.io, view(Date.now()), versions, format, context.global.color);
  return 0;
}

async function showVersion(
  context: Context,
  version: number,
  options: HistoryOptions,
  asJson: boolean,
): Promise<number> {
  const { found, before, after } = await withDatabase(context, options, async (db) => {
    const [one] = await listVersions(db, 1, version);
    if (one === undefined) {
      throw new SidekickError('SK_NOT_FOUND', `There is no version ${version} of the configuration`, {
        next: '`sidekick config history` lists them',
      });
    }
    return { found: one, before: await documentAt(db, version - 1), after: await documentAt(db, version) };
  });
  if (asJson) {
    printJson(context.io, { version: versionJson(found) });
  } else {
    const names = [
      `version ${version - 1}`,
      `version ${version}, ${isoTime(found.at)}, ${found.by}: ${found.what}`,
    ] as const;
    unifiedDiff(before, after, names).forEach((text) => line(context.io.stdout, text));
  }
  return 0;
}

function view(now: number): ListView<Version> {
  return {
    noun: 'versions',
    columns: [
      { title: 'version', text: (v) => String(v.version) },
      { title: 'when', text: (v) => `${shortDuration(now - v.at)} ago`, plain: (v) => isoTime(v.at) },
      { title: 'by', text: (v) => v.by },
      { title: 'what', text: (v) => v.what },
      { title: 'changed', text: (v) => summary(v.changes) },
    ],
    name: (v) => String(v.version),
    json: versionJson,
    empty: 'nothing was ever configured; `sidekick config apply -f FILE` begins',
  };
}

function versionJson({ version, base, at, by, what, pruned, changes }: Version): object {
  return { version, base: base ?? null, at: isoTime(at), by, what, pruned, changes: changes.map(changeJson) };
}
