import type { Matcher, ReservedOffer } from '../calls/ports';
import type { Clock, TimerHandle } from '../lib/clock';
import { describeError } from '../lib/errors';
import type { Log } from '../lib/log';
import { checkSnapshot } from '../routing/check-snapshot';
import { decide } from '../routing/decide';
import type { Decision, Exit, Snapshot } from '../routing/types';
import { DecisionLog } from './decision-log';
import type { Decide, DispatchStore, MatchResult, MatchTravel } from './ports';
import { Sweep } from './sweep';

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
  /** A call of this node leaves its queue without an agent. Acting upon it twice must do no harm. */
  readonly onExit?: (exit: Exit) => void;
  /** Agents who were refused only because their presence is unknown or too old; resolves true once it was read again. */
  readonly refreshPresence: (agentIds: readonly string[]) => Promise<boolean>;
  /** The sweep found work that an event should have found. */
  readonly onSweepFound: (what: string) => void;
}

const RETRY_AFTER_ERROR_MS = 200;
/** Somebody whose presence stays unknown is not asked for at every match. */
const REFRESH_AGAIN_MS = 2_000;
/** How often the snapshots of a queue are looked through for what cannot be. */
const CHECK_AGAIN_MS = 1_000;
/** Events of the last moments may be on their way when the sweep comes by, milliseconds. */
const SWEEP_TOLERANCE_MS = 500;
/** Timers of Node hold no more than 2^31-1 ms; a due time further away is looked at again on the way. */
const LONGEST_TIMER_MS = 3_600_000;

/**
 * Matches of one queue that may be under way. The second waits in the database for the first, which is sooner than to begin when the
 * first is over; more of them would each look at the same again.
 */
const MOST_AT_ONCE = 2;

interface QueueRun {
  /** Matches under way. */
  running: number;
  /** What asked for the next match, while some run. */
  again: string | undefined;
  refreshing: boolean;
  refreshedAt: number;
  checkedAt: number;
  due: TimerHandle | undefined;
  /** Requests that a match which travelled with their cause has answered already. */
  answered: number;
}

/**
 * Turns waiting calls and free agents into offers. A match is asked for by events (a call was enqueued, an agent became free,
 * presence changed) and by due times that the last decision named; a sweep each second is the truth when a hint was lost.
 *
 * The database puts the matches of a queue one after the other; those of different queues run side by side. A node asks for the next
 * match of a queue when none of it is under way any more, but one that travels with its cause sets off at once. A match looks at
 * every queue that shares a free agent with its own, so one match is enough for an agent of several queues.
 */
export class Dispatcher implements Matcher, MatchTravel {
  readonly #deps: DispatcherDeps;
  readonly #queues = new Map<string, QueueRun>();
  /** Agents for whom a match that travelled with the end of their offer has looked at all their queues. */
  readonly #answered = new Set<string>();
  /** When the rests end that this node saw begin. */
  readonly #wakes = new Map<string, TimerHandle>();
  readonly #decisions: DecisionLog;
  readonly #sweep: Sweep;
  #stopped = false;
  #running = 0;

