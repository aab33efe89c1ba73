/** What presence needs from outside: from the store, whose types it shares, and from Graph. */
import type { AgentToPoll, PresenceReading } from '../store/types';

export type { AgentToPoll, PresenceReading } from '../store/types';

export interface PresenceStore {
  agentsToPoll(): Promise<readonly AgentToPoll[]>;
  /** A reading with an older sequence number than the stored one is dropped there. */
  upsertPresences(readings: readonly PresenceReading[]): Promise<unknown>;
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
