import { compareByKey, type Strategy } from './strategy';

/** Who handled the fewest calls of this queue today. Ties: longest ready, position, name. */
export const fewestCalls: Strategy = { key: (_agent, member) => member.handledToday ?? 0, compare: compareByKey };

/**
 * What is added for a member who joins or signs in late, so as not to be flooded until the others are caught up with: the mean of
 * those who are signed in, rounded down, less what the member handled today already. A pause changes nothing.
 *
 * @param others counts of the other signed-in members, each with what was added to it
 */
export function startingCount(others: readonly number[], handledToday = 0): number {
  if (others.length === 0) {
    return 0;
  }
  const mean = others.reduce((sum, count) => sum + count, 0) / others.length;
  return Math.max(0, Math.floor(mean) - handledToday);
}
