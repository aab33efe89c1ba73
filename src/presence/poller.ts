/**
 * Reads the agents' Teams presence in rounds and on request, and hands it to the store.
 *
 * One read runs at a time, of several requests if there are more agents than one takes. A round comes every `waitingMs`; who
 * is read in it is the poll plan's business. `refresh` starts a read at once, or right after the one that runs.
 *
 * When Graph is busy (429, 5xx), unreachable or refuses, nothing is sent until Retry-After, or a doubling wait, is over;
 * `refresh` is refused meanwhile, at once, so that nobody waits for an answer that cannot come in time. The other nodes keep
 * to the same pause.
 */
import type { Clock, TimerHandle } from '../lib/clock';
import { describeError, isSidekickError, SidekickError, toError } from '../lib/errors';
import type { Log } from '../lib/log';
import { backoffMs, batches, dueAgents } from './poll-plan';
import type { PollIntervals } from './poll-plan';
import { askedWaitOf, statusOf } from './graph-errors';
import type { AgentToPoll, ChangedPresence, PresenceReader, PresenceReading, PresenceStore } from './ports';
import { activityOf, availabilityOf } from './presence-values';

/** Longest wait of our own between two attempts: how late a recovered Graph is noticed. */
const BACKOFF_CAP_MS = 30_000;
/** Requests under way at once in one read. */
const PARALLEL_REQUESTS = 4;
/** How long a user id that Graph rejects as malformed is left alone. */
const REJECTED_ID_PAUSE_MS = 600_000;
/** How many further requests one run may spend on finding malformed ids. */
const MAX_SPLIT_REQUESTS = 60;

export interface PollerDeps {
  readonly store: PresenceStore;
  readonly reader: PresenceReader;
  readonly clock: Clock;
  readonly log: Log;
  readonly intervals: PollIntervals;
  /** Called after each request to Graph, for metrics. */
  readonly onRead?: (outcome: ReadOutcome, durationMs: number, users: number) => void;
  /** Called after each request that the store has taken, with what changed by it. */
  readonly onReadings?: (readings: readonly PresenceReading[], changed: readonly ChangedPresence[]) => void;
}

/** `held-back`: not sent, since our own share of Graph's limits was used up. */
export type ReadOutcome = 'ok' | 'busy' | 'unreachable' | 'refused' | 'held-back';

export interface PollerState {
  /** `standby`: another node polls. */
  readonly mode: 'stopped' | 'polling' | 'standby';
  /** Agents known at the last round. */
  readonly agents: number;
  readonly lastSuccessAt: number | undefined;
  readonly lastError: string | undefined;
  /** Failures since the last success. */
  readonly failures: number;
  /** Until when nothing is sent to Graph. */
  readonly pausedUntil: number | undefined;
  /** Age of the oldest value among those who are signed in, milliseconds, at the last round. */
  readonly oldestMs: number | undefined;
}

interface Request {
  readonly agentIds: ReadonlySet<string>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class PresencePoller {
  readonly #deps: PollerDeps;
  readonly #lastReadAt = new Map<string, number>();
  readonly #rejectedUntil = new Map<string, number>();
  #requests: Request[] = [];
  #nextRoundAt = 0;
  #requestsLeftToSplit = 0;
  #timer: TimerHandle | undefined;
  #running: Promise<void> | undefined;
  #closed = false;
  #state: PollerState = {
    mode: 'stopped',
    agents: 0,
    lastSuccessAt: undefined,
    lastError: undefined,
    failures: 0,
    pausedUntil: undefined,
    oldestMs: undefined,
  };

  constructor(deps: PollerDeps) {
    this.#deps = deps;
  }

  state(): PollerState {
    return this.#state;
  }

  /** Starts the rounds; the first comes at once. */
  start(): void {
    if (this.#closed || this.#state.mode !== 'stopped') {
      return;
    }
    this.#state = { ...this.#state, mode: 'polling' };
    this.#schedule(0);
  }

