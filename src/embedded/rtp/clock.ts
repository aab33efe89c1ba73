/**
 * One 20 ms beat for everything in the process that sends or mixes audio. It runs only while someone listens, so that a
 * process with no call has no timer.
 */
export const TICK_MS = 20;
/** A missed beat is made up for at this distance, so that a stall becomes a few quick beats and not one burst. */
const CATCH_UP_MS = 5;
/** A stall longer than this is not made up for: the audio of that time is of no use to anyone. */
const GIVE_UP_MS = 400;
/** A beat this much behind its time counts as late. */
const LATE_MS = 10;

export interface TickStats {
  readonly ticks: number;
  /** Beats that came more than 10 ms after their time. */
  readonly late: number;
  /** Beats that never came because the process stood still for too long. */
  readonly skipped: number;
  /** Largest delay seen, milliseconds. */
  readonly worstMs: number;
  /** Errors thrown by listeners; the last one is kept for diagnosis. */
  readonly errors: number;
  readonly lastError: unknown;
}

export interface TickTime {
  now(): number;
  setTimeout(fn: () => void, ms: number): () => void;
}

const processTime: TickTime = {
  now: () => performance.now(),
  setTimeout: (fn, ms) => {
    const timer = setTimeout(fn, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};

export type TickListener = (tick: number) => void;

export class Ticker {
  readonly #time: TickTime;
  #listeners: readonly TickListener[] = [];
  #cancel: (() => void) | undefined;
  #due = 0;
  #ticks = 0;
  #late = 0;
  #skipped = 0;
  #worstMs = 0;
  #errors = 0;
  #lastError: unknown;

  constructor(time: TickTime = processTime) {
    this.#time = time;
  }

  /** Calls `fn` every 20 ms until the returned function is called. A listener that throws is counted and stays. */
  onTick(fn: TickListener): () => void {
    const listener: TickListener = (tick) => {
      fn(tick);
    };
    this.#listeners = [...this.#listeners, listener];
    if (this.#cancel === undefined) {
      this.#due = this.#time.now() + TICK_MS;
      this.#schedule(TICK_MS);
    }
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener);
      if (this.#listeners.length === 0) {
        this.#cancel?.();
        this.#cancel = undefined;
      }
    };
  }

  get running(): boolean {
    return this.#cancel !== undefined;
  }

  stats(): TickStats {
    return {
      ticks: this.#ticks,
      late: this.#late,
      skipped: this.#skipped,
      worstMs: this.#worstMs,
      errors: this.#errors,
      lastError: this.#lastError,
    };
  }

  #schedule(ms: number): void {
    this.#cancel = this.#time.setTimeout(() => {
      this.#beat();
    }, ms);
  }

  #beat(): void {
    const behind = this.#time.now() - this.#due;
    this.#worstMs = Math.max(this.#worstMs, behind);
    if (behind > LATE_MS) {
      this.#late++;
    }
    if (behind > GIVE_UP_MS) {
      const missed = Math.floor(behind / TICK_MS);
      this.#skipped += missed;
      this.#due += missed * TICK_MS;
    }
    this.#due += TICK_MS;
    this.#ticks++;
    for (const listener of this.#listeners) {
      try {
        listener(this.#ticks);
      } catch (error) {
        this.#errors++;
        this.#lastError = error;
      }
    }
    if (this.#listeners.length > 0) {
      const wait = Math.round(this.#due - this.#time.now());
      this.#schedule(wait < CATCH_UP_MS ? CATCH_UP_MS : wait);
    }
  }
}

const shared = new Ticker();

/** Calls `fn` on each beat of the process-wide clock; returns the function that stops it. */
export function onTick(fn: TickListener): () => void {
  return shared.onTick(fn);
}

export function tickStats(): TickStats {
  return shared.stats();
}

/** True while anyone listens: for leak checks. */
export function tickerRunning(): boolean {
  return shared.running;
}
