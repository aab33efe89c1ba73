/**
 * Shows agents as busy in Teams while they are in a call on another platform or rest after one, so that nobody calls them
 * there. What should be shown is in the database, and noted there before Graph is asked: whichever node holds the task takes
 * back or renews what another one has set.
 *
 * A session of our application is all that is ever set. By Microsoft's order it is weaker than do not disturb and than any
 * presence that the user has chosen, and it ends by itself when nobody renews it.
 */
import type { Clock, TimerHandle } from '../lib/clock';
import { describeError, isSidekickError } from '../lib/errors';
import type { Log } from '../lib/log';
import type { PresenceWrite } from '../store/types';
import { askedWaitOf, statusOf } from './graph-errors';
import { backoffMs } from './poll-plan';
import type { PresenceWriter } from './ports';

/** A session lasts so long at most after the last node has died. */
const SESSION_MS = 600_000;
const RENEW_MS = 300_000;
const TICK_MS = 1_000;
/** While it is switched off, only leftovers are looked for. */
const OFF_TICK_MS = 30_000;
const RETRY_CAP_MS = 300_000;
const AT_ONCE = 8;
const PER_TICK = 100;

export interface WriteBackStore {
  due(on: boolean, renewMs: number, limit: number): Promise<readonly PresenceWrite[]>;
  written(agentId: string, forMs: number | undefined): Promise<void>;
  notWritten(agentId: string, retryMs: number, error: string): Promise<void>;
}

export interface WriteBackDeps {
  readonly store: WriteBackStore;
  readonly writer: PresenceWriter;
  readonly clock: Clock;
  readonly log: Log;
  readonly on: boolean;
  /** Whether this node has the task now, and Graph may be asked. */
  readonly mayWrite: () => boolean;
  readonly onWrite?: (outcome: 'set' | 'cleared' | 'failed') => void;
}

export class WriteBack {
  readonly #deps: WriteBackDeps;
  #timer: TimerHandle | undefined;
  #running: Promise<void> | undefined;
  #pausedUntil = 0;
  #lastError: string | undefined;
  #closed = false;

  constructor(deps: WriteBackDeps) {
    this.#deps = deps;
  }

  /** What the last write failed with; undefined: it did not. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  start(): void {
    this.#schedule(TICK_MS);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.clear();
    await this.#running;
  }

  #schedule(ms: number): void {
    if (this.#closed) {
      return;
    }
    this.#timer = this.#deps.clock.setTimeout(() => {
      this.#running = this.#tick().finally(() => {
        this.#running = undefined;
        this.#schedule(this.#deps.on ? TICK_MS : OFF_TICK_MS);
      });
    }, ms);
  }

  async #tick(): Promise<void> {
    const { store, clock, log, on, mayWrite } = this.#deps;
    if (!mayWrite() || clock.now() < this.#pausedUntil) {
      return;
    }
    try {
      const left = [...(await store.due(on, RENEW_MS, PER_TICK))];
      const work = async (): Promise<void> => {
        for (let write = left.shift(); write !== undefined && !this.#closed; write = left.shift()) {
          await this.#write(write);
          if (clock.now() < this.#pausedUntil) {
            return;
          }
        }
      };
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, left.length) }, work));
    } catch (error) {
      log.warn({ event: 'presence:write-back-failed', error: describeError(error) }, 'presence could not be written');
    }
  }

  async #write({ agentId, entraUserId, reason, failures }: PresenceWrite): Promise<void> {
    const { store, writer, log, clock } = this.#deps;
    try {
      if (reason === undefined) {
        await writer.clearPresence(entraUserId);
      } else {
        await writer.setPresence(entraUserId, { availability: 'Busy', activity: 'InACall' }, SESSION_MS);
      }
    } catch (error) {
      const asked = askedWaitOf(error);
      const retryMs = asked ?? backoffMs(failures + 1, RETRY_CAP_MS);
      if (statusOf(error) === 429 && asked !== undefined) {
        this.#pausedUntil = clock.now() + asked;
      }
      const text = isSidekickError(error) && error.why ? error.why : describeError(error);
      if (this.#lastError === undefined) {
        log.warn(
          { event: 'presence:not-written', agentId, retryMs, error: text },
          'Teams does not show an agent as meant',
        );
      }
      this.#lastError = text;
      this.#deps.onWrite?.('failed');
      await store.notWritten(agentId, retryMs, text);
      return;
    }
    this.#lastError = undefined;
    this.#deps.onWrite?.(reason === undefined ? 'cleared' : 'set');
    await store.written(agentId, reason === undefined ? undefined : SESSION_MS);
  }
}
