/**
 * Refuses new calls while the node cannot keep up with those it has. Past that point each further call would only make all of
 * them slower, until callers who were answered wait for nothing; a carrier that gets 503 tries another route at once.
 *
 * Two signs, both of which heal by themselves:
 *   set-ups   calls that were let in and have no place in a queue yet. Some that take too long, or too many at once, mean that
 *             the media server, the database or this process is behind, whichever it is. One alone that hangs means nothing.
 *   lag       how late something was that should have been prompt: the event loop, a match. Counts for a while after it was seen.
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
  /** Lag that closes the door, milliseconds, by what was late. */
  readonly maxLagMs: Readonly<Record<LagSource, number>>;
  /** For how long a lag counts after it was seen, milliseconds. */
  readonly lagMemoryMs: number;
  /** What refused carriers are told to wait, seconds. */
  readonly retryAfterSeconds: number;
}

export type LagSource = 'event-loop' | 'match';

export const ADMISSION_DEFAULTS: AdmissionOptions = {
  maxSetUps: 40,
  slowSetUpMs: 1_000,
  maxSlowSetUps: 3,
  maxLagMs: { 'event-loop': 250, match: 1_500 },
  lagMemoryMs: 1_000,
  retryAfterSeconds: 5,
};

export interface Overload {
  readonly reason: 'set-ups' | 'slow-set-ups' | 'event-loop-late' | 'match-late';
  readonly retryAfterSeconds: number;
}

export type Admitted = { readonly refused: Overload } | { readonly refused?: undefined; readonly done: () => void };

export class Admission {
  readonly #options: AdmissionOptions;
  /** When each set-up under way began; in the order in which they began. */
  readonly #setUps = new Map<symbol, number>();
  readonly #lateUntil = new Map<LagSource, number>();

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

  /** Notes how late something was, milliseconds. What is within its limit is forgotten. */
  lag(source: LagSource, lateMs: number, now: number): void {
    if (lateMs > this.#options.maxLagMs[source]) {
      this.#lateUntil.set(source, now + this.#options.lagMemoryMs);
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
    if (this.#isLate('event-loop', now)) {
      return refuse('event-loop-late');
    }
    return this.#isLate('match', now) ? refuse('match-late') : undefined;
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

  #isLate(source: LagSource, now: number): boolean {
    return now < (this.#lateUntil.get(source) ?? Number.NEGATIVE_INFINITY);
  }
}
