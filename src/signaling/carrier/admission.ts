/**
 * Refuses new calls while the node cannot keep up with those it has. Past that point each further call would only make all of
 * them slower, until callers who were answered wait for nothing; a carrier that gets 503 tries another route at once.
 *
 * Two signs, both of which heal by themselves:
 *   set-ups   calls that were let in and have no place in a queue yet. Some that take too long, or too many at once, mean that
 *             the media server, the database or this process is behind, whichever it is. One alone that hangs means nothing.
 *   matches   how long one took that should be prompt; it needs the event loop, the pool and Postgres. Counts for a while
 *             after it was seen.
 *
 * Pure: time comes in with each call, in milliseconds of any clock that does not jump.
 */
export interface AdmissionOptions {
  /** Set-ups under way at once. The last of them waits at most this many divided by what the system can do per second. */
  readonly maxSetUps: number;
  /** A set-up older than this is slow, milliseconds. */
  readonly slowSetUpMs: number;
  /** So many slow set-ups close the door. */
  readonly maxSlowSetUps: number;
  /** A match that took longer closes the door, milliseconds. */
  readonly maxMatchMs: number;
  /** For how long a late match counts after it was seen, milliseconds. */
  readonly lateMemoryMs: number;
  /** What refused carriers are told to wait, seconds. */
  readonly retryAfterSeconds: number;
}

export const ADMISSION_DEFAULTS: AdmissionOptions = {
  maxSetUps: 40,
  slowSetUpMs: 1_000,
  maxSlowSetUps: 3,
  maxMatchMs: 1_500,
  lateMemoryMs: 1_000,
  retryAfterSeconds: 5,
};

export interface Overload {
  readonly reason: 'set-ups' | 'slow-set-ups' | 'match-late';
  readonly retryAfterSeconds: number;
}

export type Admitted = { readonly refused: Overload } | { readonly refused?: undefined; readonly done: () => void };

export class Admission {
  readonly #options: AdmissionOptions;
  /** When each set-up under way began; in the order in which they began. */
  readonly #setUps = new Map<symbol, number>();
  #lateUntil = Number.NEGATIVE_INFINITY;

  constructor(options: Partial<AdmissionOptions> = {}) {
    this.#options = { ...ADMISSION_DEFAULTS, ...options };
  }

  /** Set-ups under way. */
  get setUps(): number {
    return this.#setUps.size;
  }

  /** Lets a new call in, or says why not. `done` is to be called when its place is stored or it has ended; again is harmless. */
  enter(now: number): Admitted {
    const refused = this.overload(now);
    if (refused) {
      return { refused };
    }
    const key = Symbol('set-up');
    this.#setUps.set(key, now);
    return {
      done: () => {
        this.#setUps.delete(key);
      },
    };
  }

  /** Notes how long a match took, milliseconds. What is within the limit is forgotten. */
  matchTook(ms: number, now: number): void {
    if (ms > this.#options.maxMatchMs) {
      this.#lateUntil = now + this.#options.lateMemoryMs;
    }
  }

  /** Why a call would be refused now; undefined if it would be let in. */
  overload(now: number): Overload | undefined {
    const { maxSetUps, retryAfterSeconds } = this.#options;
    const refuse = (reason: Overload['reason']): Overload => ({ reason, retryAfterSeconds });
    if (this.#setUps.size >= maxSetUps) {
      return refuse('set-ups');
    }
    if (this.#tooManySlow(now)) {
      return refuse('slow-set-ups');
    }
    return now < this.#lateUntil ? refuse('match-late') : undefined;
  }

  #tooManySlow(now: number): boolean {
    const { slowSetUpMs, maxSlowSetUps } = this.#options;
    let slow = 0;
    for (const began of this.#setUps.values()) {
      if (now - began <= slowSetUpMs) {
        return false; // All later ones are younger.
      }
      if (++slow >= maxSlowSetUps) {
        return true;
      }
    }
    return false;
  }
}
