import { decide } from '../../../src/routing/decide';
import { estimatedWaitMs } from '../../../src/routing/estimated-wait';
import { exitOnEntry } from '../../../src/routing/overflow';
import { statusByName } from '../../../src/routing/queue-status';
import type { QueueExits, QueueRules, QueueStatus } from '../../../src/routing/types';
import { aCall, anAgent, aQueue, aSnapshot, NOW } from '../../support/snapshots';

function status(name: string, over: Partial<QueueStatus> = {}): QueueStatus {
  return { queueId: name, name, waiting: 0, signedIn: 1, present: 1, working: 1, free: 1, ...over };
}

const names =
  (...all: QueueStatus[]) =>
  (name: string) =>
    all.find((one) => one.name === name);
const say = (announce: string) => ({ announce });
const EXITS: QueueExits = {
  closed: say('closed'),
  paused: say('paused'),
  full: say('full'),
  noAgents: say('noAgents'),
  noPresence: say('noPresence'),
  estimatedWait: say('estimatedWait'),
};

describe('on entry', () => {
  const reasons: [string, Partial<QueueStatus>][] = [
    ['closed', { hours: { open: false } }],
    ['paused', { paused: { at: NOW } }],
    ['full', { maxWaiting: 3, waiting: 3 }],
    ['noAgents', { signedIn: 0 }],
    ['noPresence', { present: 0 }],
    ['estimatedWait', { estimatedWaitOverMs: 60_000, meanHandlingMs: 61_000, working: 1, free: 0 }],
  ];

  it.each(reasons)('a call is sent away: %s', (reason, over) => {
    expect(exitOnEntry(status('q', { exits: EXITS, ...over }), names())).toEqual({ reason, action: say(reason) });
  });

  it('the reasons are asked in the order of the rules', () => {
    for (let i = 0; i < reasons.length; i++) {
      const rest = Object.assign(
        {},
        ...reasons
          .slice(i)
          .map(([, over]) => over)
          .reverse(),
      ) as Partial<QueueStatus>;
      expect(exitOnEntry(status('q', { exits: EXITS, ...rest }), names())?.reason).toBe(reasons[i]![0]);
    }
  });

  it('a call may enter where nothing holds, and where what holds has no action', () => {
    expect(exitOnEntry(status('q', { exits: EXITS }), names())).toBeUndefined();
    expect(exitOnEntry(status('q', { hours: { open: false }, signedIn: 0 }), names())).toBeUndefined();
    const paused = status('q', { hours: { open: false }, paused: { at: NOW }, exits: { paused: say('paused') } });
    expect(exitOnEntry(paused, names())?.reason).toBe('paused');
  });

  it('a full queue ends the call where nothing else is configured', () => {
    expect(exitOnEntry(status('q', { maxWaiting: 1, waiting: 1 }), names())).toEqual({
      reason: 'full',
      action: { hangUp: true },
    });
  });
});

describe('look-ahead over overflow queues', () => {
  const from = (queues: string[]) => status('q', { hours: { open: false }, exits: { closed: { queues } } });

  it('takes the first that is not itself overflowing', () => {
    const closed = status('b', { hours: { open: false } });
    expect(exitOnEntry(from(['b', 'c']), names(closed, status('c')))?.action).toEqual({
      queue: 'c',
      queueId: 'c',
      passedOver: ['b'],
    });
    expect(exitOnEntry(from(['b', 'c']), names(status('b'), status('c')))?.action).toEqual({
      queue: 'b',
      queueId: 'b',
    });
  });

  it('takes what the last one does at its door, where all are', () => {
    const b = status('b', { signedIn: 0 });
    const c = status('c', { paused: { at: NOW }, exits: { paused: say('sorry') } });
    expect(exitOnEntry(from(['b', 'c']), names(b, c))?.action).toEqual(say('sorry'));
    const mute = status('c', { paused: { at: NOW } });
    expect(exitOnEntry(from(['b', 'c']), names(b, mute))?.action).toEqual({
      queue: 'c',
      queueId: 'c',
      passedOver: ['b'],
    });
  });

  it('never goes in a circle', () => {
    const b = status('b', { signedIn: 0, exits: { noAgents: { queues: ['q'] } } });
    expect(exitOnEntry(from(['b']), names(b, from(['b'])))?.action).toEqual({ queue: 'b', queueId: 'b' });
  });
});

