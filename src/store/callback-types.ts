import type { CallResult, EnqueueInput, Millis } from './types';

/** A caller who is to be called back, as it stands. */
export interface CallbackRow {
  /** Also the id of its call. */
  readonly id: string;
  readonly tenant: string;
  readonly tenantId: string;
  readonly nodeId: string;
  readonly queueId: string;
  readonly queue: string;
  /** E.164. */
  readonly number: string;
  readonly callerName: string | undefined;
  /** The number that the caller had called. */
  readonly dialledNumber: string;
  /** The trunk over which he had called. */
  readonly trunkId: string | undefined;
  /** The call in which he chose it. */
  readonly callId: string;
  readonly state: string;
  /** Times that he was called and not reached. */
  /** It waits in the queue now. */
  readonly placed: boolean;
  readonly tries: number;
  readonly nextTryAt: Millis | undefined;
  /** Until then, milliseconds; not above zero: it is due. */
  readonly restMs: number | undefined;
  readonly reachedAt: Millis | undefined;
  readonly calledInBy: string | undefined;
  readonly createdAt: Millis;
  readonly ageMs: number;
  /** Since when he waits, calls before included. */
  readonly firstQueuedAt: Millis | undefined;
  readonly agent: string | undefined;
  readonly endedAt: Millis | undefined;
  readonly result: CallResult | undefined;
  readonly reason: string | undefined;
}

export interface NewCallback extends Omit<EnqueueInput, 'callId'> {
  readonly id: string;
  /** The call whose caller is to be called back. */
  readonly callId: string;
  readonly nodeId: string;
  readonly number: string;
}
