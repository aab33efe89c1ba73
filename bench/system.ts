/** The system under test, put together from processes as in production: Postgres, SIP server, media server, node. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { applyDocument } from '../src/config/documents/apply-document';
import { readDocument } from '../src/config/documents/parse-document';
import { startEmbeddedPostgres } from '../src/embedded/postgres';
import { makeTestAuthority } from '../src/embedded/tls/test-authority';
import type { TestAuthority } from '../src/embedded/tls/test-authority';
import { silentLog } from '../src/lib/log';
import { newToken } from '../src/lib/ids';
import { openDatabase, store } from '../src/store';
import { migrate } from '../src/store/migrate';
import { Child } from './child';
import type { ChildOptions } from './child';
import { compileSources } from './compile';
import { benchDocument } from './document';
import { GRAPH_CLIENT, GRAPH_SECRET, GRAPH_TENANT, Peers } from './peers';
import { pidListeningOn, raisePriority } from './processes';
import type { Part } from './processes';

const HOST = '127.0.0.1';
const SBC = 'sbc1.example.com';

export interface SystemOptions {
  readonly root: string;
  readonly agents: number;
  readonly cpuProfile: string | undefined;
  readonly priority: number | undefined;
}

export interface System {
  readonly servers: 'embedded' | 'real';
  readonly peers: Peers;
  /** Processes whose cost is the system's; the benchmark's own is not among them. */
  readonly parts: readonly Part[];
  readonly node: Child;
  /** Undefined with real servers. */
  readonly media: Child | undefined;
  readonly children: readonly Child[];
  /** Folder with logs of the parts. */
  readonly directory: string;
  /** Calls that the database still holds as open. */
  openRows(): Promise<number>;
  close(): Promise<void>;
}

