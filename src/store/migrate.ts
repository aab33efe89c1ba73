import pg from 'pg';
import { migrations, type Migration } from '../../migrations';
import { SidekickError, toError } from '../lib/errors';
import { isConnectionLoss } from './pool';

/** Any number that nothing else in this database uses as an advisory lock. */
const LOCK = 7_113_001;
const TABLE = 'schema_migrations';

export interface MigrationStatus {
  readonly applied: readonly string[];
  readonly pending: readonly string[];
  /** Applied by a newer version of the product. */
  readonly unknown: readonly string[];
}

/**
 * Brings the schema of the database up to this version. Two nodes may start at once: the second waits for the first. All
 * pending steps are one transaction: either every one of them is done or none.
 * @throws SK_POSTGRES_UNREACHABLE, SK_MIGRATIONS_PENDING when a step fails
 */
export async function migrate(
  url: string,
  steps: readonly Migration[] = migrations,
): Promise<{ readonly applied: readonly string[] }> {
  return withClient(url, async (client) => {
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    try {
      const { pending } = await readStatus(client, steps);
      if (pending.length === 0) {
        return { applied: [] };
      }
      return { applied: await runSteps(url, steps) };
    } finally {
      await client.query('select pg_advisory_unlock($1)', [LOCK]).catch((error: unknown) => {
        if (!isConnectionLoss(error)) {
          throw toError(error); // a lost connection has let go of the lock by itself
        }
      });
    }
  });
}

/** Which steps this database has and lacks. Changes nothing. */
export async function migrationStatus(url: string, steps: readonly Migration[] = migrations): Promise<MigrationStatus> {
  return withClient(url, (client) => readStatus(client, steps));
}

const nothing = (): void => undefined;
/** knex writes to the console otherwise; what fails is thrown and reported by whoever called. */
const SILENT = { warn: nothing, error: nothing, debug: nothing, deprecate: nothing };

async function runSteps(url: string, steps: readonly Migration[]): Promise<readonly string[]> {
  // knex takes 0.3 s to load, which a start with nothing to do should not pay.
  const { default: knex } = await import('knex');
  const db = knex({ client: 'pg', connection: url, pool: { min: 0, max: 2 }, log: SILENT });
  try {
    const config = {
      tableName: TABLE,
      disableMigrationsListValidation: true,
      migrationSource: {
        getMigrations: () => Promise.resolve([...steps]),
        getMigrationName: (step: Migration) => step.name,
        getMigration: (step: Migration) => Promise.resolve({ up: step.up.bind(step), down: refuseToGoBack }),
      },
    };
    // A process that was killed half way leaves knex's own lock row behind. We hold the advisory lock, so nobody else migrates.
    await db.migrate.forceFreeMigrationsLock(config);
    const [, applied] = (await db.migrate.latest(config)) as [number, string[]];
    return applied;
  } catch (error) {
    throw new SidekickError('SK_MIGRATIONS_PENDING', 'The schema of the database could not be brought up to date', {
      why: toError(error).message,
      next: 'the database is as it was before; correct the cause and start again',
      cause: error,
    });
  } finally {
    await db.destroy();
  }
}

function refuseToGoBack(): Promise<void> {
  return Promise.reject(new SidekickError('SK_USAGE', 'Migrations only go forward'));
}

async function readStatus(client: pg.Client, steps: readonly Migration[]): Promise<MigrationStatus> {
  const table = await client.query<{ found: string | null }>('select to_regclass($1) as found', [TABLE]);
  const rows = table.rows[0]?.found
    ? (await client.query<{ name: string }>(`select name from ${TABLE} order by id`)).rows
    : [];
  const done = new Set(rows.map((row) => row.name));
  const known = new Set(steps.map((step) => step.name));
  return {
    applied: [...done],
    pending: steps.map((step) => step.name).filter((name) => !done.has(name)),
    unknown: [...done].filter((name) => !known.has(name)),
  };
}

async function withClient<T>(url: string, fn: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'sidekick-migrate',
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined); // the query under way rejects with the same error
  try {
    await client.connect();
    return await fn(client);
  } catch (error) {
    if (isConnectionLoss(error)) {
      throw new SidekickError('SK_POSTGRES_UNREACHABLE', 'Postgres cannot be reached', {
        why: toError(error).message,
        next: 'check SIDEKICK_DATABASE_URL and that the database runs',
        cause: error,
      });
    }
    throw error;
  } finally {
    await client.end().catch(() => undefined); // it may have ended first
  }
}
