import { agentRefusal, refusalOf } from './eligibility';
import { compareCalls } from './order-calls';
import { compareLongestIdle } from './strategies/longest-idle';
import type { Assignment, Candidate, Decision, Explanation, Refusal, Snapshot, WaitingCall } from './types';

const STRATEGIES = { 'longest-idle': compareLongestIdle } as const;

/**
 * Which call goes to which agent, and why not to the others. Every waiting call is served in order; an agent is assigned at
 * most once. Pure: no clock, no randomness, no I/O.
 */
export function decide(snapshot: Snapshot): Decision {
  const { now, queue } = snapshot;
  const calls = [...snapshot.calls].filter((c) => !c.beingOffered).sort((a, b) => compareCalls(a, b, now));
  const agents = [...snapshot.agents].sort(STRATEGIES[queue.strategy]);
  const refusedForAll = new Map<string, Refusal>();
  for (const agent of agents) {
    const refusal = agentRefusal(agent, queue, now);
    if (refusal) {
      refusedForAll.set(agent.agentId, refusal);
    }
  }
  const taken = new Map<string, string>();
  const assignments: Assignment[] = [];
  const explanations: Explanation[] = [];
  for (const call of calls) {
    const explanation = explainCall(call, agents, snapshot, refusedForAll, taken);
    explanations.push(explanation);
    if (explanation.chosen !== undefined) {
      taken.set(explanation.chosen, call.callId);
      assignments.push({ callId: call.callId, agentId: explanation.chosen });
    }
  }
  return { assignments, explanations };
}

function explainCall(
  call: WaitingCall,
  agents: readonly Candidate[],
  snapshot: Snapshot,
  refusedForAll: ReadonlyMap<string, Refusal>,
  taken: ReadonlyMap<string, string>,
): Explanation {
  const candidates: string[] = [];
  const refused: { agentId: string; refusal: Refusal }[] = [];
  for (const agent of agents) {
    const takenBy = taken.get(agent.agentId);
    const refusal =
      refusedForAll.get(agent.agentId) ??
      (takenBy === undefined
        ? refusalOf(call, agent, snapshot.queue, snapshot.now)
        : ({ reason: 'reserved', detail: takenBy } as const));
    if (refusal) {
      refused.push({ agentId: agent.agentId, refusal });
    } else {
      candidates.push(agent.agentId);
    }
  }
  return { callId: call.callId, candidates, refused, chosen: candidates[0] };
}

/** The earliest moment at which a refusal of this decision ends by itself, if there is one (milliseconds since the epoch). */
export function nextDueTime(decision: Decision): number | undefined {
  let due: number | undefined;
  for (const explanation of decision.explanations) {
    for (const { refusal } of explanation.refused) {
      if ('changesAt' in refusal && (due === undefined || refusal.changesAt < due)) {
        due = refusal.changesAt;
      }
    }
  }
  return due;
}
