import type { Explanation, Refusal } from '../../routing/types';
import { refusalText } from '../output/refusal-text';

const MOST_NAMES = 4;

/** One phrase for all agents whom the same reason keeps away, in the order of the first of each: `Anna, Ben: paused (lunch)`. */
export function groupedRefusals(
  refusals: Explanation['refusals'],
  nameOf: (agentId: string) => string,
  at: number,
): string[] {
  const groups = new Map<string, string[]>();
  for (const { agentId, refusal } of refusals) {
    const text = refusalText(withoutIds(refusal), at);
    groups.set(text, [...(groups.get(text) ?? []), nameOf(agentId)]);
  }
  return [...groups].map(([text, names]) => {
    const shown =
      names.length > MOST_NAMES
        ? `${names.slice(0, MOST_NAMES).join(', ')} and ${names.length - MOST_NAMES} more`
        : names.join(', ');
    return `${shown}: ${text}`;
  });
}

/** Which call it is does not matter to whoever asks about another one, and would tell two agents in calls apart. */
function withoutIds(refusal: Refusal): Refusal {
  switch (refusal.reason) {
    case 'in-call':
    case 'reserved': {
      return { reason: refusal.reason, callId: '' };
    }
    default: {
      return refusal;
    }
  }
}
