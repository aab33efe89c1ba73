import type { Clock, TimerHandle } from './clock';

export interface RoundsOptions {
  readonly clock: Clock;
  /** From the end of one round to the begin of the next, milliseconds. */
  readonly everyMs: number;
  readonly round: () => Promise<void>;
  /** A round that failed is told here; the next one comes all the same. */
  readonly onError: (error: unknown) => void;
}

/** Work that comes round again and again, never two rounds at once. */
export class Rounds {
  readonly #options: RoundsOptions;
  #timer: TimerHandle | undefined;
  #stopped = false;
  #current: Promise<void> = Promise.resolve();

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  start(): void {
    if (this.#stopped) {
      return;
    }
    const { clock, everyMs, onError, round } = this.#options;
    this.#timer = clock.setTimeout(() => {
      this.#current = round()
        .catch(onError)
        .finally(() => {
          this.start();
        });
    }, everyMs);
  }

  /** Begins no further round; resolves when the one under way is over. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.clear();
    await this.#current;
  }
}
