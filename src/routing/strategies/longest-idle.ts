import type { Candidate, Membership } from '../types';

/** Longest ready first; ties by position, then name, then id, so that the order is total. */
export function compareLongestIdle(a: Ranked, b: Ranked): number {
  return (
    a.member.level - b.member.level ||
    readyOrder(a.agent) - readyOrder(b.agent) ||
    a.member.position - b.member.position ||
    compareText(a.agent.name, b.agent.name) ||
    compareText(a.agent.agentId, b.agent.agentId)
  );
}

export interface Ranked {
  readonly agent: Candidate;
  readonly member: Membership;
}

/** An agent whose wrap-up or delay has run out became ready at its end, whatever was noted before. */
function readyOrder(agent: Candidate): number {
  const state = agent.workState;
  if (state.kind === 'wrap-up' || (state.kind === 'not-ready' && state.until !== undefined)) {
    return Math.max(agent.readySince, state.until ?? 0);
  }
  return agent.readySince;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
