/**
 * How far Graph lags behind Teams: from the moment an agent answered a call of ours in Teams until Graph told that he is in a
 * call. Our own calls are the only changes whose true time we know.
 */
const KEPT = 20;

export class LagMeter {
  #lags: number[] = [];
  #at: number | undefined;

  add(lagMs: number, at: number): void {
    this.#lags = [...this.#lags, lagMs].slice(-KEPT);
    this.#at = at;
  }

  /** Median of the last 20, milliseconds; undefined before the first. */
  get medianMs(): number | undefined {
    const sorted = [...this.#lags].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)];
  }

  /** When a lag was last measured. */
  get at(): number | undefined {
    return this.#at;
  }
}
