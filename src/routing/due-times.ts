import type { Holds } from './decide';
import { isRung, maxWaitAt, noAgentsAt, restsWhileClosed } from './exits';
import type { Prepared } from './prepare';
import { nextStepAt } from './rings';

/**
 * When one of these calls could be decided differently though nothing happens: an agent's wrap-up or delay ends, a level opens, a need
 * relaxes, an exclusion ends, working hours begin, a hold ends, more agents may ring, or the call has to leave.
 *
 * @returns milliseconds since the epoch; undefined: not by itself
 */
export function dueAt(
  calls: readonly Prepared[],
  chosen: ReadonlyMap<string, readonly string[]>,
  holds: Holds,
  now: number,
): number | undefined {
  let due = Infinity;
  const at = (time: number | undefined): void => {
    if (time !== undefined && time > now && time < due) {
      due = time;
    }
  };
  for (const { call, view, profile } of calls) {
    if (restsWhileClosed(call, view)) {
      at(view.rules.hours?.nextChangeAt);
      continue;
    }
    at(maxWaitAt(call, view));
    const served = isRung(call) || chosen.has(call.callId);
    at(nextStepAt(call, view.rules, now, served));
    if (served) {
      continue;
    }
    at(view.nextChangeAt);
    at(profile.hoursChangeAt);
    at(noAgentsAt(call, view));
    at(holds.get(call.callId)?.until);
    for (const { until } of call.excluded ?? []) {
      at(until);
    }
    if (profile.stagesAhead) {
      const waited = now - call.firstQueuedAt;
      const next = view.stages.find((stage) => stage > waited);
      at(next === undefined ? undefined : call.firstQueuedAt + next);
    }
  }
  return due === Infinity ? undefined : due;
}
