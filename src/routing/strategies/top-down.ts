import type { WaitingCall } from '../types';
import { compareByKey, type Entry, type Strategy } from './strategy';

/** By position, always from the top for a new call. Ties: longest ready, name. */
export const topDown: Strategy = { key: (_agent, member) => member.position, compare: compareByKey };

/**
 * The order for a call that was offered before: below the agent who was tried last, then from the top again, in each level. Agents
 * at the very position of the last one count as below as long as they were not tried themselves. The last one need not be there
 * any more: without a position the order starts at the top.
 *
 * @param sorted everybody who may get the call, by the strategy's order
 * @param lastPosition position of the agent who was tried last
 */
export function goOnBelow(sorted: readonly Entry[], call: WaitingCall, lastPosition: number | undefined): Entry[] {
  if (lastPosition === undefined) {
    return [...sorted];
  }
  const tried = new Set(call.tried);
  const isBelow = ({ member, agent }: Entry): boolean =>
    member.position > lastPosition || (member.position === lastPosition && !tried.has(agent.agentId));
  const ordered: Entry[] = [];
  for (let from = 0; from < sorted.length;) {
    let to = from;
    while (to < sorted.length && sorted[to]?.level === sorted[from]?.level) {
      to++;
    }
    const level = sorted.slice(from, to);
    ordered.push(...level.filter(isBelow), ...level.filter((entry) => !isBelow(entry)));
    from = to;
  }
  return ordered;
}
