import { SidekickError } from '../lib/errors';
import { refusalOf } from './eligibility';
import { levelsOf } from './levels';
import { compareCalls } from './order-calls';
import { compareLongestIdle } from './strategies/longest-idle';
import type {
  Assignment,
  CallSummary,
  Decision,
  Explanation,
  Refusal,
  RefusalReason,
  Snapshot,
  WaitingCall,
} from './types';

/**
 * Which call goes to which agent, and why not to the others. Every waiting call is served in order; an agent is assigned at
 * most once. Pure: no clock, no randomness, no I/O.
 */
export function decide(snapshot: Snapshot): Decision {
  const taken = new Map<string, string>();
  const assignments: Assignment[] = [];
  const explanations: CallSummary[] = [];
  const unknownPresence = new Set<string>();
  let dueAt: number | undefined;
  for (const call of waitingInOrder(snapshot)) {
    const { candidates, refusals } = consider(snapshot, call);
    const agentId = candidates.find((id) => !taken.has(id));
    explanations.push(summary(call, agentId, candidates, refusals));
    if (agentId !== undefined) {
      taken.set(agentId, call.callId);
      assignments.push({ callId: call.callId, queueId: call.queueId, agentId });
      continue;
    }
    for (const { agentId: refused, refusal } of refusals) {
      if (refusal.reason === 'presence-unknown') {
        unknownPresence.add(refused);
      }
      if ('changesAt' in refusal && refusal.changesAt !== undefined) {
        dueAt = Math.min(dueAt ?? Infinity, refusal.changesAt);
      }
    }
  }
  return {
    assignments,
    explanations,
    exits: [],
    ...(dueAt === undefined ? {} : { dueAt }),
    unknownPresence: [...unknownPresence],
  };
}

/**
 * All about one call of a decision that was made from this snapshot.
 * @throws SK_NOT_FOUND when the snapshot has no such call
 */
export function explain(snapshot: Snapshot, decision: Decision, callId: string): Explanation {
  const call = snapshot.calls.find((c) => c.callId === callId);
  if (!call) {
    throw new SidekickError('SK_NOT_FOUND', 'The snapshot has no such call', { context: { callId } });
  }
  const taken = new Map(decision.assignments.map((a) => [a.agentId, a.callId]));
  const { candidates, refusals } = consider(snapshot, call);
  const chosen = decision.assignments.find((a) => a.callId === callId)?.agentId;
  const before = snapshot.calls.filter(
    (c) => c.queueId === call.queueId && compareCalls(c, call, snapshot.now) < 0,
  ).length;
  return {
    ...summary(call, chosen, candidates, refusals),
    position: before + 1,
    candidates,
    refusals: [
      ...candidates.flatMap((agentId) => {
        const other = taken.get(agentId);
        return other === undefined || other === callId
          ? []
          : [{ agentId, refusal: { reason: 'reserved', callId: other } as const }];
      }),
      ...refusals,
    ],
  };
}

interface Considered {
  readonly candidates: string[];
  readonly refusals: { agentId: string; refusal: Refusal }[];
}

function consider(snapshot: Snapshot, call: WaitingCall): Considered {
  const queue = snapshot.queues.find((q) => q.queueId === call.queueId);
  if (!queue) {
    return { candidates: [], refusals: [] };
  }
  const levels = levelsOf(snapshot.agents, queue.queueId);
  const members = snapshot.agents.flatMap((agent) => {
    const member = agent.memberships.find((m) => m.queueId === queue.queueId);
    return member ? [{ agent, member }] : [];
  });
  const considered: Considered = { candidates: [], refusals: [] };
  for (const { agent } of members.sort(compareLongestIdle)) {
    const refusal = refusalOf(call, agent, queue, levels, snapshot.now);
    if (refusal) {
      considered.refusals.push({ agentId: agent.agentId, refusal });
    } else {
      considered.candidates.push(agent.agentId);
    }
  }
  return considered;
}

function summary(
  call: WaitingCall,
  chosen: string | undefined,
  candidates: readonly string[],
  refusals: Considered['refusals'],
): CallSummary {
  const refused: Partial<Record<RefusalReason, number>> = {};
  for (const { refusal } of refusals) {
    refused[refusal.reason] = (refused[refusal.reason] ?? 0) + 1;
  }
  return {
    callId: call.callId,
    queueId: call.queueId,
    chosen: chosen === undefined ? [] : [chosen],
    eligible: candidates.length,
    refused,
  };
}

function waitingInOrder(snapshot: Snapshot): WaitingCall[] {
  return snapshot.calls
    .filter((call) => (call.openOffers?.length ?? 0) === 0)
    .sort((a, b) => compareCalls(a, b, snapshot.now));
}
