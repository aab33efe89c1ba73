/**
 * The snapshot that a decision is made from, and the decision. All times are milliseconds since the epoch of one clock (the
 * database's). Pure data: the same snapshot always gives the same decision and the same explanation.
 */

export interface WaitingCall {
  readonly callId: string;
  /** 0–9; higher is strictly first. */
  readonly class: number;
  readonly headStartMs: number;
  readonly firstQueuedAt: number;
  /** Agents who may not be offered this call before `until`, and why. */
  readonly excluded: readonly { readonly agentId: string; readonly until: number }[];
  /** True while an offer for this call is open: it is not matched again. */
  readonly beingOffered: boolean;
}

export type WorkState =
  | { readonly kind: 'signed-out' }
  | { readonly kind: 'paused'; readonly reason: string }
  | { readonly kind: 'not-ready'; readonly reason: 'missed' | 'declined' | 'busy' | 'unreachable' | 'failed' }
  | { readonly kind: 'wrap-up'; readonly until: number }
  | { readonly kind: 'ready' };

export interface PresenceValue {
  readonly availability: string;
  readonly activity: string;
  /** When this value was last read. */
  readonly readAt: number;
  /** When this value (availability and activity) was first seen. */
  readonly changedAt: number;
  readonly source: 'graph-poll' | 'graph-subscription';
}

export interface Candidate {
  readonly agentId: string;
  readonly name: string;
  readonly level: number;
  readonly position: number;
  readonly workState: WorkState;
  /** When the agent last became able to take a call; a missed or declined offer moves it. */
  readonly readySince: number;
  readonly openOffer?: { readonly offerId: string; readonly callId: string; readonly connected: boolean };
  /** `none` for agents whose endpoint has no presence of its own (PBX, browser). */
  readonly presence: PresenceValue | 'none' | 'unknown';
  /** End of the agent's last call with us; a Graph Busy/InACall older than its grace is ignored. */
  readonly lastCallEndedAt: number | undefined;
  readonly endpoint: { readonly kind: 'teams' | 'pbx' | 'web'; readonly trunk: string; readonly up: boolean };
}

export interface PresencePolicy {
  readonly accept: readonly string[];
  readonly staleAfterMs: number;
  readonly unknown: 'accept' | 'refuse';
  readonly graceMs: number;
}

export interface QueueRules {
  readonly queueId: string;
  readonly name: string;
  readonly strategy: 'longest-idle';
  readonly presence: PresencePolicy;
}

export interface Snapshot {
  readonly now: number;
  readonly queue: QueueRules;
  readonly calls: readonly WaitingCall[];
  readonly agents: readonly Candidate[];
}

/** The first rule that says no, in the order of the rules; `changesAt` where the time is known. */
export type Refusal =
  | { readonly reason: 'signed-out' }
  | { readonly reason: 'paused'; readonly detail: string }
  | { readonly reason: 'not-ready'; readonly detail: string }
  | { readonly reason: 'wrap-up'; readonly changesAt: number }
  | { readonly reason: 'reserved'; readonly detail: string }
  | { readonly reason: 'in-call'; readonly detail: string }
  | { readonly reason: 'endpoint-down'; readonly detail: string }
  | { readonly reason: 'presence'; readonly detail: string; readonly source: string; readonly ageMs: number }
  | { readonly reason: 'presence-unknown' }
  | { readonly reason: 'excluded-for-this-call'; readonly changesAt: number };

export interface Explanation {
  readonly callId: string;
  /** Eligible agents in the order of the strategy. */
  readonly candidates: readonly string[];
  readonly refused: readonly { readonly agentId: string; readonly refusal: Refusal }[];
  readonly chosen: string | undefined;
}

export interface Assignment {
  readonly callId: string;
  readonly agentId: string;
}

export interface Decision {
  readonly assignments: readonly Assignment[];
  readonly explanations: readonly Explanation[];
}
