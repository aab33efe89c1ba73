/** The running timers of one transaction. */
import type { TimerName } from './transaction-machine';

export class TransactionTimers {
  readonly #fire: (timer: TimerName) => void;
  readonly #running = new Map<TimerName, NodeJS.Timeout>();

  constructor(fire: (timer: TimerName) => void) {
    this.#fire = fire;
  }

  start(timer: TimerName, ms: number): void {
    this.stop(timer);
    this.#running.set(
      timer,
      setTimeout(() => {
        this.#running.delete(timer);
        this.#fire(timer);
      }, ms),
    );
  }

  stop(timer: TimerName): void {
    clearTimeout(this.#running.get(timer));
    this.#running.delete(timer);
  }

  clear(): void {
    for (const handle of this.#running.values()) {
      clearTimeout(handle);
    }
    this.#running.clear();
  }
}