  /**
   * Reads these agents now; resolves when the store has the values. Agents without Teams presence are passed over.
   * @throws SidekickError SK_GRAPH_UNREACHABLE, SK_GRAPH_REFUSED, SK_STOPPING, or the store's own error.
   */
  refresh(agentIds: readonly string[]): Promise<void> {
    if (this.#closed) {
      return Promise.reject(stopping());
    }
    if (agentIds.length === 0) {
      return Promise.resolve();
    }
    if (this.#pauseLeft() > 0) {
      return Promise.reject(this.#pausedError());
    }
    return new Promise((resolve, reject) => {
      this.#requests.push({ agentIds: new Set(agentIds), resolve, reject });
      if (this.#running === undefined) {
        this.#schedule(0);
      }
    });
  }

  /** Ends the rounds, refuses what is asked for and waits for the read that runs. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#timer?.clear();
      this.#state = { ...this.#state, mode: 'stopped' };
      this.#takeRequests().forEach((request) => request.reject(stopping()));
    }
    await this.#running;
  }

  #schedule(ms: number): void {
    this.#timer?.clear();
    this.#timer = undefined;
    if (this.#closed) {
      return;
    }
    this.#timer = this.#deps.clock.setTimeout(() => {
      this.#running = this.#run().finally(() => {
        this.#running = undefined;
        this.#scheduleNext();
      });
    }, ms);
  }

  #scheduleNext(): void {
    const paused = this.#pauseLeft();
    if (paused > 0) {
      this.#takeRequests().forEach((request) => request.reject(this.#pausedError()));
    }
    if (this.#requests.length > 0) {
      this.#schedule(0);
    } else if (this.#state.mode !== 'stopped') {
      this.#schedule(Math.max(paused, this.#nextRoundAt - this.#deps.clock.now()));
    }
  }

  async #run(): Promise<void> {
    const requests = this.#takeRequests();
    this.#requestsLeftToSplit = MAX_SPLIT_REQUESTS;
    try {
      await this.#read(requests);
      requests.forEach((request) => request.resolve());
    } catch (error) {
      requests.forEach((request) => request.reject(toError(error)));
      await this.#failed(error);
    }
  }

  async #read(requests: readonly Request[]): Promise<void> {
    const { store, clock, intervals } = this.#deps;
    const now = clock.now();
    const roundDue = this.#state.mode !== 'stopped' && now >= this.#nextRoundAt;
    if (roundDue) {
      this.#nextRoundAt = now + intervals.waitingMs;
    }
    // A node that stands by learns here, too, of a pause that Graph asked the other one for.
    const held = roundDue || this.#state.mode !== 'polling' ? await this.#holdLease() : false;
    const mine = roundDue && held;
    if (this.#pauseLeft() > 0) {
      throw this.#pausedError();
    }
    const agents = await store.agentsToPoll();
    this.#state = { ...this.#state, agents: agents.length, oldestMs: this.#oldest(agents, now) };
    this.#forgetAllBut(agents);
    const ids = new Set(requests.flatMap((request) => [...request.agentIds]));
    if (mine) {
      dueAgents(agents, this.#lastReadAt, now, intervals).forEach((agent) => ids.add(agent.agentId));
    }
    const wanted = agents.filter((agent) => ids.has(agent.agentId) && !this.#isRejected(agent, now));
    await this.#readAll(batches(wanted));
    // A run that asked nothing of Graph is no proof that it answers: an old error stays visible until a read succeeds.
    if (wanted.length > 0) {
      const success = { lastSuccessAt: clock.now(), lastError: undefined, failures: 0, pausedUntil: undefined };
      this.#state = { ...this.#state, ...success };
    }
  }

  /** Several requests at once; the first that fails stops those that have not begun. */
  async #readAll(all: readonly AgentToPoll[][]): Promise<void> {
    const left = [...all];
    const work = async (): Promise<void> => {
      for (let batch = left.shift(); batch !== undefined; batch = left.shift()) {
        await this.#readBatch(batch);
      }
    };
    const workers = Array.from({ length: Math.min(PARALLEL_REQUESTS, all.length) }, () =>
      work().catch((error: unknown) => {
        left.length = 0;
        throw error;
      }),
    );
    const failed = (await Promise.allSettled(workers)).find((result) => result.status === 'rejected');
    if (failed) {
      throw toError(failed.reason);
    }
  }

