/** What presence needs from outside: from the store, whose types it shares, and from Graph. */
import type { AgentToPoll, ChangedPresence, PresenceReading } from '../store/types';

export type { AgentToPoll, ChangedPresence, PresenceReading } from '../store/types';

/** Whether this node reads, and for how long nobody may (Graph asked for a pause of all). */
export interface PollLease {
  readonly held: boolean;
  readonly pauseMs: number;
}

export interface PresenceStore {
  agentsToPoll(): Promise<readonly AgentToPoll[]>;
  /** A reading with an older sequence number than the stored one is dropped there. */
  upsertPresences(readings: readonly PresenceReading[]): Promise<readonly ChangedPresence[]>;
  /**
   * Whether this node may poll now. A store that is shared by several nodes lets one of them poll at a time and passes the
   * task on when that one stops renewing; `forMs` is how long the permission must hold.
   */
  holdPollLease?(forMs: number): Promise<PollLease>;
  /** Tells the other nodes that nothing must be asked of Graph for so long. */
  notePause?(forMs: number): Promise<void>;
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

/** Pairs that Graph takes from an application (page of setPresence). Do not disturb is none of ours. */
export interface WrittenPresence {
  readonly availability: 'Busy';
  readonly activity: 'InACall' | 'InAConferenceCall';
}

export interface PresenceWriter {
  /** Shows the user so for `forMs` (5 minutes to 4 hours, whole minutes); ends our earlier session. */
  setPresence(entraUserId: string, pair: WrittenPresence, forMs: number): Promise<void>;
  /** Ends our session; one that is gone already is no error. */
  clearPresence(entraUserId: string): Promise<void>;
}

/** Microsoft's limit for getPresencesByUserId. */
export const MAX_IDS_PER_READ = 650;
