import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readSettings } from '../../src/config/settings';
import { applyDocument } from '../../src/config/documents/apply-document';
import { readDocument } from '../../src/config/documents/parse-document';
import { startCarrier } from '../../src/embedded/carrier/carrier';
import type { Carrier, CarrierCallOptions } from '../../src/embedded/carrier/carrier';
import type { CarrierCall } from '../../src/embedded/carrier/carrier-call';
import { startMediaServer } from '../../src/embedded/media-server/media-server';
import { startSipServer } from '../../src/embedded/sip-server';
import type { Peer } from '../../src/embedded/sip/types';
import { startTeamsTenant } from '../../src/embedded/teams/tenant';
import type { TeamsTenant } from '../../src/embedded/teams/tenant';
import { demoUsers } from '../../src/embedded/teams/users';
import { makeTestAuthority } from '../../src/embedded/tls/test-authority';
import { createLog, silentLog } from '../../src/lib/log';
import { startNode } from '../../src/node';
import type { Node } from '../../src/node';
import { store } from '../../src/store';
import type { AgentRow, CallRow, StoredCallEvent } from '../../src/store';
import { testDatabase } from './database';
import type { TestDatabase } from './database';

export const SUPPORT = '+49301000100';
export const CALLER_TONE = 700;
/** Tones of the five simulated agents, by name. */
export const AGENT_TONES: Readonly<Record<string, number>> = {
  anna: 1100,
  ben: 1300,
  clara: 1500,
  david: 1700,
  emma: 1900,
};
const SBC = 'sbc1.example.com';

/** Real servers, where the environment names them; the stories then run against those. */
export const REAL = {
  drachtio: process.env['SIDEKICK_TEST_DRACHTIO'],
  freeswitch: process.env['SIDEKICK_TEST_FREESWITCH'],
  tlsDir: process.env['SIDEKICK_TEST_TLS_DIR'],
  /** A second drachtio-server, with another certificate, for the stories in which one takes over from the other. */
  nextDrachtio: process.env['SIDEKICK_TEST_DRACHTIO_NEXT'],
};

export interface LabOptions {
  /** Agents that are configured and signed in, of the five simulated ones. Default: anna. */
  readonly agents?: readonly string[];
  /** Settings of the queue on top of the lab's defaults (no wrap-up, ring 5 s). */
  readonly queue?: Readonly<Record<string, unknown>>;
  /** Settings of the carrier trunk on top of the lab's defaults. */
  readonly carrier?: Readonly<Record<string, unknown>>;
  /** Settings of the Teams trunk on top of the lab's defaults. */
  readonly teams?: Readonly<Record<string, unknown>>;
  /** Domains of the simulated tenant. Default: example.com. */
  readonly domains?: readonly string[];
  /** Names in the SBC's certificate. Default: sbc1.example.com. */
  readonly sbcNames?: readonly string[];
  /** Names in the certificate of the simulated tenant. Default: the three of Microsoft's proxies. */
  readonly teamsNames?: readonly string[];
  /** First SIP timer of the simulated tenant, milliseconds; it waits 64 times as long for an ACK. Default 500. */
  readonly teamsT1Ms?: number;
  /** First SIP timer of the embedded SIP server, milliseconds: it waits 64 times as long for a final answer. Default 500. */
  readonly sipT1Ms?: number;
  /** Shortest session interval of the embedded SIP server, seconds. Default 90, which is that of the real one. */
  readonly minSessionSeconds?: number;
  /** Names of the proxies, all at the simulated tenant. Default: the first one. */
  readonly proxies?: readonly string[];
  /** A whole configuration instead of the lab's own; `teamsProxy` is where the simulated tenant takes calls. */
  readonly document?: (addresses: { readonly teamsProxy: string }) => string;
  /** Plays this before the queue. Default: nothing. */
  readonly greeting?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Tones that the agents listen for. Default: that of callers. */
  readonly agentsListenFor?: readonly number[];
}

