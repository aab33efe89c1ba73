/**
 * One run: a discrete-event simulation in which routing's own code decides who gets which call. An agent is
 *
 *   off ──shift begins──▶ free ──assigned──▶ ringing ──answers──▶ busy (talking, wrapping up) ──▶ free, or off where the shift is over
 *                          ▲                    │
 *                          └── lets it ring, ───┘
 *                              caller gone, answered elsewhere
 *
 * and, beside that, away now and then with work of other people; presence tells us of it late, and until then such an agent is
 * offered calls in vain.
 */
import { startingCount } from '../routing/strategies/fewest-calls';
import type { Exit } from '../routing/types';
import { arrivalStream } from './arrivals';
import { CallSlots } from './call-slots';
import { DecideMatcher } from './decide-matcher';
import { sampler } from './distributions';
import type { Sampler } from './distributions';
import { EventHeap } from './event-heap';
import { canBeIndexed, IndexedMatcher } from './indexed-matcher';
import type { Matcher, MatchHost } from './matcher';
import type { SimAgent, SimCall } from './people';
import type { Plan, PlannedQueue } from './plan';
import { uniformStream } from './random';
import { hireStaff } from './staff';
import { newTally } from './tally';
import type { QueueTally, RunTally } from './tally';

/** Kinds of events. */
const Kind = {
  Arrival: 0,
  GiveUp: 1,
  Answer: 2,
  RingOut: 3,
  Free: 4,
  ShiftBegins: 5,
  ShiftEnds: 6,
  AwayBegins: 7,
  AwayEnds: 8,
  AwayKnown: 9,
  BackKnown: 10,
  Due: 11,
} as const;

export interface RunOptions {
  readonly seed: number;
  /** How calls and agents are matched; default: the fastest that is exact for the plan. */
  readonly matcher?: 'indexed' | 'decide' | 'decide-whole';
  /** Told of each assignment, for tests and for whoever wants to look. */
  readonly onAssigned?: (at: number, callNumber: number, agent: string) => void;
  /** Called now and then with the share of the run that is done. */
  readonly onProgress?: (share: number) => void;
}

const PROGRESS_EVERY = 16_384;
/** An agent who is away, and of whom we do not know it, is busy for us so soon. */
const BUSY_TONE_MS = 1_000;

/** Runs the plan once. The same plan and seed always give the same tally. */
export function runOnce(plan: Plan, options: RunOptions): RunTally {
  return new Run(plan, options).run();
}

interface TrafficStreams {
  readonly nextArrival: () => number;
  readonly patience: Sampler;
  readonly handling: Sampler;
}

class Run implements MatchHost {
  readonly #plan: Plan;
  readonly #options: RunOptions;
  readonly #events = new EventHeap();
  readonly #tally: RunTally;
  readonly #staff: SimAgent[];
  readonly #streams: TrafficStreams[];
  readonly #queueIndex: ReadonlyMap<string, number>;
  readonly #calls: CallSlots;
  readonly #matcher: Matcher;
  readonly #other: readonly { readonly every: Sampler; readonly lasts: Sampler; readonly refuses: () => boolean }[];
  readonly #dueAt: number[];
  #now = 0;

  readonly now = (): number => this.#now;

