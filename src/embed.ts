/**
 * Puts the embedded parts together: what stands in for Postgres, drachtio-server, FreeSWITCH and a Teams tenant where none is
 * installed. It returns settings that point at them; the node that is started with these settings cannot tell the difference.
 *
 * `<data>/tls` holds a test authority and the identities it issued, `<data>/postgres` the database, `<data>/ports.json` the
 * ports of the first start, so that addresses in the stored configuration stay right.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Embedded, EmbeddedPart, EmbedRequest, SimulatedTenant } from './cli/ports';
import { formatHostPort } from './config/settings-values';
import { startMediaServer } from './embedded/media-server/media-server';
import { startEmbeddedPostgres } from './embedded/postgres';
import { startSipServer } from './embedded/sip-server/sip-server';
import type { EmbeddedSipServer } from './embedded/sip-server/sip-server';
import { playScenario, requireScenario } from './embedded/teams/scenarios';
import { startTeamsTenant } from './embedded/teams/tenant';
import { demoUsers } from './embedded/teams/users';
import { writeWhole } from './embedded/tls/files';
import { makeTestAuthority } from './embedded/tls/test-authority';
import type { IssuedIdentity } from './embedded/tls/test-authority';
import { errorCodeOf } from './lib/errno';
import { describeError, isSidekickError } from './lib/errors';
import { newToken } from './lib/ids';
import { packageFolder } from './lib/package';
import type { Log } from './lib/log';

const HOST = '127.0.0.1';
/** Name of our SBC in the simulated tenant: in Contact, in the certificate, in the trunk. */
const SBC_NAME = 'sbc.sidekick.example';
const TEAMS_NAMES = ['sip.pstnhub.microsoft.com', 'sip2.pstnhub.microsoft.com', 'sip3.pstnhub.microsoft.com'];
const TENANT_ID = '5a7f0c1e-0000-4000-8000-000000000001';
const CLIENT_ID = '5a7f0c1e-0000-4000-8000-000000000002';

/** Ports that should stay the same from start to start; 0 = not chosen yet. */
interface KeptPorts {
  readonly sipTls: number;
  readonly teamsSip: number;
  readonly teamsHttp: number;
}

interface Identities {
  /** PEM of the test authority's root. */
  readonly ca: string;
  readonly sbc: IssuedIdentity;
  readonly proxies: IssuedIdentity;
}

/**
 * Starts the parts that are asked for. If one fails, the others are closed again.
 * @throws SidekickError SK_PORT_TAKEN, SK_CONFLICT (folder in use), SK_POSTGRES_UNREACHABLE
 */
export async function startEmbedded(request: EmbedRequest): Promise<Embedded> {
  const assembly = new Assembly(request);
  try {
    return await assembly.start();
  } catch (error) {
    await assembly.close();
    throw error;
  }
}

class Assembly {
  readonly #request: EmbedRequest;
  readonly #log: Log;
  readonly #closers: { readonly part: EmbeddedPart; readonly close: () => Promise<void> }[] = [];
  readonly #settings: Record<string, string> = {};
  readonly #ports: KeptPorts;
  #sip: EmbeddedSipServer | undefined;
  #tenant: SimulatedTenant | undefined;
  #closing: Promise<void> | undefined;

  constructor(request: EmbedRequest) {
    this.#request = request;
    this.#log = request.log.child({ room: 'embedded' });
    this.#ports = readPorts(request.dataDir);
  }

  async start(): Promise<Embedded> {
    const { parts } = this.#request;
    // The database, the keys and the media server do not need each other, and each takes its time.
    const [tls] = await allOrError([
      parts.includes('sip') || parts.includes('teams') ? this.#makeIdentities() : undefined,
      parts.includes('postgres') ? this.#startPostgres() : undefined,
      parts.includes('media') ? this.#startMedia() : undefined,
    ]);
    if (tls && parts.includes('sip')) {
      await this.#startSip(tls.sbc);
    }
    if (tls && parts.includes('teams')) {
      await this.#startTeams(tls);
    }
    await this.#keepPorts();
    const udp = this.#sip?.listening.find((peer) => peer.protocol === 'udp');
    return {
      settings: this.#settings,
      sip: udp && { host: udp.address, port: udp.port },
      tenant: this.#tenant,
      close: () => this.close(),
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const { part, close } of [...this.#closers].reverse()) {
      try {
        await close();
      } catch (error) {
        this.#log.error(
          { event: 'embedded:close-failed', part, error: describeError(error) },
          'an embedded part did not close',
        );
      }
    }
  }

  async #makeIdentities(): Promise<Identities> {
    const folder = path.join(this.#request.dataDir, 'tls');
    const authority = await makeTestAuthority({ directory: path.join(folder, 'authority') });
    const [sbc, proxies] = await Promise.all([
      authority.writeIdentity(path.join(folder, 'sbc'), [SBC_NAME]),
      authority.writeIdentity(path.join(folder, 'teams'), TEAMS_NAMES),
    ]);
    return { ca: authority.ca, sbc, proxies };
  }

  async #startPostgres(): Promise<void> {
    const postgres = await startEmbeddedPostgres({
      dataDir: path.join(this.#request.dataDir, 'postgres'),
      log: this.#log,
      onUnexpectedExit: (why) => this.#request.onFailure('postgres', why),
    });
    this.#closers.push({ part: 'postgres', close: () => postgres.close() });
    this.#settings['SIDEKICK_DATABASE_URL'] = postgres.url;
  }

