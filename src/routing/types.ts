/**
 * The snapshot that a decision is made from, and the decision. Pure data: the same snapshot always gives the same decision and the
 * same explanation.
 *
 * Times are milliseconds since the epoch, all of one clock (the database's); `…Ms` are durations. Everything is JSON: a value that
 * is not known is an absent key, never null (in SQL: json_strip_nulls), and what is said about an absent key is its meaning.
 */
import type { ExitReason, QueueExits, SkillNeed } from '../flows/flow';

export type { ExitReason, QueueExits, SkillNeed } from '../flows/flow';

export type Millis = number;

/** Names of the strategies; docs/routing.md says what each does. Configuration refuses any other. */
export const STRATEGIES = [
  'longest-idle',
  'round-robin',
  'top-down',
  'fewest-calls',
  'least-occupied',
  'skill-best',
  'skill-tightest',
  'weighted-random',
  'ring-all',
  'ring-progressively',
] as const;
export type StrategyName = (typeof STRATEGIES)[number];

/**
 * What one decision looks at: the queue for which a match was asked, and every queue that shares a free member with it and has
 * waiting calls. Of each of these queues all waiting calls and all members are there.
 */
export interface Snapshot {
  readonly now: Millis;
  /** The queue for which the match was asked. */
  readonly queueId: string;
  /** Drawn anew for each snapshot, 0 to 2³²−1: all the randomness that `weighted-random` has. */
  readonly seed: number;
  readonly queues: readonly QueueRules[];
  readonly calls: readonly WaitingCall[];
  readonly agents: readonly Candidate[];
  /** Queues outside of the scope to which exits of its queues lead, directly or over others. */
  readonly elsewhere?: readonly QueueStatus[];
}

// ---------------------------------------------------------------- calls

export interface WaitingCall {
  readonly callId: string;
  readonly queueId: string;
  /** The node that carries the call: only it acts upon what is decided about it. */
  readonly nodeId: string;
  /** 0–9; higher is strictly first. */
  readonly class: number;
  /** Everything that counts as time waited: of the queue, the caller, the flow. */
  readonly headStartMs: Millis;
  /** Start of the wait; kept through everything that is not the caller's doing. Order, levels and skills count from here. */
  readonly firstQueuedAt: Millis;
  /** Start of the stay in this queue; the longest wait and "nobody there" count from here. */
  readonly queuedAt: Millis;
  /** On top of what the queue needs. */
  readonly needs?: readonly SkillNeed[];
  /** Agents who may not be offered this call before `until`. */
  readonly excluded?: readonly { readonly agentId: string; readonly until: Millis }[];
  /** Agents who are being rung for this call. One is enough, except where the strategy rings several. */
  readonly openOffers?: readonly { readonly offerId: string; readonly agentId: string }[];
  /** Agents who were offered this call in this stay, the last one last. For `top-down`. */
  readonly tried?: readonly string[];
  /** When somebody was first offered this call in this stay. For `ring-progressively`. */
  readonly firstOfferedAt?: Millis;
  /** Names of agents whom the flow wants asked first, in this order. */
  readonly preferAgents?: readonly string[];
  /** The agent who last spoke with this caller for this queue's tenant, and when that ended. For `preferLastAgent`. */
  readonly lastAgent?: { readonly agentId: string; readonly endedAt: Millis };
  /**
   * Nobody is on the line: the caller is called when an agent has answered. It leaves by no exit, and rests while the queue is closed.
   * Absent: a caller waits.
   */
  readonly callback?: true;
}

// ---------------------------------------------------------------- agents

export type NotReadyReason = 'missed' | 'declined' | 'busy' | 'unreachable' | 'failed' | 'after-call';

export type WorkState =
  | { readonly kind: 'signed-out' }
  | { readonly kind: 'paused'; readonly reason: string }
  /** Without `until`: until the agent says ready. */
  | { readonly kind: 'not-ready'; readonly reason: NotReadyReason; readonly until?: Millis }
  | { readonly kind: 'wrap-up'; readonly until: Millis }
  | { readonly kind: 'ready' };

