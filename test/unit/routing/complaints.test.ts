/** What hurts people in other systems, row by row of docs/complaints.md, as far as the decision alone can show that it cannot happen. */
import { decide } from '../../../src/routing/decide';
import { estimatedWaitMs } from '../../../src/routing/estimated-wait';
import { explain } from '../../../src/routing/explain';
import type { Candidate, QueueRules, WaitingCall } from '../../../src/routing/types';
import { aCall, aMember, anAgent, aPresence, aQueue, aSnapshot, NOW, SECOND } from '../../support/snapshots';

function order(agents: readonly Candidate[], rules: Partial<QueueRules>, call: Partial<WaitingCall> = {}): string[] {
  const snapshot = aSnapshot([aCall('c', call)], agents, aQueue('support', rules));
  return [...explain(snapshot, decide(snapshot), 'c').candidates];
}

const rings = (callId: string, connected = false) => ({ openOffer: { offerId: `o-${callId}`, callId, connected } });

it('2: while others ring, one who drops out is not a reason to ring anybody again who rings already', () => {
  const call = aCall('c', { openOffers: [{ offerId: 'o-c', agentId: 'still' }], tried: ['gone', 'still'] });
  const agents = [
    anAgent('still', rings('c')),
    anAgent('gone', { workState: { kind: 'wrap-up', until: NOW + 9 } }),
    anAgent('next'),
  ];
  const { assignments } = decide(aSnapshot([call], agents, aQueue('support', { strategy: 'ring-all' })));
  expect(assignments.map((a) => a.agentId)).toEqual(['next']);
});

it('4: an agent who changes status while being rung is not rung a second time', () => {
  const call = aCall('c', { openOffers: [{ offerId: 'o-c', agentId: 'a' }] });
  const states: Candidate['workState'][] = [
    { kind: 'ready' },
    { kind: 'paused', reason: 'lunch' },
    { kind: 'signed-out' },
  ];
  for (const strategy of ['longest-idle', 'ring-all', 'ring-progressively'] as const) {
    for (const workState of states) {
      const agent = anAgent('a', { ...rings('c'), workState });
      expect(decide(aSnapshot([call], [agent], aQueue('support', { strategy }))).assignments).toEqual([]);
    }
  }
});

it('5: an agent who talks or rings is given no second call, whatever Teams shows or the agent says', () => {
  for (const connected of [true, false]) {
    const agent = anAgent('a', {
      ...rings('x', connected),
      presence: aPresence('Available'),
      workState: { kind: 'ready' },
    });
    for (const accept of [['Available'], ['Busy', 'Available']]) {
      const queue = aQueue('support', { presence: { ...aQueue().presence, accept, unknown: 'accept' } });
      expect(decide(aSnapshot([aCall('c')], [agent], queue)).assignments).toEqual([]);
    }
  }
});

it('10: top-down goes on when the last agent cannot take calls', () => {
  const agents = ['a', 'b', 'c'].map((name, i) => anAgent(name, { member: { position: i + 1 } }));
  const without = agents.map((a) => (a.name === 'b' ? { ...a, workState: { kind: 'signed-out' as const } } : a));
  expect(order(without, { strategy: 'top-down' }, { tried: ['b'] })).toEqual(['c', 'a']);
});

it('11: wrap-ups end one by one, each at its own time', () => {
  const agents = [1, 2, 3].map((n) => anAgent(`a${n}`, { workState: { kind: 'wrap-up', until: NOW + n * SECOND } }));
  for (const n of [0, 1, 2, 3]) {
    const snapshot = aSnapshot([aCall('c')], agents, aQueue(), { now: NOW + n * SECOND });
    expect(explain(snapshot, decide(snapshot), 'c').candidates).toHaveLength(n);
  }
  expect(decide(aSnapshot([aCall('c')], agents)).dueAt).toBe(NOW + SECOND);
});

it('13: no queue waits for another one: one decision serves all that share agents', () => {
  const agents = ['a', 'b'].map((name) => anAgent(name, { memberships: [aMember(), aMember('sales')] }));
  const { assignments } = decide(
    aSnapshot([aCall('c'), aCall('s', { queueId: 'sales' })], agents, [aQueue(), aQueue('sales')]),
  );
  expect(new Set(assignments.map((a) => a.queueId))).toEqual(new Set(['support', 'sales']));
});

it('19: the estimated wait never grows with the wait of the call itself', () => {
  const at = (ahead: number) => estimatedWaitMs({ meanHandlingMs: 60_000, working: 2, free: 0 }, ahead)!;
  const wait = [5, 4, 3, 2, 1, 0].map(at);
  expect([...wait].sort((a, b) => b - a)).toEqual(wait);
  // It is a function of the place alone: nothing about the time waited goes in.
  expect(at(3)).toBe(at(3));
});

it('20: nobody goes back a place, except behind a higher class or a head start', () => {
  const calls = [aCall('first', { waitedMs: 9_000 }), aCall('second', { waitedMs: 5_000 })];
  const place = (later: number, more: WaitingCall[] = []) => {
    const snapshot = aSnapshot([...calls, ...more], [], aQueue(), { now: NOW + later });
    return explain(snapshot, decide(snapshot), 'second').position;
  };
  const newcomers = Array.from({ length: 20 }, (_, i) => aCall(`new${i}`, { waitedMs: i }));
  expect([place(0), place(60_000, newcomers), place(3_600_000, newcomers)]).toEqual([2, 2, 2]);
});

it('21: whoever comes back to a queue has the place of the first arrival', () => {
  const back = aCall('back', { waitedMs: 90_000, queuedAt: NOW });
  const others = [aCall('o1', { waitedMs: 60_000 }), aCall('o2', { waitedMs: 1_000 })];
  expect(decide(aSnapshot([...others, back], [anAgent('a')])).assignments).toMatchObject([{ callId: 'back' }]);
});

it('24: the wrap-up of each agent counts in every queue, whichever queue it came from', () => {
  const agent = anAgent('a', {
    memberships: [aMember(), aMember('sales')],
    workState: { kind: 'wrap-up', until: NOW + SECOND },
  });
  const calls = [aCall('c'), aCall('s', { queueId: 'sales' })];
  expect(decide(aSnapshot(calls, [agent], [aQueue(), aQueue('sales')])).assignments).toEqual([]);
});

it('25: an agent in wrap-up or paused gets no call though Teams shows Available', () => {
  for (const workState of [
    { kind: 'wrap-up', until: NOW + 1 } as const,
    { kind: 'paused', reason: 'lunch' } as const,
  ]) {
    expect(decide(aSnapshot([aCall('c')], [anAgent('a', { workState })])).assignments).toEqual([]);
  }
});

it('26: a break changes nothing about who had the fewest calls or the least work', () => {
  const back = { readySince: NOW, handlingMsToday: 9, signedInMsToday: 10, member: { handledToday: 5 } };
  const stayed = { readySince: NOW - 90_000, handlingMsToday: 5, signedInMsToday: 10, member: { handledToday: 4 } };
  for (const strategy of ['fewest-calls', 'least-occupied'] as const) {
    expect(order([anAgent('back', back), anAgent('stayed', stayed)], { strategy })).toEqual(['stayed', 'back']);
  }
});

it('27: serial order is what the configuration says: level, then position, and every tie ends the same way', () => {
  const agents = [3, 1, 2].map((position) => anAgent(`p${position}`, { member: { position } }));
  expect(order(agents, { strategy: 'top-down' })).toEqual(['p1', 'p2', 'p3']);
  expect(order([...agents].reverse(), { strategy: 'top-down' })).toEqual(['p1', 'p2', 'p3']);
});
