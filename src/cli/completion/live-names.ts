/** Names of what there is, for completion: from the database, kept for five seconds, and nothing at all if it does not answer. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { documentSchema } from '../../config/documents/schema';
import { allowedKeys } from '../../config/documents/schema-walk';
import { newToken } from '../../lib/ids';
import { store } from '../../store';
import { readContexts } from '../contexts';
import type { Context } from '../context';
import { databaseUrlFor, withDatabase } from '../database';

type NamesByNoun = Readonly<Record<string, readonly string[]>>;

const FRESH_MS = 5000;
/** Somebody has pressed a key and waits. */
const PATIENCE_MS = 1000;

export async function liveNames(context: Context, kind: string): Promise<readonly string[]> {
  if (kind === 'contexts') {
    return Object.keys(readContexts(context.io.env).contexts);
  }
  if (kind.startsWith('settings/')) {
    const keys = allowedKeys(documentSchema, [kind.slice('settings/'.length), 0], {}) ?? [];
    return keys.filter((key) => !['name', 'tenant', 'number'].includes(key)).map((key) => `${key}=`);
  }
  return (await namesByNoun(context))[kind] ?? [];
}

async function namesByNoun(context: Context): Promise<NamesByNoun> {
  const options = { data: context.io.env['SIDEKICK_DATA'] ?? '.sidekick' };
  const file = cacheFile(context, databaseUrlFor(context, options));
  const kept = file === undefined ? undefined : readKept(file);
  if (kept !== undefined) {
    return kept;
  }
  const hurried = { ...context, global: { ...context.global, timeoutMs: PATIENCE_MS } };
  const names = await withDatabase(hurried, options, (db) => store.namesByNoun(db));
  if (file !== undefined) {
    keep(file, names);
  }
  return names;
}

/** One for each database; its URL stands in no file name, since it may hold a password. */
function cacheFile({ io }: Context, url: string): string | undefined {
  const home = io.env['HOME'];
  const base = io.env['XDG_CACHE_HOME'] ?? (home === undefined ? undefined : path.join(home, '.cache'));
  const digest = createHash('sha256').update(url).digest('hex').slice(0, 16);
  return base === undefined ? undefined : path.join(base, 'sidekick', `names-${digest}.json`);
}

function readKept(file: string): NamesByNoun | undefined {
  try {
    const age = Date.now() - statSync(file).mtimeMs;
    return age < FRESH_MS ? (JSON.parse(readFileSync(file, 'utf8')) as NamesByNoun) : undefined;
  } catch {
    return undefined; // not there, or half written by an older crash: read anew
  }
}

function keep(file: string, names: NamesByNoun): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    const half = `${file}.${newToken(4)}`;
    writeFileSync(half, JSON.stringify(names), { mode: 0o600 });
    renameSync(half, file);
  } catch {
    // A home that cannot be written to costs a question to the database each time, nothing else.
  }
}