/** @throws Error or SidekickError of the part that does not start; what was started is ended again */
export async function startSystem(options: SystemOptions): Promise<System> {
  const closers: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) {
      await close();
    }
  };
  try {
    const parts = await assemble(options, closers);
    return { ...parts, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function assemble(options: SystemOptions, closers: (() => Promise<void>)[]): Promise<Omit<System, 'close'>> {
  const directory = mkdtempSync(path.join(tmpdir(), 'sidekick-bench-'));
  const js = await compileSources(options.root);
  closers.push(() => {
    rmSync(js, { recursive: true, force: true });
    rmSync(path.join(directory, 'postgres'), { recursive: true, force: true });
    return Promise.resolve();
  });
  if (options.cpuProfile !== undefined) {
    mkdirSync(options.cpuProfile, { recursive: true });
  }
  const { priority } = options;
  const raise = (pid: number): void => {
    if (priority !== undefined) {
      raisePriority(pid, priority);
    }
  };
  raise(process.pid); // Processes started from now on inherit it, but for Postgres, which has a session of its own.
  const childOptions: ChildOptions = { js, logs: directory, cpuProfile: options.cpuProfile };
  const postgres = await startEmbeddedPostgres({ dataDir: path.join(directory, 'postgres'), log: silentLog() });
  closers.push(() => postgres.close());
  raise(postgres.pid);
  await migrate(postgres.url);
  const real = realServers();
  const authority = await makeTestAuthority({ directory: real?.tlsDir ?? path.join(directory, 'tls') });
  const peers = await Peers.start({ agents: options.agents, authority });
  closers.push(() => peers.close());
  const servers = real ?? (await startServers(authority, childOptions, closers));
  const db = openDatabase({ url: postgres.url, log: silentLog(), max: 2 });
  closers.push(() => db.close());
  const text = benchDocument({ users: peers.users, teamsProxy: peers.teamsProxy, sbcName: SBC });
  await applyDocument(db, readDocument(text, 'bench.yaml'), { by: 'bench' });
  const node = await startChild(
    {
      part: 'node',
      env: {
        ...tuning(),
        SIDEKICK_DATABASE_URL: postgres.url,
        SIDEKICK_DRACHTIO: servers.drachtio,
        SIDEKICK_FREESWITCH: servers.freeswitch,
        SIDEKICK_HTTP: 'off',
        SIDEKICK_NODE_ID: 'bench',
        SIDEKICK_GRAPH_TENANT_ID: GRAPH_TENANT,
        SIDEKICK_GRAPH_CLIENT_ID: GRAPH_CLIENT,
        SIDEKICK_GRAPH_CLIENT_SECRET: GRAPH_SECRET,
        SIDEKICK_GRAPH_BASE_URL: peers.graphUrl,
        SIDEKICK_GRAPH_AUTHORITY: peers.graphUrl,
      },
    },
    childOptions,
    closers,
  );
  const udp = (node.info['transports'] as readonly { protocol: string; host: string; port: number }[]).find(
    (transport) => transport.protocol === 'udp',
  );
  if (!udp) {
    throw new Error('the SIP server has no UDP transport');
  }
  peers.target = { protocol: 'udp', address: udp.host, port: udp.port };
  await presenceIsKnown(db);
  return {
    servers: real ? 'real' : 'embedded',
    peers,
    parts: [
      ...servers.parts,
      { name: 'node', pid: node.pid },
      { name: 'postgres', pid: postgres.pid, withChildren: true },
    ],
    node,
    media: servers.media,
    children: [...servers.children, node],
    directory,
    openRows: async () => {
      const open: Readonly<Record<string, number>> = { ...(await store.openWork(db)) };
      return Object.values(open).reduce((sum, n) => sum + n, 0);
    },
  };
}

interface Servers {
  readonly drachtio: string;
  readonly freeswitch: string;
  readonly parts: readonly Part[];
  readonly media: Child | undefined;
  readonly children: readonly Child[];
}

function realServers(): (Servers & { readonly tlsDir: string }) | undefined {
  const drachtio = process.env['SIDEKICK_TEST_DRACHTIO'];
  const freeswitch = process.env['SIDEKICK_TEST_FREESWITCH'];
  const tlsDir = process.env['SIDEKICK_TEST_TLS_DIR'];
  if (drachtio === undefined && freeswitch === undefined) {
    return undefined;
  }
  if (drachtio === undefined || freeswitch === undefined || tlsDir === undefined) {
    throw new Error(
      'real servers need all of SIDEKICK_TEST_DRACHTIO, SIDEKICK_TEST_FREESWITCH and SIDEKICK_TEST_TLS_DIR',
    );
  }
  const part = (name: string, address: string): Part[] => {
    const pid = pidListeningOn(Number(address.split(':')[1]));
    return pid === undefined ? [] : [{ name, pid }];
  };
  return {
    drachtio,
    freeswitch,
    tlsDir,
    parts: [...part('drachtio', drachtio), ...part('freeswitch', freeswitch)],
    media: undefined,
    children: [],
  };
}

async function startServers(
  authority: TestAuthority,
  options: ChildOptions,
  closers: (() => Promise<void>)[],
): Promise<Servers> {
  const sbc = await authority.issue([SBC]);
  const tls = { key: sbc.key, cert: sbc.cert, ca: sbc.ca };
  const secret = newToken(16);
  const sip = await startChild(
    {
      part: 'sip',
      options: {
        adminHost: HOST,
        adminPort: 0,
        secret,
        listen: [
          { protocol: 'udp', host: HOST, port: 0 },
          { protocol: 'tls', host: HOST, port: 0, tls },
        ],
        tlsClient: tls,
      },
    },
    options,
    closers,
  );
  const media = await startChild(
    {
      part: 'media',
      options: { sip: { host: HOST, port: 0 }, esl: { host: HOST, port: 0, secret }, rtpHost: HOST },
    },
    options,
    closers,
  );
  const port = (info: unknown): number => (info as { readonly port: number }).port;
  return {
    drachtio: `${HOST}:${port(sip.info['admin'])}:${secret}`,
    freeswitch: `${HOST}:${port(media.info['esl'])}:${secret}`,
    parts: [
      { name: 'sip', pid: sip.pid },
      { name: 'media', pid: media.pid },
    ],
    media,
    children: [sip, media],
  };
}

async function startChild(
  order: Parameters<typeof Child.start>[0],
  options: ChildOptions,
  closers: (() => Promise<void>)[],
): Promise<Child> {
  const child = await Child.start(order, options);
  closers.push(() => child.stop());
  return child;
}

/** Settings of the node that whoever runs the benchmark may vary: all SIDEKICK_ names but those of tests. */
function tuning(): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => name.startsWith('SIDEKICK_') && !name.startsWith('SIDEKICK_TEST_')),
  );
}

async function presenceIsKnown(db: Parameters<typeof store.listAgents>[0]): Promise<void> {
  for (const until = Date.now() + 20_000; Date.now() < until;) {
    const agents = await store.listAgents(db);
    if (agents.length > 0 && agents.every((agent) => typeof agent.presence !== 'string')) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the presence of the simulated agents was not read within 20 s; see node.log');
}
