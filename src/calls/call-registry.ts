import type { Clock } from '../lib/clock';
import { newId } from '../lib/ids';
import type { Log } from '../lib/log';
import { shortNumber } from '../lib/log';
import type { Metrics } from '../lib/metrics';
import type {
  CallerIdentity,
  CallerLeg,
  CallExit,
  CallRoute,
  ForecastOffer,
  ReservedOffer,
  TransferRequest,
} from './ports';
import { CallSession, entryOf } from './session';
import type { CallSessionDeps } from './session';

export interface CallRegistryDeps extends Omit<CallSessionDeps, 'onUnexpected' | 'callersWait'> {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Who let a call in hears of its stages. */
export interface CallHooks {
  /** The call is answered and that is stored, or it has ended; may be called more than once. */
  readonly setUp: () => void;
  /** The call, its facts and its offers are done; called once. */
  readonly over: () => void;
}

/** The calls that this node owns. */
export class CallRegistry {
  readonly #deps: CallRegistryDeps;
  readonly #calls = new Map<string, CallSession>();

  constructor(deps: CallRegistryDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** Takes a caller in. */
  take(route: CallRoute, caller: CallerIdentity, sipCallId: string, leg: CallerLeg, hooks: CallHooks): CallSession {
    const { clock, metrics, log } = this.#deps;
    const callId = newId();
    const startedAt = clock.now();
    const session = new CallSession(
      {
        ...this.#deps,
        callersWait: () => this.#callersWait(),
        onUnexpected: (machine, state, input) => {
          metrics.ignoredInput(machine);
          log.debug({ event: 'input_ignored', callId, machine, state, input });
        },
      },
      { callId, sipCallId, caller, route },
      leg,
      {
        onSetUp: hooks.setUp,
        onFinished: (end) => {
          this.#calls.delete(callId);
          metrics.callEnded(end.result, end.reason, clock.now() - startedAt);
          hooks.over();
        },
      },
    );
    this.#calls.set(callId, session);
    metrics.callStarted();
    log.info({
      event: 'call_arrived',
      callId,
      number: shortNumber(route.number),
      caller: shortNumber(caller.number),
      ...entryOf(session.info),
    });
    session.start();
    return session;
  }

  /** An offer is being written down for a call, which may be none of this node. */
  prepare(offer: ForecastOffer): void {
    this.#calls.get(offer.callId)?.prepareOffer(offer);
  }

  /** Hands an offer to its call. */
  offer(offer: ReservedOffer): 'taken' | 'known' | 'no-call' {
    const session = this.#calls.get(offer.callId);
    if (!session) {
      return 'no-call';
    }
    return session.offerReserved(offer) ? 'taken' : 'known';
  }

  /** Hands a decision's exit to its call. False: this node has no such call. */
  exit(exit: CallExit): boolean {
    const session = this.#calls.get(exit.callId);
    session?.exit(exit);
    return session !== undefined;
  }

  /** Ends one call, as an administrator asked. False: this node has no such call. */
  hangUp(callId: string): boolean {
    const session = this.#calls.get(callId);
    session?.input({ kind: 'end', reason: 'ended-by-admin' });
    return session !== undefined;
  }

  /** Sends one call on. False: this node has no such call. */
  transfer(callId: string, request: TransferRequest): boolean {
    const session = this.#calls.get(callId);
    session?.transfer(request, 'system');
    return session !== undefined;
  }

  /** Ends every call of this node; resolves when none is left or after `timeoutMs`. */
  async endAll(timeoutMs: number): Promise<void> {
    for (const session of this.#calls.values()) {
      session.input({ kind: 'end', reason: 'node-stopping' });
    }
    await this.waitUntilEmpty(timeoutMs);
  }

  /** True when no call is left; false if some still are after `timeoutMs`. */
  async waitUntilEmpty(timeoutMs: number): Promise<boolean> {
    const until = this.#deps.clock.now() + timeoutMs;
    while (this.#calls.size > 0 && this.#deps.clock.now() < until) {
      await new Promise<void>((resolve) => {
        this.#deps.clock.setTimeout(resolve, 20);
      });
    }
    return this.#calls.size === 0;
  }

  #callersWait(): boolean {
    for (const { state } of this.#calls.values()) {
      if (state.kind === 'waiting') {
        return true;
      }
    }
    return false;
  }

  /** Calls of this node that wait now, by queue name. */
  waitingByQueue(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { waitingIn } of this.#calls.values()) {
      if (waitingIn !== undefined) {
        counts.set(waitingIn, (counts.get(waitingIn) ?? 0) + 1);
      }
    }
    return counts;
  }
}
