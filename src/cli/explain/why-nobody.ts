/** Why a call waited while a decision was in force, as one would say it afterwards. Pure. */
import type { Explanation, RefusalReason } from '../../routing/types';

const WERE: Readonly<Record<RefusalReason, string>> = {
  'not-a-member': 'no members',
  'signed-out': 'signed out',
  paused: 'paused',
  'not-ready': 'not ready',
  'wrap-up': 'in wrap-up',
  reserved: 'being rung for others',
  'in-call': 'talking with others',
  'at-capacity': 'busy with other work',
  'endpoint-down': 'out of reach',
  presence: 'busy or away in Teams',
  'presence-unknown': 'of unknown presence',
  'level-not-reached': 'of a later level',
  skill: 'without the skill',
  'skill-not-relaxed-yet': 'short of the skill',
  'excluded-for-this-call': 'passed over, having let this call go by',
  'outside-working-hours': 'off duty',
};

/** More names than this become a count. */
const NAMES = 3;

/** `nobody could take it: Anna and Ben were paused, Emma was signed out`. Without times, so that equal reasons are equal words. */
export function whyNobody(explanation: Explanation, nameOf: (agentId: string) => string): string {
  const { chosen, refusals, position, heldFor } = explanation;
  if (chosen.length > 0) {
    return 'agents were being rung for the caller';
  }
  if (heldFor !== undefined) {
    return `the call was kept for ${nameOf(heldFor.agentId)}, who spoke with this caller before`;
  }
  const groups = new Map<RefusalReason, string[]>();
  for (const { agentId, refusal } of refusals) {
    groups.set(refusal.reason, [...(groups.get(refusal.reason) ?? []), nameOf(agentId)]);
  }
  if (groups.size === 0) {
    return position > 1 ? 'others came first' : 'the queue had no members';
  }
  const said = [...groups]
    .sort((a, b) => b[1].length - a[1].length)
    .map(([reason, names]) => `${people(names)} ${names.length === 1 ? 'was' : 'were'} ${WERE[reason]}`);
  const ahead = position > 1 ? `${position - 1} came first and ` : '';
  return `${ahead}nobody could take it: ${said.join(', ')}`;
}

function people(names: readonly string[]): string {
  if (names.length > NAMES) {
    return `${names.length} agents`;
  }
  return [names.slice(0, -1).join(', '), names.at(-1)].filter(Boolean).join(' and ');
}
