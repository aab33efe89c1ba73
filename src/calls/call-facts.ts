import type { Clock } from '../lib/clock';
import type { Log } from '../lib/log';
import { persist } from './persist';

/** Writes the facts of one call in the order in which they happened, each tried until it is written. */
export class CallFacts {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onLost: (name: string) => void;
  #last: Promise<void> = Promise.resolve();

  /** `onLost` hears of a write that was given up. */
  constructor(clock: Clock, log: Log, onLost: (name: string) => void) {
    this.#clock = clock;
    this.#log = log;
    this.#onLost = onLost;
  }

  /** What everything else comes after; its failure is dealt with by whoever started it. */
  begin(first: Promise<void>): void {
    this.#last = first;
  }

  add(name: string, write: () => Promise<void>): void {
    this.#last = this.#last.then(async () => {
      if (!(await persist(name, write, this.#clock, this.#log))) {
        this.#onLost(name);
      }
    });
  }

  /** Calls back once everything that was added is written or given up. */
  whenWritten(then: () => void): void {
    void this.#last.then(then);
  }
}
