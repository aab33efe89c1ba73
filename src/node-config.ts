import type { AnswerPolicy, CallPlan, CallRoute } from './calls/ports';
import { describeError } from './lib/errors';
import type { Log } from './lib/log';
import { Newest } from './lib/newest';
import type { AgentTrunk } from './signaling/agent-legs';
import type { CarrierTrunk } from './signaling/carrier/trunk-registry';
import { teamsTrunk } from './signaling/teams/teams-trunk';
import type { TeamsTrunk } from './signaling/teams/teams-trunk';
import type { Store } from './store/api';
import { planOf } from './node-plan';
import type { LoadedConfig } from './node-plan';
import type { NumberConfig, PromptConfig, QueueConfig } from './store/config-types';
import type { Queryable } from './store/types';

/** A lost hint must not keep an old configuration for longer than this, milliseconds. */
const RELOAD_MS = 10_000;

export interface NodeConfigDeps {
  readonly store: Store;
  readonly db: Queryable;
  readonly promptsDir: string | undefined;
  readonly log: Log;
  /** Loaded anew before everything else, since trunks name them. */
  readonly secrets: { load(): Promise<void> };
}

/** The configuration that a running node works by; loaded again on every hint, and now and then without one. */
export class NodeConfig {
  readonly #store: Store;
  readonly #db: Queryable;
  readonly #promptsDir: string | undefined;
  readonly #log: Log;
  readonly #secrets: { load(): Promise<void> };
  readonly #reloads = new Newest(() => this.#load());
  #loaded: LoadedConfig = {
    tenants: new Map(),
    trunks: new Map(),
    queues: new Map(),
    flows: [],
    hours: [],
    prompts: [],
  };
  #numbers = new Map<string, Promise<NumberConfig | undefined>>();
  #timer: NodeJS.Timeout | undefined;
  #onChange: () => void = () => undefined;
  #closed = false;

  constructor({ store, db, promptsDir, log, secrets }: NodeConfigDeps) {
    this.#store = store;
    this.#db = db;
    this.#promptsDir = promptsDir;
    this.#log = log;
    this.#secrets = secrets;
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

  /** Resolves when everything is in place that was stored before this was called. @throws when the database cannot be read. */
  async reload(): Promise<void> {
    await this.#reloads.run();
  }

  async #load(): Promise<void> {
    await this.#secrets.load();
    const [tenants, trunks, queues, flows, hours, prompts] = await Promise.all([
      this.#store.loadTenants(this.#db),
      this.#store.loadTrunks(this.#db),
      this.#store.loadQueues(this.#db),
      this.#store.loadFlows(this.#db),
      this.#store.loadHours(this.#db),
      this.#store.loadPrompts(this.#db),
    ]);
    if (this.#closed) {
      return;
    }
    this.#loaded = {
      tenants: new Map(tenants.map((t) => [t.id, t])),
      trunks: new Map(trunks.map((t) => [t.id, t])),
      queues: new Map(queues.map((q) => [q.id, q])),
      flows,
      hours,
      prompts,
    };
    this.#numbers = new Map();
    this.#onChange();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  get queues(): readonly QueueConfig[] {
    return [...this.#loaded.queues.values()];
  }

  /** Whether answers of agents of a queue are believed; undefined for a queue that is gone. */
  answerPolicy(queueId: string): AnswerPolicy | undefined {
    const queue = this.#loaded.queues.get(queueId);
    return (
      queue && {
        confirm: queue.confirm,
        suspicious: queue.suspiciousAnswer,
        suspiciousAnswerMs: queue.suspiciousAnswerMs,
      }
    );
  }

  /**
   * The queue that a number leads to without a flow, for calls of a trunk; undefined for any other number, and for one of
   * another tenant. @throws when it cannot be looked up.
   */
  async queueOfNumber(e164: string, trunkId: string): Promise<string | undefined> {
    const number = await this.#number(e164);
    const owner = this.#loaded.trunks.get(trunkId)?.tenantId;
    return owner === undefined || owner === number?.tenantId ? number?.queueId : undefined;
  }

  carrierTrunks(): CarrierTrunk[] {
    return [...this.#loaded.trunks.values()].flatMap((trunk) =>
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
    return [...this.#loaded.trunks.values()].flatMap((trunk) =>
      trunk.kind === 'teams' && trunk.enabled ? [teamsTrunk(trunk.id, trunk.name, trunk.settings)] : [],
    );
  }

  /** Country by which numbers of a trunk are read that names none: its tenant's, or the first tenant's. */
  countryOf(trunk: CarrierTrunk): string {
    const tenant =
      trunk.tenantId === undefined ? [...this.#loaded.tenants.values()][0] : this.#loaded.tenants.get(trunk.tenantId);
    return trunk.country ?? tenant?.country ?? 'US';
  }

  /** The only trunk of that name; undefined where tenants have given it to several. */
  agentTrunkNamed(
    name: string,
    secret: (from: string, tenantId?: string) => string | undefined,
  ): AgentTrunk | undefined {
    const [only, another] = [...this.#loaded.trunks.values()].filter((trunk) => trunk.name === name);
    return only && !another ? this.agentTrunk(only.id, secret) : undefined;
  }

  /** A trunk that agents are reached over, as configured now. `secret` finds the password that a trunk names. */
  agentTrunk(trunkId: string, secret: (from: string, tenantId?: string) => string | undefined): AgentTrunk | undefined {
    const trunk = this.#loaded.trunks.get(trunkId);
    if (!trunk?.enabled) {
      return undefined;
    }
    if (trunk.kind === 'teams') {
      return { kind: 'teams', ...teamsTrunk(trunk.id, trunk.name, trunk.settings) };
    }
    if (trunk.kind === 'carrier' && trunk.settings.outbound) {
      const { host, port, transport, fromDomain, digest } = trunk.settings.outbound;
      const password = digest === undefined ? undefined : secret(digest.passwordFrom, trunk.tenantId);
      return {
        kind: 'carrier',
        name: trunk.name,
        srtp: false,
        maxCalls: trunk.settings.maxCalls,
        host,
        port,
        transport,
        fromDomain,
        auth: digest === undefined || password === undefined ? undefined : { username: digest.username, password },
      };
    }
    if (trunk.kind === 'pbx') {
      const { host, port, transport, media, fromDomain, digest, maxCalls } = trunk.settings;
      const password = digest === undefined ? undefined : secret(digest.passwordFrom, trunk.tenantId);
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

  /** A number as configured; looked up once until the configuration changes. */
  async #number(e164: string): Promise<NumberConfig | undefined> {
    let found = this.#numbers.get(e164);
    if (!found) {
      found = this.#store.findNumber(this.#db, e164);
      this.#numbers.set(e164, found);
    }
    return await found.catch((error: unknown) => {
      this.#numbers.delete(e164);
      throw error;
    });
  }

  /** What a dialled number leads to for a caller on this trunk; undefined for a number that nobody has here. */
  async route(e164: string, trunk: CarrierTrunk): Promise<CallRoute | undefined> {
    const number = await this.#number(e164);
    if (!number || (trunk.tenantId !== undefined && trunk.tenantId !== number.tenantId)) {
      return undefined;
    }
    const entry = this.#entry(number);
    return (
      entry && {
        tenantId: number.tenantId,
        trunkId: trunk.id,
        number: number.e164,
        greetingUri: number.greeting === undefined ? undefined : this.#uri(number.greeting),
        entry,
        plan: this.plan(number.tenantId),
      }
    );
  }

  /** What the calls of a tenant ask configuration for. */
  plan(tenantId: string): CallPlan {
    return planOf(
      tenantId,
      () => this.#loaded,
      (prompt) => this.#uri(prompt),
    );
  }

  #entry(number: NumberConfig): CallRoute['entry'] | undefined {
    const { queues, flows } = this.#loaded;
    if (number.queueId !== undefined) {
      return queues.has(number.queueId) ? { kind: 'queue', queueId: number.queueId } : undefined;
    }
    const flow = flows.find(({ id }) => id === number.flowId);
    return flow && { kind: 'flow', flow };
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
