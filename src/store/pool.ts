import type { Writable } from 'node:stream';
import pg from 'pg';
import { sleep } from '../lib/clock';
import { describeError, SidekickError, toError } from '../lib/errors';
import type { Log } from '../lib/log';
import type { Queryable, QueryOptions, TransactionOptions } from './types';

export interface DatabaseOptions {
  readonly url: string;
  readonly log: Log;
  /** Most connections at once, default 12. */
  readonly max?: number;
  /** Shown in pg_stat_activity, default `sidekick`. */
  readonly applicationName?: string;
  /** The process runs matches itself for what it changes, so that its statements need not hint at them. */
  readonly runsMatches?: boolean;
  /** How long to try again to reach Postgres before giving up, milliseconds, default 5000. */
  readonly patienceMs?: number;
}

/** Serialization failure, deadlock, lock not available: Postgres undid the work and asks to try again. */
const TRY_AGAIN = new Set(['40001', '40P01', '55P03']);
/** Connection failures (class 08), shutdown, crash, start-up, too many connections. */
const CONNECTION_STATES = new Set(['57P01', '57P02', '57P03', '53300']);
const CONNECTION_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
const MAX_RETRIES = 8;

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

/** SQLSTATE of a failed statement, for those who expect one (23505 unique violation, 23503 foreign key, …). */
export function sqlState(error: unknown): string | undefined {
  const code = codeOf(error);
  return /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** The connection is gone or was never there, as opposed to a statement that Postgres refused. */
export function isConnectionLoss(error: unknown): boolean {
  const code = codeOf(error);
  if (code.startsWith('08') || CONNECTION_STATES.has(code) || CONNECTION_CODES.has(code)) {
    return true;
  }
  return (
    error instanceof Error &&
    /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect)/.test(
      error.message,
    )
  );
}

function unreachable(cause: unknown, outcomeUnknown: boolean): SidekickError {
  return new SidekickError(
    'SK_POSTGRES_UNREACHABLE',
    outcomeUnknown ? 'Postgres was lost during a statement' : 'Postgres cannot be reached',
    {
      why: describeError(cause),
      next: 'check SIDEKICK_DATABASE_URL and that the database runs; `sidekick doctor` tries it step by step',
      context: { outcomeUnknown },
      cause,
    },
  );
}

/**
 * Connections on which matches run: their statements need not hint at matches; a statement is planned once, by its indexes, since
 * tables that are empty at first fill faster than Postgres takes note; and is never compiled, which costs more than it runs.
 */
const MATCHING_SESSION =
  '-c sidekick.matches=on -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c random_page_cost=1.1 -c jit=off';

/** The pool of one process. */
export class Database implements Queryable {
  readonly #pool: pg.Pool;
  /** Process ids of the backends that serve this pool now. */
  readonly #backends = new Set<number>();
  readonly #log: Log;
  readonly #patienceMs: number;
  readonly #max: number;
  #closed: Promise<void> | undefined;

