/**
 * Random snapshots for properties of routing. Ranges are small on purpose: ties, limits and equal times must come up all the time.
 */
import fc from 'fast-check';
import {
  STRATEGIES,
  type Candidate,
  type Membership,
  type PresenceValue,
  type QueueRules,
  type Snapshot,
  type WaitingCall,
  type WorkState,
} from '../../src/routing/types';
import { NOW } from './snapshots';

const QUEUES = ['q0', 'q1', 'q2'];
const SKILLS = ['de', 'fr'];
const MAX_AGENTS = 7;

/** A moment around now. */
const around = fc.integer({ min: NOW - 5, max: NOW + 5 });
const past = fc.integer({ min: NOW - 9, max: NOW });
const wait = fc.integer({ min: 0, max: 9 });
const agentId = fc.integer({ min: 0, max: MAX_AGENTS }).map((n) => `agent${n}`);
export const need = fc.record({ skill: fc.constantFrom(...SKILLS), atLeast: fc.integer({ min: 1, max: 3 }) });

/** Absent in most of the cases: in `absent` of `absent + 1`. */
function seldom<T>(value: fc.Arbitrary<T>, absent = 2): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: absent, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
}

/** Drops keys without value, as JSON would. */
export function compact<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

const workState: fc.Arbitrary<WorkState> = fc.oneof(
  { weight: 15, arbitrary: fc.constant({ kind: 'ready' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'signed-out' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'paused', reason: 'lunch' } as const) },
  { weight: 1, arbitrary: around.map((until) => ({ kind: 'wrap-up', until }) as const) },
  { weight: 1, arbitrary: around.map((until) => ({ kind: 'not-ready', reason: 'declined', until }) as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'not-ready', reason: 'missed' } as const) },
);

const presence: fc.Arbitrary<PresenceValue | 'none' | 'unknown'> = fc.oneof(
  { weight: 10, arbitrary: fc.constant('none' as const) },
  { weight: 1, arbitrary: fc.constant('unknown' as const) },
  {
    weight: 5,
    arbitrary: fc.record({
      availability: fc.constantFrom('Available', 'available', 'Busy', 'Away', 'PresenceUnknown'),
      activity: fc.constantFrom('Available', 'InACall', 'InAMeeting'),
      readAt: past,
      changedAt: past,
      source: fc.constant('graph-poll' as const),
    }),
  },
);

export const membership = fc.record({
  level: fc.integer({ min: 1, max: 3 }),
  position: fc.integer({ min: 1, max: 4 }),
  priority: fc.integer({ min: 1, max: 2 }),
  weight: seldom(fc.integer({ min: 1, max: 3 })),
  signedIn: seldom(fc.boolean(), 8),
  pauseReason: seldom(fc.constant('training'), 9),
  lastOfferedAt: seldom(past, 1),
  handledToday: seldom(fc.integer({ min: 0, max: 2 })),
});

const agent = fc.record({
  workState,
  readySince: past,
  presence,
  queues: fc.subarray(QUEUES, { minLength: 1 }),
  members: fc.tuple(membership, membership, membership),
  offer: seldom(fc.record({ callId: fc.constant('other'), connected: fc.boolean() }), 8),
  capacity: seldom(fc.record({ used: fc.integer({ min: 0, max: 2 }), limit: fc.constant(1) }), 8),
  up: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
  lastCallEndedAt: seldom(past),
  skills: fc.record({ de: fc.integer({ min: 0, max: 4 }), fr: fc.integer({ min: 0, max: 4 }) }),
  workingHours: seldom(fc.record({ inside: fc.boolean(), changesAt: seldom(fc.constant(NOW + 7)) }), 5),
  handlingMsToday: seldom(fc.integer({ min: 0, max: 3 })),
  signedInMsToday: seldom(fc.integer({ min: 0, max: 4 })),
});

const queue = fc.record({
  strategy: fc.constantFrom(...STRATEGIES),
  weight: fc.integer({ min: 0, max: 2 }),
  ageCapMs: seldom(wait),
  levels: fc.constantFrom('strict' as const, 'merged' as const),
  levelAfterMs: seldom(fc.dictionary(fc.constantFrom('2', '3'), wait)),
  skipEmptyLevels: fc.boolean(),
  needs: seldom(fc.array(need, { maxLength: 2 }), 5),
  relaxations: seldom(
    fc.array(
      fc.record({ afterMs: wait, skill: fc.constantFrom(...SKILLS), atLeast: seldom(fc.integer({ min: 1, max: 2 })) }),
      { maxLength: 2 },
    ),
  ),
  presence: fc.record({
    accept: fc.constantFrom(['Available'], ['Available', 'Busy/InAMeeting'], ['Busy', 'available']),
    staleAfterMs: fc.integer({ min: 3, max: 9 }),
    unknown: fc.constantFrom('accept' as const, 'refuse' as const),
    graceMs: fc.integer({ min: 0, max: 6 }),
  }),
  maxParallel: fc.integer({ min: 1, max: 3 }),
  stepAgents: fc.integer({ min: 1, max: 2 }),
  stepMs: fc.integer({ min: 1, max: 4 }),
  preferLastAgent: seldom(fc.record({ withinMs: fc.integer({ min: 1, max: 9 }), waitMs: wait })),
  spareScarceAgents: fc.boolean(),
  maxWaitMs: seldom(fc.integer({ min: 3, max: 12 }), 4),
  letRingFinish: seldom(fc.boolean()),
  noAgentsAfterMs: seldom(wait, 4),
  noAgentsSince: seldom(past),
  estimatedWaitOverMs: seldom(fc.integer({ min: 1, max: 30 })),
  meanHandlingMs: seldom(fc.integer({ min: 1, max: 20 })),
  maxWaiting: seldom(fc.integer({ min: 1, max: 3 })),
  open: seldom(fc.boolean(), 4),
  isPaused: fc.integer({ min: 0, max: 6 }).map((n) => n === 0),
  targets: fc.tuple(fc.shuffledSubarray(QUEUES), fc.shuffledSubarray(QUEUES), fc.shuffledSubarray(QUEUES)),
  withExits: fc.boolean(),
});