  #oldest(agents: readonly AgentToPoll[], now: number): number | undefined {
    const ages = agents.flatMap(({ agentId, need }) => {
      const last = need === 'away' ? undefined : this.#lastReadAt.get(agentId);
      return last === undefined ? [] : [now - last];
    });
    return ages.length === 0 ? undefined : Math.max(...ages);
  }

  get #leaseMs(): number {
    return Math.max(3 * this.#deps.intervals.waitingMs, 10_000);
  }

  async #holdLease(): Promise<boolean> {
    const { store, clock } = this.#deps;
    if (store.holdPollLease === undefined) {
      return true;
    }
    const { held, pauseMs } = await store.holdPollLease(this.#leaseMs);
    if (pauseMs > 0) {
      const lastError = this.#state.lastError ?? 'Graph asked for a pause';
      this.#state = { ...this.#state, lastError, pausedUntil: clock.now() + pauseMs };
    }
    const mode = held ? 'polling' : 'standby';
    if (this.#state.mode !== mode && this.#state.mode !== 'stopped') {
      this.#deps.log.info({ event: 'presence:mode', mode }, 'presence polling');
      this.#state = { ...this.#state, mode };
    }
    return held;
  }

  async #readBatch(batch: readonly AgentToPoll[]): Promise<void> {
    const { reader, store, clock } = this.#deps;
    const sentAt = clock.now();
    const ids = [...new Map(batch.map((a) => [a.entraUserId.toLowerCase(), a.entraUserId])).values()];
    let presences;
    try {
      presences = await reader.readPresences(ids);
      this.#deps.onRead?.('ok', clock.now() - sentAt, ids.length);
    } catch (error) {
      this.#deps.onRead?.(outcomeOf(error), clock.now() - sentAt, ids.length);
      if (!isMalformedRequest(error)) {
        throw error;
      }
      await this.#withoutTheBadId(batch, ids.length, error);
      return;
    }
    const byUser = new Map(presences.map((p) => [p.entraUserId.toLowerCase(), p]));
    const readings = batch.map((agent): PresenceReading => {
      const found = byUser.get(agent.entraUserId.toLowerCase());
      return {
        agentId: agent.agentId,
        availability: availabilityOf(found?.availability),
        activity: activityOf(found?.activity),
        sequenceNumber: found?.sequenceNumber,
        readAt: sentAt,
        source: 'graph-poll',
      };
    });
    const changed = await store.upsertPresences(readings);
    batch.forEach((agent) => this.#lastReadAt.set(agent.agentId, sentAt));
    this.#deps.onReadings?.(readings, changed);
  }

  /** One malformed id makes Graph refuse the whole request: halve until it stands alone, and leave it out for a while. */
  async #withoutTheBadId(batch: readonly AgentToPoll[], ids: number, error: unknown): Promise<void> {
    if (ids > 1) {
      this.#requestsLeftToSplit -= 2;
      if (this.#requestsLeftToSplit < 0) {
        throw error;
      }
      for (const half of batches(batch, Math.ceil(ids / 2))) {
        await this.#readBatch(half);
      }
      return;
    }
    const until = this.#deps.clock.now() + REJECTED_ID_PAUSE_MS;
    for (const agent of batch) {
      this.#rejectedUntil.set(agent.agentId, until);
      this.#deps.log.warn(
        { event: 'presence:user-rejected', agentId: agent.agentId, error: describeError(error) },
        'Graph rejects the entraUserId of this agent; it is tried again in ten minutes',
      );
    }
  }

  #isRejected(agent: AgentToPoll, now: number): boolean {
    return (this.#rejectedUntil.get(agent.agentId) ?? 0) > now;
  }

  async #failed(error: unknown): Promise<void> {
    if (isPause(error)) {
      return;
    }
    const failures = this.#state.failures + 1;
    const asked = askedWaitOf(error);
    const wait = asked === undefined ? backoffMs(failures, BACKOFF_CAP_MS) : Math.max(asked, 100);
    const lastError = isSidekickError(error) && error.why ? `${error.message}: ${error.why}` : describeError(error);
    this.#state = { ...this.#state, failures, lastError, pausedUntil: this.#deps.clock.now() + wait };
    this.#deps.log[failures === 1 ? 'warn' : 'debug'](
      { event: 'presence:read-failed', failures, waitMs: wait, error: lastError },
      'presence could not be read',
    );
    try {
      if (asked !== undefined) {
        await this.#deps.store.notePause?.(wait);
      }
      // Whoever waits keeps the task: another node would only be told the same.
      if (this.#state.mode === 'polling') {
        await this.#deps.store.holdPollLease?.(wait + this.#leaseMs);
      }
    } catch (storeError) {
      this.#deps.log.debug({ event: 'presence:pause-not-shared', error: describeError(storeError) });
    }
  }

  #pausedError(): SidekickError {
    const seconds = Math.ceil(this.#pauseLeft() / 1000);
    return new SidekickError('SK_GRAPH_UNREACHABLE', 'presence cannot be read now', {
      why: `the next try is in ${seconds} s; the last one failed: ${this.#state.lastError ?? 'unknown'}`,
      next: 'the read is repeated by itself',
      context: { paused: true },
    });
  }

  #pauseLeft(): number {
    return Math.max(0, (this.#state.pausedUntil ?? 0) - this.#deps.clock.now());
  }

  #takeRequests(): Request[] {
    const requests = this.#requests;
    this.#requests = [];
    return requests;
  }

  #forgetAllBut(agents: readonly AgentToPoll[]): void {
    const known = new Set(agents.map((agent) => agent.agentId));
    for (const memory of [this.#lastReadAt, this.#rejectedUntil]) {
      for (const agentId of memory.keys()) {
        if (!known.has(agentId)) {
          memory.delete(agentId);
        }
      }
    }
  }
}

function stopping(): SidekickError {
  return new SidekickError('SK_STOPPING', 'presence is no longer read', { why: 'this node is stopping' });
}

/** Nothing was tried, since a pause is not over. */
function isPause(error: unknown): boolean {
  return isSidekickError(error) && error.context['paused'] === true;
}

function isMalformedRequest(error: unknown): boolean {
  return statusOf(error) === 400;
}

function outcomeOf(error: unknown): Exclude<ReadOutcome, 'ok'> {
  if (isSidekickError(error) && error.context['heldBack'] === true) {
    return 'held-back';
  }
  if (isSidekickError(error, 'SK_GRAPH_UNREACHABLE')) {
    return statusOf(error) === undefined ? 'unreachable' : 'busy';
  }
  return 'refused';
}