export interface PresenceValue {
  readonly availability: string;
  readonly activity: string;
  /** When this value was last read. */
  readonly readAt: Millis;
  /** When this value (availability and activity) was first seen. */
  readonly changedAt: Millis;
  readonly source: 'graph-poll' | 'graph-subscription';
}

export interface Candidate {
  readonly agentId: string;
  readonly name: string;
  readonly memberships: readonly Membership[];
  readonly workState: WorkState;
  /** When the agent last became able to take a call; a missed or declined offer moves it. */
  readonly readySince: Millis;
  /** Rung (`connected: false`) or talking with a caller of ours. */
  readonly openOffer?: { readonly offerId: string; readonly callId: string; readonly connected: boolean };
  /** Load over all media, in units; absent: nothing but calls, one at a time. */
  readonly capacity?: { readonly used: number; readonly limit: number };
  readonly endpoint: { readonly kind: 'teams' | 'pbx' | 'web'; readonly trunk: string; readonly up: boolean };
  /** `none` for agents who are not in Teams (on a PBX or in a browser, and no user at Entra is named). */
  readonly presence: PresenceValue | 'none' | 'unknown';
  /**
   * End of the agent's last call with us, or of our showing him as busy in Teams; a Graph Busy/InACall from before it is ignored
   * for the queue's grace.
   */
  readonly lastCallEndedAt?: Millis;
  /** Levels 1–10 by skill; a skill that is not there is 0. */
  readonly skills?: Readonly<Record<string, number>>;
  /** Absent: works at any hour. */
  readonly workingHours?: { readonly inside: boolean; readonly changesAt?: Millis };
  /** Talking, holding and wrapping up today, over all queues. Absent: 0. For `least-occupied`. */
  readonly handlingMsToday?: Millis;
  /** Signed in today, pauses included. Absent: 0. */
  readonly signedInMsToday?: Millis;
}

/** An agent in a queue. */
export interface Membership {
  readonly queueId: string;
  /** From 1; lower levels are asked first. */
  readonly level: number;
  readonly position: number;
  /** Which of several queues this agent serves first: the lower number, from 1. */
  readonly priority: number;
  /** Share of the draw for `weighted-random`. Absent: 1. */
  readonly weight?: number;
  /** False: signed out of this queue only. Absent: as the agent. */
  readonly signedIn?: boolean;
  /** Paused in this queue only, and why. */
  readonly pauseReason?: string;
  /** When the agent was last offered a call of this queue. Absent: never. For `round-robin`. */
  readonly lastOfferedAt?: Millis;
  /**
   * Calls of this queue that the agent handled today, in the queue's time zone, plus what a member who came late was given so as
   * not to be flooded (`startingCount`). Absent: 0. For `fewest-calls`.
   */
  readonly handledToday?: number;
}

// ---------------------------------------------------------------- queues

export interface PresencePolicy {
  /** Availabilities (`Available`), or pairs (`Busy/InAMeeting`), whatever their case. */
  readonly accept: readonly string[];
  /** A value read longer ago counts as unknown. */
  readonly staleAfterMs: Millis;
  readonly unknown: 'accept' | 'refuse';
  /** For so long after our own call ended, a Busy/InACall that is older than that end is ignored. */
  readonly graceMs: Millis;
}

/** A step that lowers a need, or drops it where `atLeast` is absent, once the call has waited so long. */
export interface Relaxation {
  readonly afterMs: Millis;
  readonly skill: string;
  readonly atLeast?: number;
}

