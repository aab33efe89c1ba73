import fc from 'fast-check';
import { Admission, ADMISSION_DEFAULTS } from '../../../src/signaling/carrier/admission';

/** Lets a call in that must be let in. */
function enter(admission: Admission, now: number): () => void {
  const admitted = admission.enter(now);
  if (admitted.refused) {
    throw new Error(`refused: ${admitted.refused.reason}`);
  }
  return admitted.done;
}

describe('admission of calls', () => {
  it('lets calls in while set-ups are few and prompt', () => {
    const admission = new Admission();
    for (let now = 0; now < 10_000; now += 20) {
      enter(admission, now)();
    }
    expect(admission.setUps).toBe(0);
  });

  it('refuses at the limit of set-ups and lets in again when one is done', () => {
    const admission = new Admission({ maxSetUps: 2 });
    const first = enter(admission, 0);
    enter(admission, 0);
    expect(admission.enter(1)).toEqual({ refused: { reason: 'set-ups', retryAfterSeconds: 5 } });
    first();
    first();
    expect(admission.setUps).toBe(1);
    enter(admission, 2);
  });

  it('does not close for one set-up that hangs, but for as many as were agreed', () => {
    const admission = new Admission({ slowSetUpMs: 1_000, maxSlowSetUps: 3 });
    const stuck = [0, 1, 2].map((at) => enter(admission, at));
    expect(admission.overload(1_002)).toBeUndefined();
    expect(admission.overload(1_003)).toMatchObject({ reason: 'slow-set-ups' });
    stuck[0]?.();
    enter(admission, 60_000);
  });

  it('closes for a while after a match was late', () => {
    const admission = new Admission();
    const limit = ADMISSION_DEFAULTS.maxMatchMs;
    admission.matchTook(limit, 1_000);
    expect(admission.overload(1_000)).toBeUndefined();
    admission.matchTook(limit + 1, 1_000);
    expect(admission.overload(1_999)).toMatchObject({ reason: 'match-late' });
    expect(admission.overload(2_000)).toBeUndefined();
  });

  /** A system that sets up `perSecond` calls one after the other, asked for `offered` calls per second for ten seconds. */
  function simulate(perSecond: number, offered: number): { admitted: number; refused: number; worstMs: number } {
    const admission = new Admission();
    const under: { readonly began: number; readonly done: () => void }[] = [];
    let freeAt = 0;
    const outcome = { admitted: 0, refused: 0, worstMs: 0 };
    for (let now = 0; now < 10_000; now++) {
      if (Math.floor((now * offered) / 1_000) > Math.floor(((now - 1) * offered) / 1_000)) {
        const admitted = admission.enter(now);
        if (admitted.refused) {
          outcome.refused++;
        } else {
          outcome.admitted++;
          under.push({ began: now, done: admitted.done });
        }
      }
      const next = under[0];
      if (next && now >= freeAt && now - next.began >= 1_000 / perSecond) {
        under.shift();
        next.done();
        freeAt = now + 1_000 / perSecond;
        outcome.worstMs = Math.max(outcome.worstMs, now - next.began);
      }
    }
    return outcome;
  }

  it('keeps set-ups short however many calls are offered, and uses what the system can do', () => {
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 50 }), fc.integer({ min: 2, max: 10 }), (perSecond, times) => {
        const { admitted, refused, worstMs } = simulate(perSecond, perSecond * times);
        expect(refused).toBeGreaterThan(0);
        // Nobody stands behind more than the set-ups that may be under way at once.
        expect(worstMs).toBeLessThan((ADMISSION_DEFAULTS.maxSetUps + 1) * (1_000 / perSecond) + 60);
        expect(admitted).toBeGreaterThan(perSecond * 10 * 0.8);
      }),
      { numRuns: 30 },
    );
  });

  it('refuses nobody below what the system can do', () => {
    expect(simulate(40, 30)).toMatchObject({ refused: 0 });
  });
});