/** A whole contact center for one test file: database, servers (embedded or real), simulated Teams and carrier, one node. */
export class CallLab {
  readonly node: Node;
  readonly tenant: TeamsTenant;
  /** One simulated carrier per protocol. */
  readonly carriers: Readonly<Record<'udp' | 'tcp', Carrier>>;
  readonly database: TestDatabase;
  /** Where carriers call, by protocol. */
  readonly udp: Peer;
  readonly tcp: Peer;
  readonly #dialled: CarrierCall[] = [];
  readonly #closers: (() => Promise<void>)[];
  readonly #mediaChannels: (() => number) | undefined;
  readonly #sipDialogs: (() => number) | undefined;
  readonly #startPair: LabParts['startPair'];
  readonly #startAgain: LabParts['startAgain'];

  private constructor(parts: LabParts) {
    this.node = parts.node;
    this.tenant = parts.tenant;
    this.carriers = parts.carriers;
    this.database = parts.database;
    this.udp = parts.udp;
    this.tcp = parts.tcp;
    this.#closers = parts.closers;
    this.#mediaChannels = parts.mediaChannels;
    this.#sipDialogs = parts.sipDialogs;
    this.#startPair = parts.startPair;
    this.#startAgain = parts.startAgain;
  }

  static async start(options: LabOptions = {}): Promise<CallLab> {
    const closers: (() => Promise<void>)[] = [];
    try {
      return new CallLab(await startParts(options, closers));
    } catch (error) {
      for (const close of closers.reverse()) {
        await close();
      }
      throw error;
    }
  }

  /** Places a call from the simulated carrier. The caller speaks `CALLER_TONE` and listens for the agents. */
  async dial(options: Partial<CarrierCallOptions> & { readonly over?: 'udp' | 'tcp' } = {}): Promise<CarrierCall> {
    const { over = 'udp', ...rest } = options;
    const call = await this.carriers[over].call({
      to: SUPPORT,
      target: this[over],
      from: '+491700000001',
      toneHz: CALLER_TONE,
      listenFor: Object.values(AGENT_TONES),
      ...rest,
    });
    this.#dialled.push(call);
    return call;
  }

  /**
   * Starts a second pair of SIP server and node on the same database and media server; the SIP server shows a certificate of its
   * own. It is closed with the lab. Undefined on real servers where SIDEKICK_TEST_DRACHTIO_NEXT names no second one.
   */
  async startPair(sbcNames: readonly string[]): Promise<LabPair | undefined> {
    return await this.#startPair(sbcNames);
  }

  /** Starts the node again, after it was closed: the same servers, the same name. It is closed with the lab. */
  async startAgain(): Promise<Node> {
    return await this.#startAgain();
  }

  /** Rows of calls, newest first, ended ones too. */
  async calls(): Promise<readonly CallRow[]> {
    return await store.listCalls(this.database.db, { includeEnded: true, limit: 1_000 });
  }

  /** The row of a dialled call, once it is there. */
  async row(call: { readonly sipCallId: string }): Promise<CallRow> {
    return await eventually(`call ${call.sipCallId} in the database`, async () =>
      store.findCallBySipCallId(this.database.db, call.sipCallId),
    );
  }

  /** Kinds of a call's events in order, once all of `until` are among them (events are written in batches). */
  async story(
    call: { readonly sipCallId: string },
    until: readonly string[] = ['call:ended'],
  ): Promise<readonly string[]> {
    return await eventually(`${until.join(', ')} in the story`, async () => {
      const kinds = (await this.events(call)).map((e) => e.kind);
      return until.every((kind) => kinds.includes(kind)) ? kinds : undefined;
    });
  }

  async events(call: { readonly sipCallId: string }): Promise<readonly StoredCallEvent[]> {
    const row = await this.row(call);
    return await store.callEvents(this.database.db, row.id);
  }

  /** Waits until the node has told this of a call: it has acted upon it then. */
  async told(call: { readonly sipCallId: string }, kind: string): Promise<StoredCallEvent> {
    return await eventually(kind, async () => (await this.events(call)).find((event) => event.kind === kind));
  }

  async agent(name: string): Promise<AgentRow> {
    const agent = await store.agentByName(this.database.db, name);
    if (!agent) {
      throw new Error(`no agent ${name}`);
    }
    return agent;
  }

