import { silentLog } from '../../../src/lib/log';
import { PhoneCall, type DialOptions } from '../../../src/embedded/phone/phone-call';
import { SipStack } from '../../../src/embedded/sip/stack';
import { UserAgent } from '../../../src/embedded/sip/user-agent';
import type { SipMessage } from '../../../src/embedded/sip/message';
import type { Peer } from '../../../src/embedded/sip/types';
import { startTeamsTenant, type TeamsTenant, type TeamsTenantOptions } from '../../../src/embedded/teams/tenant';
import { demoUsers } from '../../../src/embedded/teams/users';
import { makeTestAuthority, type IssuedIdentity, type TestAuthority } from '../../../src/embedded/tls/test-authority';

export const TENANT = '8e0bd3c4-1111-4222-8333-0123456789ab';
export const CLIENT = '0c3a9f10-1111-4222-8333-0123456789ab';
export const PROXIES = ['sip', 'sip2', 'sip3'].map((name) => `${name}.pstnhub.microsoft.com`);
export const ANNA = demoUsers()[0]!;

export interface Material {
  readonly authority: TestAuthority;
  readonly teams: IssuedIdentity;
  readonly sbc: IssuedIdentity;
}

export async function makeMaterial(): Promise<Material> {
  const authority = await makeTestAuthority();
  const [teams, sbc] = await Promise.all([authority.issue(PROXIES), authority.issue(['sbc.example.com'])]);
  return { authority, teams, sbc };
}

export function startTenant(material: Material, options: Partial<TeamsTenantOptions> = {}): Promise<TeamsTenant> {
  return startTeamsTenant({
    host: '127.0.0.1',
    sipPort: 0,
    httpPort: 0,
    tls: { key: material.teams.key, cert: material.teams.cert },
    sbcCa: material.authority.ca,
    tenantId: TENANT,
    clientId: CLIENT,
    clientSecret: 'secret',
    domains: ['sbc.example.com'],
    users: demoUsers().map((user) => ({ ...user, script: { kind: 'answer', afterMs: 50 } })),
    log: silentLog(),
    ...options,
  });
}

/** The trunk's side: a plain user agent with the SBC's certificate, as Sidekick behind drachtio would be. */
export class Sbc {
  private constructor(
    readonly stack: SipStack,
    readonly ua: UserAgent,
    readonly proxy: Peer,
    readonly wire: { direction: 'in' | 'out'; message: SipMessage; peer: Peer }[],
  ) {}

  static async start(
    material: Material,
    sipPort: number,
    identity: IssuedIdentity = material.sbc,
    t1 = 500,
  ): Promise<Sbc> {
    const tls = { key: identity.key, cert: identity.cert, ca: material.authority.ca, requireClientCertificate: true };
    const wire: { direction: 'in' | 'out'; message: SipMessage; peer: Peer }[] = [];
    const stack = await SipStack.start({
      listen: [{ protocol: 'tls', host: '127.0.0.1', port: 0, tls }],
      tlsClient: tls,
      timers: { t1 },
      onWire: (direction, message, peer) => wire.push({ direction, message: message.clone(), peer }),
    });
    const proxy: Peer = { protocol: 'tls', address: '127.0.0.1', port: sipPort, serverName: PROXIES[0]! };
    return new Sbc(stack, new UserAgent(stack), proxy, wire);
  }

  get port(): number {
    return this.stack.listening[0]!.port;
  }

  get contact(): string {
    return `<sip:+4915112345678@sbc.example.com:${this.port};transport=tls>`;
  }

  /** A call in the shape that the rules ask for. */
  call(number: string, options: Partial<DialOptions> = {}): Promise<PhoneCall> {
    return PhoneCall.dial(this.ua, {
      host: '127.0.0.1',
      srtp: true,
      codecs: ['PCMA'],
      sound: { kind: 'tone', hz: [700] },
      listenFor: [480, ...demoUsers().map((user) => user.toneHz)],
      target: this.proxy,
      uri: `sip:${number}@sip.pstnhub.microsoft.com;user=phone;transport=tls`,
      to: `<sip:${number}@sip.pstnhub.microsoft.com>`,
      from: '"Caller" <sip:+4915112345678@sbc.example.com;transport=tls;user=phone>',
      contact: this.contact,
      ...options,
    });
  }

  options(changes: { uri?: string; contact?: string; from?: string } = {}): Promise<SipMessage> {
    return this.ua.request('OPTIONS', changes.uri ?? 'sip:sip.pstnhub.microsoft.com:5061', {
      target: this.proxy,
      from: changes.from ?? '<sip:sbc.example.com:5061>',
      to: '<sip:sip.pstnhub.microsoft.com>',
      contact: changes.contact ?? `<sip:sbc.example.com:${this.port};transport=tls>`,
    });
  }

  async close(): Promise<void> {
    this.ua.close();
    await this.stack.close();
  }
}

/** Everything that a test reads from an answer of Entra or Graph. */
export interface AnswerBody {
  readonly access_token: string;
  readonly error_codes: number[];
  readonly issuer: string;
  readonly token_endpoint: string;
  readonly error: { readonly code: string };
  readonly value: { readonly id: string }[];
}

export async function bodyOf(response: Response | Promise<Response>): Promise<AnswerBody> {
  return (await (await response).json()) as AnswerBody;
}

/** Waits until `probe` gives something truthy; fails with the last value after `ms`. */
export async function until<T>(what: string, probe: () => T, ms = 5000): Promise<NonNullable<T>> {
  const end = Date.now() + ms;
  for (;;) {
    const value = probe();
    if (value) {
      return value;
    }
    if (Date.now() > end) {
      throw new Error(`not seen in ${ms} ms: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
