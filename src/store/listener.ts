import pg from 'pg';
import { Emitter } from '../lib/emitter';
import { SidekickError, toError } from '../lib/errors';
import type { Log } from '../lib/log';
import { withTimeout } from '../lib/timeout';
import { CHANNEL, parseNotification, type Notification } from './notifications';

export interface ListenerOptions {
  readonly url: string;
  readonly log: Log;
  /** True for backends whose notifications are not wanted. */
  readonly ignore?: (processId: number) => boolean;
  /** How often a silent connection is tried, milliseconds, default 10 000. */
  readonly pingMs?: number;
  /** First and longest pause between attempts to connect, milliseconds, default 100 and 5000. */
  readonly backoffMs?: { readonly first: number; readonly longest: number };
}

interface ListenerEvents {
  notification: [notification: Notification];
  /** Listening (again). What was told meanwhile is lost: look at everything. */
  connected: [];
  disconnected: [why: string];
}

/**
 * One connection that listens to the hints of the other nodes and comes back by itself. A hint can be lost at any time, so
 * whoever listens sweeps as well, and at once on `connected`.
 */
export class Listener extends Emitter<ListenerEvents> {
  readonly #options: ListenerOptions;
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #closed = false;
  #connecting: Promise<void> | undefined;

  constructor(options: ListenerOptions) {
    super((error, event) => {
      options.log.error({ event: 'listener:handler-failed', on: event, err: error });
    });
    this.#options = options;
  }

  get connected(): boolean {
    return this.#client !== undefined;
  }

  /** Resolves after the first attempt to connect, whether it worked or is tried again. */
  async start(): Promise<void> {
    await this.#connect();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#connecting;
    const client = this.#client;
    this.#client = undefined;
    this.removeAllListeners();
    await client?.end().catch(() => undefined); // broken already: nothing left to end
  }

  #connect(): Promise<void> {
    this.#connecting = this.#tryToConnect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #tryToConnect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#options.url,
      application_name: 'sidekick-listener',
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    client.on('error', (error) => {
      this.#lost(client, error.message);
    });
    client.on('end', () => {
      this.#lost(client, 'the connection ended');
    });
    client.on('notification', (message) => {
      this.#heard(message);
    });
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
    } catch (error) {
      client.removeAllListeners('end');
      void client.end().catch(() => undefined); // it never came up
      this.#again(toError(error).message);
      return;
    }
    if (this.#closed) {
      await client.end().catch(() => undefined); // closed while we connected
      return;
    }
    this.#client = client;
    this.#failures = 0;
    this.#options.log.debug({ event: 'listener:connected' });
    this.#schedulePing(client);
    this.emit('connected');
  }

  #heard(message: pg.Notification): void {
    if (this.#options.ignore?.(message.processId) === true) {
      return;
    }
    const notification = parseNotification(message.payload ?? '');
    if (notification) {
      this.emit('notification', notification);
    } else {
      this.#options.log.debug({ event: 'listener:unknown-notice', length: message.payload?.length });
    }
  }

  /** A connection whose far end silently vanished looks idle for ever; a query finds out. */
  #schedulePing(client: pg.Client): void {
    const pingMs = this.#options.pingMs ?? 10_000;
    this.#timer = setTimeout(() => {
      const timeout = (): Error =>
        new SidekickError('SK_POSTGRES_UNREACHABLE', 'Postgres does not answer the listener');
      withTimeout(client.query('select'), pingMs, timeout).then(
        () => {
          if (this.#client === client && !this.#closed) {
            this.#schedulePing(client);
          }
        },
        (error: unknown) => {
          this.#lost(client, toError(error).message);
        },
      );
    }, pingMs);
  }

  #lost(client: pg.Client, why: string): void {
    if (this.#client !== client) {
      return;
    }
    this.#client = undefined;
    clearTimeout(this.#timer);
    // Without this a half-open connection would keep its socket for minutes.
    (client as unknown as { connection?: { stream?: { destroy(): void } } }).connection?.stream?.destroy();
    if (!this.#closed) {
      this.emit('disconnected', why);
      this.#again(why);
    }
  }

  #again(why: string): void {
    if (this.#closed) {
      return;
    }
    const { first, longest } = this.#options.backoffMs ?? { first: 100, longest: 5_000 };
    const pause = Math.min(longest, first * 2 ** this.#failures) * (0.5 + Math.random() / 2);
    this.#failures++;
    this.#options.log.warn({ event: 'listener:disconnected', why, nextAttemptMs: Math.round(pause) });
    this.#timer = setTimeout(() => {
      void this.#connect();
    }, pause);
  }
}