  /** Waits until the call has ended in the database and gives how. */
  async ending(call: {
    readonly sipCallId: string;
  }): Promise<{ result: string | undefined; reason: string | undefined }> {
    const row = await eventually(`the end of call ${call.sipCallId}`, async () => {
      const found = await store.findCallBySipCallId(this.database.db, call.sipCallId);
      return found?.endedAt === undefined ? undefined : found;
    });
    return { result: row.result, reason: row.reason };
  }

  /** Makes every agent ready, forgets misses, and puts them in the order of their names, so that stories are independent. */
  async readyAll(): Promise<void> {
    await this.database.db.query('delete from call_exclusions');
    await this.database.db.query(
      `update agent_states s set state = 'ready', reason = null, until = null, missed_in_row = 0, last_call_ended_at = null,
         ready_since = clock_timestamp() - interval '1 hour' + interval '1 minute' * o.place, changed_at = clock_timestamp()
       from (select id, row_number() over (order by name) as place from agents) o where o.id = s.agent_id`,
    );
    await this.database.db.query(
      `select pg_notify('sidekick', json_build_object('k', 'agent', 'id', id)::text) from agents`,
    );
  }

  /** Ends what a failed story left, so that the next one starts clean. */
  async cleanUp(): Promise<void> {
    const live = this.#dialled.splice(0).filter((call) => call.state !== 'ended');
    await Promise.allSettled(live.map((call) => call.hangUp()));
  }

  /** Fails if a call, leg, channel, dialog, offer or reservation is left behind anywhere. */
  async expectNothingLeft(): Promise<void> {
    const look = async (): Promise<Record<string, number>> => ({
      ...this.node.open(),
      ...(await store.openWork(this.database.db)),
      teamsCalls: this.tenant.live,
      carrierCalls: this.carriers.udp.live + this.carriers.tcp.live,
      channels: this.#mediaChannels?.() ?? 0,
      dialogs: this.#sipDialogs?.() ?? 0,
    });
    let last: Record<string, number> = {};
    try {
      await eventually('nothing left', async () => {
        last = await look();
        return Object.values(last).every((n) => n === 0) ? true : undefined;
      });
    } catch {
      throw new Error(`left behind: ${JSON.stringify(last)}`);
    }
  }

