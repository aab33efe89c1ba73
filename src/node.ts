import { SecretVault } from './config/secrets/secret-vault';
import type { Settings } from './config/settings';
import type { HttpServer } from './http/server';
import type { Clock } from './lib/clock';
import { systemClock } from './lib/clock';
import { describeError, SidekickError } from './lib/errors';
import type { Log } from './lib/log';
import { createMetrics } from './lib/metrics';
import type { Metrics } from './lib/metrics';
import { MediaPool } from './media/media-pool';
import { wireCalls } from './node-calls';
import type { NodeCalls } from './node-calls';
import { NodeConfig } from './node-config';
import { startNodeHttp } from './node-http';
import { NodeLife } from './node-life';
import { startNodeTeams } from './node-teams';
import type { NodeTeams } from './node-teams';
import { startNodePresence } from './node-presence';
import type { NodePresence } from './node-presence';
import { TrunkRegistry } from './signaling/carrier/trunk-registry';
import { DrachtioLink } from './signaling/drachtio-link';
import type { BoundTransport } from './signaling/drachtio-link';
import { Listener, migrationStatus, openDatabase, store } from './store';
import type { Database, Notification } from './store';
import { NodeStore } from './store/node-store';
import { warmUp } from './store/warm-up';

export interface NodeDeps {
  readonly log: Log;
  readonly clock?: Clock;
  /**
   * The other nodes took this one for dead and released its work (it was cut off from Postgres for too long). Its calls were
   * ended and it has closed; the process should end and be started again.
   */
  readonly onLost?: () => void;
  /** Reads variables of the environment that the configuration names; default: those of this process. */
  readonly secret?: (variable: string) => string | undefined;
}