describe('while waiting', () => {
  const rules = (over: Partial<QueueRules>) =>
    aQueue('support', { exits: { maxWait: say('sorry'), noAgents: say('gone'), estimatedWait: say('long') }, ...over });
  const rung = { openOffers: [{ offerId: 'o', agentId: 'a' }] };
  const ringing = anAgent('a', { openOffer: { offerId: 'o', callId: 'c', connected: false } });

  it('maxWaitSeconds is exact: at that moment, from the start of the stay, though somebody rings or is free', () => {
    const at = (stayedMs: number) =>
      decide(
        aSnapshot(
          [aCall('c', { waitedMs: 99_000, queuedAt: NOW - stayedMs })],
          [anAgent('a')],
          rules({ maxWaitMs: 30_000 }),
        ),
      );
    expect(at(29_999)).toMatchObject({ exits: [], assignments: [{ agentId: 'a' }], dueAt: NOW + 1 });
    expect(at(30_000)).toMatchObject({
      exits: [{ callId: 'c', nodeId: 'node', reason: 'maxWait', action: say('sorry') }],
      assignments: [],
    });
    const withRing = decide(
      aSnapshot([aCall('c', { waitedMs: 30_000, ...rung })], [ringing], rules({ maxWaitMs: 30_000 })),
    );
    expect(withRing.exits).toHaveLength(1);
  });

  it('letRingFinish gives a ringing agent extra time', () => {
    const queue = rules({ maxWaitMs: 30_000, letRingFinish: true });
    expect(decide(aSnapshot([aCall('c', { waitedMs: 30_000, ...rung })], [ringing], queue)).exits).toEqual([]);
    expect(decide(aSnapshot([aCall('c', { waitedMs: 30_000 })], [ringing], queue)).exits).toHaveLength(1);
  });

  it('maxWaitSeconds ends the call where nothing else is configured', () => {
    const snapshot = aSnapshot([aCall('c', { waitedMs: 30_000 })], [], aQueue('support', { maxWaitMs: 30_000 }));
    expect(decide(snapshot).exits).toMatchObject([{ action: { hangUp: true } }]);
  });

  it('leaves when no agent was there for noAgentsAfterSeconds', () => {
    const out = anAgent('a', { workState: { kind: 'signed-out' } });
    const at = (since: number, agent = out) =>
      decide(
        aSnapshot(
          [aCall('c', { waitedMs: 90_000 })],
          [agent],
          rules({ noAgentsAfterMs: 20_000, noAgentsSince: NOW - since }),
        ),
      );
    expect(at(19_999)).toMatchObject({ exits: [], dueAt: NOW + 1 });
    expect(at(20_000).exits).toMatchObject([{ reason: 'noAgents', action: say('gone') }]);
    expect(at(20_000, anAgent('a', { workState: { kind: 'paused', reason: 'lunch' } })).exits).toEqual([]);
  });

  it('noAgentsAfterSeconds counts from when the call came, if it came later', () => {
    const came = (waitedMs: number) =>
      decide(
        aSnapshot(
          [aCall('c', { waitedMs: 90_000, queuedAt: NOW - waitedMs })],
          [],
          rules({ noAgentsAfterMs: 20_000, noAgentsSince: NOW - 600_000 }),
        ),
      ).exits.length;
    expect([came(19_999), came(20_000)]).toEqual([0, 1]);
  });

  it('leaves when the estimated wait is over the limit, the last ones first', () => {
    const calls = [1, 2, 3].map((n) => aCall(`c${n}`, { waitedMs: 9_000 - n }));
    const busy = anAgent('a', { openOffer: { offerId: 'o', callId: 'x', connected: true } });
    const snapshot = aSnapshot(calls, [busy], rules({ estimatedWaitOverMs: 120_000, meanHandlingMs: 60_000 }));
    expect(decide(snapshot).exits).toMatchObject([{ callId: 'c3', reason: 'estimatedWait' }]);
  });

  it('goes on to an overflow queue outside of what is looked at', () => {
    const snapshot = aSnapshot(
      [aCall('c', { waitedMs: 30_000 })],
      [],
      aQueue('support', { maxWaitMs: 30_000, exits: { maxWait: { queues: ['night'] } } }),
      { elsewhere: [status('night')] },
    );
    expect(decide(snapshot).exits).toMatchObject([{ action: { queue: 'night', queueId: 'night' } }]);
  });
});

describe('the estimated wait', () => {
  it('is (calls ahead − free + 1) × mean handling ÷ agents who work, and 0 while more are free than are ahead', () => {
    expect(estimatedWaitMs({ meanHandlingMs: 120_000, working: 4, free: 0 }, 3)).toBe(120_000);
    expect(estimatedWaitMs({ meanHandlingMs: 120_000, working: 4, free: 2 }, 3)).toBe(60_000);
    expect(estimatedWaitMs({ meanHandlingMs: 120_000, working: 4, free: 2 }, 2)).toBe(30_000);
    expect(estimatedWaitMs({ meanHandlingMs: 120_000, working: 4, free: 2 }, 1)).toBe(0);
  });

  it('is not said where it cannot be known', () => {
    expect(estimatedWaitMs({ working: 4, free: 0 }, 0)).toBeUndefined();
    expect(estimatedWaitMs({ meanHandlingMs: 1, working: 0, free: 0 }, 0)).toBeUndefined();
  });
});

describe('what is known of a queue', () => {
  it('for the estimated wait: counts who is signed in, there, at work and free', () => {
    const agents = [
      anAgent('free'),
      anAgent('paused', { workState: { kind: 'paused', reason: 'lunch' } }),
      anAgent('talks', { openOffer: { offerId: 'o', callId: 'x', connected: true }, presence: 'unknown' }),
      anAgent('rests', { workState: { kind: 'wrap-up', until: NOW + 9 } }),
      anAgent('away', { presence: 'unknown' }),
      anAgent('out', { workState: { kind: 'signed-out' } }),
      anAgent('not here', { member: { signedIn: false } }),
    ];
    const found = statusByName(aSnapshot([aCall('c')], agents))('support');
    expect(found).toMatchObject({ waiting: 1, signedIn: 5, present: 4, working: 3, free: 1 });
  });
});
