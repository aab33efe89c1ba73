import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readSettings } from '../../src/config/settings';
import type { TenantControl } from '../../src/embedded/teams/control-routes';
import { goodMood, misbehave, misbehaviourSchema } from '../../src/embedded/teams/misbehaviour';
import type { MisbehaviourInput } from '../../src/embedded/teams/misbehaviour';
import type { Presence } from '../../src/embedded/teams/presence-values';
import { startTenantHttp } from '../../src/embedded/teams/tenant-http';
import type { TenantHttp } from '../../src/embedded/teams/tenant-http';
import { makeServices } from '../../src/embedded/teams/tenant-services';
import type { TenantServices } from '../../src/embedded/teams/tenant-services';
import { demoUsers } from '../../src/embedded/teams/users';
import { makeTestAuthority } from '../../src/embedded/tls/test-authority';
import { startHttp } from '../../src/http/server';
import type { HttpServer } from '../../src/http/server';
import { systemClock } from '../../src/lib/clock';
import { silentLog } from '../../src/lib/log';
import { createMetrics } from '../../src/lib/metrics';
import { startNodePresence } from '../../src/node-presence';
import type { NodePresence } from '../../src/node-presence';
import { store } from '../../src/store';
import type { AgentRow } from '../../src/store';
import { testDatabase } from './database';
import type { TestDatabase } from './database';
import { makeScenario } from './scenario';
import type { Scenario } from './scenario';

export const LAB_TENANT = '8e0bd3c4-1111-4222-8333-0123456789ab';
export const LAB_CLIENT = '0c3a9f10-1111-4222-8333-0123456789ab';
const ACCOUNT = 'presence@example.com';

/** A port that nobody listens on now; the webhook's address must be known before it listens. */
async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  return await new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

export interface PresenceNode {
  readonly nodeId: string;
  readonly presence: NodePresence;
  readonly http: HttpServer;
  readonly metrics: ReturnType<typeof createMetrics>;
  /** Agents of whom the node said that their presence changed. */
  readonly changed: string[];
  close(): Promise<void>;
}

/** Graph of the simulated tenant, a database with agents anna, ben and clara, and as many presence nodes as a test starts. */
export class PresenceLab {
  private constructor(
    readonly database: TestDatabase,
    readonly scenario: Scenario,
    readonly services: TenantServices,
    readonly http: TenantHttp,
    readonly directory: string,
  ) {}

  static async start(options: { readonly presenceLagMs?: number } = {}): Promise<PresenceLab> {
    const database = await testDatabase();
    const names = demoUsers().slice(0, 3);
    const scenario = await makeScenario(database.db, { agents: names.map((user) => user.name) });
    for (const user of names) {
      await database.db.query('update agent_endpoints set entra_user_id = $2 where agent_id = $1', [
        scenario.agents[user.name],
        user.entraUserId,
      ]);
    }
    const directory = mkdtempSync(path.join(tmpdir(), 'sk-presence-'));
    const identity = await (await makeTestAuthority()).issue(['notifications.test']);
    writeFileSync(path.join(directory, 'key.pem'), identity.key + identity.leaf);
    const services = makeServices(
      {
        tenantId: LAB_TENANT,
        clientId: LAB_CLIENT,
        clientSecret: 'lab-secret',
        users: demoUsers(),
        accounts: [{ name: ACCOUNT }],
        presenceLagMs: options.presenceLagMs ?? 0,
      },
      systemClock,
    );
    const http = await startTenantHttp({ host: '127.0.0.1', port: 0 }, services, {} as TenantControl, LAB_TENANT);
    return new PresenceLab(database, scenario, services, http, directory);
  }

  /** Starts what one node does about presence. `push`: with notifications; further settings in `env`. */
  async node(
    options: { readonly push?: boolean; readonly env?: Readonly<Record<string, string>> } = {},
  ): Promise<PresenceNode> {
    const port = await freePort();
    const account = path.join(this.directory, 'account.json');
    if (options.push) {
      const refreshToken = this.services.accounts.refreshTokenOf(ACCOUNT);
      writeFileSync(account, JSON.stringify({ account: ACCOUNT, refreshToken }));
    }
    const settings = readSettings({
      SIDEKICK_DATABASE_URL: this.database.url,
      SIDEKICK_DRACHTIO: '127.0.0.1:1:none',
      SIDEKICK_FREESWITCH: '127.0.0.1:1:none',
      SIDEKICK_HTTP: `127.0.0.1:${port}`,
      SIDEKICK_GRAPH_TENANT_ID: LAB_TENANT,
      SIDEKICK_GRAPH_CLIENT_ID: LAB_CLIENT,
      SIDEKICK_GRAPH_CLIENT_SECRET: 'lab-secret',
      SIDEKICK_GRAPH_BASE_URL: this.http.baseUrl,
      SIDEKICK_GRAPH_AUTHORITY: this.http.baseUrl,
      SIDEKICK_PRESENCE_POLL_SECONDS: '1',
      SIDEKICK_PRESENCE_POLL_WAITING_SECONDS: '1',
      ...(options.push
        ? {
            SIDEKICK_PUBLIC_URL: `http://127.0.0.1:${port}`,
            SIDEKICK_GRAPH_NOTIFICATION_KEY: path.join(this.directory, 'key.pem'),
            SIDEKICK_GRAPH_ACCOUNTS: account,
          }
        : {}),
      ...options.env,
    });
    const { nodeId } = await store.registerNode(this.database.db, { name: `presence-${port}` });
    const metrics = createMetrics({ processMetrics: false });
    const changed: string[] = [];
    const log = silentLog();
    const presence = startNodePresence({
      settings,
      db: this.database.db,
      nodeId,
      clock: systemClock,
      log,
      metrics,
      agentChanged: (agentIds) => changed.push(...agentIds),
    })!;
    const http = await startHttp({
      listen: { host: '127.0.0.1', port },
      adminToken: undefined,
      node: { links: () => presence.links(), stopping: () => false },
      calls: { listCalls: async () => [], findCall: async () => undefined, callEvents: async () => [] },
      ...(presence.notifications ? { notifications: presence.notifications } : {}),
      metrics,
      log,
      version: 'lab',
    });
    let closed: Promise<void> | undefined;
    return {
      nodeId,
      presence,
      http,
      metrics,
      changed,
      close: () =>
        (closed ??= (async () => {
          await presence.close();
          await http.close();
        })()),
    };
  }

  /** What a user's own Teams client shows. */
  shows(name: string, presence: Presence): void {
    this.services.presence.setClient(userOf(name), presence);
  }

  misbehave(command: MisbehaviourInput): void {
    misbehave(misbehaviourSchema.parse(command), this.services, goodMood());
  }

  async agent(name: string): Promise<AgentRow> {
    return (await store.agentByName(this.database.db, name))!;
  }

  async close(): Promise<void> {
    await this.http.close();
    this.services.presence.close();
    await this.services.notifier.close();
    await this.database.close();
    rmSync(this.directory, { recursive: true });
  }
}

/** The id at Entra of one of the simulated agents. */
export function userOf(name: string): string {
  return demoUsers().find((user) => user.name === name)!.entraUserId;
}