  constructor(deps: DispatcherDeps) {
    this.#deps = deps;
    this.#decisions = new DecisionLog({
      write: (records) => deps.store.recordDecisions(records),
      clock: deps.clock,
      log: deps.log,
    });
    this.#sweep = new Sweep({
      ...deps,
      agentChanged: (agentIds) => {
        this.agentChanged(agentIds);
      },
      match: (queueId, missed) => this.#request(queueId, missed ? 'sweep' : 'look'),
    });
  }

  start(): void {
    this.#sweep.start();
  }

  /** Stops asking for new matches; matches and sweeps that run are waited for. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const run of this.#queues.values()) {
      run.due?.clear();
    }
    for (const timer of this.#wakes.values()) {
      timer.clear();
    }
    await this.#sweep.stop();
    while (this.#running > 0) {
      await new Promise<void>((resolve) => {
        this.#deps.clock.setTimeout(resolve, 5);
      });
    }
    await this.#decisions.flush();
  }

  requestMatch(queueId: string): void {
    const run = this.#queues.get(queueId);
    if (run && run.answered > 0) {
      run.answered--;
      return;
    }
    void this.#request(queueId, 'event');
  }

  /** The rules of queues may be others now: every queue in which calls wait is looked at anew. */
  rulesChanged(): void {
    this.#deps.store.queuesWithWaitingCalls().then(
      (found) => {
        for (const queueId of found) {
          void this.#request(queueId, 'event');
        }
      },
      (error: unknown) => {
        this.#deps.log.warn({ event: 'rules_not_looked_at', reason: describeError(error) });
      },
    );
  }

  /** An agent may be able to take calls now. */
  agentChanged(agentIds: readonly string[]): void {
    const open = agentIds.filter((agentId) => !this.#answered.delete(agentId));
    if (open.length === 0) {
      return;
    }
    this.#deps.store.queuesWaitingFor(open).then(
      (found) => {
        for (const { queues, able } of found) {
          // One match looks at all queues of an agent who can take a call; for one who cannot, each may have to send calls away.
          const soon = able && queues.some((queueId) => this.#queues.get(queueId)?.again !== undefined);
          for (const queueId of able ? queues.slice(0, soon ? 0 : 1) : queues) {
            void this.#request(queueId, 'agent');
          }
        }
      },
      (error: unknown) => {
        this.#deps.log.warn({ event: 'match_hint_failed', reason: describeError(error) });
      },
    );
  }

  /** Another node reserved an agent for a call of this one. */
  offerReserved(offerId: string): void {
    if (this.#stopped) {
      return;
    }
    this.#deps.store.reservedOffer(offerId).then(
      (offer) => {
        if (offer) {
          this.#hand(offer);
        }
      },
      (error: unknown) => {
        this.#deps.log.warn({ event: 'offer_hint_failed', offerId, reason: describeError(error) });
      },
    );
  }

  async travel<T>(
    { queueId, agentId }: { readonly queueId: string; readonly agentId?: string },
    alone: () => Promise<T>,
    together: (decide: Decide) => Promise<{ readonly value: T; readonly result: MatchResult | undefined }>,
  ): Promise<T> {
    const run = this.#runOf(queueId);
    if (this.#stopped || run.running >= MOST_AT_ONCE) {
      return await alone();
    }
    run.running++;
    this.#running++;
    const began = this.#deps.clock.now();
    try {
      const { value, result } = await together(decide);
      this.#deps.onMatched?.(this.#deps.clock.now() - began);
      run.answered++;
      const covered = agentId !== undefined && servesNow(result, queueId, agentId);
      if (covered) {
        this.#answered.add(agentId);
      }
      // Whoever waits for the statement goes on first: an offer for the same call must not meet the one that just ended.
      setImmediate(() => {
        run.answered = 0;
        if (covered) {
          this.#answered.delete(agentId);
        }
        this.#found(queueId, run, 'event', result);
        this.#goOn(queueId, run);
      });
      return value;
    } catch (error) {
      this.#goOn(queueId, run);
      throw error;
    }
  }

  wake(agentId: string, inMs: number): void {
    this.#wakes.get(agentId)?.clear();
    if (this.#stopped) {
      return;
    }
    const timer = this.#deps.clock.setTimeout(
      () => {
        this.#wakes.delete(agentId);
        this.agentChanged([agentId]);
      },
      Math.min(LONGEST_TIMER_MS, Math.max(0, inMs) + 1),
    );
    this.#wakes.set(agentId, timer);
  }

  #runOf(queueId: string): QueueRun {
    let run = this.#queues.get(queueId);
    if (!run) {
      run = {
        running: 0,
        again: undefined,
        refreshing: false,
        refreshedAt: 0,
        checkedAt: -CHECK_AGAIN_MS,
        due: undefined,
        answered: 0,
      };
      this.#queues.set(queueId, run);
    }
    return run;
  }

  /** Resolves when the match is over; at once where one is under way, after which another follows. */
  async #request(queueId: string, trigger: string): Promise<void> {
    if (this.#stopped) {
      // Work of a node that ends is the others' business from here.
      this.#hint(queueId, undefined);
      return;
    }
    const run = this.#runOf(queueId);
    if (run.running > 0) {
      run.again = trigger;
      return;
    }
    run.running++;
    this.#running++;
    await this.#run(queueId, run, trigger);
  }

  async #run(queueId: string, run: QueueRun, trigger: string): Promise<void> {
    try {
      const began = this.#deps.clock.now();
      const result = await this.#deps.store.match(queueId, decide);
      this.#deps.onMatched?.(this.#deps.clock.now() - began);
      this.#found(queueId, run, trigger, result);
    } catch (error) {
      this.#deps.log.error({ event: 'match_failed', queue: queueId, reason: describeError(error) });
      this.#scheduleDue(queueId, run, RETRY_AFTER_ERROR_MS, 0);
    }
    this.#goOn(queueId, run);
  }

  /** A match is over. The next match of this queue, if somebody asked for one meanwhile and none is under way. */
  #goOn(queueId: string, run: QueueRun): void {
    run.running--;
    this.#running--;
    const { again } = run;
    if (again !== undefined && run.running === 0) {
      run.again = undefined;
      void this.#request(queueId, again);
    }
  }

  #found(queueId: string, run: QueueRun, trigger: string, result: MatchResult | undefined): void {
    if (!result) {
      run.due?.clear();
      this.#queues.delete(queueId);
      return;
    }
    const { decision, snapshot, offers } = result;
    if (trigger === 'sweep' && offers.some((offer) => wasMissed(snapshot, offer))) {
      this.#deps.onSweepFound('match');
    }
    for (const offer of offers) {
      if (offer.nodeId === this.#deps.nodeId) {
        this.#hand(offer);
      }
    }
    this.#exits(decision.exits);
    this.#alarm(queueId, run, snapshot);
    if (result.leftOut > 0) {
      run.again ??= 'left-out';
    }
    this.#scheduleDue(queueId, run, decision.dueAt, snapshot.now);
    this.#refreshUnknown(queueId, run, decision);
    this.#decisions.add(queueId, trigger, result);
  }

  /** What cannot be does not stop anybody's match; it is told, and the sweep releases offers that no call takes. */
  #alarm(queueId: string, run: QueueRun, snapshot: Snapshot): void {
    const now = this.#deps.clock.now();
    if (now - run.checkedAt < CHECK_AGAIN_MS) {
      return;
    }
    run.checkedAt = now;
    const problems = checkSnapshot(snapshot);
    if (problems.length > 0) {
      this.#deps.log.error({ event: 'snapshot_contradicts_itself', queue: queueId, problems: problems.slice(0, 20) });
      this.#deps.onSweepFound('contradiction');
    }
  }

  #hand(offer: ReservedOffer): void {
    if (this.#deps.onOffer(offer) === 'no-call') {
      this.#deps.onOrphan(offer);
    }
  }

  /** A node acts on its own calls; another is asked to look for itself. */
  #exits(exits: readonly Exit[]): void {
    const others = new Map<string, string>();
    for (const exit of exits) {
      if (exit.nodeId === this.#deps.nodeId) {
        this.#deps.onExit?.(exit);
      } else {
        others.set(`${exit.nodeId} ${exit.queueId}`, exit.queueId);
      }
    }
    for (const [key, queueId] of others) {
      this.#hint(queueId, key.split(' ')[0]);
    }
  }

  #hint(queueId: string, nodeId: string | undefined): void {
    this.#deps.store.hintQueue(queueId, nodeId).catch((error: unknown) => {
      this.#deps.log.warn({ event: 'hint_not_sent', queue: queueId, reason: describeError(error) });
    });
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
          void this.#request(queueId, 'presence');
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
      const wait = Math.min(LONGEST_TIMER_MS, Math.max(0, dueAt - now) + 1);
      run.due = this.#deps.clock.setTimeout(() => {
        void this.#request(queueId, 'due');
      }, wait);
    }
  }

  /** One round of what events should have done already; public for tests and for a node that starts. */
  async sweep(): Promise<void> {
    await this.#sweep.round();
  }
}

/** The match looked at every queue of this agent: he serves its queue, so all his others with waiting calls were in its scope. */
function servesNow(result: MatchResult | undefined, queueId: string, agentId: string): boolean {
  const agent = result?.snapshot.agents.find((a) => a.agentId === agentId);
  const member = agent?.memberships.find((m) => m.queueId === queueId);
  return member !== undefined && member.signedIn !== false && member.pauseReason === undefined;
}

/** Both had been there for a while: no event that is still on its way would have brought them together. */
function wasMissed(snapshot: Snapshot, offer: ReservedOffer): boolean {
  const call = snapshot.calls.find((c) => c.callId === offer.callId);
  const agent = snapshot.agents.find((a) => a.agentId === offer.target.agentId);
  const since = Math.max(call?.queuedAt ?? 0, agent?.readySince ?? 0);
  return snapshot.now - since > SWEEP_TOLERANCE_MS;
}
