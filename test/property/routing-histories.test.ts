import fc from 'fast-check';
import { decide } from '../../src/routing/decide';
import { explain } from '../../src/routing/explain';
import { uniform } from '../../src/routing/strategies/weighted-random';
import type { Membership, QueueRules } from '../../src/routing/types';
import { compact, membership, need, rulesOfQueues } from '../support/arbitrary-snapshots';
import { FloorHistory, type FloorEvent, type Round } from '../support/floor-history';
import { callKeys, isHeld, reasonAgainst, referenceMatch, wantingCalls } from '../support/reference-routing';
import { aCall, aMember, anAgent, aQueue, aSnapshot, NOW } from '../support/snapshots';

/** Serves sales first. */
const BOTH = { memberships: [aMember('support', { priority: 2 }), aMember('sales')] };
const QUEUES = 2;
const AGENTS = 4;
const pick = fc.nat({ max: 20 });
const someone = fc.nat({ max: AGENTS - 1 });
const node = fc.nat({ max: 2 });

/** Of one or more queues. */
const memberships: fc.Arbitrary<readonly Membership[]> = fc
  .tuple(fc.subarray(['q0', 'q1'], { minLength: 1 }), membership, membership)
  .map(([queues, ...drawn]) => queues.map((queueId, i) => member(queueId, drawn[i]!)));

/** Sign-in and pause are what the agent says, not what is configured. */
function member(queueId: string, drawn: object): Membership {
  return compact({
    ...(drawn as Membership),
    signedIn: undefined,
    pauseReason: undefined,
    queueId,
  }) as unknown as Membership;
}

const word = fc.constantFrom(
  { kind: 'sign-in' } as const,
  { kind: 'sign-out' } as const,
  { kind: 'ready' } as const,
  { kind: 'ready' } as const,
  { kind: 'end-wrap-up' } as const,
  { kind: 'pause', reason: 'lunch' } as const,
  { kind: 'force', by: 'chief', to: { kind: 'paused', reason: 'training' } } as const,
  { kind: 'force', by: 'chief', to: { kind: 'ready' } } as const,
  { kind: 'pause-queue', queueId: 'q0', reason: 'mail' } as const,
  { kind: 'resume-queue', queueId: 'q0' } as const,
  { kind: 'sign-out-queue', queueId: 'q1' } as const,
  { kind: 'sign-in-queue', queueId: 'q1' } as const,
);

type Happening = FloorEvent extends infer E ? (E extends FloorEvent ? Omit<E, 'afterMs'> : never) : never;

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('arrive' as const),
      queue: fc.nat({ max: QUEUES - 1 }),
      node,
      traits: fc.record({
        class: fc.nat({ max: 1 }),
        headStartMs: fc.nat({ max: 4 }),
        needs: fc.option(fc.array(need, { maxLength: 1 }), { nil: undefined, freq: 4 }),
      }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('answer' as const), pick }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('end-call' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('give-up' as const, 'nothing' as const), pick }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('refuse' as const),
      pick,
      outcome: fc.constantFrom('no-answer' as const, 'declined' as const, 'busy' as const, 'failed' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('agent' as const), agent: someone, word }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('presence' as const),
      agent: someone,
      presence: fc.constantFrom(
        'none' as const,
        { availability: 'Available', activity: 'Available' },
        { availability: 'Busy', activity: 'InACall' },
        { availability: 'Away', activity: 'Away' },
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('rules' as const),
      queue: fc.nat({ max: QUEUES - 1 }),
      rules: rulesOfQueues(QUEUES).map(([rules]) => rules!),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('members' as const), agent: someone, memberships }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('skills' as const),
      agent: someone,
      skills: fc.record({ de: fc.nat({ max: 4 }), fr: fc.nat({ max: 4 }) }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('node-dies' as const), node }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('node-is-missed' as const), node }) },
);

const history = fc.record({
  queues: rulesOfQueues(QUEUES),
  members: fc.array(memberships, { minLength: AGENTS, maxLength: AGENTS }),
  events: fc.array(fc.tuple(fc.nat({ max: 4 }), happening), { minLength: 10, maxLength: 50, size: 'max' }),
});

/** Lives through histories, and shows each round of matching to `check`. */
function always(check: (round: Round) => void, numRuns = 60): void {
  fc.assert(
    fc.property(history, ({ queues, members, events }) => {
      const floor = new FloorHistory(queues, members, check);
      for (const [afterMs, event] of events) {
        floor.live({ ...event, afterMs });
        expect(floor.faults).toEqual([]);
      }
    }),
    { numRuns },
  );
}

const leftFirst = ({ decision }: Round): Set<string> =>
  new Set(decision.exits.filter((e) => e.reason !== 'estimatedWait').map((e) => e.callId));