  async close(): Promise<void> {
    for (const close of [...this.#closers].reverse()) {
      await close();
    }
  }
}

export interface LabPair {
  readonly node: Node;
  readonly udp: Peer;
}

interface LabParts {
  readonly startAgain: () => Promise<Node>;
  readonly startPair: (sbcNames: readonly string[]) => Promise<LabPair | undefined>;
  readonly node: Node;
  readonly tenant: TeamsTenant;
  readonly carriers: Readonly<Record<'udp' | 'tcp', Carrier>>;
  readonly database: TestDatabase;
  readonly udp: Peer;
  readonly tcp: Peer;
  readonly closers: (() => Promise<void>)[];
  readonly mediaChannels: (() => number) | undefined;
  readonly sipDialogs: (() => number) | undefined;
}

async function startParts(options: LabOptions, closers: (() => Promise<void>)[]): Promise<LabParts> {
  const log = process.env['SIDEKICK_TEST_LOG'] ? createLog(process.env['SIDEKICK_TEST_LOG']) : silentLog();
  const database = await testDatabase();
  closers.push(() => database.close());
  const authority = await makeTestAuthority({ directory: REAL.tlsDir ?? path.join(tmpdir(), 'sidekick-test-tls') });
  const teamsIdentity = await authority.issue(
    options.teamsNames ?? ['sip', 'sip2', 'sip3'].map((name) => `${name}.pstnhub.microsoft.com`),
  );
  const tenant = await startTeamsTenant({
    host: '127.0.0.1',
    sipPort: 0,
    httpPort: 0,
    tls: teamsIdentity,
    sbcCa: authority.ca,
    tenantId: '11111111-2222-4333-8444-555555555555',
    clientId: '66666666-7777-4888-8999-aaaaaaaaaaaa',
    clientSecret: 'lab-secret',
    domains: options.domains ?? ['example.com'],
    users: demoUsers().map((user) => ({ ...user, script: { kind: 'answer', afterMs: 200 } })),
    listenFor: options.agentsListenFor ?? [CALLER_TONE],
    ...(options.teamsT1Ms === undefined ? {} : { timers: { t1: options.teamsT1Ms } }),
    log,
  });
  closers.push(() => tenant.close());
  const servers = REAL.drachtio && REAL.freeswitch ? undefined : await startEmbedded(closers, authority, options);
  const teamsProxy = `127.0.0.1:${tenant.sipPort}`;
  const text = options.document?.({ teamsProxy }) ?? labDocument(options, teamsProxy);
  await applyDocument(database.db, readDocument(text, 'lab.yaml'), { by: 'lab' });
  const environment = {
    SIDEKICK_DATABASE_URL: database.url,
    SIDEKICK_DRACHTIO: servers?.drachtio ?? REAL.drachtio,
    SIDEKICK_FREESWITCH: servers?.freeswitch ?? REAL.freeswitch,
    SIDEKICK_HTTP: 'off',
    SIDEKICK_GRAPH_TENANT_ID: '11111111-2222-4333-8444-555555555555',
    SIDEKICK_GRAPH_CLIENT_ID: '66666666-7777-4888-8999-aaaaaaaaaaaa',
    SIDEKICK_GRAPH_CLIENT_SECRET: 'lab-secret',
    SIDEKICK_GRAPH_BASE_URL: tenant.baseUrl,
    SIDEKICK_GRAPH_AUTHORITY: tenant.baseUrl,
    SIDEKICK_PRESENCE_POLL_SECONDS: '1',
    SIDEKICK_PRESENCE_POLL_WAITING_SECONDS: '1',
    SIDEKICK_LOG_LEVEL: 'info',
    ...options.env,
  };
  const node = await startNode(readSettings(environment), { log });
  closers.push(() => node.close({ drainMs: 0 }));
  const startPair = async (sbcNames: readonly string[]): Promise<LabPair | undefined> => {
    const drachtio = servers ? await startSip(closers, authority, { sbcNames }) : REAL.nextDrachtio;
    if (drachtio === undefined) {
      return undefined;
    }
    const address = typeof drachtio === 'string' ? drachtio : drachtio.drachtio;
    const next = await startNode(
      readSettings({ ...environment, SIDEKICK_DRACHTIO: address, SIDEKICK_NODE_ID: 'next' }),
      { log },
    );
    closers.push(() => next.close({ drainMs: 0 }));
    return { node: next, udp: bound(next, 'udp') };
  };
  const startAgain = async (): Promise<Node> => {
    const again = await startNode(readSettings(environment), { log });
    closers.push(() => again.close({ drainMs: 0 }));
    return again;
  };
  const carriers = {
    udp: await startCarrier({ host: '127.0.0.1', port: 0, protocol: 'udp' }),
    tcp: await startCarrier({ host: '127.0.0.1', port: 0, protocol: 'tcp' }),
  };
  closers.push(async () => {
    await carriers.udp.close();
    await carriers.tcp.close();
  });
  await eventually('presence of all agents', async () => {
    const agents = await store.listAgents(database.db);
    return agents.every((a) => a.endpoint?.kind !== 'teams' || typeof a.presence !== 'string') ? true : undefined;
  });
  return {
    node,
    tenant,
    carriers,
    database,
    udp: bound(node, 'udp'),
    tcp: bound(node, 'tcp'),
    startPair,
    startAgain,
    closers,
    mediaChannels: servers?.mediaChannels,
    sipDialogs: servers?.sipDialogs,
  };
}

function bound(node: Node, protocol: 'udp' | 'tcp'): Peer {
  const transport = node.transports.find((t) => t.protocol === protocol);
  if (!transport) {
    throw new Error(`the SIP server has no ${protocol} transport`);
  }
  return { protocol, address: transport.host, port: transport.port };
}

interface EmbeddedServers {
  readonly drachtio: string;
  readonly freeswitch: string;
  readonly mediaChannels: () => number;
  readonly sipDialogs: () => number;
}

type ServerOptions = Pick<LabOptions, 'sbcNames' | 'minSessionSeconds' | 'sipT1Ms'>;

async function startSip(
  closers: (() => Promise<void>)[],
  authority: Awaited<ReturnType<typeof makeTestAuthority>>,
  { sbcNames = [SBC], minSessionSeconds, sipT1Ms }: ServerOptions,
): Promise<Pick<EmbeddedServers, 'drachtio' | 'sipDialogs'>> {
  const sbc = await authority.issue(sbcNames);
  const sip = await startSipServer({
    adminHost: '127.0.0.1',
    adminPort: 0,
    secret: 'lab',
    listen: [
      { protocol: 'udp', host: '127.0.0.1', port: 0 },
      { protocol: 'tcp', host: '127.0.0.1', port: 0 },
      { protocol: 'tls', host: '127.0.0.1', port: 0, tls: { key: sbc.key, cert: sbc.cert, ca: sbc.ca } },
    ],
    tlsClient: { key: sbc.key, cert: sbc.cert, ca: sbc.ca },
    ...(sipT1Ms === undefined ? {} : { timers: { t1: sipT1Ms } }),
    ...(minSessionSeconds === undefined ? {} : { minSessionExpires: minSessionSeconds }),
  });
  closers.push(() => sip.close());
  return { drachtio: `${sip.admin.host}:${sip.admin.port}:lab`, sipDialogs: () => sip.dialogs };
}

async function startEmbedded(
  closers: (() => Promise<void>)[],
  authority: Awaited<ReturnType<typeof makeTestAuthority>>,
  options: ServerOptions,
): Promise<EmbeddedServers> {
  const sip = await startSip(closers, authority, options);
  const recordings = await mkdtemp(path.join(tmpdir(), 'sidekick-recordings-'));
  closers.push(() => rm(recordings, { recursive: true, force: true }));
  const media = await startMediaServer({
    sip: { host: '127.0.0.1', port: 0 },
    esl: { host: '127.0.0.1', port: 0, secret: 'lab' },
    rtpHost: '127.0.0.1',
    globals: { recordings_dir: recordings },
  });
  closers.push(() => media.close());
  return {
    ...sip,
    freeswitch: `${media.esl.host}:${media.esl.port}:lab`,
    mediaChannels: () => media.channels,
  };
}

function labDocument(options: LabOptions, teamsProxy: string): string {
  const names = options.agents ?? ['anna'];
  const users = demoUsers().filter((user) => names.includes(user.name));
  const document = {
    apiVersion: 'sidekick/v1',
    tenants: [{ name: 'lab', country: 'DE', timeZone: 'Europe/Berlin' }],
    trunks: [
      {
        name: 'carrier',
        kind: 'carrier',
        tenant: 'lab',
        sources: ['127.0.0.0/8'],
        country: 'DE',
        callsPerSecond: 1_000,
        ...options.carrier,
      },
      {
        name: 'teams',
        kind: 'teams',
        tenant: 'lab',
        sbcName: SBC,
        sources: ['127.0.0.0/8'],
        ...options.teams,
        proxies: (options.proxies ?? ['sip.pstnhub.microsoft.com']).map((host) => ({ host, address: teamsProxy })),
      },
    ],
    ...(options.greeting === undefined ? {} : { prompts: [{ name: 'hello', tenant: 'lab', tone: options.greeting }] }),
    queues: [
      {
        name: 'support',
        tenant: 'lab',
        wrapUpSeconds: 0,
        ringTimeoutSeconds: 5,
        retryAfterSeconds: { noAnswer: 3_600, declined: 3_600, busy: 3_600, unreachable: 3_600 },
        members: users.map((user, i) => ({ agent: user.name, position: i + 1 })),
        ...options.queue,
      },
    ],
    numbers: [
      {
        number: SUPPORT,
        tenant: 'lab',
        queue: 'support',
        ...(options.greeting === undefined ? {} : { greeting: 'hello' }),
      },
    ],
    agents: users.map((user) => ({
      name: user.name,
      tenant: 'lab',
      displayName: user.displayName,
      signedIn: true,
      endpoints: [{ kind: 'teams', trunk: 'teams', number: user.number, entraUserId: user.entraUserId }],
    })),
  };
  return JSON.stringify(document);
}

/** Polls until `probe` gives something; fails after `timeoutMs` naming what was waited for. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 10_000,
): Promise<T> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined) {
      return found;
    }
    if (Date.now() > until) {
      throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
