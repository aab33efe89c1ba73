import { compareNames, compareTies, type Entry, type Strategy } from './strategy';

/**
 * Whose last offer in this queue is longest ago; who was never offered one comes first, those by position. The memory belongs to
 * the agent in this queue, so that two queues do not disturb each other's rotation. Ties: longest ready, position, name.
 */
export const roundRobin: Strategy = {
  key: (_agent, member) => member.lastOfferedAt ?? NEVER,
  compare: (a, b) => a.level - b.level || a.key - b.key || a.scarcity - b.scarcity || compareEqual(a, b),
};

const NEVER = 0;

function compareEqual(a: Entry, b: Entry): number {
  return a.key === NEVER
    ? a.member.position - b.member.position || a.readyAt - b.readyAt || compareNames(a, b)
    : compareTies(a, b);
}