/** How a queue distributes its calls. Defaults are filled in when the snapshot is made, except where a key may be absent. */
export interface QueueRules extends ExitRules {
  readonly strategy: StrategyName;
  /** An agent of several queues takes calls of the heavier queue first, where membership priority is equal. */
  readonly weight: number;
  /** A call that has waited longer counts as first membership priority and top weight. Absent: never. */
  readonly ageCapMs?: Millis;
  /** `strict`: the lowest open level with an eligible agent; `merged`: open levels compete as one. */
  readonly levels: 'strict' | 'merged';
  /** By level: how long a call has waited when the level opens. No entry: open at once. */
  readonly levelAfterMs?: Readonly<Record<string, Millis>>;
  /** A level opens early when no lower level has a signed-in agent. */
  readonly skipEmptyLevels: boolean;
  /** Absent: none. */
  readonly needs?: readonly SkillNeed[];
  /** Absent: none. */
  readonly relaxations?: readonly Relaxation[];
  readonly presence: PresencePolicy;
  /** Most agents who ring for one call at once; for `ring-all` and `ring-progressively` only. */
  readonly maxParallel: number;
  /** Agents who join in each step of `ring-progressively`, and how long a step is. */
  readonly stepAgents: number;
  readonly stepMs: Millis;
  /** The agent who spoke with the caller within `withinMs` is asked first, and waited for until the call has waited `waitMs`. */
  readonly preferLastAgent?: { readonly withinMs: Millis; readonly waitMs: Millis };
  /** Among agents who are equal by the strategy, the one whom fewest other waiting calls could use. */
  readonly spareScarceAgents: boolean;
}

/** When calls leave a queue without having talked to an agent, and what a queue outside of the scope must say of itself. */
export interface ExitRules {
  readonly queueId: string;
  readonly name: string;
  /** Absent: no exits; calls wait whatever happens. */
  readonly exits?: QueueExits;
  /** Absent: always open. */
  readonly hours?: { readonly open: boolean; readonly reason?: string; readonly nextChangeAt?: Millis };
  /** Absent: not paused. */
  readonly paused?: { readonly at: Millis; readonly reason?: string };
  readonly maxWaiting?: number;
  readonly maxWaitMs?: Millis;
  /** When the longest wait is over, agents who ring may still answer. Absent: false. */
  readonly letRingFinish?: boolean;
  readonly noAgentsAfterMs?: Millis;
  /** Since when nobody is signed in to the queue. Absent: somebody is, or it is not known. */
  readonly noAgentsSince?: Millis;
  readonly estimatedWaitOverMs?: Millis;
  /** Mean time that an agent spends on a call of this queue, wrap-up included, of the calls of late. Absent: not known. */
  readonly meanHandlingMs?: Millis;
}

/** A queue as seen by a call that may be sent there. For queues of the scope it is counted from the snapshot (`statusOf`). */
export interface QueueStatus extends ExitRules {
  readonly waiting: number;
  /** Members who are signed in to the queue, paused or not. */
  readonly signedIn: number;
  /** Of these, members whose presence the queue accepts, whatever they do for us. */
  readonly present: number;
  /** Of these, members who work: neither paused nor not ready. The estimated wait divides by them. */
  readonly working: number;
  /** Of these, members who could take a call now. */
  readonly free: number;
}

// ---------------------------------------------------------------- what comes out

/**
 * Why an agent may not get a call: the first rule that says no, in the order in which they stand here. `changesAt`: when this very
 * no ends by itself.
 */
export type Refusal =
  | { readonly reason: 'not-a-member' }
  /** `here`: signed out of, or paused in, this queue only. */
  | { readonly reason: 'signed-out'; readonly here?: true }
  | { readonly reason: 'paused'; readonly detail: string; readonly here?: true }
  | { readonly reason: 'not-ready'; readonly detail: NotReadyReason; readonly changesAt?: Millis }
  | { readonly reason: 'wrap-up'; readonly changesAt: Millis }
  /** Without an offer: this very decision gave the agent to that call. */
  | { readonly reason: 'reserved'; readonly callId: string; readonly offerId?: string }
  | { readonly reason: 'in-call'; readonly callId: string }
  | { readonly reason: 'at-capacity'; readonly used: number; readonly limit: number }
  | { readonly reason: 'endpoint-down'; readonly trunk: string }
  | {
      readonly reason: 'presence';
      readonly value: string;
      readonly source: PresenceValue['source'];
      readonly ageMs: Millis;
    }
  /** `ageMs`: what was read is too old. */
  | { readonly reason: 'presence-unknown'; readonly ageMs?: Millis }
  | { readonly reason: 'level-not-reached'; readonly level: number; readonly changesAt: Millis }
  | { readonly reason: 'skill'; readonly skill: string; readonly need: number; readonly has: number }
  | {
      readonly reason: 'skill-not-relaxed-yet';
      readonly skill: string;
      readonly need: number;
      readonly has: number;
      readonly changesAt: Millis;
    }
  | { readonly reason: 'excluded-for-this-call'; readonly changesAt: Millis }
  | { readonly reason: 'outside-working-hours'; readonly changesAt?: Millis };