  async #startSip(sbc: IssuedIdentity): Promise<void> {
    const { host, port } = this.#request.sip;
    const secret = newToken(16);
    const mutual = { key: sbc.key, cert: sbc.cert, ca: sbc.ca, requireClientCertificate: true };
    const sip = await keepingPort(this.#ports.sipTls, (tlsPort) =>
      startSipServer({
        adminHost: HOST,
        adminPort: 0,
        secret,
        listen: [
          { protocol: 'udp', host, port },
          { protocol: 'tcp', host, port },
          { protocol: 'tls', host: HOST, port: tlsPort, tls: mutual },
        ],
        tlsClient: { key: sbc.key, cert: sbc.cert, ca: sbc.ca },
        log: this.#log,
      }),
    );
    this.#closers.push({ part: 'sip', close: () => sip.close() });
    this.#sip = sip;
    this.#settings['SIDEKICK_DRACHTIO'] = `${formatHostPort(sip.admin)}:${secret}`;
  }

  async #startMedia(): Promise<void> {
    const secret = newToken(16);
    const recordings = path.join(this.#request.dataDir, 'recordings');
    mkdirSync(recordings, { recursive: true });
    const media = await startMediaServer({
      sip: { host: HOST, port: 0 },
      esl: { host: HOST, port: 0, secret },
      rtpHost: this.#request.sip.host,
      prompts: path.join(packageFolder(), 'sbc-config', 'prompts'),
      globals: { recordings_dir: recordings },
      log: (event, details) => this.#log.debug({ event: `media:${event}`, ...details }, 'media server'),
    });
    this.#closers.push({ part: 'media', close: () => media.close() });
    this.#settings['SIDEKICK_FREESWITCH'] = `${formatHostPort(media.esl)}:${secret}`;
  }

  async #startTeams({ ca, proxies }: Identities): Promise<void> {
    const clientSecret = newToken(16);
    const sipTls = this.#sip?.listening.find((peer) => peer.protocol === 'tls');
    const start = (sipPort: number, httpPort: number) =>
      startTeamsTenant({
        host: HOST,
        sipPort,
        httpPort,
        tls: proxies,
        sbcCa: ca,
        domains: ['sidekick.example'],
        ...(sipTls ? { resolve: { [SBC_NAME]: { address: sipTls.address, port: sipTls.port } } } : {}),
        tenantId: TENANT_ID,
        clientId: CLIENT_ID,
        clientSecret,
        users: demoUsers(),
        log: this.#log,
      });
    const kept = this.#ports;
    const tenant = await keepingPort(kept.teamsSip, (sipPort) => start(sipPort, sipPort === 0 ? 0 : kept.teamsHttp));
    this.#closers.push({ part: 'teams', close: () => tenant.close() });
    Object.assign(this.#settings, {
      SIDEKICK_GRAPH_TENANT_ID: TENANT_ID,
      SIDEKICK_GRAPH_CLIENT_ID: CLIENT_ID,
      SIDEKICK_GRAPH_CLIENT_SECRET: clientSecret,
      SIDEKICK_GRAPH_BASE_URL: tenant.baseUrl,
      SIDEKICK_GRAPH_AUTHORITY: tenant.baseUrl,
    });
    this.#tenant = {
      baseUrl: tenant.baseUrl,
      proxyAddress: formatHostPort({ host: HOST, port: tenant.sipPort }),
      sbcName: SBC_NAME,
      agents: tenant.users(),
      play: (scenario) => playScenario(tenant, requireScenario(scenario)),
    };
  }

  async #keepPorts(): Promise<void> {
    const tls = this.#sip?.listening.find((peer) => peer.protocol === 'tls')?.port;
    const ports: KeptPorts = {
      sipTls: tls ?? this.#ports.sipTls,
      teamsSip: Number(this.#tenant?.proxyAddress.split(':').at(-1) ?? this.#ports.teamsSip),
      teamsHttp: this.#tenant ? Number(new URL(this.#tenant.baseUrl).port) : this.#ports.teamsHttp,
    };
    await writeWhole(portsFile(this.#request.dataDir), `${JSON.stringify(ports, null, 2)}\n`);
  }
}

/** Waits for all, also when one fails, so that nothing is still starting when the others are closed; then throws that error. */
async function allOrError<T extends readonly unknown[]>(work: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const settled = await Promise.allSettled(work);
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed) {
    throw failed.reason;
  }
  return settled.map((result) => (result.status === 'fulfilled' ? result.value : undefined)) as {
    -readonly [K in keyof T]: Awaited<T[K]>;
  };
}

/** Starts with the kept port; if somebody else has it by now, with any other. A port that was asked for stays an error. */
async function keepingPort<T>(port: number, start: (port: number) => Promise<T>): Promise<T> {
  if (port === 0) {
    return start(0);
  }
  try {
    return await start(port);
  } catch (error) {
    if (!isSidekickError(error, 'SK_PORT_TAKEN')) {
      throw error;
    }
    return start(0);
  }
}

function portsFile(dataDir: string): string {
  return path.join(dataDir, 'ports.json');
}

function readPorts(dataDir: string): KeptPorts {
  const none: KeptPorts = { sipTls: 0, teamsSip: 0, teamsHttp: 0 };
  let text: string;
  try {
    text = readFileSync(portsFile(dataDir), 'utf8');
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') {
      return none;
    }
    throw error;
  }
  const kept: unknown = parseJson(text);
  const portOf = (key: keyof KeptPorts): number => {
    const port = typeof kept === 'object' && kept !== null ? (kept as Record<string, unknown>)[key] : 0;
    return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0;
  };
  return { sipTls: portOf('sipTls'), teamsSip: portOf('teamsSip'), teamsHttp: portOf('teamsHttp') };
}

/** undefined for what is no JSON: then the ports are simply chosen anew. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
