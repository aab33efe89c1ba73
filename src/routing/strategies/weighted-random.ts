import { compareByKey, type Strategy } from './strategy';

/**
 * A draw in which each agent's chance to come next is in proportion to the member's weight. All randomness is the snapshot's seed:
 * an agent's number is an exponential one of rate `weight` made from seed and agent id, the smallest comes first, so that the order
 * of rows does not count. Ties: longest ready, position, name.
 */
export const weightedRandom: Strategy = {
  key: (agent, member, { seed }) => -Math.log(uniform(seed, agent.agentId)) / (member.weight ?? 1),
  compare: compareByKey,
};

/** A number between 0 and 1, both excluded, from a seed and a text (FNV-1a, then the finaliser of MurmurHash3). */
export function uniform(seed: number, text: string): number {
  let hash = (0x811c9dc5 ^ seed) | 0;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash ^= hash >>> 16;
  return ((hash >>> 0) + 0.5) / 0x1_0000_0000;
}
