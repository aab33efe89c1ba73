import type { Clock } from '../lib/clock';
import { describeError, isSidekickError } from '../lib/errors';
import type { Log } from '../lib/log';

/** Milliseconds between tries; the last one goes on. */
const WAITS_MS = [50, 100, 250, 500, 1_000] as const;
/** Tries after which a write is given up, about five minutes. What is given up is healed when the node is released. */
const MAX_TRIES = 300;

/**
 * Runs a write until it succeeds. A store that is away is waited for; a write that can never succeed (a rule of the schema, our
 * own bug) or that was tried for minutes is given up, loudly. Resolves to whether it was written.
 */
export async function persist(name: string, write: () => Promise<void>, clock: Clock, log: Log): Promise<boolean> {
  for (let attempt = 0; ; attempt++) {
    try {
      await write();
      return true;
    } catch (error) {
      if (isPermanent(error) || attempt >= MAX_TRIES) {
        log.error({ event: 'fact_lost', fact: name, attempt, reason: describeError(error) });
        return false;
      }
      log.warn({ event: 'fact_retry', fact: name, attempt, reason: describeError(error) });
      const wait = WAITS_MS[Math.min(attempt, WAITS_MS.length - 1)] ?? 1_000;
      await new Promise<void>((resolve) => {
        clock.setTimeout(resolve, wait);
      });
    }
  }
}

function isPermanent(error: unknown): boolean {
  if (isSidekickError(error)) {
    return !error.kind.retry || error.code === 'SK_STOPPING';
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^(22|23|42)/.test(code);
}
