import { decide } from '../../../src/routing/decide';
import type { QueueRules } from '../../../src/routing/types';
import { aCall, aMember, anAgent, aQueue, aSnapshot, NOW, SECOND } from '../../support/snapshots';

const back = aCall('back', { callback: true, waitedMs: 100 * SECOND });
const caller = aCall('caller', { waitedMs: 50 * SECOND });
const agents = [anAgent('anna'), anAgent('ben')];
const busy = anAgent('anna', { openOffer: { offerId: 'o', callId: 'other', connected: true } });

describe('a callback', () => {
  it('a callback is matched as a caller who waits, in the order of its own clock', () => {
    const { assignments } = decide(aSnapshot([caller, back], [agents[0]!], aQueue()));
    expect(assignments).toEqual([{ callId: 'back', queueId: 'support', agentId: 'anna' }]);
  });

  it('a callback leaves by no exit: its longest wait, nobody there, the estimate', () => {
    const exits = { maxWait: { hangUp: true }, noAgents: { hangUp: true }, estimatedWait: { hangUp: true } } as const;
    const exitsOf = (rules: Partial<QueueRules>, people = [busy]): readonly string[] =>
      decide(aSnapshot([back, caller], people, aQueue('support', { exits, ...rules }))).exits.map(
        (exit) => exit.callId,
      );
    expect(exitsOf({ maxWaitMs: 10 * SECOND })).toEqual(['caller']);
    expect(exitsOf({ noAgentsAfterMs: 10 * SECOND }, [])).toEqual(['caller']);
    expect(exitsOf({ estimatedWaitOverMs: 10 * SECOND, meanHandlingMs: 600 * SECOND })).toEqual(['caller']);
  });

  it('a callback rests while its queue is closed, callers who wait there do not', () => {
    const closed = aQueue('support', { hours: { open: false, nextChangeAt: NOW + 7 } });
    expect(decide(aSnapshot([back, caller], agents, closed)).assignments.map((one) => one.callId)).toEqual(['caller']);
    const open = aQueue('support', { hours: { open: true, nextChangeAt: NOW + 7 } });
    expect(decide(aSnapshot([back, caller], agents, open)).assignments).toHaveLength(2);
  });

  it('a callback is looked at again when its queue opens', () => {
    const closed = aQueue('support', { hours: { open: false, nextChangeAt: NOW + 7 } });
    expect(decide(aSnapshot([back], agents, closed)).dueAt).toBe(NOW + 7);
  });

  it('a callback of another queue stands in nobody’s way while that one is closed', () => {
    const closed = aQueue('closed', { hours: { open: false, nextChangeAt: NOW + 7 } });
    const both = anAgent('anna', { memberships: [aMember('support'), aMember('closed')] });
    const snapshot = aSnapshot([aCall('back', { ...back, queueId: 'closed' }), caller], [both], aQueue(), closed);
    expect(decide(snapshot).assignments.map((one) => one.callId)).toEqual(['caller']);
  });
});