export interface LinkView {
  readonly up: boolean;
  readonly detail: string;
  readonly since: number;
  /** False: without it the node still takes calls. Default true. */
  readonly needed?: boolean;
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

const CONNECT_TIMEOUT_MS = 10_000;
const QUEUE_GAUGE_MS = 2_000;
/** Most connections for what is asked and ordered over HTTP, opened when they are needed. */
const HTTP_CONNECTIONS = 3;

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
  readonly #secrets: SecretVault;
  readonly #onLost: (() => void) | undefined;
  readonly metrics = createMetrics();
  readonly #db: Database;
  /** One connection for the heartbeat alone: a node that is busy must not be taken for dead. */
  readonly #lifeDb: Database;
  /** Of HTTP: what is ordered there is heard of as what is ordered elsewhere, since hints of other pools are not ours to ignore. */
  readonly #httpDb: Database;
  readonly #link: DrachtioLink;
  readonly #pool: MediaPool;
  readonly #registry = new TrunkRegistry();
  readonly #config: NodeConfig;
  #life: NodeLife | undefined;
  #nodeStore: NodeStore | undefined;
  #work: NodeCalls | undefined;
  #presence: NodePresence | undefined;
  #teams: NodeTeams | undefined;
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
    this.#db = openDatabase({
      url: settings.databaseUrl,
      log: deps.log,
      max: settings.databasePool,
      runsMatches: true,
    });
    this.#secrets = new SecretVault({
      load: () => store.sealedSecrets(this.#db),
      keys: settings.secretKeys,
      env: deps.secret ?? ((variable) => process.env[variable]),
      log: deps.log,
    });
    this.#lifeDb = openDatabase({ url: settings.databaseUrl, log: deps.log, max: 1, applicationName: 'sidekick-life' });
    this.#httpDb = openDatabase({
      url: settings.databaseUrl,
      log: deps.log,
      max: HTTP_CONNECTIONS,
      applicationName: 'sidekick-http',
    });
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
      settings.recordingsDir,
    );
    this.#config = new NodeConfig({
      store,
      db: this.#db,
      promptsDir: settings.promptsDir,
      log: deps.log,
      secrets: this.#secrets,
    });
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
    const nodeStore = new NodeStore(
      store,
      this.#db,
      this.nodeId,
      { decisionsMs: this.#settings.keepDecisionsMs },
      this.#log,
    );
    this.#nodeStore = nodeStore;
    await this.#config.start(() => {
      this.#registry.load(this.#config.carrierTrunks(), this.#clock.now());
      this.#teams?.reload();
    });
    warmUp(store, this.#db).catch((error: unknown) => {
      this.#log.debug({ event: 'not_warmed_up', reason: describeError(error) });
    });
    const teams = startNodeTeams({
      db: this.#db,
      nodeId: this.nodeId,
      link: this.#link,
      config: this.#config,
      clock: this.#clock,
      log: this.#log,
      metrics: this.metrics,
      stopping: () => this.#stopping,
      trunkChanged: () => this.#work?.dispatcher.rulesChanged(),
    });
    this.#teams = teams;
    this.#work = wireCalls({
      nodeId: this.nodeId,
      store: nodeStore,
      link: this.#link,
      pool: this.#pool,
      config: this.#config,
      teams,
      registry: this.#registry,
      clock: this.#clock,
      log: this.#log,
      metrics: this.metrics,
      secret: this.#secrets.resolve,
      stopping: () => this.#stopping,
      refreshPresence: async (agentIds) => {
        await this.#presence?.refresh(agentIds);
        return this.#presence !== undefined;
      },
    });
    await this.#link.connect(CONNECT_TIMEOUT_MS);
    await this.#pool.connect();
    await this.#listen();
    this.#presence = startNodePresence({
      settings: this.#settings,
      db: this.#db,
      nodeId: this.nodeId,
      clock: this.#clock,
      log: this.#log,
      metrics: this.metrics,
      agentChanged: (agentIds) => this.#work?.dispatcher.agentChanged(agentIds),
    });
    this.#http = await startNodeHttp({
      settings: this.#settings,
      db: this.#httpDb,
      node: { links: () => this.links(), stopping: () => this.#stopping },
      sounds: this.#pool.recordings,
      notifications: this.#presence?.notifications,
      metrics: this.metrics,
      log: this.#log,
    });
    this.#work.dispatcher.start();
    this.#work.commands.start();
    this.#work.callbacks.start();
    this.#work.voicemails.start();
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
      void this.#work?.dispatcher.sweep().catch((error: unknown) => {
        this.#log.warn({ event: 'sweep_failed', reason: describeError(error) });
      });
      this.#reload();
    });
    await listener.start();
  }

  #notified(notification: Notification): void {
    switch (notification.k) {
      case 'queue': {
        if (notification.node === undefined || notification.node === this.nodeId) {
          this.#work?.dispatcher.requestMatch(notification.id);
        }
        return;
      }
      case 'agent': {
        this.#work?.dispatcher.agentChanged([notification.id]);
        return;
      }
      case 'offer': {
        if (notification.node === this.nodeId) {
          this.#work?.dispatcher.offerReserved(notification.id);
        }
        return;
      }
      case 'config':
      case 'trunk': {
        this.#reload();
        return;
      }
      case 'call': {
        this.#work?.commands.look();
        return;
      }
    }
  }

  #reload(): void {
    this.#config.reload().then(
      () => {
        this.#work?.dispatcher.rulesChanged();
      },
      (error: unknown) => {
        this.#log.warn({ event: 'config_not_reloaded', reason: describeError(error) });
      },
    );
  }

  links(): Readonly<Record<string, LinkView>> {
    const links: Record<string, LinkView> = {
      postgres: this.#life?.link ?? { up: false, detail: 'not connected yet', since: Date.now() },
      drachtio: this.#link.state,
    };
    for (const media of this.#pool.links) {
      links[`freeswitch ${media.name}`] = media.state;
    }
    Object.assign(links, this.#teams?.links());
    if (this.#presence) {
      Object.assign(links, this.#presence.links());
    }
    return links;
  }

  open(): { readonly calls: number; readonly agentLegs: number } {
    return { calls: this.#work?.calls.size ?? 0, agentLegs: this.#work?.legs.open ?? 0 };
  }

  #reportQueues(): void {
    const waiting = this.#work?.calls.waitingByQueue();
    const callbacks = this.#work?.callbacks.waitingByQueue();
    const names = new Set(this.#config.queues.map((queue) => queue.name));
    for (const name of names) {
      this.metrics.queueWaiting(name, (waiting?.get(name) ?? 0) + (callbacks?.get(name) ?? 0));
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
    const drained = (await this.#work?.waitUntilEmpty(drainMs)) ?? true;
    if (!drained) {
      await this.#work?.calls.endAll(3_000);
    }
    await this.#listener?.close();
    await this.#work?.commands.stop();
    await this.#work?.voicemails.stop();
    await this.#work?.dispatcher.stop();
    await this.#work?.callbacks.handOver(3_000);
    this.#config.close();
    this.#teams?.close();
    await this.#presence?.close();
    await this.#http?.close();
    await this.#nodeStore?.close();
    await this.#life?.stop();
    this.#pool.close();
    this.#link.close();
    await this.#lifeDb.close();
    await this.#httpDb.close();
    await this.#db.close();
    this.#log.info({ event: 'node_closed', drained });
  }
}
