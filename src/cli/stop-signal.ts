import { SidekickError } from '../lib/errors';
import type { Io } from './io';
import { line } from './io';

/**
 * A terminal sends Ctrl-C to every process of the foreground, and npm passes it on once more: two signals so close together
 * are one wish.
 */
const SAME_WISH_MS = 700;

/** The first SIGINT or SIGTERM asks to stop in good order, a second one ends the process at once with exit code 130. */
export class StopSignal {
  readonly #io: Io;
  readonly #off: () => void;
  #firstAt: number | undefined;
  #resolve: () => void = () => undefined;
  /** Resolves with the first signal. */
  readonly asked: Promise<void>;

  constructor(io: Io) {
    this.#io = io;
    this.asked = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#off = io.onSignal((signal) => this.#received(signal));
  }

  get isAsked(): boolean {
    return this.#firstAt !== undefined;
  }

  /** For between two steps of a start. @throws SidekickError SK_STOPPING */
  throwIfAsked(): void {
    if (this.isAsked) {
      throw new SidekickError('SK_STOPPING', 'interrupted while starting');
    }
  }

  close(): void {
    this.#off();
  }

  #received(signal: NodeJS.Signals): void {
    const now = Date.now();
    if (this.#firstAt === undefined) {
      this.#firstAt = now;
      this.#resolve();
      return;
    }
    if (now - this.#firstAt >= SAME_WISH_MS) {
      line(this.#io.stderr, `${signal} again: ended at once`);
      this.#io.exit(130);
    }
  }
}
