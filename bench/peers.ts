/** Everybody outside the system under test, in the benchmark's own process and by one clock: carrier, agents, Graph. */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { startTeamsTenant } from '../src/embedded/teams/tenant';
import type { TeamsTenant } from '../src/embedded/teams/tenant';
import type { TestAuthority } from '../src/embedded/tls/test-authority';
import { SipStack } from '../src/embedded/sip/stack';
import type { Peer } from '../src/embedded/sip/types';
import { UserAgent } from '../src/embedded/sip/user-agent';
import { AgentFloor } from './agents';
import { Traces } from './call-trace';
import { Parties } from './marked-audio';
import { Pacer } from './pacer';

const HOST = '127.0.0.1';
const TEAMS_NAMES = ['sip.pstnhub.microsoft.com', 'sip2.pstnhub.microsoft.com', 'sip3.pstnhub.microsoft.com', HOST];
export const GRAPH_TENANT = '11111111-2222-4333-8444-555555555555';
export const GRAPH_CLIENT = '66666666-7777-4888-8999-aaaaaaaaaaaa';
export const GRAPH_SECRET = 'bench-secret';

export interface SimulatedUser {
  readonly name: string;
  readonly number: string;
  readonly entraUserId: string;
}

export class Peers {
  readonly pacer = new Pacer();
  readonly parties = new Parties();
  readonly traces = new Traces();
  readonly carrier: UserAgent;
  readonly teams: UserAgent;
  readonly agents: AgentFloor;
  readonly users: readonly SimulatedUser[];
  /** Where Graph and Entra answer. */
  readonly graphUrl: string;
  readonly teamsProxy: string;
  /** Where callers call; set when the system is up. */
  target: Peer = { protocol: 'udp', address: HOST, port: 0 };
  readonly #tenant: TeamsTenant;
  readonly #sink: Socket;

  private constructor(parts: {
    carrier: SipStack;
    teams: SipStack;
    tenant: TeamsTenant;
    sink: Socket;
    users: readonly SimulatedUser[];
  }) {
    this.#tenant = parts.tenant;
    this.#sink = parts.sink;
    this.users = parts.users;
    this.carrier = new UserAgent(parts.carrier, { userAgent: 'Sidekick benchmark carrier' });
    this.teams = new UserAgent(parts.teams, { userAgent: 'Sidekick benchmark agents' });
    this.graphUrl = parts.tenant.baseUrl;
    this.teamsProxy = `${HOST}:${parts.teams.listening[0]?.port ?? 0}`;
    this.agents = new AgentFloor(this);
  }

  static async start(options: { readonly agents: number; readonly authority: TestAuthority }): Promise<Peers> {
    const { authority } = options;
    const users = Array.from({ length: options.agents }, (_, i) => ({
      name: `agent${String(i + 1).padStart(4, '0')}`,
      number: `+4930200${String(i + 1).padStart(5, '0')}`,
      entraUserId: `5a7f0c1e-0000-4000-8000-${String(i + 1).padStart(12, '0')}`,
    }));
    const tls = await authority.issue(TEAMS_NAMES);
    const tenant = await startTeamsTenant({
      host: HOST,
      sipPort: 0,
      httpPort: 0,
      tls,
      sbcCa: authority.ca,
      tenantId: GRAPH_TENANT,
      clientId: GRAPH_CLIENT,
      clientSecret: GRAPH_SECRET,
      domains: ['example.com'],
      users: users.map((user) => ({ ...user, displayName: user.name, toneHz: 1100 })),
    });
    const identity = { key: tls.key, cert: tls.cert, ca: authority.ca };
    const carrier = await SipStack.start({ listen: [{ protocol: 'udp', host: HOST, port: 0 }] });
    const teams = await SipStack.start({
      listen: [{ protocol: 'tls', host: HOST, port: 0, tls: { ...identity, requireClientCertificate: true } }],
      tlsClient: identity,
    });
    const sink = createSocket('udp4');
    sink.on('message', () => undefined);
    await new Promise<void>((resolve) => {
      sink.bind(0, HOST, resolve);
    });
    return new Peers({ carrier, teams, tenant, sink, users });
  }

  /** Where audio goes that nobody listens to. */
  get sinkPort(): number {
    return this.#sink.address().port;
  }

  /** Calls that either side still holds. */
  get live(): number {
    return this.carrier.sessions + this.teams.sessions;
  }

  async close(): Promise<void> {
    this.carrier.close();
    this.teams.close();
    await this.carrier.stack.close();
    await this.teams.stack.close();
    await this.#tenant.close();
    this.#sink.close();
  }
}
