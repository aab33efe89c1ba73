import type { ReservedOffer } from '../calls/ports';
import type { Clock } from '../lib/clock';
import { describeError } from '../lib/errors';
import type { Log } from '../lib/log';
import { Rounds } from '../lib/rounds';
import type { DispatchStore } from './ports';

export interface SweepDeps {
  readonly store: Pick<DispatchStore, 'expireDueStates' | 'pendingOffers' | 'queuesWithWaitingCalls' | 'forgetOld'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly onOffer: (offer: ReservedOffer) => 'taken' | 'known' | 'no-call';
  readonly onOrphan: (offer: ReservedOffer) => void;
  readonly onSweepFound: (what: string) => void;
  readonly agentChanged: (agentIds: readonly string[]) => void;
  /** `missed`: an event should have asked for it. Resolves when it is done, or when it was not needed; never rejects. */
  readonly match: (queueId: string, missed: boolean) => Promise<void>;
}

const SWEEP_MS = 1_000;
/** Both must have been there for so long, since the event of the last moments may be on its way, milliseconds. */
const SETTLED_MS = 500;
/** In so many rounds every queue with waiting calls is looked at once, some of them in each: calls may have to leave. */
const ROUNDS_FOR_ALL = 10;
const FORGET_EVERY = 600;

/**
 * What is true though every hint was lost: each second a node looks for rests that are over, for offers of its calls that no call
 * knows, and matches the queues in which its calls wait beside a free member. What it finds is counted, since an event should have found it.
 */
export class Sweep {
  readonly #deps: SweepDeps;
  readonly #loop: Rounds;
  #rounds = 0;

  constructor(deps: SweepDeps) {
    this.#deps = deps;
    this.#loop = new Rounds({
      clock: deps.clock,
      everyMs: SWEEP_MS,
      round: () => this.round(),
      onError: (error) => {
        deps.log.error({ event: 'sweep_failed', reason: describeError(error) });
      },
    });
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  async round(): Promise<void> {
    const { store } = this.#deps;
    // A rest that is over counts as over in every snapshot, and the decision before it named the moment: this only notes it.
    this.#deps.agentChanged(await store.expireDueStates());
    for (const offer of await store.pendingOffers()) {
      const result = this.#deps.onOffer(offer);
      if (result === 'no-call') {
        this.#deps.onOrphan(offer);
      }
      if (result !== 'known') {
        this.#deps.onSweepFound('pending-offer');
      }
    }
    for (const queueId of await store.queuesWithWaitingCalls(SETTLED_MS)) {
      void this.#deps.match(queueId, true);
    }
    this.#rounds++;
    // One after the other: all at once would make everybody else's matches wait.
    for (const queueId of await store.queuesWithWaitingCalls()) {
      if (turnOf(queueId) === this.#rounds % ROUNDS_FOR_ALL && !this.#loop.stopped) {
        await this.#deps.match(queueId, false);
      }
    }
    if (this.#rounds % FORGET_EVERY === 0) {
      await store.forgetOld();
    }
  }
}

/** In which of the rounds a queue is looked at: by its id, so that queues which come and go do not move the others. */
function turnOf(queueId: string): number {
  let sum = 0;
  for (const character of queueId) {
    sum += character.charCodeAt(0);
  }
  return sum % ROUNDS_FOR_ALL;
}
