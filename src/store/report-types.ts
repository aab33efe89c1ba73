/** What is read of queues, nodes and events for people. Times are milliseconds since the epoch on the clock of the database. */
import type { PresenceValue } from '../routing/types';
import type { AgentEndpoint, AgentStateKind, Millis, OfferRef } from './types';

/** A queue in numbers. "Today" is the day of the tenant's time zone. */
export interface QueueSummary {
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly strategy: string;
  readonly weight: number;
  /** Undefined: without limit. */
  readonly maxWaiting: number | undefined;
  readonly hours: string | undefined;
  /** Undefined: the queue takes calls. */
  readonly paused: { readonly at: Millis; readonly by: string; readonly reason: string | undefined } | undefined;
  readonly waiting: number;
  readonly longestWaitMs: number;
  readonly members: number;
  readonly signedIn: number;
  /** Ready, not paused here, in no call of ours; presence is not counted in. */
  readonly ready: number;
  readonly inCall: number;
  /** Stays of today that an agent answered. */
  readonly completed: number;
  /** Stays of today that ended because the caller hung up. */
  readonly abandoned: number;
  /** Stays of today that ended otherwise: waited too long, sent on, ended by us. */
  readonly sentOn: number;
  /** Of the completed: answered within `serviceLevelMs` of entering the queue. */
  readonly inTime: number;
  readonly serviceLevelMs: number;
  /** Mean wait of the completed, milliseconds; undefined: none yet. */
  readonly holdMs: number | undefined;
  /** Mean length of today's talks, milliseconds; undefined: none yet. */
  readonly talkMs: number | undefined;
  /** Messages of callers that nobody has heard yet. */
  readonly messages: number;
}

export interface QueueMember {
  readonly agentId: string;
  readonly agent: string;
  readonly displayName: string;
  readonly endpoint: AgentEndpoint | undefined;
  readonly level: number;
  readonly position: number;
  readonly priority: number;
  /** Share of a weighted-random draw. */
  readonly weight: number;
  /** In this queue. */
  readonly signedIn: boolean;
  /** Of a pause in this queue alone; undefined: not paused here. */
  readonly pauseReason: string | undefined;
  readonly memberChangedAt: Millis;
  readonly state: AgentStateKind;
  readonly reason: string | undefined;
  readonly forcedBy: string | undefined;
  readonly until: Millis | undefined;
  readonly changedAt: Millis;
  readonly presence: PresenceValue | 'none' | 'unknown';
  readonly offer:
    (OfferRef & { readonly callId: string; readonly queueId: string; readonly since: Millis }) | undefined;
  readonly callsToday: number;
  readonly lastCallEndedAt: Millis | undefined;
}

export interface QueueCaller {
  readonly callId: string;
  /** 1 = next. */
  readonly position: number;
  readonly callerNumber: string | undefined;
  /** Nobody is on the line: this number is called when an agent has answered. */
  readonly callback: boolean;
  /** Since the call first waited. */
  readonly waitedMs: number;
  readonly class: number;
  /** Names of the agents who ring for it. */
  readonly ringing: readonly string[];
}

export interface NodeReport {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly startedAt: Millis;
  readonly heartbeatAt: Millis;
  readonly stoppedAt: Millis | undefined;
  readonly stopReason: string | undefined;
  readonly calls: number;
  readonly offers: number;
  /** Names of trunks whose far end this node does not reach. */
  readonly trunksDown: readonly string[];
}

/** Where reading on begins: each kind of event has a numbering of its own. */
export interface EventCursor {
  readonly call: string;
  readonly agent: string;
  readonly member: string;
}

export interface EventFilter {
  /** Not older than so long, milliseconds. */
  readonly sinceMs?: number;
  readonly queue?: string;
  readonly agent?: string;
  readonly callId?: string;
  readonly tenant?: string;
  readonly after?: EventCursor;
  readonly limit: number;
}

export interface EventReport {
  readonly at: Millis;
  readonly kind: string;
  readonly tenant: string;
  readonly callId: string | undefined;
  readonly queue: string | undefined;
  readonly agent: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
}
