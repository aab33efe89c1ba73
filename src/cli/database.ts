/** The database of a command: the one that is set, else that of the Sidekick that runs on the data folder. */
import { userInfo } from 'node:os';
import path from 'node:path';
import { readDatabaseUrl } from '../config/settings';
import { maskUrl } from '../config/settings-values';
import { describeError, SidekickError } from '../lib/errors';
import { silentLog } from '../lib/log';
import { openDatabase } from '../store';
import type { Database } from '../store';
import { sqlState } from '../store/pool';
import { sayMore } from './context';
import type { CommonOptions, Context } from './context';
import { findRunning } from './run-file';

/**
 * In this order: the context that this command names, SIDEKICK_DATABASE_URL, the folder that it names, the usual context, the
 * usual folder.
 * @throws SidekickError SK_NODE_UNREACHABLE when none is set and nothing runs, SK_SETTINGS_INVALID
 */
export function databaseUrlFor({ io, global }: Context, { data }: CommonOptions): string {
  const { target } = global;
  if (target?.database !== undefined && target.named) {
    return target.database;
  }
  if ((io.env['SIDEKICK_DATABASE_URL'] ?? '').trim() !== '') {
    return readDatabaseUrl(io.env);
  }
  if (target?.database !== undefined && !global.dataGiven) {
    return target.database;
  }
  const dataDir = path.resolve(io.cwd, data);
  const running = findRunning(dataDir);
  if (running === undefined) {
    throw nothingRuns(dataDir);
  }
  return running.databaseUrl;
}

export function nothingRuns(dataDir: string): SidekickError {
  return new SidekickError('SK_NODE_UNREACHABLE', 'no sidekick is running here', {
    why: `SIDEKICK_DATABASE_URL is not set, and no sidekick keeps its state in ${dataDir}`,
    next: 'start one with `sidekick demo`, name its folder with --data, or set SIDEKICK_DATABASE_URL',
  });
}

/** Runs `work` on an open database and closes it. */
export async function withDatabase<T>(
  context: Context,
  options: CommonOptions,
  work: (db: Database) => Promise<T>,
): Promise<T> {
  const url = databaseUrlFor(context, options);
  const { timeoutMs } = context.global;
  const started = Date.now();
  const db = openDatabase({
    url,
    log: silentLog(),
    max: 2,
    applicationName: 'sidekick-cli',
    patienceMs: timeoutMs ?? 2000,
  });
  try {
    await reachWithin(db, timeoutMs);
    return await work(db);
  } catch (error) {
    throw schemaFailure(error);
  } finally {
    await db.close();
    sayMore(context, `${maskUrl(url)}: ${Date.now() - started} ms`);
  }
}

async function reachWithin(db: Database, timeoutMs: number | undefined): Promise<void> {
  if (timeoutMs === undefined) {
    return;
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(
        new SidekickError('SK_POSTGRES_UNREACHABLE', 'Postgres cannot be reached', {
          why: `it did not answer within ${timeoutMs / 1000} s`,
          next: 'give it longer with --timeout, or check that it runs',
        }),
      );
    }, timeoutMs);
  });
  try {
    await Promise.race([db.query('select 1'), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A missing table or column (SQLSTATE 42P01, 42703) means that the database is not of this version; 42501 is a missing right. */
function schemaFailure(error: unknown): unknown {
  const state = sqlState(error);
  if (state === '42501') {
    return new SidekickError('SK_NOT_ALLOWED', 'the database does not allow that', {
      why: describeError(error),
      next: 'use a role that may: docs/security.md lists what `sidekick migrate grant` gives each',
      cause: error,
    });
  }
  if (state !== '42P01' && state !== '42703') {
    return error;
  }
  return new SidekickError('SK_MIGRATIONS_PENDING', 'the database does not fit this version', {
    next: 'run `sidekick migrate status`, then `sidekick migrate up`',
    cause: error,
  });
}

/** Who does it, for the history: the user of this machine. */
export function byWhom(): string {
  try {
    return `cli:${userInfo().username}`;
  } catch {
    return 'cli'; // a container's user without a name
  }
}