  constructor(plan: Plan, options: RunOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#tally = newTally(plan);
    this.#calls = new CallSlots(plan);
    const { seed } = options;
    this.#queueIndex = new Map(plan.queues.map(({ rules }, i) => [rules.name, i]));
    this.#streams = plan.traffic.map((traffic, i) => ({
      nextArrival: arrivalStream(
        traffic.arrivals,
        plan.lengthMs,
        uniformStream(seed, `arrivals ${traffic.queue} ${i}`),
      ),
      patience: sampler(traffic.patience, uniformStream(seed, `patience ${traffic.queue} ${i}`)),
      handling: sampler(traffic.handling, uniformStream(seed, `handling ${traffic.queue} ${i}`)),
    }));
    this.#staff = hireStaff(plan, seed);
    this.#other = plan.staff.map((agent) => {
      const refusal = uniformStream(seed, `refusal ${agent.name}`);
      const { otherWork } = agent;
      return {
        every: sampler(otherWork?.everyMs ?? { kind: 'never' }, uniformStream(seed, `other ${agent.name}`)),
        lasts: sampler(otherWork?.lastsMs ?? { kind: 'never' }, uniformStream(seed, `lasts ${agent.name}`)),
        refuses: () => agent.refuse > 0 && refusal() < agent.refuse,
      };
    });
    this.#dueAt = plan.queues.map(() => Infinity);
    this.#matcher = this.#newMatcher();
  }

  #newMatcher(): Matcher {
    const kind = this.#options.matcher ?? (canBeIndexed(this.#plan) ? 'indexed' : 'decide');
    if (kind === 'indexed') {
      return new IndexedMatcher(this.#plan, this);
    }
    const draw = uniformStream(this.#options.seed, 'seeds of decisions');
    const seed = (): number => Math.floor(draw() * 0x1_0000_0000);
    return new DecideMatcher(this.#plan, this.#staff, this, { whole: kind === 'decide-whole', seed });
  }

  run(): RunTally {
    this.#beginShifts();
    for (const [i, { nextArrival }] of this.#streams.entries()) {
      this.#events.plan(nextArrival(), Kind.Arrival, i, 0);
    }
    while (this.#events.next()) {
      this.#now = this.#events.time;
      this.#tally.events++;
      if (this.#tally.events % PROGRESS_EVERY === 0) {
        this.#options.onProgress?.(Math.min(1, this.#now / this.#plan.lengthMs));
      }
      this.#happen(this.#events.kind, this.#events.subject, this.#events.stamp);
    }
    for (const agent of this.#staff) {
      if (agent.state !== 'off') {
        this.#countSignedIn(agent, this.#plan.lengthMs);
      }
    }
    this.#options.onProgress?.(1);
    return this.#tally;
  }

  #happen(kind: number, subject: number, stamp: number): void {
    switch (kind) {
      case Kind.Arrival: {
        this.#arrive(subject);
        return;
      }
      case Kind.GiveUp: {
        const call = this.#calls.at(subject);
        if (call.stamp === stamp && call.waits) {
          this.#giveUp(call);
        }
        return;
      }
      case Kind.Due: {
        if (this.#dueAt[subject] === this.#now) {
          this.#dueAt[subject] = Infinity;
        }
        this.#matcher.due(subject);
        return;
      }
      default: {
        this.#happenToAgent(kind, this.#staff[subject] as SimAgent, stamp);
      }
    }
  }

  #happenToAgent(kind: number, agent: SimAgent, stamp: number): void {
    switch (kind) {
      case Kind.Answer: {
        if (agent.stamp === stamp && agent.call) {
          this.#answer(agent, agent.call);
        }
        return;
      }
      case Kind.RingOut: {
        if (agent.stamp === stamp && agent.call) {
          this.#ringOut(agent, agent.call);
        }
        return;
      }
      case Kind.Free: {
        this.#becomeFree(agent, true);
        return;
      }
      case Kind.ShiftBegins: {
        agent.leaving = false;
        if (agent.state === 'off') {
          this.#signIn(agent);
        }
        return;
      }
      case Kind.ShiftEnds: {
        this.#endShift(agent);
        return;
      }
      default: {
        this.#otherWork(kind, agent);
      }
    }
  }

  // ---------------------------------------------------------------- callers

  #arrive(trafficIndex: number): void {
    const traffic = this.#plan.traffic[trafficIndex] as Plan['traffic'][number];
    const streams = this.#streams[trafficIndex] as TrafficStreams;
    const queue = this.#queueIndex.get(traffic.queue) as number;
    const call = this.#calls.arrive(queue, trafficIndex, streams.handling(), this.#now);
    const patienceMs = streams.patience();
    this.#tally.calls++;
    if (call.counted) {
      this.#queueTally(queue).arrived++;
    }
    this.#events.plan(streams.nextArrival(), Kind.Arrival, trafficIndex, 0);
    this.#events.plan(this.#now + patienceMs, Kind.GiveUp, call.slot, call.stamp);
    this.#matcher.waiting(call);
  }

  #giveUp(call: SimCall): void {
    if (call.counted) {
      const tally = this.#queueTally(call.queue);
      tally.abandoned++;
      tally.patience.add(this.#now - call.arrivedAt);
    }
    this.#endWait(call);
  }

  /** A rule of the queue sends the call away: to another queue, where it waits on with its clock kept, or out of the system. */
  leave(call: SimCall, exit: Exit): void {
    if (call.counted) {
      const tally = this.#queueTally(call.queue);
      tally.left[exit.reason] = (tally.left[exit.reason] ?? 0) + 1;
    }
    const { action } = exit;
    const next =
      'queueId' in action ? this.#plan.queues.findIndex(({ rules }) => rules.queueId === action.queueId) : -1;
    this.#releaseAgents(call, undefined);
    if (next < 0) {
      this.#endWait(call);
      return;
    }
    call.queue = next;
    call.view.queueId = (this.#plan.queues[next] as PlannedQueue).rules.queueId;
    call.view.queuedAt = this.#now;
    if (call.counted) {
      this.#queueTally(next).arrived++;
    }
    this.#matcher.waiting(call);
  }

  /** The caller waits no longer. Whoever rings for him is free again; the slot is used for a later call. */
  #endWait(call: SimCall): void {
    call.waits = false;
    call.stamp++;
    this.#matcher.gone(call);
    this.#releaseAgents(call, undefined);
    this.#calls.leave(call);
  }

  #releaseAgents(call: SimCall, winner: SimAgent | undefined): void {
    if (call.view.openOffers.length === 0) {
      return;
    }
    const ringing = this.#ringingFor(call);
    call.view.openOffers.length = 0;
    for (const agent of ringing) {
      if (agent.call === call && agent !== winner && agent.state === 'ringing') {
        agent.stamp++;
        this.#becomeFree(agent, false);
      }
    }
  }

  #ringingFor(call: SimCall): SimAgent[] {
    return call.view.openOffers.flatMap(({ offerId }) => this.#staff[Number(offerId)] ?? []);
  }

  // ---------------------------------------------------------------- offers

  assign = (call: SimCall, agent: SimAgent): void => {
    const tally = this.#queueTally(call.queue);
    const { ringTimeoutMs } = this.#plan.queues[call.queue] as PlannedQueue;
    const place = agent.places.find((p) => p.queue === call.queue);
    if (call.counted) {
      tally.offers++;
    }
    if (place) {
      place.member.lastOfferedAt = this.#now;
    }
    agent.state = 'ringing';
    agent.freeStamp++;
    agent.call = call;
    agent.candidate.openOffer = { offerId: String(agent.index), callId: call.view.callId, connected: false };
    call.view.openOffers.push({ offerId: String(agent.index), agentId: agent.candidate.agentId });
    const answersAfter = agent.answer();
    this.#options.onAssigned?.(this.#now, Number(call.view.callId), agent.plan.name);
    if (agent.away) {
      this.#events.plan(this.#now + BUSY_TONE_MS, Kind.RingOut, agent.index, ++agent.stamp);
    } else if (answersAfter > ringTimeoutMs || this.#other[agent.index]?.refuses()) {
      this.#events.plan(this.#now + ringTimeoutMs, Kind.RingOut, agent.index, ++agent.stamp);
    } else if (answersAfter > 0) {
      this.#events.plan(this.#now + answersAfter, Kind.Answer, agent.index, ++agent.stamp);
    } else {
      this.#answer(agent, call);
    }
  };

  #answer(agent: SimAgent, call: SimCall): void {
    const queue = this.#plan.queues[call.queue] as PlannedQueue;
    const waitedMs = this.#now - call.arrivedAt;
    if (call.counted) {
      const tally = this.#queueTally(call.queue);
      tally.answered++;
      tally.waits.add(waitedMs);
      if (waitedMs <= queue.serviceLevelMs) {
        tally.answeredInTime++;
      }
    }
    agent.state = 'busy';
    agent.candidate.openOffer = { offerId: String(agent.index), callId: call.view.callId, connected: true };
    const place = agent.places.find((p) => p.queue === call.queue);
    if (place) {
      place.member.handledToday = (place.member.handledToday ?? 0) + 1;
    }
    const busyMs = call.handlingMs + queue.wrapUpMs;
    agent.candidate.handlingMsToday = (agent.candidate.handlingMsToday ?? 0) + busyMs;
    this.#tally.staff.handlingMs += this.#inside(this.#now, this.#now + busyMs);
    this.#events.plan(this.#now + busyMs, Kind.Free, agent.index, 0);
    // First the call is over, then the others who rang are free: they must not be given it again.
    agent.call = undefined;
    call.waits = false;
    call.stamp++;
    this.#matcher.gone(call);
    this.#releaseAgents(call, agent);
    this.#calls.leave(call);
  }

  #ringOut(agent: SimAgent, call: SimCall): void {
    const { retryMs } = this.#plan.queues[call.queue] as PlannedQueue;
    if (call.counted) {
      this.#queueTally(call.queue).refusedOffers++;
    }
    const until = this.#now + retryMs;
    const { agentId } = agent.candidate;
    call.view.openOffers = call.view.openOffers.filter((offer) => offer.agentId !== agentId);
    call.view.excluded = [...call.view.excluded.filter((e) => e.until > this.#now), { agentId, until }];
    this.#events.plan(until, Kind.Due, call.queue, 0);
    this.#matcher.waiting(call);
    this.#becomeFree(agent, true);
  }

  planDue = (queue: number, at: number): void => {
    if (at > this.#now && at < (this.#dueAt[queue] as number)) {
      this.#dueAt[queue] = at;
      this.#events.plan(at, Kind.Due, queue, 0);
    }
  };

  // ---------------------------------------------------------------- agents

  /** `anew`: the agent has been ready since now; an offer that came to nothing without the agent's doing changes nothing. */
  #becomeFree(agent: SimAgent, anew: boolean): void {
    agent.call = undefined;
    delete agent.candidate.openOffer;
    if (anew) {
      agent.candidate.readySince = this.#now;
    }
    if (agent.leaving) {
      this.#signOut(agent);
      return;
    }
    agent.state = agent.knownAway ? 'busy' : 'free';
    if (agent.state === 'free') {
      this.#offerable(agent);
    }
  }

  #offerable(agent: SimAgent): void {
    agent.freeStamp++;
    agent.candidate.signedInMsToday = this.#now - agent.signedInSince;
    this.#matcher.free(agent);
  }

  #beginShifts(): void {
    for (const agent of this.#staff) {
      const { shifts } = agent.plan;
      for (const { fromMs, toMs } of shifts ?? []) {
        this.#events.plan(fromMs, Kind.ShiftBegins, agent.index, 0);
        this.#events.plan(toMs, Kind.ShiftEnds, agent.index, 0);
      }
      if (!shifts) {
        this.#signIn(agent);
      }
      this.#planOtherWork(agent);
    }
  }

  #signIn(agent: SimAgent): void {
    agent.signedInSince = this.#now;
    agent.candidate.workState = { kind: 'ready' };
    agent.candidate.readySince = this.#now;
    for (const place of agent.places) {
      place.member.handledToday = (place.member.handledToday ?? 0) + this.#startingCount(agent, place);
    }
    agent.state = agent.knownAway ? 'busy' : 'free';
    if (agent.state === 'free') {
      this.#offerable(agent);
    }
  }

  #startingCount(agent: SimAgent, place: SimAgent['places'][number]): number {
    const { rules } = this.#plan.queues[place.queue] as PlannedQueue;
    if (rules.strategy !== 'fewest-calls' || this.#now === 0) {
      return 0;
    }
    const others = this.#staff.flatMap((other) =>
      other === agent || other.state === 'off'
        ? []
        : other.places.flatMap((p) => (p.queue === place.queue ? [p.member.handledToday ?? 0] : [])),
    );
    return startingCount(others, place.member.handledToday);
  }

  #endShift(agent: SimAgent): void {
    if (agent.state === 'free' || (agent.state === 'busy' && agent.knownAway && !agent.candidate.openOffer)) {
      this.#matcher.busy(agent);
      this.#signOut(agent);
    } else if (agent.state !== 'off') {
      agent.leaving = true;
    }
  }

  #signOut(agent: SimAgent): void {
    agent.state = 'off';
    agent.freeStamp++;
    agent.leaving = false;
    agent.candidate.workState = { kind: 'signed-out' };
    this.#countSignedIn(agent, this.#now);
  }

  #countSignedIn(agent: SimAgent, until: number): void {
    this.#tally.staff.signedInMs += this.#inside(agent.signedInSince, until);
  }

  /** How much of a time lies where it counts. */
  #inside(from: number, to: number): number {
    return Math.max(0, Math.min(to, this.#plan.lengthMs) - Math.max(from, this.#plan.warmUpMs));
  }

  // ---------------------------------------------------------------- other work

  #planOtherWork(agent: SimAgent): void {
    const after = this.#other[agent.index]?.every() ?? Infinity;
    if (this.#now + after < this.#plan.lengthMs) {
      this.#events.plan(this.#now + after, Kind.AwayBegins, agent.index, 0);
    }
  }

  /** Begins only where the agent is not with one of our callers; presence follows its beginning and its end with the lag. */
  #otherWork(kind: number, agent: SimAgent): void {
    const lag = agent.plan.presenceLagMs;
    switch (kind) {
      case Kind.AwayBegins: {
        if (agent.state === 'free') {
          agent.away = true;
          this.#events.plan(this.#now + (this.#other[agent.index]?.lasts() ?? 0), Kind.AwayEnds, agent.index, 0);
          this.#events.plan(this.#now + lag, Kind.AwayKnown, agent.index, 0);
        } else {
          this.#planOtherWork(agent);
        }
        return;
      }
      case Kind.AwayEnds: {
        agent.away = false;
        this.#events.plan(this.#now + lag, Kind.BackKnown, agent.index, 0);
        this.#planOtherWork(agent);
        return;
      }
      case Kind.AwayKnown: {
        agent.knownAway = true;
        agent.candidate.presence = presenceOf('Busy', this.#now);
        if (agent.state === 'free') {
          agent.state = 'busy';
          agent.freeStamp++;
          this.#matcher.busy(agent);
        }
        return;
      }
      default: {
        agent.knownAway = false;
        agent.candidate.presence = presenceOf('Available', this.#now);
        if (agent.state === 'busy' && !agent.candidate.openOffer) {
          agent.state = 'free';
          this.#offerable(agent);
        }
      }
    }
  }

  #queueTally(queue: number): QueueTally {
    return this.#tally.queues[queue] as QueueTally;
  }
}

function presenceOf(availability: 'Available' | 'Busy', now: number): SimAgent['candidate']['presence'] {
  return { availability, activity: availability, readAt: now, changedAt: now, source: 'graph-poll' };
}
