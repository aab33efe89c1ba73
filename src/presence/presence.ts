/**
 * Presence as a node uses it. A *scope* is what one app registration serves: a tenant that has its own, or all others (`*`).
 * Each scope has a client, a poller, write-back and, where it is set up, notifications; one node at a time works for it.
 */
import type { GraphSettings } from '../config/settings';
import type { Clock, TimerHandle } from '../lib/clock';
import { describeError, toError } from '../lib/errors';
import type { Log } from '../lib/log';
import type { GraphSubscription, PresenceScopeState } from '../store/types';
import { AccountTokens } from './account-tokens';
import { createGraphClient } from './graph-client';
import type { GraphClient, TokenState } from './graph-client';
import { LagMeter } from './lag-meter';
import { NotificationKeys } from './notification-keys';
import { NotificationReceiver } from './notification-receiver';
import type { NotificationOutcome, ReceivingScope } from './notification-receiver';
import type { PollIntervals } from './poll-plan';
import { PresencePoller } from './poller';
import type { PollerState, ReadOutcome } from './poller';
import type { AgentToPoll, PresenceReading, PresenceStore } from './ports';
import { RequestBudget } from './request-budget';
import { Subscriber } from './subscriber';
import type { PushState, SubscriptionStore } from './subscriber';
import { SigningKeys } from './validation-tokens';
import { WriteBack } from './write-back';
import type { WriteBackStore } from './write-back';

const REPORT_MS = 5_000;
const NO_PUSH: PushState = { push: 'off', pushDetail: undefined, notifiedAt: undefined };

/** What one scope needs of the store. */
export interface ScopeStore extends PresenceStore {
  /** As `holdPollLease`, with the number of running nodes. */
  holdPollLease(forMs: number): Promise<{ readonly held: boolean; readonly pauseMs: number; readonly nodes: number }>;
  readonly writes: WriteBackStore & { count(): Promise<number> };
  readonly subscriptions: SubscriptionStore;
  agentsOfUsers(
    users: readonly string[],
  ): Promise<readonly { readonly agentId: string; readonly entraUserId: string }[]>;
  report(state: Omit<PresenceScopeState, 'pausedUntil'>): Promise<void>;
}

export interface PresenceScopeSetUp {
  /** Name of the tenant, or `*`. */
  readonly name: string;
  readonly graph: GraphSettings;
  readonly store: ScopeStore;
}

export interface PresenceDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly intervals: PollIntervals;
  /** Where Microsoft reaches this installation; without it no notifications. */
  readonly publicUrl?: string;
  readonly findSubscription: (id: string) => Promise<GraphSubscription | undefined>;
  readonly subscriptionHeard: (id: string, what: 'notified' | 'reauthorize') => Promise<void>;
  readonly figures?: PresenceFigures;
}

/** Milliseconds; `scope` is a tenant's name or `*`. */
export interface PresenceFigures {
  read(outcome: ReadOutcome, durationMs: number): void;
  lag(scope: string, lagMs: number): void;
  oldest(scope: string, ageMs: number): void;
  write(outcome: 'set' | 'cleared' | 'failed'): void;
  notification(outcome: NotificationOutcome): void;
}

export interface PresenceLink {
  readonly up: boolean;
  /** One line for people; holds no token and no secret. */
  readonly detail: string;
}

