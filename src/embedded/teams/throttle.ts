import type { Clock } from '../../lib/clock';

/** Counts requests in windows of fixed length, as Graph's published limits are written (3.1: "1 500 requests / 30 s"). */
export class Throttle {
  readonly #clock: Clock;
  readonly #windowMs: number;
  #limit: number;
  #start = 0;
  #count = 0;

  constructor(clock: Clock, limit: number, windowMs: number) {
    this.#clock = clock;
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  setLimit(limit: number): void {
    this.#limit = limit;
  }

  /** Counts one request; the seconds to wait if it is over the limit, else undefined. */
  take(): number | undefined {
    const now = this.#clock.now();
    if (now - this.#start >= this.#windowMs) {
      this.#start = now;
      this.#count = 0;
    }
    this.#count++;

    return this.#count > this.#limit ? Math.max(1, Math.ceil((this.#start + this.#windowMs - now) / 1000)) : undefined;
  }
}
