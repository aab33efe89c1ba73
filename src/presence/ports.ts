/** What presence needs from the outside, and what it gives. Implemented by the store and by the Graph client. */

export interface AgentToPoll {
  readonly agentId: string;
  readonly entraUserId: string;
  /** True while a call waits in one of this agent's queues: such agents are read more often. */
  readonly waiting: boolean;
}

export interface PresenceReading {
  readonly agentId: string;
  /** In Microsoft's spelling where the value is known, as received otherwise. */
  readonly availability: string;
  readonly activity: string;
  /** Microsoft's version of this value; a reading with a lower one is old news. */
  readonly sequenceNumber: string | undefined;
  /** When the request that brought it was sent, milliseconds since the epoch: a value is never newer than that. */
  readonly readAt: number;
  readonly source: 'graph-poll';
}

export interface PresenceStore {
  agentsToPoll(): Promise<readonly AgentToPoll[]>;
  upsertPresences(batch: readonly PresenceReading[]): Promise<void>;
  /**
   * True if this node may poll now. A store that is shared by several nodes lets one of them poll at a time and passes the
   * task on when that one stops renewing; `forMs` is how long the permission must hold.
   */
  holdPollLease?(forMs: number): Promise<boolean>;
}

export interface GraphPresence {
  readonly entraUserId: string;
  readonly availability: string;
  readonly activity: string;
  readonly sequenceNumber: string | undefined;
}

export interface PresenceReader {
  /** At most `MAX_IDS_PER_READ` ids. Unknown ids are missing in the answer. */
  readPresences(entraUserIds: readonly string[]): Promise<readonly GraphPresence[]>;
}

/** Microsoft's limit for getPresencesByUserId. */
export const MAX_IDS_PER_READ = 650;
