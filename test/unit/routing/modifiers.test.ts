import { decide } from '../../../src/routing/decide';
import { explain } from '../../../src/routing/explain';
import type { Candidate, QueueRules, WaitingCall } from '../../../src/routing/types';
import { aCall, aMember, anAgent, aQueue, aSnapshot, NOW, SECOND } from '../../support/snapshots';

const three = [
  anAgent('long', { readySince: 0 }),
  anAgent('short', { readySince: NOW - 1 }),
  anAgent('later', { readySince: 5, member: { level: 2 } }),
];

function order(
  call: Partial<WaitingCall>,
  rules: Partial<QueueRules> = {},
  agents: readonly Candidate[] = three,
): string[] {
  const snapshot = aSnapshot([aCall('c', call)], agents, aQueue('support', rules));
  return [...explain(snapshot, decide(snapshot), 'c').candidates];
}

describe('preferAgents', () => {
  it('asks those first whom the flow names, in its order, whatever level and strategy say', () => {
    expect(order({ preferAgents: ['later', 'short'] })).toEqual(['later', 'short', 'long']);
    expect(order({ preferAgents: ['nobody', 'short'] })).toEqual(['short', 'long', 'later']);
  });

  it('makes nobody eligible who is not', () => {
    expect(order({ preferAgents: ['later'] }, { levelAfterMs: { 2: 99 * SECOND } })).toEqual(['long', 'short']);
    expect(order({ preferAgents: ['short'], excluded: [{ agentId: 'short', until: NOW + 1 }] })).toEqual([
      'long',
      'later',
    ]);
  });
});

describe('preferLastAgent', () => {
  const preferLastAgent = { withinMs: 60 * SECOND, waitMs: 10 * SECOND };
  const last = (agentId: string, ago: number) => ({ lastAgent: { agentId, endedAt: NOW - ago } });

  it('asks the one first who spoke with this caller within the days given', () => {
    expect(order(last('short', 60_000), { preferLastAgent })).toEqual(['short', 'long', 'later']);
    expect(order(last('short', 60_001), { preferLastAgent })).toEqual(['long', 'short', 'later']);
    expect(order(last('short', 1))).toEqual(['long', 'short', 'later']);
  });

  it('waits for that one while busy with us, for the seconds given and no longer', () => {
    const busy = anAgent('busy', { workState: { kind: 'wrap-up', until: NOW + 90_000 } });
    const at = (waitedMs: number) =>
      decide(
        aSnapshot(
          [aCall('c', { ...last('busy', 1), waitedMs })],
          [busy, anAgent('other')],
          aQueue('support', { preferLastAgent }),
        ),
      );
    const held = at(9_999);
    expect(held.assignments).toEqual([]);
    expect(held.explanations[0]).toMatchObject({ heldFor: { agentId: 'busy', until: NOW + 1 }, eligible: 1 });
    expect(held.dueAt).toBe(NOW + 1);
    expect(at(10_000).assignments).toMatchObject([{ agentId: 'other' }]);
  });

  it('waits for nobody who could not take the call afterwards', () => {
    const busy: Partial<Candidate> = { workState: { kind: 'wrap-up', until: NOW + 90_000 } };
    const never: [Partial<Candidate>, Partial<QueueRules>, Partial<WaitingCall>][] = [
      [{ ...busy, skills: { de: 1 } }, { needs: [{ skill: 'de', atLeast: 2 }] }, {}],
      [{ ...busy, workingHours: { inside: false } }, {}, {}],
      [{ ...busy }, {}, { excluded: [{ agentId: 'a', until: NOW + 9 }] }],
    ];
    for (const [over, rules, call] of never) {
      const snapshot = aSnapshot(
        [aCall('c', { ...last('a', 1), ...call })],
        [anAgent('a', over), anAgent('other', { skills: { de: 5 } })],
        aQueue('support', { preferLastAgent, ...rules }),
      );
      expect(decide(snapshot).assignments).toMatchObject([{ agentId: 'other' }]);
    }
  });

  it('waits for nobody who is signed out, paused or away', () => {
    const gone: Partial<Candidate>[] = [
      { workState: { kind: 'signed-out' } },
      { workState: { kind: 'paused', reason: 'lunch' } },
      { presence: 'unknown' },
    ];
    for (const over of gone) {
      const snapshot = aSnapshot(
        [aCall('c', last('a', 1))],
        [anAgent('a', over), anAgent('other')],
        aQueue('support', { preferLastAgent }),
      );
      expect(decide(snapshot).assignments).toMatchObject([{ agentId: 'other' }]);
    }
  });
});

