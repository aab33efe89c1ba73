/** What today's rules, or a changed configuration, would have decided from a snapshot that was recorded. Pure. */
import type { Document } from '../config/documents/schema';
import { decide } from '../routing/decide';
import { explain } from '../routing/explain';
import { queueRulesOf } from './rules';
import type { Assignment, Candidate, Exit, Membership, QueueRules, RefusalReason, Snapshot } from '../routing/types';

export interface RecordedDecision {
  readonly snapshot: Snapshot;
  readonly assignments: readonly Assignment[];
}

/** Why another agent, or nobody, would be rung: the rule that keeps the recorded one away now, or a place in the order. */
export type DifferenceReason = RefusalReason | 'order' | 'now-eligible' | 'leaves-the-queue';

export interface Difference {
  readonly callId: string;
  readonly queue: string;
  /** Names of the agents who were rung, and of those who would be. */
  readonly was: readonly string[];
  readonly would: readonly string[];
  readonly reason: DifferenceReason;
}

/** What is otherwise for each call of the decision. Empty: the same. */
export function replayDecision(recorded: RecordedDecision, configuration?: Document): readonly Difference[] {
  const snapshot = configuration ? withConfiguration(recorded.snapshot, configuration) : recorded.snapshot;
  const decision = decide(snapshot);
  const names = new Map(recorded.snapshot.agents.map((agent) => [agent.agentId, agent.name]));
  const queues = new Map(recorded.snapshot.queues.map((queue) => [queue.queueId, queue.name]));
  const was = byCall(recorded.assignments);
  const would = byCall(decision.assignments);
  const exits = new Map(decision.exits.map((exit) => [exit.callId, exit]));
  return [...new Set([...was.keys(), ...would.keys()])].flatMap((callId) => {
    const before = was.get(callId) ?? [];
    const after = would.get(callId) ?? [];
    if (sameSet(before, after)) {
      return [];
    }
    const call = snapshot.calls.find((one) => one.callId === callId);
    return [
      {
        callId,
        queue: queues.get(call?.queueId ?? '') ?? '',
        was: before.map((id) => names.get(id) ?? id),
        would: after.map((id) => names.get(id) ?? id),
        reason: call === undefined ? 'not-a-member' : reasonOf(snapshot, callId, before, exits.get(callId)),
      },
    ];
  });

  function reasonOf(
    asked: Snapshot,
    callId: string,
    before: readonly string[],
    exit: Exit | undefined,
  ): DifferenceReason {
    if (exit !== undefined) {
      return 'leaves-the-queue';
    }
    if (before.length === 0) {
      return 'now-eligible';
    }
    const { refusals } = explain(asked, decision, callId);
    const queueId = asked.calls.find((one) => one.callId === callId)?.queueId;
    const kept = before.map((id) => {
      const serves = asked.agents.find((agent) => agent.agentId === id)?.memberships.some((m) => m.queueId === queueId);
      return serves === true ? refusals.find((one) => one.agentId === id)?.refusal.reason : 'not-a-member';
    });
    return kept.find((reason) => reason !== undefined && reason !== 'reserved') ?? 'order';
  }
}

/**
 * The snapshot as it would be under a configuration: rules of the queues, who serves them, what agents know. What people were
 * doing stays as it was; an agent whom the snapshot does not have cannot come in, since nobody knows what he was doing.
 */
export function withConfiguration(snapshot: Snapshot, configuration: Document): Snapshot {
  const queueOf = (rules: QueueRules): Document['queues'][number] | undefined =>
    configuration.queues.find((queue) => queue.name === rules.name);
  return {
    ...snapshot,
    queues: snapshot.queues.map((rules) => {
      const queue = queueOf(rules);
      return queue === undefined ? rules : { ...rules, ...queueRulesOf(queue), queueId: rules.queueId };
    }),
    agents: snapshot.agents.map((agent) => changedAgent(agent, snapshot, configuration, queueOf)),
  };
}

function changedAgent(
  agent: Candidate,
  snapshot: Snapshot,
  configuration: Document,
  queueOf: (rules: QueueRules) => Document['queues'][number] | undefined,
): Candidate {
  const configured = configuration.agents.find((one) => one.name === agent.name);
  const memberships = snapshot.queues.flatMap((rules): Membership[] => {
    const had = agent.memberships.find((member) => member.queueId === rules.queueId);
    const queue = queueOf(rules);
    if (queue === undefined) {
      return had ? [had] : [];
    }
    const place = queue.members.findIndex((one) => one.agent === agent.name);
    const member = queue.members[place];
    return member === undefined
      ? []
      : [
          {
            ...had,
            queueId: rules.queueId,
            level: member.level,
            position: member.position ?? place + 1,
            priority: member.priority,
            weight: member.weight,
          },
        ];
  });
  return { ...agent, memberships, ...(configured ? { skills: configured.skills } : {}) };
}

function byCall(assignments: readonly Assignment[]): Map<string, string[]> {
  const calls = new Map<string, string[]>();
  for (const { callId, agentId } of assignments) {
    calls.set(callId, [...(calls.get(callId) ?? []), agentId]);
  }
  return calls;
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}
