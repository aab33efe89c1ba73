import type { CallRoute } from './calls/ports';
import { describeError } from './lib/errors';
import type { Log } from './lib/log';
import type { AgentTrunk } from './signaling/agent-legs';
import type { CarrierTrunk } from './signaling/carrier/trunk-registry';
import { teamsTrunk } from './signaling/teams/teams-trunk';
import type { TeamsTrunk } from './signaling/teams/teams-trunk';
import type { Store } from './store/api';
import type { NumberConfig, PromptConfig, QueueConfig, TenantConfig, TrunkConfig } from './store/config-types';
import type { Queryable } from './store/types';

/** Music of a queue that names none: the media server's own endless stream. */
const DEFAULT_MUSIC = 'local_stream://moh';
/** A lost hint must not keep an old configuration for longer than this, milliseconds. */
const RELOAD_MS = 10_000;

/** The configuration that a running node works by; loaded again on every hint, and now and then without one. */
export class NodeConfig {
  readonly #store: Store;
  readonly #db: Queryable;
  readonly #promptsDir: string | undefined;
  readonly #log: Log;
  #tenants = new Map<string, TenantConfig>();
  #trunks = new Map<string, TrunkConfig>();
  #queues = new Map<string, QueueConfig>();
  #numbers = new Map<string, Promise<NumberConfig | undefined>>();
  #timer: NodeJS.Timeout | undefined;
  #onChange: () => void = () => undefined;

  constructor(store: Store, db: Queryable, promptsDir: string | undefined, log: Log) {
    this.#store = store;
    this.#db = db;
    this.#promptsDir = promptsDir;
    this.#log = log;
  }

  /** Loads everything once and calls `onChange`, then again after each reload. @throws when the database cannot be read. */
  async start(onChange: () => void): Promise<void> {
    this.#onChange = onChange;
    await this.reload();
    this.#timer = setInterval(() => {
      this.reload().catch((error: unknown) => {
        this.#log.warn({ event: 'config_not_reloaded', reason: describeError(error) });
      });
    }, RELOAD_MS);
  }

  async reload(): Promise<void> {
    const [tenants, trunks, queues] = await Promise.all([
      this.#store.loadTenants(this.#db),
      this.#store.loadTrunks(this.#db),
      this.#store.loadQueues(this.#db),
    ]);
    this.#tenants = new Map(tenants.map((t) => [t.id, t]));
    this.#trunks = new Map(trunks.map((t) => [t.id, t]));
    this.#queues = new Map(queues.map((q) => [q.id, q]));
    this.#numbers = new Map();
    this.#onChange();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  get queues(): readonly QueueConfig[] {
    return [...this.#queues.values()];
  }

  carrierTrunks(): CarrierTrunk[] {
    return [...this.#trunks.values()].flatMap((trunk) =>
      trunk.kind === 'carrier' && trunk.enabled
        ? [
            {
              id: trunk.id,
              name: trunk.name,
              tenantId: trunk.tenantId,
              sources: trunk.settings.sources,
              country: trunk.settings.country,
              digest: trunk.settings.digest,
              maxCalls: trunk.settings.maxCalls,
              callsPerSecond: trunk.settings.callsPerSecond,
              sessionExpiresSeconds: trunk.settings.sessionExpiresSeconds,
            },
          ]
        : [],
    );
  }

  /** Teams trunks that are switched on. */
  teamsTrunks(): TeamsTrunk[] {
    return [...this.#trunks.values()].flatMap((trunk) =>
      trunk.kind === 'teams' && trunk.enabled ? [teamsTrunk(trunk.id, trunk.name, trunk.settings)] : [],
    );
  }

  /** Country by which numbers of a trunk are read that names none: its tenant's, or the first tenant's. */
  countryOf(trunk: CarrierTrunk): string {
    const tenant = trunk.tenantId === undefined ? [...this.#tenants.values()][0] : this.#tenants.get(trunk.tenantId);
    return trunk.country ?? tenant?.country ?? 'US';
  }

  /** A trunk that agents are reached over, as configured now. `secret` reads a password from the environment. */
  agentTrunk(trunkId: string, secret: (variable: string) => string | undefined): AgentTrunk | undefined {
    const trunk = this.#trunks.get(trunkId);
    if (!trunk?.enabled) {
      return undefined;
    }
    if (trunk.kind === 'teams') {
      return { kind: 'teams', ...teamsTrunk(trunk.id, trunk.name, trunk.settings) };
    }
    if (trunk.kind === 'pbx') {
      const { host, port, transport, media, fromDomain, digest, maxCalls } = trunk.settings;
      const password = digest === undefined ? undefined : secret(digest.passwordFrom);
      return {
        kind: 'pbx',
        name: trunk.name,
        maxCalls,
        host,
        port,
        transport,
        srtp: media === 'srtp',
        fromDomain,
        auth: digest === undefined || password === undefined ? undefined : { username: digest.username, password },
      };
    }
    return undefined;
  }

  /** What a dialled number leads to for a caller on this trunk; undefined for a number that nobody has here. */
  async route(e164: string, trunk: CarrierTrunk): Promise<CallRoute | undefined> {
    let found = this.#numbers.get(e164);
    if (!found) {
      found = this.#store.findNumber(this.#db, e164);
      this.#numbers.set(e164, found);
    }
    const number = await found.catch((error: unknown) => {
      this.#numbers.delete(e164);
      throw error;
    });
    const queue = number?.queueId === undefined ? undefined : this.#queues.get(number.queueId);
    if (!number || !queue || (trunk.tenantId !== undefined && trunk.tenantId !== number.tenantId)) {
      return undefined;
    }
    return {
      tenantId: number.tenantId,
      trunkId: trunk.id,
      number: number.e164,
      greetingUri: number.greeting === undefined ? undefined : this.#uri(number.greeting),
      queueId: queue.id,
      queueName: queue.name,
      queueDisplayName: queue.name,
      musicUri: queue.music === undefined ? DEFAULT_MUSIC : this.#uri(queue.music),
    };
  }

  /** What the media server is told to play. A file is looked up in the folder that the media server sees it in. */
  #uri(prompt: PromptConfig): string {
    switch (prompt.kind) {
      case 'tone': {
        return `tone_stream://${prompt.source}`;
      }
      case 'stream': {
        return `local_stream://${prompt.source}`;
      }
      case 'file': {
        return prompt.source.startsWith('/') || this.#promptsDir === undefined
          ? prompt.source
          : `${this.#promptsDir.replace(/\/$/, '')}/${prompt.source}`;
      }
    }
  }
}
