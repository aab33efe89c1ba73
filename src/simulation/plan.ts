/**
 * What is simulated: queues with the rules that routing knows, people who serve them, and the callers. All times are milliseconds
 * from the beginning of the run.
 */
import type { QueueRules } from '../routing/types';
import type { Distribution } from './distributions';

export interface Plan {
  readonly name: string;
  readonly queues: readonly PlannedQueue[];
  readonly staff: readonly PlannedAgent[];
  readonly traffic: readonly Traffic[];
  /** End of arrivals; calls that are still there are served to their end. */
  readonly lengthMs: number;
  /** Callers who arrive before are not counted: an empty house is not what it is like. */
  readonly warmUpMs: number;
}

export interface PlannedQueue {
  readonly rules: QueueRules;
  readonly wrapUpMs: number;
  readonly ringTimeoutMs: number;
  /** Answered within this wait counts for the service level. */
  readonly serviceLevelMs: number;
  /** How long an agent who did not take an offer is not offered that call again. */
  readonly retryMs: number;
}

export interface PlannedAgent {
  readonly name: string;
  readonly memberships: readonly PlannedMembership[];
  readonly skills?: Readonly<Record<string, number>>;
  /** When the agent is signed in. Absent: the whole time. In order, without overlap. */
  readonly shifts?: readonly { readonly fromMs: number; readonly toMs: number }[];
  /** From ringing to the answer. */
  readonly answer: Distribution;
  /** Share of the offers that the agent lets ring out, 0 to 1. */
  readonly refuse: number;
  /** Work outside of our queues, such as Teams calls of one's own. */
  readonly otherWork?: { readonly everyMs: Distribution; readonly lastsMs: Distribution };
  /** How long after its beginning, and after its end, presence tells us of other work. */
  readonly presenceLagMs: number;
}

export interface PlannedMembership {
  readonly queue: string;
  readonly level: number;
  readonly position: number;
  readonly priority: number;
  /** Share of a weighted-random draw. Absent: 1. */
  readonly weight?: number;
}

export interface Traffic {
  readonly queue: string;
  readonly arrivals: Arrivals;
  readonly patience: Distribution;
  /** Talking, without wrap-up. */
  readonly handling: Distribution;
  readonly class: number;
  /** Counts as time waited. */
  readonly headStartMs: number;
  readonly needs?: readonly { readonly skill: string; readonly atLeast: number }[];
}

export type Arrivals =
  /** Poisson with a rate that changes from interval to interval; after the last it begins again. */
  | { readonly kind: 'rates'; readonly intervalMs: number; readonly callsPerInterval: readonly number[] }
  /** These very moments, ascending. */
  | { readonly kind: 'recorded'; readonly atMs: readonly number[] };