export interface Presence {
  /** Reads these agents' presence now; resolves when the store has it. Errors: see PresencePoller.refresh. */
  refresh(agentIds: readonly string[]): Promise<void>;
  /** By scope. */
  links(): ReadonlyMap<string, PresenceLink>;
  /** Takes what Graph sends by itself; undefined where no scope asks for it. */
  readonly notifications: Pick<NotificationReceiver, 'take'> | undefined;
  /** Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts reading presence. The first round begins at once.
 * @throws SidekickError SK_SETTINGS_INVALID for a certificate, key or account file that cannot be used
 */
export function startPresence(setUps: readonly PresenceScopeSetUp[], deps: PresenceDeps): Presence {
  const log = deps.log.child({ room: 'presence' });
  const scopes = setUps.map((setUp) => new Scope(setUp, { ...deps, log }));
  const receiving = new Map(scopes.flatMap((scope) => (scope.receiving ? [[scope.name, scope]] : [])));
  const receiver =
    receiving.size === 0
      ? undefined
      : new NotificationReceiver({
          scope: (name) => receiving.get(name)?.receiving,
          findSubscription: deps.findSubscription,
          heard: deps.subscriptionHeard,
          upsert: async (name, readings) => receiving.get(name)?.take(readings),
          clock: deps.clock,
          log,
          onNotification: (outcome) => deps.figures?.notification(outcome),
        });
  for (const scope of scopes) {
    scope.start();
  }
  let closed: Promise<void> | undefined;
  return {
    refresh: (agentIds) => refreshAll(scopes, agentIds),
    links: () => new Map(scopes.map((scope) => [scope.name, scope.link()])),
    notifications: receiver,
    close: () =>
      (closed ??= (async () => {
        await receiver?.close();
        await Promise.all(scopes.map((scope) => scope.close()));
      })()),
  };
}

/** Nobody knows which scope an agent is of before it has been asked: a scope that is out of order must not fail the others. */
async function refreshAll(scopes: readonly Scope[], agentIds: readonly string[]): Promise<void> {
  const results = await Promise.allSettled(scopes.map((scope) => scope.poller.refresh(agentIds)));
  const failed = results.filter((result) => result.status === 'rejected');
  if (failed.length > 0 && failed.length === results.length) {
    throw toError(failed[0]?.reason);
  }
}

class Scope {
  readonly name: string;
  readonly poller: PresencePoller;
  readonly receiving: ReceivingScope | undefined;
  readonly #store: ScopeStore;
  readonly #deps: PresenceDeps;
  readonly #client: GraphClient;
  readonly #budget: RequestBudget;
  readonly #lag = new LagMeter();
  readonly #writeBack: WriteBack;
  readonly #subscriber: Subscriber | undefined;
  #users: readonly string[] = [];
  /** User at Entra by agent. */
  #userOf: ReadonlyMap<string, string> = new Map();
  #report: TimerHandle | undefined;
  #reporting: Promise<void> | undefined;
  #closed = false;

