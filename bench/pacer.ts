/**
 * The beat of all simulated parties: each sends every 20 ms, but not all at once, as callers in real life do not. Four groups,
 * 5 ms apart. It measures itself: a late beat is the benchmark's own fault and must not be counted against the system.
 */
const GROUPS = 4;
const BEAT_MS = 20 / GROUPS;
/** Beats that are further behind are left out instead of being made up for. */
const GIVE_UP_MS = 200;

export interface PacerStats {
  readonly beats: number;
  /** Beats more than 10 ms late. */
  readonly late: number;
  readonly worstMs: number;
}

export class Pacer {
  readonly #groups: Set<() => void>[] = Array.from({ length: GROUPS }, () => new Set());
  #timer: NodeJS.Timeout | undefined;
  #due = 0;
  #beat = 0;
  #joined = 0;
  #stats = { beats: 0, late: 0, worstMs: 0 };

  /** Calls `send` every 20 ms until the returned function is called. */
  join(send: () => void): () => void {
    const group = this.#groups[this.#joined++ % GROUPS];
    group?.add(send);
    if (this.#timer === undefined) {
      this.#due = performance.now() + BEAT_MS;
      this.#schedule();
    }
    return () => {
      group?.delete(send);
      if (this.#groups.every((members) => members.size === 0)) {
        clearTimeout(this.#timer);
        this.#timer = undefined;
      }
    };
  }

  /** Figures since the last call. */
  takeStats(): PacerStats {
    const stats = this.#stats;
    this.#stats = { beats: 0, late: 0, worstMs: 0 };
    return stats;
  }

  #schedule(): void {
    this.#timer = setTimeout(
      () => {
        this.#run();
      },
      Math.max(0, this.#due - performance.now()),
    );
  }

  #run(): void {
    const behind = performance.now() - this.#due;
    this.#stats.beats++;
    this.#stats.worstMs = Math.max(this.#stats.worstMs, behind);
    if (behind > 10) {
      this.#stats.late++;
    }
    if (behind > GIVE_UP_MS) {
      const missed = Math.floor(behind / BEAT_MS);
      this.#due += missed * BEAT_MS;
    }
    this.#due += BEAT_MS;
    const group = this.#groups[this.#beat++ % GROUPS];
    for (const send of group ?? []) {
      send();
    }
    if (this.#groups.some((members) => members.size > 0)) {
      this.#schedule();
    } else {
      this.#timer = undefined;
    }
  }
}
