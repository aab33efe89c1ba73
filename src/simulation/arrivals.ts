import type { Arrivals } from './plan';
import type { Uniform } from './random';

/** The moments at which calls arrive, ascending, before `lengthMs`; Infinity after the last. */
export function arrivalStream(arrivals: Arrivals, lengthMs: number, uniform: Uniform): () => number {
  if (arrivals.kind === 'recorded') {
    let next = 0;
    return () => {
      const at = arrivals.atMs[next++];
      return at !== undefined && at < lengthMs ? at : Infinity;
    };
  }
  const { intervalMs, callsPerInterval } = arrivals;
  const rateAt = (interval: number): number => (callsPerInterval[interval % callsPerInterval.length] ?? 0) / intervalMs;
  let now = 0;
  return () => {
    // What is left of the exponential wait is used up at the rate of each interval that it crosses.
    let rest = -Math.log(uniform());
    for (;;) {
      if (now >= lengthMs) {
        return Infinity;
      }
      const interval = Math.floor(now / intervalMs);
      const end = (interval + 1) * intervalMs;
      const rate = rateAt(interval);
      const needed = rate > 0 ? rest / rate : Infinity;
      if (now + needed < end) {
        now += needed;
        return now < lengthMs ? now : Infinity;
      }
      rest -= (end - now) * rate;
      now = end;
    }
  };
}
