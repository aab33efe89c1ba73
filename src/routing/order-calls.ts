import type { Membership, QueueRules, WaitingCall } from './types';

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

/** The starving guard: the call has waited longer than its queue's `ageCapMs`. */
export function isStarving(call: WaitingCall, queue: QueueRules, now: number): boolean {
  return queue.ageCapMs !== undefined && now - call.firstQueuedAt > queue.ageCapMs;
}

/** A call as agents see it who serve several queues. */
export interface Wanted {
  readonly call: WaitingCall;
  /** Place in the order of `compareCalls` over all calls of the decision. */
  readonly rank: number;
  /** Counts as first membership priority and top weight. */
  readonly starving: boolean;
  /** Of the queue; of a starving call the top weight of all. */
  readonly weight: number;
}

const FIRST_PRIORITY = 1;

/**
 * Which of two calls an agent takes: class, then membership priority, then weight of the queue, then the order of calls. Negative:
 * `a`, the call that comes over membership `ofA`.
 */
export function compareForAgent(a: Wanted, ofA: Membership, b: Wanted, ofB: Membership): number {
  return (
    b.call.class - a.call.class ||
    (a.starving ? FIRST_PRIORITY : ofA.priority) - (b.starving ? FIRST_PRIORITY : ofB.priority) ||
    b.weight - a.weight ||
    a.rank - b.rank
  );
}
