import type { Matcher, ReservedOffer } from '../calls/ports';
import type { Clock, TimerHandle } from '../lib/clock';
import { describeError } from '../lib/errors';
import type { Log } from '../lib/log';
import { decide } from '../routing/decide';
import type { Decision } from '../routing/types';
import type { DispatchStore } from './ports';

export interface DispatcherDeps {
  readonly store: DispatchStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeId: string;
  /** How long a match took, milliseconds. */
  readonly onMatched?: (tookMs: number) => void;
  /** Hands an offer to the call it was reserved for; `no-call`: this node has no such call. */
  readonly onOffer: (offer: ReservedOffer) => 'taken' | 'known' | 'no-call';
  /** A reserved offer that no call of this node takes is given back. */
  readonly onOrphan: (offer: ReservedOffer) => void;
  /** Agents who were refused only because their presence is unknown or too old; resolves true once it was read again. */
  readonly refreshPresence: (agentIds: readonly string[]) => Promise<boolean>;
  /** The sweep found work that an event should have found. */
  readonly onSweepFound: (what: string) => void;
}

const SWEEP_MS = 1_000;
const RETRY_AFTER_ERROR_MS = 200;
/** Somebody whose presence stays unknown is not asked for at every match. */
const REFRESH_AGAIN_MS = 2_000;

interface QueueRun {
  running: boolean;
  again: boolean;
  refreshing: boolean;
  refreshedAt: number;
  due: TimerHandle | undefined;
}

/**
 * Turns waiting calls and free agents into offers. A match is asked for by events (a call was enqueued, an agent became free,
 * presence changed) and by due times that the last decision named; a sweep each second is the truth when a hint was lost.
 */
export class Dispatcher implements Matcher {
  readonly #deps: DispatcherDeps;
  readonly #queues = new Map<string, QueueRun>();
  #sweep: TimerHandle | undefined;
  #stopped = false;
  #running = 0;

  constructor(deps: DispatcherDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#scheduleSweep();
  }

  /** Stops asking for new matches; matches and sweeps that run are waited for. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#sweep?.clear();
    for (const run of this.#queues.values()) {
      run.due?.clear();
    }
    while (this.#running > 0) {
      await new Promise<void>((resolve) => {
        this.#deps.clock.setTimeout(resolve, 5);
      });
    }
  }

  requestMatch(queueId: string): void {
    if (this.#stopped) {
      return;
    }
    let run = this.#queues.get(queueId);
    if (!run) {
      run = { running: false, again: false, refreshing: false, refreshedAt: 0, due: undefined };
      this.#queues.set(queueId, run);
    }
    if (run.running) {
      run.again = true;
      return;
    }
    run.running = true;
    void this.#run(queueId, run);
  }

  /** An agent may be able to take calls now. */
  agentChanged(agentIds: readonly string[]): void {
    if (this.#stopped || agentIds.length === 0) {
      return;
    }
    this.#deps.store.queuesWaitingFor(agentIds).then(
      (queues) => {
        for (const queue of queues) {
          this.requestMatch(queue);
        }
      },
      (error: unknown) => {
        this.#deps.log.warn({ event: 'match_hint_failed', reason: describeError(error) });
      },
    );
  }

  async #run(queueId: string, run: QueueRun): Promise<void> {
    this.#running++;
    do {
      run.again = false;
      await this.#match(queueId, run);
    } while (run.again && !this.#stopped);
    run.running = false;
    this.#running--;
  }

  async #match(queueId: string, run: QueueRun): Promise<void> {
    try {
      const began = this.#deps.clock.now();
      const result = await this.#deps.store.match(queueId, decide);
      this.#deps.onMatched?.(this.#deps.clock.now() - began);
      if (!result) {
        this.#queues.delete(queueId);
        return;
      }
      for (const offer of result.offers) {
        if (offer.nodeId === this.#deps.nodeId && this.#deps.onOffer(offer) === 'no-call') {
          this.#deps.onOrphan(offer);
        }
      }
      this.#scheduleDue(queueId, run, result.decision.dueAt, result.now);
      this.#refreshUnknown(queueId, run, result.decision);
    } catch (error) {
      this.#deps.log.error({ event: 'match_failed', queue: queueId, reason: describeError(error) });
      this.#scheduleDue(queueId, run, RETRY_AFTER_ERROR_MS, 0);
    }
  }

  /** A caller waits beside an agent of whom nothing is known: ask again now instead of at the next poll. */
  #refreshUnknown(queueId: string, run: QueueRun, decision: Decision): void {
    const unknown = decision.unknownPresence;
    const now = this.#deps.clock.now();
    if (unknown.length === 0 || run.refreshing || now - run.refreshedAt < REFRESH_AGAIN_MS) {
      return;
    }
    run.refreshing = true;
    run.refreshedAt = now;
    this.#deps.refreshPresence(unknown).then(
      (read) => {
        run.refreshing = false;
        if (read) {
          this.requestMatch(queueId);
        }
      },
      (error: unknown) => {
        run.refreshing = false;
        this.#deps.log.warn({ event: 'presence_not_refreshed', reason: describeError(error) });
      },
    );
  }

  /** `dueAt` and `now` are of the database's clock; only their difference counts here. */
  #scheduleDue(queueId: string, run: QueueRun, dueAt: number | undefined, now: number): void {
    run.due?.clear();
    run.due = undefined;
    if (dueAt !== undefined && !this.#stopped) {
      run.due = this.#deps.clock.setTimeout(
        () => {
          this.requestMatch(queueId);
        },
        dueAt - now + 1,
      );
    }
  }

  #scheduleSweep(): void {
    if (this.#stopped) {
      return;
    }
    this.#sweep = this.#deps.clock.setTimeout(() => {
      this.#running++;
      this.sweep()
        .catch((error: unknown) => {
          this.#deps.log.error({ event: 'sweep_failed', reason: describeError(error) });
        })
        .finally(() => {
          this.#running--;
          this.#scheduleSweep();
        });
    }, SWEEP_MS);
  }

  /** One round of what events should have done already; public for tests and for a node that starts. */
  async sweep(): Promise<void> {
    const freed = await this.#deps.store.expireDueStates();
    this.agentChanged(freed);
    for (const offer of await this.#deps.store.reservedOffers()) {
      const result = this.#deps.onOffer(offer);
      if (result === 'no-call') {
        this.#deps.onOrphan(offer);
      }
      if (result !== 'known') {
        this.#deps.onSweepFound('reserved-offer');
      }
    }
    for (const queueId of await this.#deps.store.queuesWithWaitingCalls()) {
      this.requestMatch(queueId);
    }
  }
}
