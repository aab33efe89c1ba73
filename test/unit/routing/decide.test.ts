import { decide, nextDueTime } from '../../../src/routing/decide';
import type { Candidate, Snapshot, WaitingCall } from '../../../src/routing/types';

const NOW = 1_000_000;

function call(id: string, over: Partial<WaitingCall> = {}): WaitingCall {
  return {
    callId: id,
    class: 0,
    headStartMs: 0,
    firstQueuedAt: NOW - 1_000,
    excluded: [],
    beingOffered: false,
    ...over,
  };
}

function agent(id: string, over: Partial<Candidate> = {}): Candidate {
  return {
    agentId: id,
    name: id,
    level: 1,
    position: 1,
    workState: { kind: 'ready' },
    readySince: NOW - 10_000,
    presence: {
      availability: 'Available',
      activity: 'Available',
      readAt: NOW - 500,
      changedAt: NOW - 60_000,
      source: 'graph-poll',
    },
    lastCallEndedAt: undefined,
    endpoint: { kind: 'teams', trunk: 'teams', up: true },
    ...over,
  };
}

function snapshot(
  calls: readonly WaitingCall[],
  agents: readonly Candidate[],
  unknown: 'accept' | 'refuse' = 'refuse',
): Snapshot {
  return {
    now: NOW,
    calls,
    agents,
    queue: {
      queueId: 'q',
      name: 'support',
      strategy: 'longest-idle',
      presence: { accept: ['Available', 'AvailableIdle'], staleAfterMs: 30_000, unknown, graceMs: 20_000 },
    },
  };
}

function reasonFor(over: Partial<Candidate>, theCall = call('c')): unknown {
  const decision = decide(snapshot([theCall], [agent('a', over)]));
  return decision.explanations[0]?.refused[0]?.refusal.reason;
}

describe('which call first', () => {
  it('serves the higher class before the longer wait', () => {
    const decision = decide(
      snapshot([call('old', { firstQueuedAt: NOW - 60_000 }), call('vip', { class: 5 })], [agent('a')]),
    );
    expect(decision.assignments).toEqual([{ callId: 'vip', agentId: 'a' }]);
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
    expect(decide(snapshot([call('c', { beingOffered: true })], [agent('a')])).assignments).toEqual([]);
  });
});

describe('which agent', () => {
  it('takes the one who has been ready longest', () => {
    const decision = decide(
      snapshot([call('c')], [agent('new', { readySince: NOW - 1 }), agent('old', { readySince: NOW - 99 })]),
    );
    expect(decision.assignments).toEqual([{ callId: 'c', agentId: 'old' }]);
  });

  it('takes the lower level before the longer idle time', () => {
    const decision = decide(
      snapshot([call('c')], [agent('second', { level: 2, readySince: 0 }), agent('first', { readySince: NOW })]),
    );
    expect(decision.assignments[0]?.agentId).toBe('first');
  });

  it('serves as many callers at once as there are free agents', () => {
    const decision = decide(snapshot([call('c1'), call('c2'), call('c3')], [agent('a'), agent('b')]));
    expect(decision.assignments).toEqual([
      { callId: 'c1', agentId: 'a' },
      { callId: 'c2', agentId: 'b' },
    ]);
    expect(decision.explanations[2]?.refused.map((r) => r.refusal.reason)).toEqual(['reserved', 'reserved']);
  });

  it('passes an excluded agent for this call only', () => {
    const excluded = [{ agentId: 'a', until: NOW + 5_000 }];
    const decision = decide(snapshot([call('c1', { excluded, firstQueuedAt: 0 }), call('c2')], [agent('a')]));
    expect(decision.assignments).toEqual([{ callId: 'c2', agentId: 'a' }]);
    expect(nextDueTime(decision)).toBe(NOW + 5_000);
  });

  it('counts an agent ready from the end of a wrap-up that has run out', () => {
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
    const busy = {
      availability: 'busy',
      activity: 'InAMeeting',
      readAt: NOW,
      changedAt: NOW,
      source: 'graph-poll' as const,
    };
    expect(reasonFor({ presence: busy })).toBe('presence');
    expect(reasonFor({ presence: { ...busy, availability: 'AVAILABLE' } })).toBeUndefined();
  });

  it('is presence-unknown for a value that is too old, unless the queue accepts that', () => {
    const old = {
      availability: 'Available',
      activity: 'Available',
      readAt: NOW - 30_001,
      changedAt: 0,
      source: 'graph-poll' as const,
    };
    expect(reasonFor({ presence: old })).toBe('presence-unknown');
    expect(decide(snapshot([call('c')], [agent('a', { presence: old })], 'accept')).assignments).toHaveLength(1);
  });
});

describe('the echo of our own call in Graph', () => {
  const inACall = (changedAt: number) => ({
    presence: { availability: 'Busy', activity: 'InACall', readAt: NOW, changedAt, source: 'graph-poll' as const },
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
