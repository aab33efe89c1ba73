/**
 * `npm run bench:presence`: how soon a change of presence in the tenant is known here, by polling and by notifications, and how
 * many requests that takes of Graph's limits. The tenant is the simulated one, over HTTP on this machine; everything else is the
 * product's, with Postgres. Graph's own lag comes on top. See docs/benchmarks.md.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { readSettings } from '../src/config/settings';
import { startEmbeddedPostgres } from '../src/embedded/postgres';
import type { TenantControl } from '../src/embedded/teams/control-routes';
import { startTenantHttp } from '../src/embedded/teams/tenant-http';
import { makeServices } from '../src/embedded/teams/tenant-services';
import type { TenantServices } from '../src/embedded/teams/tenant-services';
import { makeTestAuthority } from '../src/embedded/tls/test-authority';
import { startHttp } from '../src/http/server';
import { sleep, systemClock } from '../src/lib/clock';
import { newId } from '../src/lib/ids';
import { createLog } from '../src/lib/log';
import { createMetrics } from '../src/lib/metrics';
import { startNodePresence } from '../src/node-presence';
import { migrate, openDatabase, store } from '../src/store';
import type { Database } from '../src/store';
import { summarise } from './statistics';

const TENANT = '8e0bd3c4-1111-4222-8333-0123456789ab';
const CLIENT = '0c3a9f10-1111-4222-8333-0123456789ab';
const ACCOUNT = 'presence@example.com';
const HTTP_PORT = 18_087;
/** Published limit of batch requests, in a minute. */
const LIMIT_PER_MINUTE = 3_000;
const CHANGE_EVERY_MS = 100;

interface Run {
  readonly agents: number;
  readonly push: boolean;
  readonly seconds: number;
}

interface Floor {
  /** User at Entra by agent. */
  readonly users: ReadonlyMap<string, string>;
}

const AGENTS_PER_QUEUE = 100;

/** Agents who are all ready, in queues of a hundred in each of which a call waits: every one could be offered a call now. */
async function makeFloor(db: Database, agents: number): Promise<Floor> {
  await db.query('truncate tenants, nodes, presence_scopes, graph_subscriptions restart identity cascade');
  const { rows } = await db.query<{ tenant: string; trunk: string }>(
    `with t as (insert into tenants (name, country, time_zone) values ('bench', 'DE', 'Europe/Berlin') returning id)
     insert into trunks (tenant_id, name, kind, settings) select id, 'teams', 'teams', '{"sbcName": "sbc.example.com"}' from t
     returning tenant_id as tenant, id as trunk`,
  );
  const { tenant = '', trunk = '' } = rows[0] ?? {};
  const { nodeId } = await store.registerNode(db, { name: 'calls' });
  for (let first = 0; first < agents; first += AGENTS_PER_QUEUE) {
    const queue = await db.query<{ id: string }>(
      `with q as (insert into queues (tenant_id, name) values ($1, 'queue-' || $2::int) returning id),
       a as (insert into agents (tenant_id, name, display_name, signed_in_by_default)
         select $1, 'agent-' || n, 'Agent ' || n, true from generate_series($2::int, $2::int + $3::int - 1) n returning id, name),
       e as (insert into agent_endpoints (agent_id, tenant_id, kind, trunk_id, number, entra_user_id)
         select id, $1, 'teams', $4, '+4930' || (1000000 + substr(name, 7)::int), gen_random_uuid() from a),
       m as (insert into queue_members (queue_id, agent_id, tenant_id) select q.id, a.id, $1 from a, q)
       select id from q`,
      [tenant, first, Math.min(AGENTS_PER_QUEUE, agents - first), trunk],
    );
    const id = newId();
    await store.insertCall(db, { id, tenantId: tenant, nodeId, dialledNumber: '+49301000100', sipCallId: id });
    await store.markCallAnswered(db, id);
    await store.enqueue(db, { callId: id, queueId: queue.rows[0]?.id ?? '' });
  }
  const users = await db.query<{ agent: string; user: string }>(
    'select agent_id as agent, entra_user_id as user from agent_endpoints',
  );
  return { users: new Map(users.rows.map((row) => [row.agent, row.user])) };
}

function makeTenant(floor: Floor): TenantServices {
  const users = [...floor.users.values()].map((entraUserId, i) => ({
    name: `user-${i}`,
    displayName: `User ${i}`,
    number: `+4930${1_000_000 + i}`,
    entraUserId,
    toneHz: 1_000,
  }));
  const options = { tenantId: TENANT, clientId: CLIENT, clientSecret: 'bench', users, accounts: [{ name: ACCOUNT }] };
  return makeServices({ ...options, presenceLagMs: 0 }, systemClock);
}

interface Measured {
  readonly known: readonly number[];
  readonly perMinute: number;
  readonly broken: number;
}

