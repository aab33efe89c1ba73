/** Reads the arrays of the snapshot statement. What is null there is an absent key in the snapshot. */
import { isOpen, type Hours } from '../../flows/hours';
import { statusOf } from '../../routing/queue-status';
import type {
  Candidate,
  Membership,
  NotReadyReason,
  PresenceValue,
  QueueExits,
  QueueRules,
  Relaxation,
  SkillNeed,
  Snapshot,
  WaitingCall,
  WorkState,
} from '../../routing/types';

type Maybe<T> = T | null;

export type CallTuple = readonly [
  callId: string,
  queueId: string,
  nodeId: string,
  klass: number,
  headStartMs: number,
  firstQueuedAt: number,
  queuedAt: number,
  needs: Maybe<readonly SkillNeed[]>,
  excluded: Maybe<readonly (readonly [agentId: string, until: number])[]>,
  open: Maybe<readonly (readonly [offerId: string, agentId: string])[]>,
  tried: Maybe<readonly string[]>,
  firstOfferedAt: Maybe<number>,
  preferAgents: Maybe<readonly string[]>,
  lastAgentId: Maybe<string>,
  lastAgentEndedAt: Maybe<number>,
  /** Null: a caller waits. */
  callback: Maybe<true>,
];

export type MemberTuple = readonly [
  queueId: string,
  level: number,
  position: number,
  priority: number,
  signedIn: boolean,
  pauseReason: Maybe<string>,
  lastOfferedAt: Maybe<number>,
  handledToday: number,
  weight: number,
];

export type AgentTuple = readonly [
  agentId: string,
  name: string,
  memberships: readonly MemberTuple[],
  state: WorkState['kind'],
  reason: Maybe<string>,
  until: Maybe<number>,
  readySince: number,
  offerId: Maybe<string>,
  callId: Maybe<string>,
  connected: Maybe<boolean>,
  endpoint: Candidate['endpoint']['kind'],
  trunk: string,
  up: boolean,
  availability: Maybe<string>,
  activity: Maybe<string>,
  readAt: Maybe<number>,
  changedAt: Maybe<number>,
  source: Maybe<PresenceValue['source']>,
  lastCallEndedAt: Maybe<number>,
  handlingMs: number,
  signedInMs: number,
  skills: Maybe<Readonly<Record<string, number>>>,
  /** Has a user at Entra, whose presence counts. */
  inTeams: boolean,
];

export interface QueueRecord {
  readonly queueId: string;
  readonly name: string;
  readonly strategy: QueueRules['strategy'];
  readonly weight: number;
  readonly ageCapMs: Maybe<number>;
  readonly levels: QueueRules['levels'];
  readonly levelAfterSeconds: Maybe<Readonly<Record<string, number>>>;
  readonly skipEmptyLevels: boolean;
  readonly needs: Maybe<readonly SkillNeed[]>;
  readonly relaxations: Maybe<
    readonly { readonly afterSeconds: number; readonly skill: string; readonly atLeast?: Maybe<number> }[]
  >;
  readonly presence: QueueRules['presence'];
  readonly maxParallel: number;
  readonly stepAgents: number;
  readonly stepMs: number;
  readonly preferLastAgent: Maybe<{ readonly withinDays: number; readonly waitSeconds: number }>;
  readonly spareScarceAgents: boolean;
  readonly exits: Maybe<QueueExits>;
  readonly pausedAt: Maybe<number>;
  readonly pauseReason: Maybe<string>;
  readonly hours: Maybe<Hours>;
  readonly maxWaiting: Maybe<number>;
  readonly maxWaitMs: Maybe<number>;
  readonly letRingFinish: boolean;
  readonly noAgentsAfterMs: Maybe<number>;
  readonly noAgentsSince: Maybe<number>;
  readonly estimatedWaitOverMs: Maybe<number>;
  readonly meanHandlingMs: Maybe<number>;
  /** Of queues beyond the scope: how many calls wait there. */
  readonly waiting: Maybe<number>;
}

