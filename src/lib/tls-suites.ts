/** Which versions and cipher suites a TLS server takes, held against what Direct Routing speaks (Microsoft, "TLS 1.2", 2022). */
import type { CertificateFinding } from './certificate-check';
import { greetServer } from './tls-hello';
import type { Hello, HelloPeer } from './tls-hello';

/** The four suites of TLS 1.2 that Microsoft takes, in its order, by OpenSSL's names. */
export const TEAMS_SUITES = {
  'ECDHE-RSA-AES256-GCM-SHA384': 0xc030,
  'ECDHE-RSA-AES128-GCM-SHA256': 0xc02f,
  'ECDHE-RSA-AES256-SHA384': 0xc028,
  'ECDHE-RSA-AES128-SHA256': 0xc027,
} as const;

/** A greeting as Microsoft's side sends and takes it. */
export const TEAMS_HELLO: Hello = { version: 'TLSv1.2', suites: Object.values(TEAMS_SUITES) };

/** As OpenSSL and Node take them. */
export const TEAMS_CIPHER_LIST = Object.keys(TEAMS_SUITES).join(':');

/** Others that OpenSSL has on by itself; those without ECDHE have no forward secrecy. */
const OTHER_SUITES = {
  'ECDHE-RSA-CHACHA20-POLY1305': 0xcca8,
  'ECDHE-RSA-AES256-SHA': 0xc014,
  'ECDHE-RSA-AES128-SHA': 0xc013,
  'AES256-GCM-SHA384': 0x009d,
  'AES128-GCM-SHA256': 0x009c,
  'AES256-SHA256': 0x003d,
  'AES128-SHA256': 0x003c,
  'AES256-SHA': 0x0035,
  'AES128-SHA': 0x002f,
} as const;

export interface SuiteFacts {
  /** Names of those of the four that are taken. */
  readonly teams: readonly string[];
  /** Names of other suites of TLS 1.2 that are taken. */
  readonly others: readonly string[];
  /** Versions before 1.2 that are taken. */
  readonly old: readonly string[];
}

/** Asks a server, one handshake for each suite. @throws Error where nobody answers */
export async function suitesOf(peer: HelloPeer, timeoutMs: number): Promise<SuiteFacts> {
  const takes = async (hello: Hello): Promise<boolean> => (await greetServer(peer, hello, timeoutMs)) !== undefined;
  const taken = async (suites: Readonly<Record<string, number>>): Promise<string[]> => {
    const names: string[] = [];
    for (const [name, suite] of Object.entries(suites)) {
      if (await takes({ version: 'TLSv1.2', suites: [suite] })) {
        names.push(name);
      }
    }
    return names;
  };
  const old: string[] = [];
  for (const version of ['TLSv1.1', 'TLSv1'] as const) {
    if (await takes({ version, suites: [0xc014, 0xc013, 0x0035, 0x002f] })) {
      old.push(version);
    }
  }
  return { teams: await taken(TEAMS_SUITES), others: await taken(OTHER_SUITES), old };
}

/** What is to be said about them, in a fixed order. Pure. */
export function checkSuites({ teams, others, old }: SuiteFacts): CertificateFinding[] {
  const [found, all] = [teams.length, Object.keys(TEAMS_SUITES).length];
  const pin = 'start drachtio by sbc-config/bin/start-drachtio.sh, which allows these four and no others';
  const suites: CertificateFinding =
    found === 0
      ? { check: 'suites', verdict: 'fail', found: `none of ${TEAMS_CIPHER_LIST.replaceAll(':', ', ')}`, fix: pin }
      : others.length > 0 || found < all
        ? {
            check: 'suites',
            verdict: 'warn',
            found: `${found} of the ${all} of Teams${others.length > 0 ? `, and also ${others.join(', ')}` : `: ${teams.join(', ')}`}`,
            fix: pin,
          }
        : { check: 'suites', verdict: 'ok', found: `TLS 1.2 with ${teams.join(', ')} and no others` };
  return [
    old.length > 0
      ? {
          check: 'versions',
          verdict: 'fail',
          found: `${old.join(' and ')} is taken`,
          fix: 'set min-tls-version to 1.2 in drachtio.conf.xml',
        }
      : { check: 'versions', verdict: 'ok', found: 'nothing older than TLS 1.2' },
    suites,
  ];
}
