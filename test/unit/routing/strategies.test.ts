import { decide } from '../../../src/routing/decide';
import { explain } from '../../../src/routing/explain';
import { startingCount } from '../../../src/routing/strategies/fewest-calls';
import type { Candidate, QueueRules, WaitingCall } from '../../../src/routing/types';
import { aCall, anAgent, aQueue, aSnapshot, NOW, SECOND } from '../../support/snapshots';

/** Names of the agents who may get the call, in the order in which they would be asked. */
function order(
  agents: readonly Candidate[],
  rules: Partial<QueueRules>,
  call: Partial<WaitingCall> = {},
  seed = 1,
): string[] {
  const snapshot = aSnapshot([aCall('c', call)], agents, aQueue('support', rules), { seed });
  return [...explain(snapshot, decide(snapshot), 'c').candidates];
}

const ready = (ago: number) => ({ readySince: NOW - ago });

describe('every strategy', () => {
  const names: QueueRules['strategy'][] = [
    'longest-idle',
    'round-robin',
    'top-down',
    'fewest-calls',
    'least-occupied',
    'skill-best',
    'skill-tightest',
    'ring-all',
    'ring-progressively',
  ];

  it.each(names)(
    '%s, strict and merged: level is the first key where levels are strict, and none where they are merged',
    (strategy) => {
      const agents = [
        anAgent('late', { member: { level: 2, position: 1 }, ...ready(99) }),
        anAgent('early', { member: { position: 2 }, ...ready(1) }),
      ];
      expect(order(agents, { strategy })).toEqual(['early', 'late']);
      expect(order(agents, { strategy, levels: 'merged' })).toEqual(['late', 'early']);
    },
  );

  it.each(names)('%s: ties go on to longest ready, then position, then name', (strategy) => {
    const first = strategy === 'top-down' || strategy === 'round-robin' ? 1 : 2;
    expect(
      order(
        [
          anAgent('new', { ...ready(1), member: { position: first } }),
          anAgent('old', { ...ready(9), member: { position: first } }),
        ],
        { strategy },
      ),
    ).toEqual(['old', 'new']);
    expect(
      order([anAgent('low', { member: { position: 2 } }), anAgent('top', { member: { position: 1 } })], { strategy }),
    ).toEqual(['top', 'low']);
    expect(order([anAgent('b'), anAgent('a')], { strategy })).toEqual(['a', 'b']);
  });

  it('ties end at the name, whatever the id', () => {
    const agents = [anAgent('1', { name: 'Zoe' }), anAgent('2', { name: 'Anna' })];
    expect(order(agents, {})).toEqual(['2', '1']);
    expect(order([...agents].reverse(), {})).toEqual(['2', '1']);
  });
});

describe('longest-idle', () => {
  it('asks first who has been ready longest', () => {
    expect(order([anAgent('a', ready(5)), anAgent('b', ready(50)), anAgent('c', ready(20))], {})).toEqual([
      'b',
      'c',
      'a',
    ]);
  });
});

describe('round-robin', () => {
  const offered = (name: string, ago: number | undefined, position = 1): Candidate =>
    anAgent(name, { member: { position, ...(ago === undefined ? {} : { lastOfferedAt: NOW - ago }) } });

  it('asks first whose last offer in this queue is longest ago; who was never offered one comes before, by position', () => {
    const agents = [
      offered('now', 1),
      offered('long', 90),
      offered('never2', undefined, 2),
      offered('never1', undefined, 1),
    ];
    expect(order(agents, { strategy: 'round-robin' })).toEqual(['never1', 'never2', 'long', 'now']);
  });

  it('who never had an offer comes by position, however long others are ready', () => {
    const agents = [
      anAgent('new', { member: { position: 1 }, ...ready(1) }),
      anAgent('old', { member: { position: 2 }, ...ready(99) }),
    ];
    expect(order(agents, { strategy: 'round-robin' })).toEqual(['new', 'old']);
  });
});

