import type { ReservedOffer } from '../calls/ports';
import type { Decision, Snapshot } from '../routing/types';

/** What dispatch needs from the store. */
export interface DispatchStore {
  /**
   * One short transaction under the queue's lock: snapshot, decision, offer rows. `decide` may run more than once. undefined:
   * no such queue.
   */
  match(queueId: string, decide: (snapshot: Snapshot) => Decision): Promise<MatchResult | undefined>;
  /** Queues with calls that wait and are not being offered. */
  queuesWithWaitingCalls(): Promise<readonly string[]>;
  queuesWaitingFor(agentIds: readonly string[]): Promise<readonly string[]>;
  /** Makes ready whoever's wrap-up or retry delay is over; the ids of those agents. */
  expireDueStates(): Promise<readonly string[]>;
  /** Offers reserved for this node's calls that nobody has rung yet. */
  reservedOffers(): Promise<readonly ReservedOffer[]>;
}

export interface MatchResult {
  readonly offers: readonly (ReservedOffer & { readonly nodeId: string })[];
  readonly decision: Decision;
  /** The database's clock at the snapshot, milliseconds. */
  readonly now: number;
}
