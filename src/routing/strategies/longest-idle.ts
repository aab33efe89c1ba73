import type { Candidate } from '../types';

/** Longest ready first; ties by position, then name, then id, so that the order is total. */
export function compareLongestIdle(a: Candidate, b: Candidate): number {
  return (
    a.level - b.level ||
    readyOrder(a) - readyOrder(b) ||
    a.position - b.position ||
    compareText(a.name, b.name) ||
    compareText(a.agentId, b.agentId)
  );
}

/** An agent whose wrap-up has run out became ready at its end, whatever was noted before. */
function readyOrder(agent: Candidate): number {
  return agent.workState.kind === 'wrap-up' ? Math.max(agent.readySince, agent.workState.until) : agent.readySince;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