  constructor({ name, graph, store }: PresenceScopeSetUp, deps: PresenceDeps) {
    const { clock, log, intervals, figures } = deps;
    this.name = name;
    this.#store = store;
    this.#deps = deps;
    this.#budget = new RequestBudget(clock);
    this.#client = createGraphClient(graph, { log, clock, admit: (kind) => this.#budget.take(kind) });
    this.poller = new PresencePoller({
      store: this.#pollStore(),
      reader: this.#client,
      clock,
      log,
      intervals,
      onRead: (outcome, durationMs) => figures?.read(outcome, durationMs),
      onReadings: (readings, changed) => {
        const ids = new Set(changed.map(({ agentId }) => agentId));
        this.#subscriber?.found(this.#usersOf(readings.filter(({ agentId }) => ids.has(agentId))), clock.now());
      },
    });
    const mine = (): boolean => this.poller.state().mode === 'polling';
    this.#writeBack = new WriteBack({
      store: store.writes,
      writer: this.#client,
      clock,
      log,
      on: graph.writeBack,
      mayWrite: () => mine() && (this.poller.state().pausedUntil ?? 0) <= clock.now(),
      onWrite: (outcome) => figures?.write(outcome),
    });
    const { notifications } = graph;
    if (notifications && deps.publicUrl !== undefined) {
      const keys = NotificationKeys.fromFile(notifications.keyFile);
      this.receiving = {
        clientId: graph.clientId,
        authority: graph.authority,
        keys,
        signingKeys: new SigningKeys(graph.authority, { clock, log }),
        agentsOfUsers: (users) => store.agentsOfUsers(users),
      };
      this.#subscriber = new Subscriber({
        scope: name,
        client: this.#client,
        accounts: notifications.accounts.map((file) => new AccountTokens(graph, file, { clock, log })),
        keys,
        store: store.subscriptions,
        publicUrl: deps.publicUrl,
        clock,
        log,
        mine,
        users: () => this.#users,
      });
    }
  }

  start(): void {
    this.poller.start();
    this.#writeBack.start();
    this.#subscriber?.start();
    this.#scheduleReport();
  }

  /** Readings from a notification. */
  async take(readings: readonly PresenceReading[]): Promise<void> {
    await this.#upsert(readings);
  }

  link(): PresenceLink {
    const { intervals, clock } = this.#deps;
    const link = presenceLink(this.poller.state(), this.#client.tokenState(), intervals, clock.now());
    const { push } = this.#subscriber?.state() ?? NO_PUSH;
    const lag = this.#lag.medianMs;
    const more = [
      ...(push === 'off' || !link.up ? [] : [`notifications ${push}`]),
      ...(lag === undefined ? [] : [`Graph lags ${(lag / 1000).toFixed(1)} s`]),
      ...(this.#writeBack.lastError === undefined ? [] : [`write-back fails: ${this.#writeBack.lastError}`]),
    ];
    return { up: link.up, detail: [link.detail, ...more].join(', ') };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#report?.clear();
    const closed = Promise.all([
      this.poller.close(),
      this.#writeBack.close(),
      this.#subscriber?.close(),
      this.#reporting,
    ]);
    this.#client.close();
    await closed;
  }

  #pollStore(): PresenceStore {
    const store = this.#store;
    return {
      agentsToPoll: async () => {
        const agents = await store.agentsToPoll();
        this.#users = usersToTell(agents);
        this.#userOf = new Map(agents.map((agent) => [agent.agentId, agent.entraUserId.toLowerCase()]));
        return agents;
      },
      upsertPresences: (readings) => this.#upsert(readings),
      holdPollLease: async (forMs) => {
        const lease = await store.holdPollLease(forMs);
        this.#budget.share(lease.held, lease.nodes);
        return lease;
      },
      ...(store.notePause ? { notePause: (forMs: number) => store.notePause?.(forMs) ?? Promise.resolve() } : {}),
    };
  }

  async #upsert(readings: readonly PresenceReading[]): ReturnType<PresenceStore['upsertPresences']> {
    const changed = await this.#store.upsertPresences(readings);
    for (const { lagMs } of changed) {
      if (lagMs !== undefined) {
        this.#lag.add(lagMs, this.#deps.clock.now());
        this.#deps.figures?.lag(this.name, lagMs);
      }
    }
    return changed;
  }

  #usersOf(readings: readonly PresenceReading[]): string[] {
    return readings.flatMap(({ agentId }) => this.#userOf.get(agentId) ?? []);
  }

  #scheduleReport(): void {
    if (this.#closed) {
      return;
    }
    this.#report = this.#deps.clock.setTimeout(() => {
      this.#reporting = this.#tell()
        .catch((error: unknown) => {
          this.#deps.log.debug({ event: 'presence:not-reported', scope: this.name, error: describeError(error) });
        })
        .finally(() => this.#scheduleReport());
    }, REPORT_MS);
  }

  async #tell(): Promise<void> {
    const state = this.poller.state();
    if (state.mode !== 'polling') {
      return;
    }
    if (state.oldestMs !== undefined) {
      this.#deps.figures?.oldest(this.name, state.oldestMs);
    }
    await this.#store.report({
      agents: state.agents,
      readAt: state.lastSuccessAt,
      error: state.lastError,
      requestsPerMinute: this.#budget.perMinute(),
      lagMs: this.#lag.medianMs,
      lagAt: this.#lag.at,
      ...(this.#subscriber?.state() ?? NO_PUSH),
      written: await this.#store.writes.count(),
    });
  }
}

/** Whose presence Graph should tell: that of all, in lower case and each once. */
function usersToTell(agents: readonly AgentToPoll[]): string[] {
  return [...new Set(agents.map((agent) => agent.entraUserId.toLowerCase()))];
}

/**
 * Up means: the last read succeeded, or there is nothing this node has to read. A single failed read does not make the link
 * down while the last success is younger than three rounds (30 s at least).
 */
export function presenceLink(
  poller: PollerState,
  token: TokenState,
  intervals: Pick<PollIntervals, 'idleMs'>,
  now: number,
): PresenceLink {
  if (poller.mode === 'stopped') {
    return { up: false, detail: 'not polling' };
  }
  const tokenText = token.ok === false ? 'no token' : 'token ok';
  const age = poller.lastSuccessAt === undefined ? undefined : now - poller.lastSuccessAt;
  const read = age === undefined ? 'never read' : `last read ${(age / 1000).toFixed(1)} s ago`;
  if (poller.lastError !== undefined) {
    const recent = age !== undefined && age < Math.max(30_000, 3 * intervals.idleMs);
    return { up: recent, detail: `${tokenText}, ${read}, last error: ${poller.lastError}` };
  }
  if (poller.mode === 'standby') {
    return { up: true, detail: 'another node reads presence' };
  }
  if (age === undefined) {
    return poller.agents === 0
      ? { up: true, detail: 'no Teams agent to read' }
      : { up: false, detail: 'the first read is under way' };
  }
  return { up: true, detail: `${tokenText}, ${read}, ${poller.agents} agents` };
}