describe('spareScarceAgents', () => {
  it('takes among equals the one whom fewest other waiting calls could use', () => {
    const wanted = anAgent('a-wanted', { memberships: [aMember(), aMember('sales')] });
    const spare = anAgent('b-spare');
    const calls = [aCall('c', { waitedMs: 5 * SECOND }), aCall('s', { queueId: 'sales' })];
    const rules = (spareScarceAgents: boolean) => [
      aQueue('support', { strategy: 'fewest-calls', spareScarceAgents }),
      aQueue('sales'),
    ];
    const first = (spares: boolean) => {
      const snapshot = aSnapshot(calls, [wanted, spare], rules(spares));
      return explain(snapshot, decide(snapshot), 'c').candidates;
    };
    expect(first(true)).toEqual(['b-spare', 'a-wanted']);
    expect(first(false)).toEqual(['a-wanted', 'b-spare']);
  });

  it('is of the queue that says so', () => {
    const both = (id: string, over: Partial<Candidate> = {}): Candidate =>
      anAgent(id, { memberships: [aMember(), aMember('sales')], ...over });
    const agents = [
      both('a-wanted', { memberships: [aMember(), aMember('sales'), aMember('night')] }),
      both('b-spare'),
    ];
    const calls = [aCall('c'), aCall('s', { queueId: 'sales' }), aCall('n', { queueId: 'night' })];
    const queues = [
      aQueue('support', { strategy: 'fewest-calls', spareScarceAgents: true }),
      aQueue('sales', { strategy: 'fewest-calls' }),
      aQueue('night'),
    ];
    const snapshot = aSnapshot(calls, agents, queues);
    const decision = decide(snapshot);
    expect(explain(snapshot, decision, 'c').candidates).toEqual(['b-spare', 'a-wanted']);
    expect(explain(snapshot, decision, 's').candidates).toEqual(['a-wanted', 'b-spare']);
  });

  it('does not count calls that may not have the agent', () => {
    const agents = [
      anAgent('a', { memberships: [aMember(), aMember('sales')] }),
      anAgent('b', { memberships: [aMember(), aMember('sales')] }),
    ];
    const excluded = [{ agentId: 'b', until: NOW + SECOND }];
    const calls = [aCall('c'), aCall('s', { queueId: 'sales', excluded })];
    const queues = [aQueue('support', { strategy: 'fewest-calls', spareScarceAgents: true }), aQueue('sales')];
    const snapshot = aSnapshot(calls, agents, queues);
    expect(explain(snapshot, decide(snapshot), 'c').candidates).toEqual(['b', 'a']);
  });

  it('counts among equals only: who handled fewer calls goes first all the same', () => {
    const wanted = anAgent('wanted', { memberships: [aMember('support', { handledToday: 0 }), aMember('sales')] });
    const spare = anAgent('spare', { member: { handledToday: 1 } });
    const snapshot = aSnapshot(
      [aCall('c'), aCall('s', { queueId: 'sales' })],
      [wanted, spare],
      [aQueue('support', { strategy: 'fewest-calls', spareScarceAgents: true }), aQueue('sales')],
    );
    expect(explain(snapshot, decide(snapshot), 'c').candidates).toEqual(['wanted', 'spare']);
  });
});