const call = fc.record({
  queueId: fc.constantFrom(...QUEUES),
  class: fc.integer({ min: 0, max: 1 }),
  headStartMs: fc.integer({ min: 0, max: 4 }),
  firstQueuedAt: past,
  stayedMs: fc.integer({ min: 0, max: 9 }),
  needs: seldom(fc.array(need, { maxLength: 1 }), 4),
  excluded: seldom(fc.array(fc.record({ agentId, until: around }), { maxLength: 3 })),
  ringing: seldom(fc.array(agentId, { minLength: 1, maxLength: 2 }), 6),
  tried: seldom(fc.array(agentId, { maxLength: 3 })),
  firstOfferedAt: seldom(past),
  preferAgents: seldom(fc.array(agentId, { maxLength: 2 })),
  lastAgent: seldom(fc.record({ agentId, endedAt: past })),
});

/** Snapshots without contradictions, with everything that a snapshot may hold. */
export const snapshots: fc.Arbitrary<Snapshot> = fc
  .record({
    queues: fc.array(queue, { minLength: 1, maxLength: QUEUES.length, size: 'max' }),
    calls: fc.array(call, { maxLength: 7, size: 'max' }),
    agents: fc.array(agent, { maxLength: MAX_AGENTS, size: 'max' }),
    seed: fc.integer({ min: 0, max: 5 }),
  })
  .map(({ queues, calls, agents, seed }) => {
    const rules = queues.map(toRules(queues.length));
    const known = new Set(rules.map((q) => q.queueId));
    return compact(
      consistent({
        now: NOW,
        queueId: 'q0',
        seed,
        queues: rules,
        calls: calls.filter((c) => known.has(c.queueId)).map(toCall),
        agents: agents.map((a, i) => toAgent(a, i, known)).filter((a) => a.memberships.length > 0),
      }),
    );
  });

/** Rules of so many queues, named q0, q1, …; none of them names a queue that is not there. */
export function rulesOfQueues(count: number): fc.Arbitrary<readonly QueueRules[]> {
  return fc.array(queue, { minLength: count, maxLength: count }).map((drawn) => compact(drawn.map(toRules(count))));
}

type Drawn<T> = T extends fc.Arbitrary<infer V> ? V : never;

function toRules(count: number): (drawn: Drawn<typeof queue>, i: number) => QueueRules {
  return ({ open, isPaused, targets, withExits, ...rules }, i) => {
    const name = `q${i}`;
    const to = (n: 0 | 1 | 2) => ({ queues: targets[n].filter((q) => q !== name && Number(q[1]) < count) });
    const exits = {
      closed: { announce: 'closed' },
      paused: to(0),
      full: to(1),
      noAgents: to(2),
      maxWait: to(1),
      estimatedWait: { hangUp: true as const },
    };
    return {
      ...rules,
      queueId: name,
      name,
      ...(withExits ? { exits } : {}),
      ...(open === undefined ? {} : { hours: { open } }),
      ...(isPaused ? { paused: { at: NOW - 5 } } : {}),
    } as QueueRules;
  };
}

function toCall({ stayedMs, ringing, ...drawn }: Drawn<typeof call>, i: number): WaitingCall {
  const queuedAt = Math.max(drawn.firstQueuedAt, NOW - stayedMs);
  const openOffers = ringing?.map((id, n) => ({ offerId: `offer${i}.${n}`, agentId: id }));
  return {
    ...drawn,
    callId: `call${i}`,
    nodeId: 'node',
    queuedAt,
    ...(openOffers ? { openOffers } : {}),
  } as WaitingCall;
}

function toAgent(
  { queues, members, offer, up, ...drawn }: Drawn<typeof agent>,
  i: number,
  known: ReadonlySet<string>,
): Candidate {
  const memberships = queues
    .filter((queueId) => known.has(queueId))
    .map((queueId, n) => ({ queueId, ...(members[n] as object) }) as Membership);
  return {
    ...drawn,
    agentId: `agent${i}`,
    name: `agent${i}`,
    memberships,
    ...(offer ? { openOffer: { ...offer, offerId: `offer-${i}` } } : {}),
    endpoint: { kind: 'pbx', trunk: 'pbx', up },
  } as Candidate;
}

/** An agent who rings for a call of the snapshot says so too, rings for one call only, and is there. */
function consistent(snapshot: Snapshot): Snapshot {
  const ringsFor = new Map<string, { readonly offerId: string; readonly callId: string }>();
  const there = new Set(snapshot.agents.map((a) => a.agentId));
  const calls = snapshot.calls.map((c) => {
    const { openOffers, ...rest } = c;
    const kept = (openOffers ?? []).filter(({ offerId, agentId: id }) => {
      const isFirst = there.has(id) && !ringsFor.has(id);
      if (isFirst) {
        ringsFor.set(id, { offerId, callId: c.callId });
      }
      return isFirst;
    });
    return kept.length > 0 ? { ...rest, openOffers: kept } : rest;
  });
  const agents = snapshot.agents.map((a) => {
    const rings = ringsFor.get(a.agentId);
    return rings ? { ...a, openOffer: { ...rings, connected: false } } : a;
  });
  return { ...snapshot, calls, agents };
}
