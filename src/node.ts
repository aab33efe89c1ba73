import { CallRegistry } from './calls/call-registry';
import type { ReservedOffer } from './calls/ports';
import type { Settings } from './config/settings';
import { Dispatcher } from './dispatch/dispatcher';
import { startHttp } from './http/server';
import type { HttpServer } from './http/server';
import type { Clock } from './lib/clock';
import { systemClock } from './lib/clock';
import { describeError, SidekickError } from './lib/errors';
import type { Log } from './lib/log';
import { createMetrics } from './lib/metrics';
import type { Metrics } from './lib/metrics';
import { packageVersion } from './lib/package';
import { MediaPool } from './media/media-pool';
import { NodeConfig } from './node-config';
import { NodeLife } from './node-life';
import { startPresence } from './presence/presence';
import type { Presence } from './presence/presence';
import { AgentLegService } from './signaling/agent-legs';
import { Admission } from './signaling/carrier/admission';
import { DigestChallenger } from './signaling/carrier/digest';
import { CarrierInbound } from './signaling/carrier/inbound';
import { TrunkRegistry } from './signaling/carrier/trunk-registry';
import { DrachtioLink } from './signaling/drachtio-link';
import type { BoundTransport } from './signaling/drachtio-link';
import { Listener, migrationStatus, openDatabase, store } from './store';
import type { Database, Notification } from './store';
import { NodeStore } from './store/node-store';

export interface NodeDeps {
  readonly log: Log;
  readonly clock?: Clock;
  /**
   * The other nodes took this one for dead and released its work (it was cut off from Postgres for too long). Its calls were
   * ended and it has closed; the process should end and be started again.
   */
  readonly onLost?: () => void;
  /** Reads secrets that the configuration names; default: the environment. */
  readonly secret?: (variable: string) => string | undefined;
}

export interface LinkView {
  readonly up: boolean;
  readonly detail: string;
  readonly since: number;
}

/** One running node. */
export interface Node {
  readonly nodeId: string;
  /** Where HTTP listens, if it does. */
  readonly http: { readonly host: string; readonly port: number } | undefined;
  readonly metrics: Metrics;
  /** What the SIP server listens on, as it reports it. */
  readonly transports: readonly BoundTransport[];
  links(): Readonly<Record<string, LinkView>>;
  /** What is open on this node: all zero when nothing is left behind. */
  open(): { readonly calls: number; readonly agentLegs: number };
  /** Takes no new calls, waits up to `drainMs` for the present ones, ends the rest, releases everything. Idempotent. */
  close(options?: { readonly drainMs?: number }): Promise<void>;
}

/** Silence on a leg that ends it, milliseconds. It is the only clean-up after a crash, so it must not be missing; Teams sends nothing while muted. */
const CALLER_MEDIA_TIMEOUT_MS = 300_000;
const AGENT_MEDIA_TIMEOUT_MS = 7_200_000;
const CONNECT_TIMEOUT_MS = 10_000;
const QUEUE_GAUGE_MS = 2_000;

/**
 * Starts a node: connects to Postgres, drachtio-server and FreeSWITCH, reads the configuration, takes calls.
 * @throws SidekickError SK_POSTGRES_UNREACHABLE, SK_MIGRATIONS_PENDING, SK_DRACHTIO_*, SK_FREESWITCH_UNREACHABLE, SK_PORT_TAKEN;
 * whatever was opened is closed again.
 */
export async function startNode(settings: Settings, deps: NodeDeps): Promise<Node> {
  const builder = new NodeBuilder(settings, deps);
  try {
    return await builder.start();
  } catch (error) {
    await builder.close({ drainMs: 0 });
    throw error;
  }
}

