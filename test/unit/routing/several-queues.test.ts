import { decide } from '../../../src/routing/decide';
import type { Candidate, QueueRules, WaitingCall } from '../../../src/routing/types';
import { aCall, aMember, anAgent, aQueue, aSnapshot, SECOND } from '../../support/snapshots';

const sales = (id: string, over: Parameters<typeof aCall>[1] = {}): WaitingCall =>
  aCall(id, { queueId: 'sales', ...over });

function both(name: string, supportPriority: number, salesPriority: number, over: Partial<Candidate> = {}): Candidate {
  return anAgent(name, {
    memberships: [aMember('support', { priority: supportPriority }), aMember('sales', { priority: salesPriority })],
    ...over,
  });
}

function pairs(
  calls: WaitingCall[],
  agents: Candidate[],
  queues: QueueRules[] = [aQueue(), aQueue('sales')],
): string[] {
  return decide(aSnapshot(calls, agents, queues))
    .assignments.map((a) => `${a.callId}-${a.agentId}`)
    .sort();
}

describe('an agent with several queues takes', () => {
  it('class over several queues: the higher one first', () => {
    expect(pairs([aCall('old', { waitedMs: 90 * SECOND }), sales('vip', { class: 1 })], [both('a', 1, 9)])).toEqual([
      'vip-a',
    ]);
  });

  it('then by membership priority, the lower number first', () => {
    const calls = [aCall('old', { waitedMs: 90 * SECOND }), sales('new')];
    expect(pairs(calls, [both('a', 2, 1)])).toEqual(['new-a']);
    expect(pairs(calls, [both('a', 1, 2)])).toEqual(['old-a']);
  });

  it('then by the weight of the queue, the heavier first', () => {
    const calls = [aCall('old', { waitedMs: 90 * SECOND }), sales('new')];
    expect(pairs(calls, [both('a', 1, 1)], [aQueue(), aQueue('sales', { weight: 5 })])).toEqual(['new-a']);
  });

  it('then in the order of calls', () => {
    expect(pairs([aCall('new'), sales('old', { waitedMs: 2 * SECOND })], [both('a', 1, 1)])).toEqual(['old-a']);
    expect(pairs([aCall('old', { waitedMs: 2 * SECOND }), sales('new')], [both('a', 1, 1)])).toEqual(['old-a']);
  });
});

describe('the starving guard', () => {
  const calls = [aCall('starving', { waitedMs: 61 * SECOND }), sales('preferred')];
  const queues = (ageCapMs: number) => [aQueue('support', { ageCapMs }), aQueue('sales', { weight: 9 })];

  it('lets a call that waited longer than ageCapSeconds count as first priority and top weight', () => {
    expect(pairs(calls, [both('a', 5, 1)], queues(60 * SECOND))).toEqual(['starving-a']);
    const ahead = sales('preferred', { headStartMs: 90 * SECOND });
    expect(pairs([calls[0]!, ahead], [both('a', 5, 2)], queues(60 * SECOND))).toEqual(['starving-a']);
    expect(pairs([calls[0]!, ahead], [both('a', 5, 1)], queues(60 * SECOND))).toEqual(['preferred-a']);
  });

  it('does nothing before', () => {
    expect(pairs(calls, [both('a', 5, 1)], queues(61 * SECOND))).toEqual(['preferred-a']);
  });

  it('counts from the first moment of waiting', () => {
    const moved = aCall('starving', { waitedMs: 61 * SECOND, queuedAt: calls[1]!.queuedAt });
    expect(pairs([moved, calls[1]!], [both('a', 5, 1)], queues(60 * SECOND))).toEqual(['starving-a']);
  });

  it('does nothing where no ageCapSeconds is set', () => {
    const without = [aQueue('support'), aQueue('sales', { weight: 9 })];
    expect(pairs(calls, [both('a', 5, 1)], without)).toEqual(['preferred-a']);
    expect(pairs(calls, [both('a', 1, 5)], without)).toEqual(['starving-a']);
  });

  it('does not go before a higher class', () => {
    expect(pairs([calls[0]!, sales('vip', { class: 1 })], [both('a', 5, 1)], queues(60 * SECOND))).toEqual(['vip-a']);
  });

  it('bounds the wait: however many preferred calls keep coming, an old one is served before any that came after it', () => {
    const flood = Array.from({ length: 50 }, (_, i) => sales(`new${i}`, { waitedMs: i * 100 }));
    expect(pairs([calls[0]!, ...flood], [both('a', 5, 1)], queues(60 * SECOND))).toEqual(['starving-a']);
  });
});

describe('a stable matching', () => {
  it('gives both calls somebody where taking the first free agent would leave one without', () => {
    const only = anAgent('only', { memberships: [aMember('sales')] });
    const calls = [aCall('s1', { waitedMs: 9 * SECOND }), sales('s2')];
    expect(pairs(calls, [both('shared', 1, 1), only])).toEqual(['s1-shared', 's2-only']);
  });

  it('sends a call on to its next choice when its first one has a better call', () => {
    const shared = both('shared', 2, 1, { readySince: 0 });
    const calls = [aCall('old', { waitedMs: 9 * SECOND }), sales('young')];
    expect(pairs(calls, [shared, anAgent('plain')])).toEqual(['old-plain', 'young-shared']);
  });
});
