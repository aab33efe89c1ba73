import { decide } from '../../../src/routing/decide';
import { explain } from '../../../src/routing/explain';
import type { Candidate, QueueRules, Snapshot, WaitingCall } from '../../../src/routing/types';
import { aCall as call, anAgent as agent, aPresence, aQueue, aSnapshot, NOW } from '../../support/snapshots';

function snapshot(
  calls: readonly WaitingCall[],
  agents: readonly Candidate[],
  unknown: 'accept' | 'refuse' = 'refuse',
): Snapshot {
  const queue = aQueue();
  return aSnapshot(calls, agents, { ...queue, presence: { ...queue.presence, unknown } });
}

function reasonFor(over: Partial<Candidate>, theCall = call('c')): unknown {
  const view = snapshot([theCall], [agent('a', over)]);
  return explain(view, decide(view), theCall.callId).refusals[0]?.refusal.reason;
}

describe('which call first', () => {
  it('serves the higher class before the longer wait', () => {
    const decision = decide(
      snapshot([call('old', { firstQueuedAt: NOW - 60_000 }), call('vip', { class: 5 })], [agent('a')]),
    );
    expect(decision.assignments).toMatchObject([{ callId: 'vip', agentId: 'a' }]);
  });

  it('counts a head start as time waited', () => {
    const decision = decide(
      snapshot([call('old', { firstQueuedAt: NOW - 5_000 }), call('ahead', { headStartMs: 10_000 })], [agent('a')]),
    );
    expect(decision.assignments[0]?.callId).toBe('ahead');
  });

  it('breaks a complete tie by the id, so that every node decides alike', () => {
    const decision = decide(snapshot([call('b'), call('a')], [agent('x')]));
    expect(decision.assignments[0]?.callId).toBe('a');
  });

  it('leaves a call alone that is being offered', () => {
    expect(
      decide(snapshot([call('c', { openOffers: [{ offerId: 'o', agentId: 'b' }] })], [agent('a')])).assignments,
    ).toEqual([]);
  });
});

describe('when it has to be looked at again', () => {
  const last = { lastAgent: { agentId: 'a', endedAt: NOW - 1 } };
  const resting = agent('a', { workState: { kind: 'wrap-up', until: NOW + 90_000 } });
  const busy = agent('b', { openOffer: { offerId: 'o', callId: 'x', connected: true } });
  it.each<[string, WaitingCall, Candidate[], Partial<QueueRules>, number]>([
    ['wrap-up ends', call('c'), [agent('a', { workState: { kind: 'wrap-up', until: NOW + 7 } })], {}, 7],
    [
      'a level opens',
      call('c', { waitedMs: 100 }),
      [busy, agent('a', { member: { level: 2 } })],
      { levelAfterMs: { 2: 107 } },
      7,
    ],
    [
      'a need relaxes',
      call('c', { waitedMs: 100 }),
      [agent('a')],
      { needs: [{ skill: 'de', atLeast: 1 }], relaxations: [{ afterMs: 107, skill: 'de' }] },
      7,
    ],
    ['an exclusion ends', call('c', { excluded: [{ agentId: 'a', until: NOW + 7 }] }), [agent('a')], {}, 7],
    ['working hours begin', call('c'), [agent('a', { workingHours: { inside: false, changesAt: NOW + 7 } })], {}, 7],
    [
      'the wait for one agent ends',
      call('c', { waitedMs: 100, ...last }),
      [resting, agent('other')],
      { preferLastAgent: { withinMs: 1_000, waitMs: 107 } },
      7,
    ],
    ['the longest wait is over', call('c', { waitedMs: 100 }), [], { maxWaitMs: 107 }, 7],
  ])(
    'due time: the first moment at which something changes though nothing happens: %s',
    (_what, one, agents, rules, ms) => {
      expect(decide(aSnapshot([one], agents, aQueue('support', rules))).dueAt).toBe(NOW + ms);
    },
  );
});

