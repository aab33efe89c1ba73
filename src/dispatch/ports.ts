import type { ReservedOffer } from '../calls/ports';
import type { Decision, Snapshot } from '../routing/types';

export type Decide = (snapshot: Snapshot) => Decision;

/** What dispatch needs from the store. */
export interface DispatchStore {
  /**
   * One short transaction under the queue's lock: snapshot, decision, offer rows. `decide` may run more than once. undefined:
   * no such queue.
   */
  match(queueId: string, decide: Decide): Promise<MatchResult | undefined>;
  /** Queues in which calls of this node wait; `settledMs`: only those where one has waited so long beside a free member. */
  queuesWithWaitingCalls(settledMs?: number): Promise<readonly string[]>;
  /** Deletes some of the recorded decisions that are older than they are kept. */
  forgetOld(): Promise<void>;
  /** For each of these agents the queues with waiting calls that he serves, and whether he can take a call of them now. */
  queuesWaitingFor(agentIds: readonly string[]): Promise<readonly WaitingFor[]>;
  /** Makes ready whoever's wrap-up or retry delay is over; the ids of those agents. */
  expireDueStates(): Promise<readonly string[]>;
  /** Offers for this node's calls that were made a second ago or earlier and not answered yet. */
  pendingOffers(): Promise<readonly ReservedOffer[]>;
  /** An offer that another node reserved for a call of this one; undefined: it is over. */
  reservedOffer(offerId: string): Promise<ReservedOffer | undefined>;
  /** Asks another node, or all where none is named, to match a queue. */
  hintQueue(queueId: string, nodeId?: string): Promise<void>;
  recordDecisions(decisions: readonly DecisionRecord[]): Promise<void>;
}

export interface WaitingFor {
  readonly queues: readonly string[];
  /** Ready, free, and serving these queues now. */
  readonly able: boolean;
}

export interface MatchResult {
  readonly offers: readonly (ReservedOffer & { readonly nodeId: string })[];
  readonly snapshot: Snapshot;
  readonly decision: Decision;
  /** Assignments that came to nothing because somebody else took the agent or the call meanwhile: match again. */
  readonly leftOut: number;
}

/** A match that was decided, to be written down after it. */
export interface DecisionRecord {
  readonly queueId: string;
  readonly trigger: string;
  readonly snapshot: Snapshot;
  readonly decision: Decision;
  /** Calls about which it says something new. */
  readonly callIds: readonly string[];
}

/**
 * Lets a match travel with a statement that makes it necessary (an agent is free, a call waits), which saves the round trips
 * between the two.
 */
export interface MatchTravel {
  /**
   * Runs `together`, or `alone` where enough matches of this queue are under way on this node already. What the match found is acted
   * upon after those who wait for this promise have gone on. The requests for a match that they make in that moment, for the queue
   * and for the agent who is free, are answered by it.
   */
  travel<T>(
    about: { readonly queueId: string; readonly agentId?: string },
    alone: () => Promise<T>,
    together: (decide: Decide) => Promise<{ readonly value: T; readonly result: MatchResult | undefined }>,
  ): Promise<T>;
  /** A rest of this agent (wrap-up, retry delay) ends in so many milliseconds: look at all his queues then. */
  wake(agentId: string, inMs: number): void;
}
