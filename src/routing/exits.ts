import { estimatedWaitMs } from './estimated-wait';
import { actionFor, lookAhead, type StatusByName } from './overflow';
import type { QueueView } from './queue-view';
import type { Exit, ExitReason, WaitingCall } from './types';

/** Why a waiting call has to leave at this moment, agents or no agents; undefined: it may stay. */
export function dueExit(call: WaitingCall, view: QueueView, now: number): 'maxWait' | 'noAgents' | undefined {
  const rings = isRung(call);
  const longest = maxWaitAt(call, view);
  if (longest !== undefined && longest <= now && !(rings && view.rules.letRingFinish === true)) {
    return 'maxWait';
  }
  const nobody = noAgentsAt(call, view);
  return nobody !== undefined && nobody <= now && !rings ? 'noAgents' : undefined;
}

/** When the longest wait of a call is over. It counts from the start of the stay in this queue. */
export function maxWaitAt(call: WaitingCall, view: QueueView): number | undefined {
  const { maxWaitMs } = view.rules;
  return maxWaitMs === undefined || call.callback ? undefined : call.queuedAt + maxWaitMs;
}

/** When nobody has been signed in for too long, as seen by this call; undefined: somebody is, or calls stay all the same. */
export function noAgentsAt(call: WaitingCall, view: QueueView): number | undefined {
  const { noAgentsAfterMs, noAgentsSince } = view.rules;
  if (
    call.callback ||
    noAgentsAfterMs === undefined ||
    view.levels.lowestSignedIn !== Infinity ||
    !actionFor(view.rules, 'noAgents')
  ) {
    return undefined;
  }
  return Math.max(call.queuedAt, noAgentsSince ?? call.queuedAt) + noAgentsAfterMs;
}

/** A callback waits for the queue to open: nobody is called outside its hours. */
export function restsWhileClosed(call: WaitingCall, view: QueueView): boolean {
  return call.callback === true && view.rules.hours?.open === false;
}

export function isRung(call: WaitingCall): boolean {
  return call.openOffers !== undefined && call.openOffers.length > 0;
}

/** The exit of a call, looked through; undefined: there is no action, or it would lead back here. */
export function exitFor(
  call: WaitingCall,
  view: QueueView,
  reason: ExitReason,
  statuses: StatusByName,
): Exit | undefined {
  const action = actionFor(view.rules, reason);
  const seenThrough = action && lookAhead(action, statuses, new Set([view.rules.name]));
  return (
    seenThrough && { callId: call.callId, queueId: call.queueId, nodeId: call.nodeId, reason, action: seenThrough }
  );
}

/**
 * Calls of one queue whose estimated wait is over the queue's limit.
 * @param waiting calls that stay, in the order of service; those who ring or are to ring are not sent away but count
 */
export function exitsByEstimate(
  waiting: readonly WaitingCall[],
  served: ReadonlySet<string>,
  view: QueueView,
  statuses: StatusByName,
): Exit[] {
  const limit = view.rules.estimatedWaitOverMs;
  const status = limit === undefined || !actionFor(view.rules, 'estimatedWait') ? undefined : statuses(view.rules.name);
  if (limit === undefined || !status) {
    return [];
  }
  const exits: Exit[] = [];
  // Free agents were given out before: who is left without one waits for somebody who is busy.
  const busy = { ...status, free: 0 };
  let ahead = 0;
  for (const call of waiting) {
    if (served.has(call.callId)) {
      continue;
    }
    const estimate = estimatedWaitMs(busy, ahead);
    const exit =
      !call.callback && estimate !== undefined && estimate > limit
        ? exitFor(call, view, 'estimatedWait', statuses)
        : undefined;
    if (exit) {
      exits.push(exit);
    } else {
      ahead++;
    }
  }
  return exits;
}
