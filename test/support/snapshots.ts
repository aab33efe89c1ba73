/** Snapshots for tests of routing: everything has a value that lets calls flow, and a test says only what it is about. */
import type { Candidate, Membership, PresenceValue, QueueRules, Snapshot, WaitingCall } from '../../src/routing/types';

export const NOW = 1_000_000_000;
export const SECOND = 1_000;

export function aQueue(name = 'support', over: Partial<QueueRules> = {}): QueueRules {
  return {
    queueId: name,
    name,
    strategy: 'longest-idle',
    weight: 0,
    levels: 'strict',
    skipEmptyLevels: true,
    presence: { accept: ['Available', 'AvailableIdle'], staleAfterMs: 30 * SECOND, unknown: 'refuse', graceMs: 20_000 },
    maxParallel: 5,
    stepAgents: 1,
    stepMs: 5 * SECOND,
    spareScarceAgents: false,
    ...over,
  };
}

/** Waits since `waitedMs`; `queueId` support. */
export function aCall(id: string, over: Partial<WaitingCall> & { readonly waitedMs?: number } = {}): WaitingCall {
  const { waitedMs = SECOND, ...rest } = over;
  return {
    callId: id,
    queueId: 'support',
    nodeId: 'node',
    class: 0,
    headStartMs: 0,
    firstQueuedAt: NOW - waitedMs,
    queuedAt: rest.firstQueuedAt ?? NOW - waitedMs,
    ...rest,
  };
}

export function aMember(queueId = 'support', over: Partial<Membership> = {}): Membership {
  return { queueId, level: 1, position: 1, priority: 1, ...over };
}

export function aPresence(
  availability: string,
  activity = availability,
  over: Partial<PresenceValue> = {},
): PresenceValue {
  return { availability, activity, readAt: NOW - 500, changedAt: NOW - 60_000, source: 'graph-poll', ...over };
}

/** Ready for ten seconds, Available, member of support; `member` changes that membership. */
export function anAgent(
  id: string,
  over: Partial<Candidate> & { readonly member?: Partial<Membership> } = {},
): Candidate {
  const { member, ...rest } = over;
  return {
    agentId: id,
    name: id,
    memberships: [aMember('support', member)],
    workState: { kind: 'ready' },
    readySince: NOW - 10 * SECOND,
    endpoint: { kind: 'teams', trunk: 'teams', up: true },
    presence: aPresence('Available'),
    ...rest,
  };
}

export function aSnapshot(
  calls: readonly WaitingCall[],
  agents: readonly Candidate[],
  queues: QueueRules | readonly QueueRules[] = aQueue(),
  over: Partial<Snapshot> = {},
): Snapshot {
  const all = Array.isArray(queues) ? (queues as readonly QueueRules[]) : [queues as QueueRules];
  return { now: NOW, queueId: all[0]?.queueId ?? 'support', seed: 1, queues: all, calls, agents, ...over };
}