export interface SnapshotRow {
  readonly queueId: string;
  readonly now: number;
  readonly seed: number;
  /** Of the scope, and outside of it those to which exits lead: `waiting` is of these. */
  readonly queues: readonly QueueRecord[];
  readonly calls: readonly CallTuple[];
  readonly agents: readonly AgentTuple[];
}

export function toSnapshot(row: SnapshotRow): Snapshot {
  const beyond = row.queues.filter((queue) => queue.waiting !== null);
  const snapshot: Snapshot = {
    now: row.now,
    queueId: row.queueId,
    seed: row.seed,
    queues: row.queues.filter((queue) => queue.waiting === null).map((queue) => toQueue(queue, row.now)),
    calls: row.calls.map(toCall),
    agents: row.agents.map(toAgent),
  };
  return beyond.length === 0 ? snapshot : withElsewhere(snapshot, beyond);
}

/** The people of the queues beyond are only counted: a decision gives them no calls. */
function withElsewhere(all: Snapshot, beyond: readonly QueueRecord[]): Snapshot {
  const elsewhere = beyond.map((queue) => ({
    ...statusOf(all, toQueue(queue, all.now)),
    waiting: queue.waiting ?? 0,
  }));
  const scope = new Set(all.queues.map((queue) => queue.queueId));
  const agents = all.agents.flatMap((agent) => {
    const memberships = agent.memberships.filter((m) => scope.has(m.queueId));
    return memberships.length === 0 ? [] : [{ ...agent, memberships }];
  });
  return { ...all, agents, elsewhere };
}

/** Sets the keys whose value is there. */
function known<T extends object>(values: { readonly [K in keyof T]?: Maybe<T[K]> | undefined }): Partial<T> {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    if (value !== null && value !== undefined) {
      result[key] = value;
    }
  }
  return result as Partial<T>;
}

const DAY_MS = 86_400_000;

export function toQueue(q: QueueRecord, now: number): QueueRules {
  const hours = q.hours === null ? undefined : isOpen(q.hours, now);
  const levels = q.levelAfterSeconds && Object.entries(q.levelAfterSeconds).map(([level, s]) => [level, s * 1000]);
  return {
    queueId: q.queueId,
    name: q.name,
    strategy: q.strategy,
    weight: q.weight,
    levels: q.levels,
    skipEmptyLevels: q.skipEmptyLevels,
    presence: q.presence,
    maxParallel: q.maxParallel,
    stepAgents: q.stepAgents,
    stepMs: q.stepMs,
    spareScarceAgents: q.spareScarceAgents,
    ...(q.letRingFinish ? { letRingFinish: true } : {}),
    ...known<QueueRules>({
      ageCapMs: q.ageCapMs,
      levelAfterMs: levels && (Object.fromEntries(levels) as Record<string, number>),
      needs: q.needs,
      relaxations: q.relaxations?.map(toRelaxation),
      preferLastAgent: q.preferLastAgent && {
        withinMs: q.preferLastAgent.withinDays * DAY_MS,
        waitMs: q.preferLastAgent.waitSeconds * 1000,
      },
      exits: q.exits,
      maxWaiting: q.maxWaiting,
      maxWaitMs: q.maxWaitMs,
      noAgentsAfterMs: q.noAgentsAfterMs,
      noAgentsSince: q.noAgentsSince,
      estimatedWaitOverMs: q.estimatedWaitOverMs,
      meanHandlingMs: q.meanHandlingMs,
      paused:
        q.pausedAt === null ? null : { at: q.pausedAt, ...(q.pauseReason === null ? {} : { reason: q.pauseReason }) },
      hours: hours && {
        open: hours.open,
        reason: hours.reason,
        ...(hours.nextChangeAt === undefined ? {} : { nextChangeAt: hours.nextChangeAt }),
      },
    }),
  };
}

function toRelaxation(step: NonNullable<QueueRecord['relaxations']>[number]): Relaxation {
  const { afterSeconds, skill, atLeast } = step;
  return { afterMs: afterSeconds * 1000, skill, ...(atLeast === null || atLeast === undefined ? {} : { atLeast }) };
}

