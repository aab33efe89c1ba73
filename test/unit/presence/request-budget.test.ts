import fc from 'fast-check';
import { LagMeter } from '../../../src/presence/lag-meter';
import { RequestBudget } from '../../../src/presence/request-budget';
import { ManualClock } from '../../support/manual-clock';

const passes = (budget: RequestBudget, kind: 'read' | 'write'): boolean => {
  try {
    budget.take(kind);
    return true;
  } catch {
    return false;
  }
};

describe('our share of Graph’s limits', () => {
  it('is 900 reads in 30 s for the node that polls, and 450 for all others together', () => {
    const clock = new ManualClock();
    const count = (polls: boolean, nodes: number): number => {
      const budget = new RequestBudget(clock);
      budget.share(polls, nodes);
      return Array.from({ length: 2_000 }, () => passes(budget, 'read')).filter(Boolean).length;
    };
    expect(count(true, 1)).toBe(900);
    expect(count(true, 4)).toBe(900);
    expect(count(false, 2)).toBe(450);
    expect(count(false, 4)).toBe(150);
  });

  it('says when the next request may go', async () => {
    const clock = new ManualClock();
    const budget = new RequestBudget(clock);
    while (passes(budget, 'read')) {
      // until it is used up
    }
    await clock.advance(12_000);
    expect(() => budget.take('read')).toThrow(
      expect.objectContaining({ context: { heldBack: true, retryAfterMs: 18_000 } }),
    );
    await clock.advance(18_000);
    expect(passes(budget, 'read')).toBe(true);
  });

  it('holds for any 30 s, not only for those of a clock', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 9_000 }), fc.integer({ min: 0, max: 600 })), { maxLength: 30 }),
        async (bursts) => {
          const clock = new ManualClock();
          const budget = new RequestBudget(clock);
          const sent: number[] = [];
          for (const [gap, size] of bursts) {
            await clock.advance(gap);
            for (let i = 0; i < size; i++) {
              if (passes(budget, 'read')) {
                sent.push(clock.now());
              }
            }
          }
          expect(sent.every((at, i) => at - (sent[i - 900] ?? -Infinity) >= 30_000)).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('the lag meter', () => {
  it('gives the middle of the last twenty', () => {
    const meter = new LagMeter();
    expect(meter.medianMs).toBeUndefined();
    for (let i = 1; i <= 30; i++) {
      meter.add(i * 100, i);
    }
    expect(meter.medianMs).toBe(2_100);
    expect(meter.at).toBe(30);
  });
});
