/**
 * Notices that notifications have stopped although Graph still takes the subscription for alive (seen for days in August 2024).
 * Polling goes on all the time, so it can be told: changes that a poll found and that no notification told of within the
 * longest time that Microsoft names are proof.
 */

/** Microsoft names a minute at most. */
const TOLD_WITHIN_MS = 90_000;
/** One lost notification is no silence. */
const ENOUGH = 3;

export class SilenceWatch {
  #found: { readonly user: string; readonly at: number }[] = [];

  /** A poll found that these users' presence had changed. */
  found(users: readonly string[], at: number): void {
    this.#found = [...this.#found, ...users.map((user) => ({ user, at }))].slice(-100);
  }

  /**
   * Whether nothing has come since `heardAt` (the last notification, or the start) although it should have. Forgets what a
   * later notification has made up for.
   */
  silent(heardAt: number, now: number): boolean {
    this.#found = this.#found.filter(({ at }) => at > heardAt);
    return this.#found.filter(({ at }) => now - at > TOLD_WITHIN_MS).length >= ENOUGH;
  }

  reset(): void {
    this.#found = [];
  }
}
