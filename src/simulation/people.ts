/** The callers and the agents of a run, as the matchers see them. What routing looks at is kept as routing's own types. */
import type { Candidate, Membership, WaitingCall } from '../routing/types';
import type { Entry } from '../routing/strategies/strategy';
import type { PlannedAgent } from './plan';
import type { Sampler } from './distributions';

/** Readonly for routing, changed by the run. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface OpenOffer {
  readonly offerId: string;
  readonly agentId: string;
}

export interface SimCall {
  /** Place among the calls that are there; used again for a later call. */
  readonly slot: number;
  /** Changes when the slot is used again, and when an event that was planned for the call is no longer wanted. */
  stamp: number;
  /** True while the call may be given to an agent. */
  waits: boolean;
  queue: number;
  traffic: number;
  arrivedAt: number;
  handlingMs: number;
  counted: boolean;
  /** For routing; the same object for as long as the call is there. */
  view: Mutable<WaitingCall> & { openOffers: OpenOffer[]; excluded: { agentId: string; until: number }[] };
}

export type AgentState = 'off' | 'free' | 'ringing' | 'busy';

export interface SimAgent {
  readonly index: number;
  readonly plan: PlannedAgent;
  /** For routing; the same objects for the whole run. */
  readonly candidate: Mutable<Candidate>;
  readonly places: readonly Place[];
  readonly answer: Sampler;
  state: AgentState;
  stamp: number;
  /** Changes whenever the agent becomes free or stops being it: what a matcher noted before no longer counts. */
  freeStamp: number;
  /** The shift is over; the agent leaves after the call. */
  leaving: boolean;
  /** Busy with other work, and whether presence has told us. */
  away: boolean;
  knownAway: boolean;
  /** The call that rings or talks. */
  call: SimCall | undefined;
  signedInSince: number;
}

/** An agent in one of the queues. */
export interface Place {
  readonly queue: number;
  readonly member: Mutable<Membership>;
  /** What a strategy compares, for queues whose order does not change while the agent is free. */
  readonly entry: Mutable<Entry>;
}
