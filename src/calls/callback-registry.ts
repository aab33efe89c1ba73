import { describeError } from '../lib/errors';
import { newId } from '../lib/ids';
import { shortNumber } from '../lib/log';
import type { Metrics } from '../lib/metrics';
import { Rounds } from '../lib/rounds';
import { CallbackSession } from './callback-session';
import type { CallbackSessionDeps } from './callback-session';
import type { CallbackRequest, Callbacks, CallPlan, PendingCallback, ReservedOffer } from './ports';

export interface CallbackRegistryDeps extends Omit<CallbackSessionDeps, 'onUnexpected' | 'metrics'> {
  readonly metrics: Metrics;
  readonly plan: (tenantId: string) => CallPlan;
}

/** Due tries, and what other nodes left, are found so late at most, milliseconds. */
const LOOK_MS = 1_000;

/**
 * The callbacks that this node owns. Each second it takes over those whose node has gone, and looks at what its own rows say: a try
 * that is due, one that is too old, a customer who called in meanwhile.
 */
export class CallbackRegistry implements Callbacks {
  readonly #deps: CallbackRegistryDeps;
  readonly #sessions = new Map<string, CallbackSession>();
  readonly #looks: Rounds;

  constructor(deps: CallbackRegistryDeps) {
    this.#deps = deps;
    this.#looks = new Rounds({
      clock: deps.clock,
      everyMs: LOOK_MS,
      round: () => this.look(),
      onError: (error) => {
        this.#notRead(error);
      },
    });
  }

  /** Those for which somebody rings or talks now. */
  get busy(): number {
    return [...this.#sessions.values()].filter((session) => session.busy).length;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Those that wait for an agent now, by queue name. */
  waitingByQueue(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { state, callback } of this.#sessions.values()) {
      const queue = this.#deps.plan(callback.tenantId).queue(callback.queueId)?.name;
      if (state.kind === 'waiting' && queue !== undefined) {
        counts.set(queue, (counts.get(queue) ?? 0) + 1);
      }
    }
    return counts;
  }

  start(): void {
    this.#looks.start();
  }

  async book(request: CallbackRequest): Promise<void> {
    const { store, log, metrics, matcher } = this.#deps;
    const { callbackId, known } = await store.bookCallback(newId(), request);
    store.appendEvent(request.callId, 'callback:booked', { callback: callbackId, known });
    log.info({
      event: 'callback_booked',
      callId: callbackId,
      from: request.callId,
      known,
      number: shortNumber(request.number),
    });
    if (known) {
      return;
    }
    metrics.callbackTried('booked');
    store.appendEvent(callbackId, 'callback:booked', { from: request.callId });
    await this.look();
    matcher.requestMatch(request.queueId);
  }

  /** Hands an offer to its callback. */
  offer(offer: ReservedOffer): 'taken' | 'known' | 'no-call' {
    const session = this.#sessions.get(offer.callId);
    if (!session) {
      return 'no-call';
    }
    return session.offerReserved(offer) ? 'taken' : 'known';
  }

  /** Ends one, as an administrator asked. False: this node has no such callback. */
  hangUp(callbackId: string): boolean {
    const session = this.#sessions.get(callbackId);
    session?.input({ kind: 'end', reason: 'callback-canceled' });
    return session !== undefined;
  }

  /** One round; public for tests. Never rejects. */
  async look(): Promise<void> {
    const { store, log } = this.#deps;
    if (this.#looks.stopped) {
      return;
    }
    try {
      const adopted = new Set(await store.adoptCallbacks());
      if (adopted.size > 0) {
        log.warn({ event: 'callbacks_adopted', callbacks: adopted.size });
      }
      const known = new Set(this.#sessions.keys());
      const rows = await store.openCallbacks();
      for (const row of rows) {
        (this.#sessions.get(row.id) ?? this.#add(row)).look(row);
        known.delete(row.id);
      }
      for (const gone of known) {
        this.#sessions.get(gone)?.gone();
      }
    } catch (error) {
      this.#notRead(error);
    }
  }

  #notRead(error: unknown): void {
    this.#deps.log.warn({ event: 'callbacks_not_read', reason: describeError(error) });
  }

  #add(row: PendingCallback): CallbackSession {
    const { log, metrics, plan } = this.#deps;
    const session = new CallbackSession(
      {
        ...this.#deps,
        onUnexpected: (machine, state, input) => {
          metrics.ignoredInput(machine);
          log.debug({ event: 'input_ignored', callId: row.id, machine, state, input });
        },
      },
      plan(row.tenantId),
      row,
      {
        onFinished: (end) => {
          this.#sessions.delete(row.id);
          if (end) {
            metrics.callbackTried('ended');
          }
        },
      },
    );
    this.#sessions.set(row.id, session);
    session.start(row.placed);
    return session;
  }

  /**
   * Leaves all that wait to the other nodes, or to the next start of this one, and ends those that talk; resolves when no leg of them
   * is left, or after `timeoutMs`. Before it nothing may be matched any more.
   */
  async handOver(timeoutMs: number): Promise<void> {
    await this.#looks.stop();
    for (const session of this.#sessions.values()) {
      session.input({ kind: 'hand-over' });
    }
    await this.#waitFor(() => this.#sessions.size === 0, timeoutMs);
  }

  /** True when nobody rings or talks for a callback; false if somebody still does after `timeoutMs`. */
  async waitUntilIdle(timeoutMs: number): Promise<boolean> {
    return await this.#waitFor(() => this.busy === 0, timeoutMs);
  }

  async #waitFor(done: () => boolean, timeoutMs: number): Promise<boolean> {
    const { clock } = this.#deps;
    const until = clock.now() + timeoutMs;
    while (!done() && clock.now() < until) {
      await new Promise<void>((resolve) => {
        clock.setTimeout(resolve, 20);
      });
    }
    return done();
  }
}
