import fc from 'fast-check';
import { decide } from '../../src/routing/decide';
import { explain } from '../../src/routing/explain';
import { refusalOf } from '../../src/routing/eligibility';
import { levelsOf } from '../../src/routing/levels';
import type { Candidate, Snapshot, WaitingCall } from '../../src/routing/types';
import { aMember, aQueue, aSnapshot } from '../support/snapshots';

const NOW = 1_000_000_000;

const workState = fc.oneof(
  fc.constant({ kind: 'ready' } as const),
  fc.constant({ kind: 'ready' } as const),
  fc.constant({ kind: 'signed-out' } as const),
  fc.constant({ kind: 'paused', reason: 'lunch' } as const),
  fc.integer({ min: NOW - 100, max: NOW + 100 }).map((until) => ({ kind: 'wrap-up', until }) as const),
);

function candidates(n: number): fc.Arbitrary<Candidate[]> {
  return fc
    .array(
      fc.record({
        workState,
        level: fc.integer({ min: 1, max: 3 }),
        readySince: fc.integer({ min: NOW - 1000, max: NOW }),
      }),
      { maxLength: n },
    )
    .map((list) =>
      list.map(({ level, ...a }, i) => ({
        agentId: `agent-${i}`,
        name: `agent-${i}`,
        memberships: [aMember('q', { level, position: i })],
        presence: 'none' as const,
        endpoint: { kind: 'pbx' as const, trunk: 't', up: true },
        ...a,
      })),
    );
}

const calls: fc.Arbitrary<WaitingCall[]> = fc
  .array(
    fc.record({
      class: fc.integer({ min: 0, max: 2 }),
      headStartMs: fc.integer({ min: 0, max: 500 }),
      firstQueuedAt: fc.integer({ min: NOW - 1000, max: NOW }),
      beingOffered: fc.boolean(),
      excludedAgent: fc.integer({ min: 0, max: 8 }),
      excludedFor: fc.integer({ min: -50, max: 50 }),
    }),
    { maxLength: 12 },
  )
  .map((list) =>
    list.map(({ excludedAgent, excludedFor, beingOffered, ...c }, i) => ({
      callId: `call-${i}`,
      queueId: 'q',
      nodeId: 'n',
      queuedAt: c.firstQueuedAt,
      openOffers: beingOffered ? [{ offerId: 'o', agentId: 'somebody' }] : [],
      excluded: [{ agentId: `agent-${excludedAgent}`, until: NOW + excludedFor }],
      ...c,
    })),
  );

const snapshots: fc.Arbitrary<Snapshot> = fc.record({ calls, agents: candidates(8) }).map(({ calls, agents }) => ({
  ...aSnapshot(calls, agents, aQueue('q')),
  now: NOW,
}));

const isBeingOffered = (call: WaitingCall): boolean => (call.openOffers ?? []).length > 0;

describe('any snapshot', () => {
  it('never assigns an agent or a call twice, nor a call that is being offered', () => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        const { assignments } = decide(snapshot);
        expect(new Set(assignments.map((a) => a.agentId)).size).toBe(assignments.length);
        expect(new Set(assignments.map((a) => a.callId)).size).toBe(assignments.length);
        for (const { callId } of assignments) {
          expect(isBeingOffered(snapshot.calls.find((c) => c.callId === callId)!)).toBe(false);
        }
      }),
    );
  });

  it('leaves no call waiting beside an agent who could take it', () => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        const { assignments } = decide(snapshot);
        const busy = new Set(assignments.map((a) => a.agentId));
        const served = new Set(assignments.map((a) => a.callId));
        for (const call of snapshot.calls.filter((c) => !isBeingOffered(c) && !served.has(c.callId))) {
          for (const agent of snapshot.agents.filter((a) => !busy.has(a.agentId))) {
            expect(
              refusalOf(call, agent, snapshot.queues[0]!, levelsOf(snapshot.agents, 'q'), snapshot.now),
            ).toBeDefined();
          }
        }
      }),
    );
  });

  it('decides the same whatever the order of rows', () => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        const turned = { ...snapshot, calls: [...snapshot.calls].reverse(), agents: [...snapshot.agents].reverse() };
        expect(decide(turned)).toEqual(decide(snapshot));
      }),
    );
  });

  it('names each agent once for each call: as a candidate or with a reason', () => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        const decision = decide(snapshot);
        for (const { callId } of decision.explanations) {
          const e = explain(snapshot, decision, callId);
          const named = [...new Set([...e.candidates, ...e.refusals.map((r) => r.agentId)])].sort();
          expect(named).toEqual(snapshot.agents.map((a) => a.agentId).sort());
        }
      }),
    );
  });
});
