/** create, set and delete of what stands in the configuration, for every noun alike. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { errorCodeOf } from '../../lib/errno';
import { SidekickError } from '../../lib/errors';
import { store } from '../../store';
import type { Database } from '../../store';
import type { ChangeOptions } from '../configured/change';
import { putEntries, removeEntry, report, settled } from '../configured/change';
import type { ItemOf, Noun } from '../configured/nouns';
import { nameOf, SINGULAR, tenantOf } from '../configured/nouns';
import type { Item, Setting } from '../configured/settings';
import { parseSetting } from '../configured/settings';
import { confirm, count } from '../confirm';
import type { Context } from '../context';
import { withDatabase } from '../database';
import { findConfigured, pick } from './configured-list';

export interface ConfiguredChangeOptions extends ChangeOptions {
  /** YAML with the keys of the entry. */
  readonly file?: string;
}

/** @throws SidekickError SK_USAGE, SK_CONFIG_INVALID, SK_CONFLICT when there is one already */
export async function createConfigured(
  context: Context,
  noun: Noun,
  name: string,
  settings: readonly string[],
  options: ConfiguredChangeOptions,
): Promise<number> {
  const given = await readSettings(context, noun, settings, options);
  return withDatabase(context, options, async (db) => {
    const done = await putEntries(db, `${noun} create ${name}`, options, (document) => {
      const there = (document[noun] as readonly ItemOf<Noun>[]).find(
        (item) => nameOf(item) === name && (options.tenant === undefined || tenantOf(item) === options.tenant),
      );
      if (there !== undefined) {
        throw new SidekickError('SK_CONFLICT', `there is a ${SINGULAR[noun]} ${name} already`, {
          next: `change it with \`sidekick ${noun} set ${name} key=value\``,
        });
      }
      const key = noun === 'numbers' ? 'number' : 'name';
      const owner = options.tenant === undefined ? {} : { tenant: options.tenant };
      return { [noun]: [settled(noun, { [key]: name, ...owner, ...given.item }, given.settings)] };
    });
    report(context, options, done);
    return 0;
  });
}

/** @throws SidekickError SK_USAGE, SK_CONFIG_INVALID, SK_NOT_FOUND, SK_CONFLICT */
export async function setConfigured(
  context: Context,
  noun: Noun,
  name: string,
  settings: readonly string[],
  options: ConfiguredChangeOptions,
): Promise<number> {
  const given = await readSettings(context, noun, settings, options);
  if (given.settings.length === 0 && Object.keys(given.item).length === 0) {
    throw new SidekickError('SK_USAGE', `nothing is said about ${name}`, {
      why: 'no key=value and no file was given',
      next: `sidekick ${noun} set ${name} key=value; \`sidekick ${noun} get ${name}\` shows the keys`,
    });
  }
  return withDatabase(context, options, async (db) => {
    const done = await putEntries(db, `${noun} set ${name}`, options, (document) => {
      const item = pick(noun, document, name, options.tenant);
      return { [noun]: [settled(noun, { ...item, ...given.item }, given.settings)] };
    });
    report(context, options, done);
    return 0;
  });
}

/** @throws SidekickError SK_NOT_FOUND, SK_NOT_CONFIRMED, SK_CONFLICT when calls use it, SK_CONFIG_INVALID when others name it */
export async function deleteConfigured(
  context: Context,
  noun: Noun,
  name: string,
  options: ChangeOptions,
): Promise<number> {
  return withDatabase(context, options, async (db) => {
    const item = await findConfigured(db, noun, name, options.tenant);
    if (options.dryRun !== true) {
      await confirm(context, {
        action: `delete ${SINGULAR[noun]} ${name}`,
        touches: await touchedBy(db, noun, item),
        yes: options.yes,
      });
    }
    const done = await removeEntry(db, `${noun} delete ${name}`, options, noun, (document) =>
      pick(noun, document, name, options.tenant),
    );
    report(context, options, done);
    return 0;
  });
}

/** What a deletion would take from under running calls. */
async function touchedBy(db: Database, noun: Noun, item: ItemOf<Noun>): Promise<string[]> {
  if (noun === 'queues') {
    const queue = (await store.queueSummaries(db)).find((q) => q.name === nameOf(item) && q.tenant === tenantOf(item));
    return queue === undefined
      ? []
      : [
          `${count(queue.waiting, 'call is', 'calls are')} waiting in "${queue.name}", ${count(queue.members, 'member')}`,
        ];
  }
  if (noun === 'agents') {
    const agent = await store.agentByName(db, nameOf(item), tenantOf(item));
    return agent?.offer === undefined ? ['0 calls'] : [`1 call: ${agent.offer.callId} (${agent.offer.state})`];
  }
  return [];
}

async function readSettings(
  context: Context,
  noun: Noun,
  texts: readonly string[],
  { file }: ConfiguredChangeOptions,
): Promise<{ readonly settings: readonly Setting[]; readonly item: Item }> {
  const settings = texts.map(parseSetting);
  const identity = noun === 'numbers' ? 'number' : 'name';
  const renamed = settings.find(
    ({ path: keys }) => keys.length === 1 && (keys[0] === identity || keys[0] === 'tenant'),
  );
  if (renamed !== undefined) {
    throw new SidekickError('SK_USAGE', `${renamed.path[0] ?? ''} is not a setting`, {
      why: 'an entry is known by its name and its tenant, which stay',
      next: 'make another one and delete this one; --tenant says whose it is',
    });
  }
  return { settings, item: file === undefined ? {} : await readItem(context, file) };
}

async function readItem({ io }: Context, file: string): Promise<Item> {
  try {
    const text = file === '-' ? await io.readStdin() : readFileSync(path.resolve(io.cwd, file), 'utf8');
    const value: unknown = parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new Error('it holds no keys with values');
    }
    return value as Item;
  } catch (error) {
    throw new SidekickError('SK_USAGE', `${file} cannot be read`, {
      why: errorCodeOf(error) === 'ENOENT' ? 'there is no such file' : ((error as Error).message.split('\n')[0] ?? ''),
      next: 'give -f a YAML file with the keys of the entry, as `get` shows them, or - for standard input',
      cause: error,
    });
  }
}
