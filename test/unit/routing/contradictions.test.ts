import fc from 'fast-check';
import { checkSnapshot } from '../../../src/routing/check-snapshot';
import { decide } from '../../../src/routing/decide';
import type { Candidate, Snapshot, StrategyName } from '../../../src/routing/types';
import { snapshots } from '../../support/arbitrary-snapshots';
import { aCall, aMember, anAgent, aQueue, aSnapshot, NOW } from '../../support/snapshots';

function kinds(snapshot: Snapshot): string[] {
  return checkSnapshot(snapshot).map((problem) => problem.kind);
}

const offer = (callId: string) => ({ offerId: `offer-${callId}`, callId, connected: false });

describe('a snapshot with contradictions is refused loudly', () => {
  it('finds none in a sound one, whatever stands in it', () => {
    fc.assert(fc.property(snapshots, (snapshot) => expect(checkSnapshot(snapshot)).toEqual([])));
  });

  it.each<[string, Snapshot]>([
    [
      'agent-in-two-calls',
      aSnapshot(
        [
          aCall('c1', { openOffers: [{ offerId: 'offer-c1', agentId: 'a' }] }),
          aCall('c2', { openOffers: [{ offerId: 'offer-c2', agentId: 'a' }] }),
        ],
        [anAgent('a', { openOffer: offer('c2') })],
      ),
    ],
    [
      'agent-in-two-calls',
      aSnapshot(
        [aCall('c1', { openOffers: [{ offerId: 'o', agentId: 'a' }] })],
        [anAgent('a', { openOffer: offer('another') })],
      ),
    ],
    ['offer-of-no-agent', aSnapshot([aCall('c1', { openOffers: [{ offerId: 'o', agentId: 'a' }] })], [anAgent('a')])],
    ['agent-twice', aSnapshot([], [anAgent('a'), anAgent('a')])],
    ['call-twice', aSnapshot([aCall('c'), aCall('c')], [])],
    ['queue-twice', aSnapshot([], [], [aQueue(), aQueue()])],
    ['call-in-no-queue', aSnapshot([aCall('c', { queueId: 'gone' })], [])],
    ['member-of-no-queue', aSnapshot([], [anAgent('a', { memberships: [] })])],
    ['member-twice', aSnapshot([], [anAgent('a', { memberships: [aMember(), aMember()] })])],
    ['unknown-strategy', aSnapshot([], [], aQueue('support', { strategy: 'sequentally' as StrategyName }))],
    ['bad-value', aSnapshot([aCall('c', { class: 10 })], [])],
    ['bad-value', aSnapshot([aCall('c', { firstQueuedAt: NOW, queuedAt: NOW - 1 })], [])],
    ['bad-value', aSnapshot([], [], aQueue('support', { stepMs: 0 }))],
    ['bad-value', aSnapshot([], [anAgent('a', { member: { level: 0 } })])],
  ])('says %s', (kind, snapshot) => {
    expect(kinds(snapshot)).toEqual([kind]);
  });

  it('is decided all the same: a call without a queue waits, whoever rings is given nothing', () => {
    const twice: Candidate[] = [anAgent('a', { openOffer: offer('c9') }), anAgent('b')];
    const { assignments } = decide(aSnapshot([aCall('c1'), aCall('c2', { queueId: 'gone' })], twice));
    expect(assignments).toEqual([{ callId: 'c1', queueId: 'support', agentId: 'b' }]);
  });
});
