import { SidekickError } from '../lib/errors';
import { refusalOf } from './eligibility';
import { summarise } from './decide';
import { holdFor, orderFor, preferenceOf } from './preferences';
import { countScarcity, prepare } from './prepare';
import { isRung } from './exits';
import type { Decision, Explanation, Refusal, Snapshot } from './types';

/**
 * All about one call of a decision that was made from this snapshot: who may get it, in order, and why the others may not.
 * @throws SK_NOT_FOUND when the snapshot has no such call in a queue it knows
 */
export function explain(snapshot: Snapshot, decision: Decision, callId: string): Explanation {
  const { now } = snapshot;
  const { calls } = prepare(snapshot);
  const prepared = calls.find(({ call }) => call.callId === callId);
  if (!prepared) {
    throw new SidekickError('SK_NOT_FOUND', 'The snapshot has no such call', { context: { callId } });
  }
  // As in `decide`: calls that wanted an agent, before those left whose estimated wait was too long.
  const late = decision.exits.filter((exit) => exit.reason === 'estimatedWait');
  const considered = new Set([...decision.explanations, ...late].map((one) => one.callId));
  countScarcity(
    calls.filter(({ call }) => considered.has(call.callId)),
    now,
  );
  const { call, profile, view, rank } = prepared;
  const taken = new Map(decision.assignments.map((a) => [a.agentId, a.callId]));
  const candidates = orderFor(preferenceOf(call, profile, now), profile).map((entry) => entry.agent.agentId);
  const refusals: { agentId: string; refusal: Refusal }[] = [];
  for (const agentId of candidates) {
    const other = taken.get(agentId);
    if (other !== undefined && other !== callId) {
      refusals.push({ agentId, refusal: { reason: 'reserved', callId: other } });
    }
  }
  for (const agent of snapshot.agents) {
    const refusal = refusalOf(call, agent, view.rules, view.levels, now);
    if (refusal && refusal.reason !== 'not-a-member') {
      refusals.push({ agentId: agent.agentId, refusal });
    }
  }
  const chosen = decision.assignments.filter((a) => a.callId === callId).map((a) => a.agentId);
  const hold = chosen.length === 0 && !isRung(call) ? holdFor(call, profile, snapshot) : undefined;
  return {
    ...summarise(prepared, chosen, hold, now),
    position: calls.filter((other) => other.view === view && other.rank < rank).length + 1,
    candidates,
    refusals,
  };
}
