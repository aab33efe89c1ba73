/** list and get of what stands in the configuration, for every noun alike. */
import { EMPTY } from '../../config/documents/canonical';
import type * as Export from '../../config/documents/export-document';
import { countAgentsBySkill, readLists } from '../../config/documents/read-rows';
import type { Document } from '../../config/documents/schema';
import { SidekickError } from '../../lib/errors';
import type { Database } from '../../store';
import type { ItemOf, ListedNoun, Noun } from '../configured/nouns';
import { COLUMNS, nameOf, READ_FOR, SINGULAR, tenantOf } from '../configured/nouns';
import type { Context, ListOptions, WatchedListOptions } from '../context';
import { withDatabase } from '../database';
import { notFound } from '../find';
import { line } from '../io';
import { printData, printYaml } from '../output/json';
import type { Column, ListView } from '../output/list';
import { outputFormat } from '../output/list';
import { showList } from '../output/show-list';

export interface ConfiguredListOptions extends WatchedListOptions {
  readonly tenant?: string;
}

export interface ConfiguredGetOptions extends ListOptions {
  readonly tenant?: string;
}

export async function listConfigured(
  context: Context,
  noun: ListedNoun,
  options: ConfiguredListOptions,
): Promise<number> {
  const format = outputFormat(context.io, options);
  const wholeEntries = format === 'json' || format === 'yaml' || options.watch !== undefined;
  let document = EMPTY;
  let agentsBySkill: ReadonlyMap<string, number> = new Map();
  const view = (now: number): ListView<ItemOf<ListedNoun>> => ({
    noun,
    columns: COLUMNS[noun]({ document, now, agentsBySkill }) as readonly Column<ItemOf<ListedNoun>>[],
    name: nameOf,
    json: (item) => item,
    empty: `no ${noun}; \`sidekick ${noun} create NAME\` makes one`,
  });
  return showList(context, options, view, async (db) => {
    document = wholeEntries
      ? await loadExport().readConfiguration(db, READ_FOR[noun])
      : await readLists(db, READ_FOR[noun]);
    agentsBySkill = noun === 'skills' ? await countAgentsBySkill(db) : agentsBySkill;
    return document[noun].filter((item) => options.tenant === undefined || tenantOf(item) === options.tenant);
  });
}

/** The entry as it would stand in a document, with every default. @throws SidekickError SK_NOT_FOUND, SK_CONFLICT */
export async function getConfigured(
  context: Context,
  noun: Noun,
  name: string,
  options: ConfiguredGetOptions,
): Promise<number> {
  const format = outputFormat(context.io, options);
  const item = await withDatabase(context, options, (db) => findConfigured(db, noun, name, options.tenant));
  const value = { [SINGULAR[noun]]: item };
  if (format === 'name') {
    line(context.io.stdout, nameOf(item));
  } else if (!printData(context.io, format, value)) {
    printYaml(context.io, value);
  }
  return 0;
}

/** Reads one entry and no other. @throws SidekickError SK_NOT_FOUND, SK_CONFLICT where two tenants have one of that name */
export async function findConfigured<N extends Noun>(
  db: Database,
  noun: N,
  name: string,
  tenant: string | undefined,
): Promise<ItemOf<N>> {
  const { readConfiguration, readEntries } = loadExport();
  const { tenants } = await readLists(db, ['tenants']);
  const names = tenants.map((owner) => ({ tenant: owner.name, name }));
  const found = await readEntries(db, new Map([[noun, names]]));
  // All of them only to say what was probably meant.
  return pick(noun, found[noun].length > 0 ? found : await readConfiguration(db, [noun]), name, tenant);
}

/** Loaded here: what knows every key of the document takes its time, and a table needs none of it. */
function loadExport(): typeof Export {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return require('../../config/documents/export-document') as typeof Export;
}

/** @throws SidekickError SK_NOT_FOUND, SK_CONFLICT where two tenants have one of that name */
export function pick<N extends Noun>(noun: N, document: Document, name: string, tenant: string | undefined): ItemOf<N> {
  const items = document[noun] as readonly ItemOf<N>[];
  const found = items.filter((item) => nameOf(item) === name && (tenant === undefined || tenantOf(item) === tenant));
  const [first] = found;
  if (first === undefined) {
    const names = items.filter((item) => tenant === undefined || tenantOf(item) === tenant).map(nameOf);
    throw notFound(SINGULAR[noun], name, names, { tenant, list: `sidekick ${noun} list` });
  }
  if (found.length > 1) {
    throw new SidekickError('SK_CONFLICT', `there is more than one ${SINGULAR[noun]} named ${name}`, {
      why: `the tenants ${found.map((item) => tenantOf(item) ?? '').join(', ')} have one each`,
      next: 'name the tenant with --tenant',
    });
  }
  return first;
}