export type RefusalReason = Refusal['reason'];

/** A call and an agent who is to be rung for it. A call of a strategy that rings several may stand in several of these. */
export interface Assignment {
  readonly callId: string;
  readonly queueId: string;
  readonly agentId: string;
}

/** A call leaves its queue. `action` has been looked through: it names one queue at most, the one that takes the call. */
export interface Exit {
  readonly callId: string;
  readonly queueId: string;
  readonly nodeId: string;
  readonly reason: ExitReason;
  readonly action: ExitAction;
}

/** An action after the look-ahead over overflow queues. `passedOver`: queues that would themselves have sent the call away. */
export type ExitAction =
  | { readonly queue: string; readonly queueId: string; readonly passedOver?: readonly string[] }
  | { readonly flow: string }
  | { readonly announce: string }
  | { readonly number: string }
  | { readonly voicemail: string }
  | { readonly callback: string }
  | { readonly hangUp: true };

/**
 * What a decision says of one call, small enough to be made for every call of every decision. It does not depend on what the same
 * decision gives to other calls. `explain` has the agents by name.
 */
export interface CallSummary {
  readonly callId: string;
  readonly queueId: string;
  /** Agents who are to be rung now. */
  readonly chosen: readonly string[];
  /** How many agents may get it. */
  readonly eligible: number;
  /** How many may not, by reason. */
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>;
  /** Nobody else is asked before `until`: the agent who spoke with this caller last is busy with us. */
  readonly heldFor?: { readonly agentId: string; readonly until: Millis };
}

/** All about one call: who may get it, in the order in which they would be asked, and why the others may not. */
export interface Explanation extends CallSummary {
  /** 1 = next in the order of service of its queue. */
  readonly position: number;
  /** Eligible agents in the order of the queue's strategy, those included whom this decision gave to other calls. */
  readonly candidates: readonly string[];
  /** Every member who may not, and candidates whom this decision gave to other calls (`reserved`). */
  readonly refusals: readonly { readonly agentId: string; readonly refusal: Refusal }[];
}

export interface Decision {
  readonly assignments: readonly Assignment[];
  /** One for each call that could have been given somebody, in the order of service. */
  readonly explanations: readonly CallSummary[];
  /** Calls that leave; they are not assigned. */
  readonly exits: readonly Exit[];
  /** When a call that still waits could be decided differently though nothing happens. Absent: not by itself. */
  readonly dueAt?: Millis;
  /** Agents who could take a call that still waits if only their presence were known. */
  readonly unknownPresence: readonly string[];
}

/** What cannot be: found by `checkSnapshot`. Tests fail on it; a node heals it and raises an alarm. */
export interface Problem {
  readonly kind:
    | 'agent-in-two-calls'
    | 'agent-twice'
    | 'call-twice'
    | 'queue-twice'
    | 'call-in-no-queue'
    | 'member-of-no-queue'
    | 'member-twice'
    | 'offer-of-no-agent'
    | 'unknown-strategy'
    | 'bad-value';
  readonly detail: string;
  readonly callId?: string;
  readonly agentId?: string;
  readonly queueId?: string;
  readonly offerId?: string;
}