function toCall(row: CallTuple): WaitingCall {
  const [callId, queueId, nodeId, klass, headStartMs, firstQueuedAt, queuedAt, needs, excluded, open] = row;
  const [tried, firstOfferedAt, preferAgents, lastAgentId, lastAgentEndedAt, callback] = row.slice(10) as [
    CallTuple[10],
    CallTuple[11],
    CallTuple[12],
    CallTuple[13],
    CallTuple[14],
    CallTuple[15],
  ];
  return {
    callId,
    queueId,
    nodeId,
    class: klass,
    headStartMs,
    firstQueuedAt,
    queuedAt,
    ...(needs ? { needs } : {}),
    ...(excluded ? { excluded: excluded.map(([agentId, until]) => ({ agentId, until })) } : {}),
    ...(open ? { openOffers: open.map(([offerId, agentId]) => ({ offerId, agentId })) } : {}),
    ...(tried ? { tried } : {}),
    ...(firstOfferedAt === null ? {} : { firstOfferedAt }),
    ...(preferAgents ? { preferAgents } : {}),
    ...(lastAgentId === null || lastAgentEndedAt === null
      ? {}
      : { lastAgent: { agentId: lastAgentId, endedAt: lastAgentEndedAt } }),
    ...(callback ? { callback } : {}),
  };
}

function toAgent(row: AgentTuple): Candidate {
  const [agentId, name, memberships, , , , readySince, offerId, callId, connected, kind, trunk, up] = row;
  const [lastCallEndedAt, handlingMs, signedInMs, skills] = row.slice(18) as [
    AgentTuple[18],
    AgentTuple[19],
    AgentTuple[20],
    AgentTuple[21],
  ];
  return {
    agentId,
    name,
    memberships: memberships.map(toMembership),
    workState: toWorkState(row),
    readySince,
    ...(offerId === null || callId === null ? {} : { openOffer: { offerId, callId, connected: connected === true } }),
    endpoint: { kind, trunk, up },
    presence: toPresence(row),
    ...(lastCallEndedAt === null ? {} : { lastCallEndedAt }),
    ...(skills ? { skills } : {}),
    ...(handlingMs > 0 ? { handlingMsToday: handlingMs } : {}),
    ...(signedInMs > 0 ? { signedInMsToday: signedInMs } : {}),
  };
}

function toMembership(row: MemberTuple): Membership {
  const [queueId, level, position, priority, signedIn, pauseReason, lastOfferedAt, handledToday, weight] = row;
  return {
    queueId,
    level,
    position,
    priority,
    ...(signedIn ? {} : { signedIn: false }),
    ...(pauseReason === null ? {} : { pauseReason }),
    ...(lastOfferedAt === null ? {} : { lastOfferedAt }),
    ...(handledToday > 0 ? { handledToday } : {}),
    ...(weight === 1 ? {} : { weight }),
  };
}

function toWorkState(row: AgentTuple): WorkState {
  const [, , , state, reason, until] = row;
  switch (state) {
    case 'paused': {
      return { kind: 'paused', reason: reason ?? '' };
    }
    case 'not-ready': {
      return { kind: 'not-ready', reason: reason as NotReadyReason, ...(until === null ? {} : { until }) };
    }
    case 'wrap-up': {
      return { kind: 'wrap-up', until: until ?? 0 };
    }
    case 'ready':
    case 'signed-out': {
      return { kind: state };
    }
  }
}

function toPresence(row: AgentTuple): Candidate['presence'] {
  const [availability, activity, readAt, changedAt, source] = row.slice(13, 18) as [
    AgentTuple[13],
    AgentTuple[14],
    AgentTuple[15],
    AgentTuple[16],
    AgentTuple[17],
  ];
  if (!row[22]) {
    return 'none';
  }
  if (availability === null || activity === null || readAt === null || changedAt === null || source === null) {
    return 'unknown';
  }
  return { availability, activity, readAt, changedAt, source };
}
