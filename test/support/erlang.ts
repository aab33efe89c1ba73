/** The textbook formulas that the simulation is held against. Rates are calls a second, times seconds. */

/** Erlang C (M/M/n): the share of callers who wait at all. `load` in erlangs, below `servers`. */
export function erlangC(servers: number, load: number): number {
  let blocking = 1; // Erlang B by its recursion
  for (let n = 1; n <= servers; n++) {
    blocking = (load * blocking) / (n + load * blocking);
  }
  return blocking / (1 - (load / servers) * (1 - blocking));
}

export interface QueueAnswer {
  /** Share of callers who wait at all. */
  readonly waits: number;
  /** Mean wait of all who are served, seconds. */
  readonly meanWait: number;
  /** Share of callers who give up. */
  readonly abandons: number;
}

export function mmn(servers: number, arrivalRate: number, meanService: number): QueueAnswer {
  const load = arrivalRate * meanService;
  const waits = erlangC(servers, load);
  return { waits, meanWait: (waits * meanService) / (servers - load), abandons: 0 };
}

/** Share of callers of M/M/n who are answered within `seconds`. */
export function mmnWithin(servers: number, arrivalRate: number, meanService: number, seconds: number): number {
  const load = arrivalRate * meanService;
  return 1 - erlangC(servers, load) * Math.exp(-(servers - load) * (seconds / meanService));
}

/**
 * Erlang A (M/M/n+M, C. Palm): callers give up after an exponential time. By the stationary distribution of the birth and death
 * process; states far beyond any probability are left out.
 */
export function mmnM(servers: number, arrivalRate: number, meanService: number, meanPatience: number): QueueAnswer {
  const serviceRate = 1 / meanService;
  const giveUpRate = 1 / meanPatience;
  const weights: number[] = [1];
  for (let n = 1; n < 100_000; n++) {
    const leaving = Math.min(n, servers) * serviceRate + Math.max(0, n - servers) * giveUpRate;
    const next = ((weights[n - 1] as number) * arrivalRate) / leaving;
    weights.push(next);
    if (n > servers && next < 1e-300) {
      break;
    }
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const probability = (n: number): number => (weights[n] ?? 0) / total;
  let queued = 0;
  let allBusy = 0;
  for (let n = servers; n < weights.length; n++) {
    queued += (n - servers) * probability(n);
    allBusy += probability(n);
  }
  const abandons = (giveUpRate * queued) / arrivalRate;
  return { waits: allBusy, meanWait: queued / arrivalRate, abandons };
}