describe('any history of arrivals, answers, refusals, pauses, presence, configuration and deaths of nodes', () => {
  it('offers nobody twice and loses no caller: what calls, agents and offers say of each other agrees after every step', () => {
    let offered = 0;
    always(({ decision }) => {
      offered += decision.assignments.length;
      expect(new Set(decision.assignments.map((a) => a.agentId)).size).toBe(decision.assignments.length);
    }, 120);
    expect(offered).toBeGreaterThan(300);
  });

  it('is decided at every step as the slow reference model decides it, order included', () => {
    always((round) => {
      const { snapshot, decision } = round;
      const draw = (agent: { agentId: string }, m: Membership): number =>
        -Math.log(uniform(snapshot.seed, agent.agentId)) / (m.weight ?? 1);
      for (const [callId, agents] of referenceMatch(snapshot, leftFirst(round), draw)) {
        const given = decision.assignments.filter((a) => a.callId === callId).map((a) => a.agentId);
        expect([callId, given.sort()]).toEqual([callId, [...agents].sort()]);
      }
    });
  });

  it('leaves no call beside an agent who could take it, once everything was matched that can be', () => {
    always(({ snapshot, decision }) => {
      if (decision.assignments.length > 0 || decision.exits.length > 0) {
        return;
      }
      for (const call of wantingCalls(snapshot, new Set()).filter((c) => !isHeld(snapshot, c))) {
        for (const agent of snapshot.agents) {
          expect(reasonAgainst(snapshot, call, agent)).toBeDefined();
        }
      }
    });
  });

  it('gives a true reason for every no at every step', () => {
    always(({ snapshot, decision }) => {
      for (const call of snapshot.calls) {
        for (const { agentId, refusal } of explain(snapshot, decision, call.callId).refusals) {
          const agent = snapshot.agents.find((a) => a.agentId === agentId)!;
          const here = reasonAgainst(snapshot, call, agent);
          const givenAway = decision.assignments.some((a) => a.agentId === agentId && a.callId !== call.callId);
          expect([agentId, refusal.reason]).toEqual([agentId, here ?? (givenAway ? 'reserved' : 'nothing')]);
        }
      }
    });
  });

  it('passes over no call that waits beyond ageCapSeconds, for one of its class that came later', () => {
    let starved = 0;
    always(({ snapshot, decision }) => {
      const served = new Set(decision.assignments.map((a) => a.callId));
      const gone = new Set(decision.exits.map((e) => e.callId));
      const waits = wantingCalls(snapshot, gone).filter((c) => !c.openOffers && !served.has(c.callId));
      for (const call of waits.filter((c) => !isHeld(snapshot, c) && isPastCap(snapshot.queues, c, snapshot.now))) {
        for (const { agentId, callId } of decision.assignments) {
          const agent = snapshot.agents.find((a) => a.agentId === agentId)!;
          const other = snapshot.calls.find((c) => c.callId === callId)!;
          if (reasonAgainst(snapshot, call, agent) === undefined && !other.openOffers) {
            starved++;
            const [theirs, mine] = [callKeys(snapshot, other), callKeys(snapshot, call)];
            expect(theirs[0]! < mine[0]! || (theirs[0] === mine[0] && theirs[1]! <= mine[1]!)).toBe(true);
          }
        }
      }
    }, 200);
    expect(starved).toBeGreaterThan(0);
  });
});

describe('the wait', () => {
  const floods = fc.record({
    agents: fc.integer({ min: 1, max: 3 }),
    ageCapMs: fc.integer({ min: 5, max: 30 }),
    arrivals: fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 8 }),
    talks: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 5, maxLength: 20 }),
  });

  it('is bounded by the starving guard: past ageCapSeconds a call waits for the calls ahead of it and one more talk, however many preferred calls keep coming', () => {
    fc.assert(
      fc.property(floods, ({ agents, ageCapMs, arrivals, talks }) => {
        const longest = Math.max(...talks);
        const queues = [aQueue('support', { ageCapMs }), aQueue('sales', { weight: 9 })];
        const freeAt = Array.from({ length: agents }, () => NOW);
        const deadlines = new Map<string, number>();
        let waiting = [...arrivals].sort((a, b) => a - b).map((at, i) => ({ id: `s${i}`, at: NOW + at }));
        for (let now = NOW, talk = 0; waiting.length > 0; now++) {
          const here = waiting.filter((one) => one.at <= now);
          for (const [ahead, { id, at }] of here.entries()) {
            if (now - at === ageCapMs + 1) {
              deadlines.set(id, now + longest * (Math.floor(ahead / agents) + 1));
            }
            expect(now).toBeLessThanOrEqual(deadlines.get(id) ?? now);
          }
          const calls = [
            ...here.map(({ id, at }) => aCall(id, { firstQueuedAt: at })),
            ...Array.from({ length: 5 }, (_, i) => aCall(`new${i}`, { queueId: 'sales', firstQueuedAt: now - i })),
          ];
          const free = freeAt.flatMap((at, i) => (at <= now ? [anAgent(`a${i}`, BOTH)] : []));
          for (const { callId, agentId } of decide(aSnapshot(calls, free, queues, { now })).assignments) {
            freeAt[Number(agentId.slice(1))] = now + talks[talk++ % talks.length]!;
            waiting = waiting.filter(({ id }) => id !== callId);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

function isPastCap(
  queues: readonly QueueRules[],
  call: { queueId: string; firstQueuedAt: number },
  now: number,
): boolean {
  const { ageCapMs } = queues.find((q) => q.queueId === call.queueId)!;
  return ageCapMs !== undefined && now - call.firstQueuedAt > ageCapMs;
}