describe('top-down', () => {
  const list = ['a', 'b', 'c', 'd'].map((name, i) => anAgent(name, { member: { position: i + 1 }, ...ready(i) }));
  const strategy = { strategy: 'top-down' } as const;

  it('starts at the top for every new call', () => {
    expect(order(list, strategy)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('goes on below the last one tried for the same call, then starts over', () => {
    expect(order(list, strategy, { tried: ['a', 'b'] })).toEqual(['c', 'd', 'a', 'b']);
    expect(order(list, strategy, { tried: ['a', 'b', 'c', 'd'] })).toEqual(['a', 'b', 'c', 'd']);
  });

  it('of two at the same position the one who was not tried is next', () => {
    const twins = [anAgent('a'), anAgent('b'), anAgent('c', { member: { position: 2 } })];
    expect(order(twins, strategy, { tried: ['a'] })).toEqual(['b', 'c', 'a']);
  });

  it('goes on where the last one tried cannot take calls any more, or is no member at all', () => {
    const without = list.map((a) => (a.name === 'b' ? { ...a, workState: { kind: 'signed-out' as const } } : a));
    expect(order(without, strategy, { tried: ['a', 'b'] })).toEqual(['c', 'd', 'a']);
    expect(order(list.slice(0, 3), strategy, { tried: ['d'] })).toEqual(['a', 'b', 'c']);
  });

  it('keeps to the level: a lower one is asked again before a higher one', () => {
    const levels = [...list, anAgent('e', { member: { level: 2, position: 9 } })];
    expect(order(levels, strategy, { tried: ['a', 'b', 'c', 'd'] })).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});

describe('fewest-calls', () => {
  it('asks first who handled the fewest calls of the queue today', () => {
    const agents = [3, 1, 2].map((handledToday) => anAgent(`had${handledToday}`, { member: { handledToday } }));
    expect(order(agents, { strategy: 'fewest-calls' })).toEqual(['had1', 'had2', 'had3']);
  });

  it('starts a member who comes late at the mean of the others, so that nobody is flooded', () => {
    expect(startingCount([10, 20, 30])).toBe(20);
    expect(startingCount([10, 11])).toBe(10);
    expect(startingCount([10, 20, 30], 5)).toBe(15);
    expect(startingCount([1], 5)).toBe(0);
    expect(startingCount([])).toBe(0);
  });
});

describe('least-occupied', () => {
  it('asks first whose share of handling in the time signed in is smallest', () => {
    const agents = [
      anAgent('half', { handlingMsToday: 50, signedInMsToday: 100 }),
      anAgent('tenth', { handlingMsToday: 100, signedInMsToday: 1000 }),
      anAgent('new'),
    ];
    expect(order(agents, { strategy: 'least-occupied' })).toEqual(['new', 'tenth', 'half']);
  });
});

describe('skill-best and skill-tightest', () => {
  const needs = [
    { skill: 'de', atLeast: 3 },
    { skill: 'fr', atLeast: 2 },
  ];
  const agents = [
    anAgent('expert', { skills: { de: 10, fr: 9 } }),
    anAgent('just', { skills: { de: 3, fr: 2 } }),
    anAgent('good', { skills: { de: 4, fr: 5 } }),
    anAgent('german', { skills: { de: 9, fr: 2 } }),
  ];

  it('skill-best asks first who knows most beyond the needs, summed up', () => {
    expect(order(agents, { strategy: 'skill-best', needs })).toEqual(['expert', 'german', 'good', 'just']);
  });

  it('skill-tightest asks first who knows least beyond them, which keeps experts free', () => {
    expect(order(agents, { strategy: 'skill-tightest', needs })).toEqual(['just', 'good', 'german', 'expert']);
  });
});

describe('weighted-random', () => {
  const agents = [anAgent('light', { member: { weight: 1 } }), anAgent('heavy', { member: { weight: 3 } })];

  it('draws from the seed of the snapshot alone', () => {
    const strategy = { strategy: 'weighted-random' } as const;
    for (let seed = 0; seed < 40; seed++) {
      expect(order(agents, strategy, {}, seed)).toEqual(order([...agents].reverse(), strategy, {}, seed));
    }
  });

  it('draws each in proportion to the weight', () => {
    let heavy = 0;
    for (let seed = 0; seed < 4000; seed++) {
      heavy += order(agents, { strategy: 'weighted-random' }, {}, seed * 7919)[0] === 'heavy' ? 1 : 0;
    }
    expect(heavy / 4000).toBeGreaterThan(0.72);
    expect(heavy / 4000).toBeLessThan(0.78);
  });
});

describe('ring-all and ring-progressively', () => {
  const six = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, i) => anAgent(name, ready(100 - i)));
  const assigned = (calls: WaitingCall[], agents: Candidate[], rules: Partial<QueueRules>): string[] =>
    decide(
      aSnapshot(calls, agents, aQueue('support', { strategy: 'ring-all', maxParallel: 3, ...rules })),
    ).assignments.map((a) => `${a.callId}-${a.agentId}`);
  const rung = (id: string, ids: readonly string[], over: Partial<WaitingCall> = {}): WaitingCall =>
    aCall(id, { openOffers: ids.map((agentId) => ({ offerId: `o-${agentId}`, agentId })), ...over });
  const ringing = (id: string): Candidate =>
    anAgent(id, { openOffer: { offerId: `o-${id}`, callId: 'c', connected: false } });

  it('ring-all rings the first maxParallel by longest idle at once', () => {
    expect(assigned([aCall('c')], six, {})).toEqual(['c-a', 'c-b', 'c-c']);
  });

  it('serves as many callers at once as agents are free: everybody gets one before anybody gets a second', () => {
    const calls = [
      aCall('c1', { waitedMs: 9 * SECOND }),
      aCall('c2', { waitedMs: 8 * SECOND }),
      aCall('c3', { waitedMs: 7 * SECOND }),
    ];
    expect(assigned(calls, six.slice(0, 3), {})).toEqual(['c1-a', 'c2-b', 'c3-c']);
    expect(assigned(calls, six.slice(0, 4), {})).toEqual(['c1-a', 'c1-d', 'c2-b', 'c3-c']);
  });

  it('adds who becomes free while others ring, up to maxParallel', () => {
    const agents = [ringing('a'), ringing('b'), ...six.slice(2, 5)];
    expect(assigned([rung('c', ['a', 'b'])], agents, {})).toEqual(['c-c']);
    expect(assigned([rung('c', ['a', 'b'])], agents, { maxParallel: 2 })).toEqual([]);
  });

  it('ring-progressively starts with stepAgents, and adds as many each stepSeconds while the earlier ones keep ringing', () => {
    const rules = { strategy: 'ring-progressively', maxParallel: 4, stepAgents: 1, stepMs: 5 * SECOND } as const;
    expect(assigned([aCall('c')], six, rules)).toEqual(['c-a']);
    const agents = [ringing('a'), ...six.slice(1)];
    const after = (ms: number): string[] => assigned([rung('c', ['a'], { firstOfferedAt: NOW - ms })], agents, rules);
    expect(after(4_999)).toEqual([]);
    expect(after(5_000)).toEqual(['c-b']);
    expect(after(10_000)).toEqual(['c-b', 'c-c']);
    expect(after(90_000)).toEqual(['c-b', 'c-c', 'c-d']);
  });

  it('ring-progressively: two join in each step where stepAgents is two', () => {
    const rules = { strategy: 'ring-progressively', maxParallel: 5, stepAgents: 2, stepMs: 5 * SECOND } as const;
    expect(assigned([aCall('c')], six, rules)).toEqual(['c-a', 'c-b']);
    const agents = [ringing('a'), ringing('b'), ...six.slice(2)];
    expect(assigned([rung('c', ['a', 'b'], { firstOfferedAt: NOW - 5 * SECOND })], agents, rules)).toEqual([
      'c-c',
      'c-d',
    ]);
  });

  it('ring-progressively says when the next step is due', () => {
    const rules = aQueue('support', {
      strategy: 'ring-progressively',
      maxParallel: 2,
      stepAgents: 1,
      stepMs: 5 * SECOND,
    });
    expect(decide(aSnapshot([aCall('c')], six, rules)).dueAt).toBe(NOW + 5_000);
    const call = rung('c', ['a'], { firstOfferedAt: NOW - 2_000 });
    expect(decide(aSnapshot([call], [ringing('a')], rules)).dueAt).toBe(NOW + 3_000);
  });

  it('leaves a call alone that somebody rings for, where the strategy rings one', () => {
    expect(assigned([rung('c', ['a'])], six, { strategy: 'longest-idle' })).toEqual([]);
  });
});
