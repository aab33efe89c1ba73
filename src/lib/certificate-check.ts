/**
 * Whether a certificate is good enough for the SBC of Direct Routing: name, chain, use, key, time. Pure: what is read and when it
 * is come in. Facts of Microsoft's "Plan Direct Routing" and RFC 2818; docs/teams.md and sbc-config/tls say them for readers.
 */
import { X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

export type Verdict = 'ok' | 'warn' | 'fail';

export interface CertificateFinding {
  readonly check: 'name' | 'key' | 'key pair' | 'usage' | 'chain' | 'expiry' | 'versions' | 'suites';
  readonly verdict: Verdict;
  /** What was found, one line. */
  readonly found: string;
  /** What to do about it; undefined where it is as it should be. */
  readonly fix?: string;
}

export interface CertificateInput {
  /** The certificate first, then what is sent along with it, in any order. */
  readonly certificates: readonly X509Certificate[];
  /** Those that peers trust. */
  readonly roots: readonly X509Certificate[];
  /** Names of the SBC, one for each tenant. */
  readonly names: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** undefined: it cannot be seen. */
  readonly privateKey?: KeyObject | undefined;
}

/** Days before the end at which an alarm is raised, each once. */
export const EXPIRY_ALARM_DAYS = [30, 14, 3] as const;

const DAY_MS = 86_400_000;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const ANY_USE = '2.5.29.37.0';
const LEAST_RSA_BITS = 2048;
const MOST_CHAIN = 8;

/** Whole days until it ends; negative when it has. */
export function daysLeft(certificate: X509Certificate, now: number): number {
  return Math.floor((Date.parse(certificate.validTo) - now) / DAY_MS);
}

/** The nearest alarm that is due: 30, 14 or 3 days, 0 once it has expired; undefined while there is time. */
export function expiryAlarm(certificate: X509Certificate, now: number): 30 | 14 | 3 | 0 | undefined {
  if (Date.parse(certificate.validTo) <= now) {
    return 0;
  }
  const left = (Date.parse(certificate.validTo) - now) / DAY_MS;
  return [...EXPIRY_ALARM_DAYS].reverse().find((days) => left <= days);
}

/** The certificates of a PEM text in its order. @throws Error where one of them cannot be read */
export function readCertificates(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/** Everything that can be said about a certificate, in a fixed order. */
export function checkCertificate(input: CertificateInput): CertificateFinding[] {
  const [leaf] = input.certificates;
  if (leaf === undefined) {
    const fix = 'give a PEM file with the certificate first';
    return [{ check: 'name', verdict: 'fail', found: 'there is no certificate', fix }];
  }
  return [
    ...input.names.map((name) => checkName(leaf, name)),
    checkKey(leaf),
    ...(input.privateKey === undefined ? [] : [checkKeyPair(leaf, input.privateKey)]),
    checkUsage(leaf),
    checkChain(leaf, input),
    checkExpiry(leaf, input.now),
  ];
}

/** RFC 2818: a wildcard stands for one label, so `*.example.com` is good for `a.example.com` alone. */
function checkName(leaf: X509Certificate, name: string): CertificateFinding {
  const names = namesOf(leaf);
  if (leaf.checkHost(name, { partialWildcards: false }) !== undefined) {
    return { check: 'name', verdict: 'ok', found: `${name} is covered by ${names.join(', ')}` };
  }
  const deeper = names.find((n) => n.startsWith('*.') && name.endsWith(n.slice(1)));
  return {
    check: 'name',
    verdict: 'fail',
    found: `${name} is not covered by ${names.join(', ') || 'any name in it'}`,
    fix:
      deeper === undefined
        ? `get a certificate with ${name} as a subjectAltName of type DNS`
        : `${deeper} covers one label only; add *.${name.split('.').slice(1).join('.')} or ${name} itself`,
  };
}

/** Names of type DNS; the common name where there are none. */
export function namesOf(certificate: X509Certificate): string[] {
  const alternative = (certificate.subjectAltName ?? '')
    .split(', ')
    .filter((part) => part.startsWith('DNS:'))
    .map((part) => part.slice(4));
  const common = /^CN=(.+)$/m.exec(certificate.subject)?.[1];
  return alternative.length > 0 || common === undefined ? alternative : [common];
}

/** The suites that Teams takes are ECDHE-RSA, so the key is RSA. */
function checkKey(leaf: X509Certificate): CertificateFinding {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = leaf.publicKey;
  const bits = details?.modulusLength;
  const found = `${(type ?? 'unknown').toUpperCase()} ${bits ?? details?.namedCurve ?? ''}`.trim();
  if (type !== 'rsa') {
    const fix = 'get a certificate for an RSA key of 2048 bits or more: the cipher suites of Teams are ECDHE-RSA';
    return { check: 'key', verdict: 'fail', found, fix };
  }
  return (bits ?? 0) >= LEAST_RSA_BITS
    ? { check: 'key', verdict: 'ok', found }
    : { check: 'key', verdict: 'fail', found, fix: 'make a key of 2048 bits or more and get a certificate for it' };
}

function checkKeyPair(leaf: X509Certificate, key: KeyObject): CertificateFinding {
  return leaf.checkPrivateKey(key)
    ? { check: 'key pair', verdict: 'ok', found: 'the private key belongs to the certificate' }
    : {
        check: 'key pair',
        verdict: 'fail',
        found: 'the private key belongs to another certificate',
        fix: 'put the key beside the certificate that was issued for it',
      };
}

/** serverAuth is a must. Public authorities stop issuing clientAuth in 2026, and Teams goes on without. */
function checkUsage(leaf: X509Certificate): CertificateFinding {
  // Node's name for it; it is the extended use.
  const uses = leaf.keyUsage as readonly string[] | undefined;
  if (uses === undefined) {
    const fix = 'get a certificate that names serverAuth';
    return { check: 'usage', verdict: 'warn', found: 'no extended key usage is named', fix };
  }
  const shown = uses.map((oid) => USES[oid] ?? oid).join(', ');
  return uses.includes(SERVER_AUTH) || uses.includes(ANY_USE)
    ? { check: 'usage', verdict: 'ok', found: shown }
    : {
        check: 'usage',
        verdict: 'fail',
        found: shown,
        fix: 'get a certificate with the extended key usage serverAuth',
      };
}

const USES: Readonly<Record<string, string>> = {
  [SERVER_AUTH]: 'serverAuth',
  [CLIENT_AUTH]: 'clientAuth',
  [ANY_USE]: 'any',
};

function checkChain(leaf: X509Certificate, { certificates, roots, now }: CertificateInput): CertificateFinding {
  const passed: string[] = [];
  const no = (found: string, fix: string): CertificateFinding => ({ check: 'chain', verdict: 'fail', found, fix });
  for (let current = leaf, depth = 0; depth < MOST_CHAIN; depth++) {
    const root = roots.find((candidate) => issued(current, candidate));
    if (root !== undefined) {
      const found = [...passed, shortName(root.subject)].join(' ← ');
      return { check: 'chain', verdict: 'ok', found: `leads to ${found}` };
    }
    const above = certificates.find((candidate) => !isSame(candidate, current) && issued(current, candidate));
    if (above === undefined) {
      return issued(current, current)
        ? no(
            depth === 0 ? 'it is signed by itself' : `ends at ${shortName(current.subject)}, which is no public root`,
            'get a certificate of a public authority; those of your own authority are refused by Teams',
          )
        : no(
            `the certificate of ${shortName(current.issuer)} is missing`,
            'send the intermediate certificates along: put them into chain.pem',
          );
    }
    if (Date.parse(above.validTo) <= now) {
      return no(`${shortName(above.subject)} expired on ${day(above)}`, 'put the new intermediate into chain.pem');
    }
    passed.push(shortName(above.subject));
    current = above;
  }
  return no('the certificates lead in a circle', 'put one intermediate certificate for each step into chain.pem');
}

function issued(certificate: X509Certificate, by: X509Certificate): boolean {
  return certificate.issuer === by.subject && certificate.checkIssued(by) && certificate.verify(by.publicKey);
}

function isSame(a: X509Certificate, b: X509Certificate): boolean {
  return a.fingerprint256 === b.fingerprint256;
}

function checkExpiry(leaf: X509Certificate, now: number): CertificateFinding {
  if (Date.parse(leaf.validFrom) > now) {
    const fix = 'wait until then, or set the clock of this machine';
    return { check: 'expiry', verdict: 'fail', found: `not valid before ${leaf.validFrom}`, fix };
  }
  const left = daysLeft(leaf, now);
  const alarm = expiryAlarm(leaf, now);
  if (alarm === 0) {
    const fix = 'renew it and put it in place: Teams refuses both directions';
    return { check: 'expiry', verdict: 'fail', found: `expired on ${day(leaf)}`, fix };
  }
  const found = `${left} ${left === 1 ? 'day' : 'days'} left, until ${day(leaf)}`;
  if (alarm === undefined) {
    return { check: 'expiry', verdict: 'ok', found };
  }
  return { check: 'expiry', verdict: alarm === 3 ? 'fail' : 'warn', found, fix: 'renew it and put it in place' };
}

function day(certificate: X509Certificate): string {
  return new Date(certificate.validTo).toISOString().slice(0, 10);
}

/** The common name, else the whole name in one line. */
function shortName(name: string): string {
  return /^CN=(.+)$/m.exec(name)?.[1] ?? name.replaceAll('\n', ', ');
}
