import { decide } from '../../../src/routing/decide';
import type { WaitingCall } from '../../../src/routing/types';
import { aCall, anAgent, aSnapshot, NOW, SECOND } from '../../support/snapshots';

/** The calls in the order in which a free agent each would be given them. */
function served(...calls: WaitingCall[]): string[] {
  const order: string[] = [];
  let left = [...calls];
  while (left.length > 0) {
    const [first] = decide(aSnapshot(left, [anAgent('a')])).assignments;
    order.push(first!.callId);
    left = left.filter((call) => call.callId !== first!.callId);
  }
  return order;
}

describe('which call first', () => {
  it('class: the higher one is strictly first, however long others have waited', () => {
    const calls = [0, 9, 3].map((level) => aCall(`c${level}`, { class: level, waitedMs: (10 - level) * 100 * SECOND }));
    expect(served(...calls)).toEqual(['c9', 'c3', 'c0']);
  });

  it('score: time waited plus head start, the higher one is first', () => {
    const calls = [
      aCall('a-young', { waitedMs: SECOND }),
      aCall('b-ahead', { waitedMs: SECOND, headStartMs: 10 * SECOND }),
      aCall('c-old', { waitedMs: 5 * SECOND }),
      aCall('d-oldest', { waitedMs: 20 * SECOND }),
    ];
    expect(served(...calls)).toEqual(['d-oldest', 'b-ahead', 'c-old', 'a-young']);
  });

  it('score: it counts from the first moment of waiting, not from the stay in this queue', () => {
    const moved = aCall('moved', { waitedMs: 9 * SECOND, queuedAt: NOW });
    expect(served(aCall('here', { waitedMs: 5 * SECOND }), moved)).toEqual(['moved', 'here']);
  });

  it('equal scores: who came first, then the id', () => {
    const calls = [
      aCall('a-late', { waitedMs: 4 * SECOND, headStartMs: SECOND }),
      aCall('c', { waitedMs: 5 * SECOND }),
      aCall('b', { waitedMs: 5 * SECOND }),
    ];
    expect(served(...calls)).toEqual(['b', 'c', 'a-late']);
    expect(served(...calls.reverse())).toEqual(['b', 'c', 'a-late']);
  });
});
