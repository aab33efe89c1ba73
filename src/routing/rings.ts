import { strategies } from './strategies';
import type { QueueRules, WaitingCall } from './types';

/** How many agents may ring for a call at this moment, those included who ring already. */
export function seatsOf(call: WaitingCall, queue: QueueRules, now: number): number {
  const { rings } = strategies[queue.strategy];
  if (rings === undefined) {
    return 1;
  }
  if (rings === 'all') {
    return Math.max(1, queue.maxParallel);
  }
  const steps =
    call.firstOfferedAt === undefined ? 0 : Math.floor(Math.max(0, now - call.firstOfferedAt) / queue.stepMs);
  return Math.max(1, Math.min(queue.maxParallel, queue.stepAgents * (1 + steps)));
}

/**
 * When more agents may ring for a call; undefined: never.
 * @param rungNow whether somebody rings, or is to ring now
 */
export function nextStepAt(call: WaitingCall, queue: QueueRules, now: number, rungNow: boolean): number | undefined {
  if (
    strategies[queue.strategy].rings !== 'progressively' ||
    !rungNow ||
    seatsOf(call, queue, now) >= queue.maxParallel
  ) {
    return undefined;
  }
  const began = call.firstOfferedAt ?? now;
  return began + (Math.floor(Math.max(0, now - began) / queue.stepMs) + 1) * queue.stepMs;
}
