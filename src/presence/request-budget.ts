/**
 * Our share of Graph's limits (1,500 getPresencesByUserId and 10,000 presence requests in 30 s for an application in a tenant;
 * page of throttling limits, February 2026), so that Graph need not refuse. Any 30 s are looked at, not those of a clock.
 *
 * The node that polls may use 60 % of the reads. All others together, who only read again before an offer, share 30 %.
 */
import type { Clock } from '../lib/clock';
import { SidekickError } from '../lib/errors';

export const LIMIT_WINDOW_MS = 30_000;
export const READ_LIMIT = 1_500;
const POLLER_READS = 0.6 * READ_LIMIT;
const OTHERS_READS = 0.3 * READ_LIMIT;
/** Of 10,000 in all, beside the reads. */
const WRITES = 1_500;

export class RequestBudget {
  readonly #clock: Clock;
  readonly #sent: Record<'read' | 'write', number[]> = { read: [], write: [] };
  #polls = true;
  #nodes = 1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether this node polls, and how many nodes run. */
  share(polls: boolean, nodes: number): void {
    this.#polls = polls;
    this.#nodes = nodes;
  }

  /** Counts one request. @throws SidekickError SK_GRAPH_UNREACHABLE with the wait, when the share is used up. */
  take(kind: 'read' | 'write'): void {
    const now = this.#clock.now();
    const sent = this.#sent[kind];
    while (sent[0] !== undefined && now - sent[0] >= LIMIT_WINDOW_MS) {
      sent.shift();
    }
    if (sent.length >= this.#limit(kind)) {
      throw new SidekickError('SK_GRAPH_UNREACHABLE', 'a request to Graph was held back', {
        why: `${sent.length} requests in ${LIMIT_WINDOW_MS / 1000} s are our share of the limit of Graph`,
        next: 'nothing to do if it passes; else read presence less often (SIDEKICK_PRESENCE_POLL_…)',
        context: { heldBack: true, retryAfterMs: (sent[0] ?? now) + LIMIT_WINDOW_MS - now },
      });
    }
    sent.push(now);
  }

  /** Requests of this node in the last minute, at most; those of the last 30 s doubled. */
  perMinute(): number {
    const now = this.#clock.now();
    const recent = (times: readonly number[]): number => times.filter((at) => now - at < LIMIT_WINDOW_MS).length;
    return 2 * (recent(this.#sent.read) + recent(this.#sent.write));
  }

  #limit(kind: 'read' | 'write'): number {
    if (kind === 'write') {
      return Math.floor(WRITES / this.#nodes);
    }
    return this.#polls ? POLLER_READS : Math.max(1, Math.floor(OTHERS_READS / Math.max(1, this.#nodes - 1)));
  }
}
