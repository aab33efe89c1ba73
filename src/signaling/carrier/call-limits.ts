export type LimitRefusal = { readonly reason: 'max-calls' | 'calls-per-second'; readonly retryAfterSeconds: number };

/** Calls at once and new calls per second of one trunk. A token bucket of one second's calls allows for bursts. */
export class CallLimits {
  #active = 0;
  #tokens: number;
  #filledAt: number;
  #maxCalls: number;
  #callsPerSecond: number;

  constructor(maxCalls: number, callsPerSecond: number, now: number) {
    this.#maxCalls = maxCalls;
    this.#callsPerSecond = callsPerSecond;
    this.#tokens = Math.max(1, callsPerSecond);
    this.#filledAt = now;
  }

  get active(): number {
    return this.#active;
  }

  /** Takes new limits without forgetting the calls that are counted. */
  change(maxCalls: number, callsPerSecond: number): void {
    this.#maxCalls = maxCalls;
    this.#callsPerSecond = callsPerSecond;
  }

  /** Counts a new call in, or says why not. `now` in milliseconds. A call counted in must be released once. */
  take(now: number): LimitRefusal | undefined {
    const burst = Math.max(1, this.#callsPerSecond);
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1000) * this.#callsPerSecond);
    this.#filledAt = now;
    if (this.#active >= this.#maxCalls) {
      return { reason: 'max-calls', retryAfterSeconds: 5 };
    }
    if (this.#tokens < 1) {
      return { reason: 'calls-per-second', retryAfterSeconds: 1 };
    }
    this.#tokens -= 1;
    this.#active += 1;
    return undefined;
  }

  release(): void {
    this.#active = Math.max(0, this.#active - 1);
  }
}
