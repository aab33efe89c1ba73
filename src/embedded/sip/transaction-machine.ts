/**
 * What the four transaction machines of RFC 3261 17 (with RFC 6026) share: inputs, effects and timers. Machines are pure:
 * `step(state, input, config)` gives the next state and what to do; `undefined` means the input is not expected there.
 * client-transaction.ts and server-transaction.ts run the effects.
 */
import type { SipTimers } from './types';

export type TimerName = 'A' | 'B' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M';

export interface TransactionConfig extends SipTimers {
  /** The flow retransmits by itself (TCP, TLS, WS). */
  readonly reliable: boolean;
}

export type TransactionInput =
  | { readonly type: 'start' }
  /** Client: a response came. Server: the owner answers. */
  | { readonly type: 'response'; readonly status: number }
  /** Server: the request came again. */
  | { readonly type: 'request' }
  | { readonly type: 'ack' }
  | { readonly type: 'timer'; readonly timer: TimerName }
  | { readonly type: 'transport-error' };

export type TransactionEffect =
  /** Client: sends the request (again). Server: sends the last response (again). */
  | { readonly type: 'send' }
  /** Client: ACK for a final other than 2xx. */
  | { readonly type: 'ack' }
  /** Client: hands the response to the owner. */
  | { readonly type: 'deliver' }
  | { readonly type: 'start'; readonly timer: TimerName; readonly ms: number }
  | { readonly type: 'stop'; readonly timer: TimerName }
  /** Client: no response in time (408). Server: no ACK in time. */
  | { readonly type: 'timed-out' }
  | { readonly type: 'failed' }
  | { readonly type: 'acked' };

export interface TransactionStep<S> {
  readonly state: S;
  readonly effects: readonly TransactionEffect[];
}

export const send: TransactionEffect = { type: 'send' };
export const ack: TransactionEffect = { type: 'ack' };
export const deliver: TransactionEffect = { type: 'deliver' };
export const timedOut: TransactionEffect = { type: 'timed-out' };
export const failed: TransactionEffect = { type: 'failed' };
export const acked: TransactionEffect = { type: 'acked' };

export function start(timer: TimerName, ms: number): TransactionEffect {
  return { type: 'start', timer, ms };
}

export function stop(timer: TimerName): TransactionEffect {
  return { type: 'stop', timer };
}

/** RFC 3261 timer D: at least 32 s on UDP with the standard T1. */
export function timerD(config: TransactionConfig): number {
  return config.reliable ? 0 : 64 * config.t1;
}
