import type { WaitingCall } from './types';

/** Score of a waiting call (routing rules, section 1): time waited plus every head start, milliseconds. */
export function callScore(call: WaitingCall, now: number): number {
  return now - call.firstQueuedAt + call.headStartMs;
}

/** Total order of waiting calls: class, score, first queued, id. The first is served first. */
export function compareCalls(a: WaitingCall, b: WaitingCall, now: number): number {
  return (
    b.class - a.class ||
    callScore(b, now) - callScore(a, now) ||
    a.firstQueuedAt - b.firstQueuedAt ||
    (a.callId < b.callId ? -1 : a.callId > b.callId ? 1 : 0)
  );
}