describe('which agent', () => {
  it('takes the one who has been ready longest', () => {
    const decision = decide(
      snapshot([call('c')], [agent('new', { readySince: NOW - 1 }), agent('old', { readySince: NOW - 99 })]),
    );
    expect(decision.assignments).toMatchObject([{ callId: 'c', agentId: 'old' }]);
  });

  it('takes the lower level before the longer idle time', () => {
    const decision = decide(
      snapshot(
        [call('c')],
        [agent('second', { member: { level: 2 }, readySince: 0 }), agent('first', { readySince: NOW })],
      ),
    );
    expect(decision.assignments[0]?.agentId).toBe('first');
  });

  it('serves as many callers at once as there are free agents', () => {
    const view = snapshot([call('c1'), call('c2'), call('c3')], [agent('a'), agent('b')]);
    const decision = decide(view);
    expect(decision.assignments).toMatchObject([
      { callId: 'c1', agentId: 'a' },
      { callId: 'c2', agentId: 'b' },
    ]);
    expect(explain(view, decision, 'c3').refusals.map((r) => r.refusal)).toEqual([
      { reason: 'reserved', callId: 'c1' },
      { reason: 'reserved', callId: 'c2' },
    ]);
  });

  it('passes an excluded agent for this call only', () => {
    const excluded = [{ agentId: 'a', until: NOW + 5_000 }];
    const decision = decide(snapshot([call('c1', { excluded, waitedMs: 9_000 }), call('c2')], [agent('a')]));
    expect(decision.assignments).toMatchObject([{ callId: 'c2', agentId: 'a' }]);
    expect(decision.dueAt).toBe(NOW + 5_000);
  });

  it('longest-idle counts an agent ready from the end of a wrap-up that has run out', () => {
    const wrapped = agent('wrapped', { workState: { kind: 'wrap-up', until: NOW - 10 }, readySince: 0 });
    const decision = decide(snapshot([call('c')], [wrapped, agent('other', { readySince: NOW - 20 })]));
    expect(decision.assignments[0]?.agentId).toBe('other');
  });
});

describe('the first reason for a no', () => {
  it.each<[string, Partial<Candidate>]>([
    ['signed-out', { workState: { kind: 'signed-out' } }],
    ['paused', { workState: { kind: 'paused', reason: 'lunch' } }],
    ['not-ready', { workState: { kind: 'not-ready', reason: 'missed' } }],
    ['wrap-up', { workState: { kind: 'wrap-up', until: NOW + 1 } }],
    ['reserved', { openOffer: { offerId: 'o', callId: 'x', connected: false } }],
    ['in-call', { openOffer: { offerId: 'o', callId: 'x', connected: true } }],
    ['endpoint-down', { endpoint: { kind: 'teams', trunk: 'teams', up: false } }],
    ['presence-unknown', { presence: 'unknown' }],
  ])('is %s', (reason, over) => {
    expect(reasonFor(over)).toBe(reason);
  });

  it('is the state of work before presence, as the rules order them', () => {
    expect(reasonFor({ workState: { kind: 'signed-out' }, presence: 'unknown' })).toBe('signed-out');
  });

  it('is presence for a value the queue does not accept, whatever its case', () => {
    const busy = aPresence('busy', 'InAMeeting');
    expect(reasonFor({ presence: busy })).toBe('presence');
    expect(reasonFor({ presence: { ...busy, availability: 'AVAILABLE' } })).toBeUndefined();
  });

  it('is presence-unknown for a value that is too old, unless the queue accepts that', () => {
    const old = aPresence('Available', 'Available', { readAt: NOW - 30_001 });
    expect(reasonFor({ presence: old })).toBe('presence-unknown');
    expect(decide(snapshot([call('c')], [agent('a', { presence: old })], 'accept')).assignments).toHaveLength(1);
  });
});

describe('the echo of our own call in Graph', () => {
  const inACall = (changedAt: number) => ({
    presence: aPresence('Busy', 'InACall', { changedAt }),
  });

  it('is ignored for the grace after our call ended', () => {
    expect(reasonFor({ ...inACall(NOW - 50_000), lastCallEndedAt: NOW - 5_000 })).toBeUndefined();
  });

  it('counts again once the grace is over', () => {
    expect(reasonFor({ ...inACall(NOW - 50_000), lastCallEndedAt: NOW - 20_001 })).toBe('presence');
  });

  it('does not hide a call that began after ours ended', () => {
    expect(reasonFor({ ...inACall(NOW - 1_000), lastCallEndedAt: NOW - 5_000 })).toBe('presence');
  });
});

describe('agents without presence of their own', () => {
  it('are taken by their state of work alone', () => {
    expect(reasonFor({ presence: 'none', endpoint: { kind: 'pbx', trunk: 'avaya', up: true } })).toBeUndefined();
  });
});