async function measure(db: Database, url: string, directory: string, run: Run): Promise<Measured> {
  const floor = await makeFloor(db, run.agents);
  const services = makeTenant(floor);
  const tenant = await startTenantHttp({ host: '127.0.0.1', port: 0 }, services, {} as TenantControl, TENANT);
  const account = path.join(directory, 'account.json');
  writeFileSync(account, JSON.stringify({ account: ACCOUNT, refreshToken: services.accounts.refreshTokenOf(ACCOUNT) }));
  const settings = readSettings({
    SIDEKICK_DATABASE_URL: url,
    SIDEKICK_DRACHTIO: '127.0.0.1:1:none',
    SIDEKICK_FREESWITCH: '127.0.0.1:1:none',
    SIDEKICK_GRAPH_TENANT_ID: TENANT,
    SIDEKICK_GRAPH_CLIENT_ID: CLIENT,
    SIDEKICK_GRAPH_CLIENT_SECRET: 'bench',
    SIDEKICK_GRAPH_BASE_URL: tenant.baseUrl,
    SIDEKICK_GRAPH_AUTHORITY: tenant.baseUrl,
    ...(run.push
      ? {
          SIDEKICK_PRESENCE_POLL_SECONDS: '300',
          SIDEKICK_PRESENCE_POLL_WAITING_SECONDS: '300',
          SIDEKICK_PUBLIC_URL: `http://127.0.0.1:${HTTP_PORT}`,
          SIDEKICK_GRAPH_NOTIFICATION_KEY: path.join(directory, 'key.pem'),
          SIDEKICK_GRAPH_ACCOUNTS: account,
        }
      : {}),
  });
  const { nodeId } = await store.registerNode(db, { name: 'presence' });
  const [log, metrics] = [createLog('error'), createMetrics({ processMetrics: false })];
  const changedAt = new Map<string, number>();
  const known: number[] = [];
  const agentChanged = (agentIds: readonly string[]): void => {
    for (const agentId of agentIds) {
      const at = changedAt.get(agentId);
      if (at !== undefined) {
        known.push(performance.now() - at);
        changedAt.delete(agentId);
      }
    }
  };
  const presence = startNodePresence({ settings, db, nodeId, clock: systemClock, log, metrics, agentChanged });
  const notifications = presence?.notifications;
  const http = notifications && (await startWebhook(notifications, log, metrics));
  await sleep(4_000);
  const before = services.graph.requests;
  const began = performance.now();
  await change(services, floor, changedAt, run.seconds);
  const requests = services.graph.requests - before;
  const minutes = (performance.now() - began) / 60_000;
  await sleep(3_000);
  await presence?.close();
  await http?.close();
  await tenant.close();
  await services.notifier.close();
  services.presence.close();
  return { known, perMinute: requests / minutes, broken: services.graphRules.list().length };
}

function startWebhook(
  notifications: { take(body: unknown): boolean },
  log: ReturnType<typeof createLog>,
  metrics: ReturnType<typeof createMetrics>,
): ReturnType<typeof startHttp> {
  const listen = { host: '127.0.0.1', port: HTTP_PORT };
  const nobody = { links: () => ({}), stopping: () => false };
  return startHttp({ listen, node: nobody, notifications, metrics, log, version: 'bench' } as unknown as Parameters<
    typeof startHttp
  >[0]);
}

/** Changes one user after another, each once, so that every change can be told from the others. */
async function change(
  services: TenantServices,
  floor: Floor,
  changedAt: Map<string, number>,
  seconds: number,
): Promise<void> {
  const agents = [...floor.users];
  const step = Math.max(1, Math.floor(agents.length / ((seconds * 1000) / CHANGE_EVERY_MS)));
  const until = performance.now() + seconds * 1000;
  for (let i = 0; performance.now() < until; i++) {
    const [agent, user] = agents[(i * step) % agents.length] ?? ['', ''];
    if (!changedAt.has(agent)) {
      const busy = services.presence.read(user)?.availability === 'Busy';
      changedAt.set(agent, performance.now());
      services.presence.setClient(
        user,
        busy ? { availability: 'Available', activity: 'Available' } : { availability: 'Busy', activity: 'InACall' },
      );
    }
    await sleep(CHANGE_EVERY_MS + Math.random() * 20);
  }
}

async function main(): Promise<void> {
  const quick = process.argv.includes('--quick');
  const seconds = quick ? 5 : 12;
  const runs: Run[] = [
    { agents: 200, push: false, seconds },
    { agents: 2_000, push: false, seconds },
    { agents: 10_000, push: false, seconds },
    { agents: 200, push: true, seconds },
  ];
  const directory = mkdtempSync(path.join(tmpdir(), 'sidekick-bench-presence-'));
  const identity = await (await makeTestAuthority()).issue(['notifications.bench']);
  writeFileSync(path.join(directory, 'key.pem'), identity.key + identity.leaf);
  const postgres = await startEmbeddedPostgres({ dataDir: path.join(directory, 'postgres'), log: createLog('error') });
  try {
    await migrate(postgres.url);
    const db = openDatabase({ url: postgres.url, log: createLog('error'), max: 8 });
    process.stdout.write(`load before: ${loadavg()[0]?.toFixed(1) ?? ''}\n`);
    process.stdout.write(
      'agents  by             changes  known after ms: p50    p95    max   requests/min  of the limit  rules broken\n',
    );
    for (const run of runs) {
      const { known, perMinute, broken } = await measure(db, postgres.url, directory, run);
      const figures = summarise(known);
      const cell = (value: number | undefined, width: number): string => (value?.toFixed(0) ?? '-').padStart(width);
      process.stdout.write(
        `${String(run.agents).padStart(6)}  ${(run.push ? 'notification' : 'poll of 2 s').padEnd(13)} ${cell(figures?.n, 8)} ${cell(figures?.p50, 20)} ` +
          `${cell(figures?.p95, 6)} ${cell(figures?.max, 6)} ${cell(perMinute, 14)} ${((100 * perMinute) / LIMIT_PER_MINUTE).toFixed(1).padStart(12)}% ${String(broken).padStart(13)}\n`,
      );
    }
    await db.close();
  } finally {
    await postgres.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

void main();
