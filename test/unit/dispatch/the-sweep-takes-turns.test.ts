import { randomUUID } from 'node:crypto';
import { Sweep } from '../../../src/dispatch/sweep';
import { silentLog } from '../../../src/lib/log';
import { ManualClock, settle } from '../../support/manual-clock';

describe('the sweep', () => {
  it('looks at every queue with waiting calls once in ten rounds, one at a time, and never at all in one round', async () => {
    const queues = Array.from({ length: 40 }, () => randomUUID());
    const looked: string[] = [];
    let underWay = 0;
    let most = 0;
    const sweep = new Sweep({
      store: {
        expireDueStates: () => Promise.resolve([]),
        pendingOffers: () => Promise.resolve([]),
        queuesWithWaitingCalls: (settledMs) => Promise.resolve(settledMs === undefined ? queues : []),
        forgetOld: () => Promise.resolve(),
      },
      clock: new ManualClock(0),
      log: silentLog(),
      onOffer: () => 'known',
      onOrphan: () => undefined,
      onSweepFound: () => undefined,
      agentChanged: () => undefined,
      match: async (queueId) => {
        looked.push(queueId);
        most = Math.max(most, ++underWay);
        await settle();
        underWay--;
      },
    });
    const perRound: number[] = [];
    for (let round = 0; round < 10; round++) {
      const before = looked.length;
      await sweep.round();
      perRound.push(looked.length - before);
    }
    expect([...looked].sort()).toEqual([...queues].sort());
    expect(most).toBe(1);
    expect(Math.max(...perRound)).toBeLessThan(20);
  });
});