class NodeBuilder implements Node {
  readonly #settings: Settings;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #secret: (variable: string) => string | undefined;
  readonly #onLost: (() => void) | undefined;
  readonly metrics = createMetrics();
  readonly #db: Database;
  /** One connection for the heartbeat alone: a node that is busy must not be taken for dead. */
  readonly #lifeDb: Database;
  readonly #link: DrachtioLink;
  readonly #pool: MediaPool;
  readonly #registry = new TrunkRegistry();
  readonly #admission = new Admission();
  readonly #config: NodeConfig;
  #life: NodeLife | undefined;
  #nodeStore: NodeStore | undefined;
  #calls: CallRegistry | undefined;
  #legs: AgentLegService | undefined;
  #dispatcher: Dispatcher | undefined;
  #presence: Presence | undefined;
  #presenceSince = Date.now();
  #presenceUp: boolean | undefined;
  #http: HttpServer | undefined;
  #listener: Listener | undefined;
  #gauge: NodeJS.Timeout | undefined;
  #reportedQueues: ReadonlySet<string> = new Set();
  #stopping = false;
  #closed: Promise<void> | undefined;

  constructor(settings: Settings, deps: NodeDeps) {
    this.#settings = settings;
    this.#log = deps.log;
    this.#clock = deps.clock ?? systemClock;
    this.#onLost = deps.onLost;
    this.#secret = deps.secret ?? ((variable) => process.env[variable]);
    this.#db = openDatabase({ url: settings.databaseUrl, log: deps.log, max: settings.databasePool });
    this.#lifeDb = openDatabase({ url: settings.databaseUrl, log: deps.log, max: 1, applicationName: 'sidekick-life' });
    const drachtio = settings.drachtio[0];
    if (!drachtio) {
      throw new SidekickError('SK_SETTINGS_INVALID', 'no drachtio-server is named', {
        next: 'set SIDEKICK_DRACHTIO to host:port:secret',
      });
    }
    if (settings.drachtio.length > 1) {
      deps.log.warn({
        event: 'drachtio_extra',
        text: 'a node uses the first drachtio-server named; run a node beside each',
      });
    }
    this.#link = new DrachtioLink(drachtio, deps.log);
    const { eslListen, eslAdvertise } = settings;
    this.#pool = new MediaPool(
      settings.freeswitch,
      {
        host: eslListen.host,
        port: eslListen.port,
        ...(eslAdvertise === undefined ? {} : { advertiseHost: eslAdvertise.host, advertisePort: eslAdvertise.port }),
      },
      this.#link.srf,
      deps.log,
    );
    this.#config = new NodeConfig(store, this.#db, settings.promptsDir, deps.log);
  }

  get nodeId(): string {
    return this.#life?.nodeId ?? '';
  }

  get transports(): readonly BoundTransport[] {
    return this.#link.transports;
  }

  get http(): Node['http'] {
    return this.#http?.address;
  }

  async start(): Promise<Node> {
    for (const text of this.#settings.warnings) {
      this.#log.warn({ event: 'setting_warning', text });
    }
    await this.#requireMigrated();
    this.#life = await NodeLife.start({
      store,
      db: this.#lifeDb,
      name: this.#settings.nodeId,
      log: this.#log,
      onLost: () => this.#lostLease(),
    });
    const nodeStore = new NodeStore(store, this.#db, this.nodeId, this.#log);
    this.#nodeStore = nodeStore;
    await this.#config.start(() => {
      this.#registry.load(this.#config.carrierTrunks(), this.#clock.now());
    });
    this.#wireCalls(nodeStore);
    await this.#link.connect(CONNECT_TIMEOUT_MS);
    await this.#pool.connect();
    await this.#listen();
    this.#startPresence();
    this.#http = await this.#startHttp();
    this.#dispatcher?.start();
    this.#gauge = setInterval(() => {
      this.#reportQueues();
    }, QUEUE_GAUGE_MS);
    this.#log.info({ event: 'node_ready', nodeId: this.nodeId, transports: this.#link.transports });
    return this;
  }

  async #requireMigrated(): Promise<void> {
    const status = await migrationStatus(this.#settings.databaseUrl);
    if (status.pending.length > 0) {
      throw new SidekickError('SK_MIGRATIONS_PENDING', `the database lacks ${status.pending.length} migrations`, {
        why: `missing: ${status.pending.join(', ')}`,
        next: 'run `sidekick migrate up`',
      });
    }
  }

  #wireCalls(nodeStore: NodeStore): void {
    const dispatcher = new Dispatcher({
      store: nodeStore,
      clock: this.#clock,
      log: this.#log,
      nodeId: this.nodeId,
      onMatched: (tookMs) => {
        this.#admission.matchTook(tookMs, this.#clock.now());
      },
      onOffer: (offer) => this.#calls?.offer(offer) ?? 'no-call',
      onOrphan: (offer) => {
        this.#giveBack(nodeStore, offer);
      },
      refreshPresence: async (agentIds) => {
        await this.#presence?.refresh(agentIds);
        return this.#presence !== undefined;
      },
      onSweepFound: (what) => {
        this.metrics.sweepFound(what);
      },
    });
    this.#dispatcher = dispatcher;
    const legs = new AgentLegService({
      link: this.#link,
      pool: this.#pool,
      log: this.#log,
      trunk: (trunkId) => this.#config.agentTrunk(trunkId, this.#secret),
      mediaTimeoutMs: AGENT_MEDIA_TIMEOUT_MS,
    });
    this.#legs = legs;
    const calls = new CallRegistry({
      store: nodeStore,
      legs,
      media: this.#pool,
      matcher: dispatcher,
      clock: this.#clock,
      log: this.#log,
      metrics: this.metrics,
    });
    this.#calls = calls;
    const inbound = this.#inbound(calls);
    this.#link.srf.invite((request, response) => {
      if (!legs.takeMediaInvite(request, response)) {
        inbound.invite(request, response);
      }
    });
    this.#link.srf.options((request, response) => {
      inbound.options(request, response);
    });
  }

  #inbound(calls: CallRegistry): CarrierInbound {
    return new CarrierInbound(
      {
        srf: this.#link.srf,
        pool: this.#pool,
        registry: this.#registry,
        digest: new DigestChallenger('sidekick'),
        admission: this.#admission,
        clock: this.#clock,
        metrics: this.metrics,
        log: this.#log,
        nodeId: this.nodeId,
        mediaTimeoutMs: CALLER_MEDIA_TIMEOUT_MS,
        stopping: () => this.#stopping,
        countryOf: (trunk) => this.#config.countryOf(trunk),
        secret: this.#secret,
      },
      async ({ trunk, dialled, caller, sipCallId, leg, release, setUp }) => {
        const route = await this.#config.route(dialled, trunk);
        if (!route) {
          return 'unknown-number';
        }
        calls.take(route, caller, sipCallId, leg, { setUp, over: release });
        return 'taken';
      },
    );
  }

  /** A reserved offer whose call is not here: the agent must not stay reserved for it. */
  #giveBack(nodeStore: NodeStore, offer: ReservedOffer): void {
    nodeStore.closeOffer(offer.offerId, { kind: 'canceled', why: 'caller-gone' }).then(
      () => {
        this.#dispatcher?.requestMatch(offer.queueId);
      },
      (error: unknown) => {
        this.#log.warn({ event: 'orphan_not_released', offerId: offer.offerId, reason: describeError(error) });
      },
    );
  }

  async #listen(): Promise<void> {
    const listener = new Listener({
      url: this.#settings.databaseUrl,
      log: this.#log,
      // What this node does itself it acts upon itself; its own hints would only make it do everything twice.
      ignore: (processId) => this.#db.owns(processId),
    });
    this.#listener = listener;
    listener.on('notification', (notification) => {
      this.#notified(notification);
    });
    listener.on('connected', () => {
      void this.#dispatcher?.sweep().catch((error: unknown) => {
        this.#log.warn({ event: 'sweep_failed', reason: describeError(error) });
      });
    });
    await listener.start();
  }

  #notified(notification: Notification): void {
    switch (notification.k) {
      case 'queue': {
        this.#dispatcher?.requestMatch(notification.id);
        return;
      }
      case 'agent': {
        this.#dispatcher?.agentChanged([notification.id]);
        return;
      }
      case 'offer': {
        // The match that reserved it hands it over itself; this is for matches of other nodes, and the sweep finds the rest.
        return;
      }
      case 'config':
      case 'trunk': {
        this.#config.reload().catch((error: unknown) => {
          this.#log.warn({ event: 'config_not_reloaded', reason: describeError(error) });
        });
        return;
      }
      case 'call': {
        return;
      }
    }
  }

  #startPresence(): void {
    const { graph } = this.#settings;
    if (!graph) {
      return;
    }
    this.#presence = startPresence(graph, {
      store: {
        agentsToPoll: () => store.agentsToPoll(this.#db),
        upsertPresences: async (readings) => {
          const changed = await store.upsertPresences(this.#db, readings);
          this.#dispatcher?.agentChanged(changed.map((c) => c.agentId));
        },
        holdPollLease: (forMs) => store.holdLease(this.#db, 'presence', this.nodeId, forMs),
      },
      clock: this.#clock,
      log: this.#log,
      intervals: { idleMs: this.#settings.presencePollMs, waitingMs: this.#settings.presencePollWaitingMs },
      onRead: (outcome, durationMs) => {
        this.metrics.presenceRead(outcome, durationMs);
      },
    });
  }

  async #startHttp(): Promise<HttpServer | undefined> {
    const { http, adminToken } = this.#settings;
    if (!http) {
      return undefined;
    }
    return await startHttp({
      listen: http,
      adminToken,
      node: { links: () => this.links(), stopping: () => this.#stopping },
      calls: {
        listCalls: (filter) => store.listCalls(this.#db, filter),
        findCall: (callId) => store.findCall(this.#db, callId),
        callEvents: (callId) => store.callEvents(this.#db, callId),
      },
      metrics: this.metrics,
      log: this.#log,
      version: packageVersion(),
    });
  }

  links(): Readonly<Record<string, LinkView>> {
    const links: Record<string, LinkView> = {
      postgres: this.#life?.link ?? { up: false, detail: 'not connected yet', since: Date.now() },
      drachtio: this.#link.state,
    };
    for (const media of this.#pool.links) {
      links[`freeswitch ${media.name}`] = media.state;
    }
    if (this.#presence) {
      const { up, detail } = this.#presence.link();
      if (up !== this.#presenceUp) {
        this.#presenceUp = up;
        this.#presenceSince = Date.now();
      }
      links['graph'] = { up, detail, since: this.#presenceSince };
    }
    return links;
  }

  open(): { readonly calls: number; readonly agentLegs: number } {
    return { calls: this.#calls?.size ?? 0, agentLegs: this.#legs?.open ?? 0 };
  }

  #reportQueues(): void {
    const waiting = this.#calls?.waitingByQueue();
    const names = new Set(this.#config.queues.map((queue) => queue.name));
    for (const name of names) {
      this.metrics.queueWaiting(name, waiting?.get(name) ?? 0);
    }
    for (const name of this.#reportedQueues) {
      if (!names.has(name)) {
        this.metrics.queueGone(name);
      }
    }
    this.#reportedQueues = names;
    for (const [name, link] of Object.entries(this.links())) {
      this.metrics.linkUp(name, link.up);
    }
  }

  /** The others took this node for dead and released its rows: its calls can no longer be told apart from stray ones. */
  #lostLease(): void {
    this.#log.error({
      event: 'node_lease_lost',
      text: 'other nodes released the work of this node; its calls are ended',
    });
    void this.close({ drainMs: 0 }).then(() => {
      this.#onLost?.();
    });
  }

  close({ drainMs = this.#settings.drainMs }: { readonly drainMs?: number } = {}): Promise<void> {
    this.#closed ??= this.#close(drainMs);
    return this.#closed;
  }

  async #close(drainMs: number): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#gauge);
    const drained = (await this.#calls?.waitUntilEmpty(drainMs)) ?? true;
    if (!drained) {
      await this.#calls?.endAll(3_000);
    }
    await this.#listener?.close();
    await this.#dispatcher?.stop();
    this.#config.close();
    await this.#presence?.close();
    await this.#http?.close();
    await this.#nodeStore?.close();
    await this.#life?.stop();
    this.#pool.close();
    this.#link.close();
    await this.#lifeDb.close();
    await this.#db.close();
    this.#log.info({ event: 'node_closed', drained });
  }
}
