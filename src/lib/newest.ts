/**
 * Runs work that reads a state and puts it in the place of the former one. One run at a time: whoever asks while one is under way
 * gets the run after it, since that one may have read before what is asked for was written. So what was read last is what stays.
 */
export class Newest {
  readonly #work: () => Promise<void>;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  /** Resolves, or rejects, with a run that began after this was called. */
  run(): Promise<void> {
    if (this.#next) {
      return this.#next;
    }
    if (!this.#running) {
      return this.#begin();
    }
    this.#next = this.#running
      .catch(() => undefined) // told to whoever asked for that run
      .then(() => {
        this.#next = undefined;
        return this.#begin();
      });
    return this.#next;
  }

  #begin(): Promise<void> {
    const running = this.#work().finally(() => {
      this.#running = undefined;
    });
    this.#running = running;
    return running;
  }
}