  constructor(options: DatabaseOptions) {
    this.#log = options.log;
    this.#patienceMs = options.patienceMs ?? 5_000;
    this.#max = options.max ?? 12;
    this.#pool = new pg.Pool({
      connectionString: options.url,
      max: this.#max,
      application_name: options.applicationName ?? 'sidekick',
      connectionTimeoutMillis: 5_000,
      // What has planned the statements of a call is kept: those who need many connections at once cannot wait for new ones to do so.
      idleTimeoutMillis: options.runsMatches === true ? 0 : 60_000,
      keepAlive: true,
      // Statements are sent without waiting for the answers of those before them; in a transaction that saves round trips.
      pipeline: true,
      ...(options.runsMatches === true ? { options: MATCHING_SESSION } : {}),
      statement_timeout: 30_000,
      lock_timeout: 5_000,
      idle_in_transaction_session_timeout: 15_000,
    });
    this.#pool.on('connect', (client) => this.#backends.add(processIdOf(client)));
    this.#pool.on('remove', (client) => this.#backends.delete(processIdOf(client)));
    // An idle connection that breaks; the pool has dropped it already, and the next query opens another.
    this.#pool.on('error', (error) => {
      if (this.#closed) {
        return; // A server that stops right after us may still say so to a connection that is being closed.
      }
      this.#log.warn({ event: 'postgres:connection-lost', err: error });
    });
  }

  /** True if this backend serves a connection of this pool: a notification from it is one of our own. */
  owns(processId: number): boolean {
    return this.#backends.has(processId);
  }

  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- only the statement knows its rows
  async query<Row>(
    text: string,
    values: readonly unknown[] = [],
    options: QueryOptions = {},
  ): Promise<{ readonly rows: readonly Row[]; readonly rowCount: number }> {
    return this.#withClient(async (client, sent) => {
      sent();
      return rowsOf<Row>(await client.query(config(text, values, options)));
    }, options.idempotent === true);
  }

  transaction<T>(fn: (tx: Queryable) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    return this.#withClient((client, sent) => runTransaction(client, fn, options, sent), false);
  }

  /**
   * Opens all connections but `spare` and runs `work` on each, one after the other; nobody else has them until all are done.
   * @throws what `work` throws, and where no connection can be had
   */
  async onEach(work: (q: Queryable) => Promise<void>, spare: number): Promise<void> {
    const clients: pg.PoolClient[] = [];
    const ignore = (): void => undefined; // the next query on a broken connection rejects
    try {
      while (clients.length < this.#max - spare) {
        const client = await this.#connect();
        client.on('error', ignore);
        clients.push(client);
        await work(held(client));
      }
    } finally {
      for (const client of clients) {
        client.off('error', ignore);
        client.release();
      }
    }
  }

  /** Ends after the queries under way. Idempotent. */
  close(): Promise<void> {
    return (this.#closed ??= this.#pool.end());
  }

  /** Runs `work` on a connection, again while that is safe. `sent` is called by work that cannot be undone from then on. */
  async #withClient<T>(work: (client: pg.PoolClient, sent: () => void) => Promise<T>, idempotent: boolean): Promise<T> {
    const deadline = Date.now() + this.#patienceMs;
    for (let attempt = 1; ; attempt++) {
      let mayHaveHappened = false;
      try {
        const client = await this.#connect();
        // The pool listens only while a connection is idle. The next query on a broken one rejects.
        const broken = (error: Error): void => {
          this.#log.warn({ event: 'postgres:connection-lost', err: error });
        };
        client.on('error', broken);
        try {
          const result = await work(client, () => (mayHaveHappened = true));
          client.off('error', broken);
          client.release();
          return result;
        } catch (error) {
          client.off('error', broken);
          client.release(isConnectionLoss(error) ? toError(error) : undefined);
          throw error;
        }
      } catch (error) {
        const lost = isConnectionLoss(error);
        const unsafe = lost && !idempotent && mayHaveHappened;
        const again =
          (lost && !unsafe && Date.now() < deadline) || (TRY_AGAIN.has(codeOf(error)) && attempt <= MAX_RETRIES);
        if (!again || this.#closed) {
          throw lost ? unreachable(error, unsafe) : error;
        }
        this.#log.warn({ event: 'postgres:retry', attempt, code: codeOf(error) || describeError(error) });
        await sleep(Math.min(500, 5 * 2 ** attempt) * (0.5 + Math.random() / 2));
      }
    }
  }

  async #connect(): Promise<pg.PoolClient> {
    if (this.#closed) {
      throw new SidekickError('SK_STOPPING', 'The database connections of this process are closed');
    }
    return this.#pool.connect();
  }
}

function processIdOf(client: pg.PoolClient): number {
  return (client as unknown as { readonly processID?: number }).processID ?? -1;
}

export function openDatabase(options: DatabaseOptions): Database {
  return new Database(options);
}

function config(text: string, values: readonly unknown[], options: QueryOptions): pg.QueryConfig {
  return { text, values: [...values], ...(options.name === undefined ? {} : { name: options.name }) };
}

// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- only the statement knows its rows
function rowsOf<Row>(result: pg.QueryResult): { readonly rows: readonly Row[]; readonly rowCount: number } {
  return { rows: result.rows as Row[], rowCount: result.rowCount ?? 0 };
}

async function runTransaction<T>(
  client: pg.PoolClient,
  fn: (tx: Queryable) => Promise<T>,
  options: TransactionOptions,
  unsafe: () => void,
): Promise<T> {
  let before: Promise<unknown> | undefined;
  let end: Promise<pg.QueryResult> | undefined;
  // Whether a commit of this transaction brings the statement before it to the disk.
  let wrote = false;
  const commit = (): Promise<pg.QueryResult> => {
    unsafe();
    return (end ??= settled(client.query('commit')));
  };
  const tx: Queryable = {
    query: async (text, values = [], more = {}) => {
      const statement = config(text, values, more);
      if (more.last !== true) {
        return rowsOf(await client.query(statement));
      }
      const answer = inOneWrite(client, () => {
        const sent = client.query(statement);
        void commit();
        return sent;
      });
      const rows = rowsOf<never>(await answer);
      wrote = rows.rowCount > 0;
      return rows;
    },
    transaction: async (inner, more = {}) => {
      await more.before?.(tx);
      if (more.opening) {
        await client.query(more.opening);
      }
      return inner(tx);
    },
  };
  const { begun, done } = inOneWrite(client, () => {
    if (options.before) {
      unsafe();
      void settled(client.query('set synchronous_commit = off'));
      before = settled(options.before(direct(client)));
      void settled(client.query('reset synchronous_commit'));
    }
    const opened = settled(client.query(options.opening ? `begin; ${options.opening}` : 'begin'));
    return { begun: opened, done: settled(fn(tx)) };
  });
  let result: T;
  try {
    result = await done;
    await begun;
    await before;
  } catch (error) {
    // Statements that followed a BEGIN or a lock that was refused say only that; the first failure is the reason.
    const first = await begun.then(
      () => error,
      (reason: unknown) => reason,
    );
    await before?.catch(() => undefined); // its failure is `error`, or comes after an earlier one
    if (!isConnectionLoss(first)) {
      await (end ?? client.query('rollback'));
    }
    throw first;
  }
  const committed = inOneWrite(client, () => [commit(), before && !wrote ? client.query(TO_DISK) : undefined] as const);
  if ((await committed[0]).command !== 'COMMIT') {
    throw new SidekickError('SK_INTERNAL', 'A transaction was undone because a statement in it had failed unnoticed');
  }
  await committed[1];
  return result;
}

/** What `work` sends at once leaves in one write: each costs a system call here and a wake-up there. */
function inOneWrite<T>(client: pg.PoolClient, work: () => T): T {
  const { stream } = (client as unknown as { readonly connection: { readonly stream: Writable } }).connection;
  stream.cork();
  try {
    return work();
  } finally {
    stream.uncork();
  }
}

/** Writes a mark into the log of Postgres, and with its commit all that was committed before is on the disk. */
const TO_DISK = `select pg_logical_emit_message(true, 'sidekick', '')`;

/** A promise that is awaited later; its failure is seen then, not as an unhandled one now. */
function settled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined); // whoever awaits it sees the failure
  return promise;
}

/** One connection alone; what fails on it is not tried again. */
function held(client: pg.PoolClient): Queryable {
  return {
    ...direct(client),
    transaction: (fn, options = {}) => runTransaction(client, fn, options, () => undefined),
  };
}

/** Statements outside of a transaction on a connection that is held. */
function direct(client: pg.PoolClient): Queryable {
  const q: Queryable = {
    query: async (text, values = [], options = {}) => rowsOf(await client.query(config(text, values, options))),
    transaction: () =>
      Promise.reject(new SidekickError('SK_INTERNAL', 'A transaction was opened where only a statement may be run')),
  };
  return q;
}
