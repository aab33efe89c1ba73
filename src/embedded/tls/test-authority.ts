import 'reflect-metadata';
import { X509Certificate, createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { SidekickError, describeError } from '../../lib/errors';
import { createOnce, readIfThere, writeWhole } from './files';

/**
 * A certificate authority for demonstrations and tests: a root, an issuing authority under it (so that leaving out the
 * chain fails as it does with a public authority) and RSA 2048 certificates for names, as Direct Routing asks for them
 * (teams-direct-routing-and-graph.md 1.3). Never use it where a stranger can connect.
 */
export interface TestAuthority {
  /** PEM of the root that a peer has to trust. */
  readonly ca: string;
  /**
   * Issues a certificate for DNS names and IP addresses; the first name is also the common name.
   * @throws SidekickError SK_USAGE when there is no name or a name cannot stand in a certificate.
   */
  issue(names: readonly string[], options?: IssueOptions): Promise<IssuedIdentity>;
  /**
   * Makes sure that `directory` holds key.pem, cert.pem, chain.pem, fullchain.pem and ca.pem for `names`. What is there
   * and still good (names, key, authority, 30 days left) stays; anything else is replaced.
   */
  writeIdentity(directory: string, names: readonly string[]): Promise<IssuedIdentity>;
}

export interface IssuedIdentity {
  /** PEM, PKCS #8. */
  readonly key: string;
  /** PEM: the leaf alone. */
  readonly leaf: string;
  /** PEM: the issuing authority. */
  readonly chain: string;
  /** PEM: leaf, then chain: what a server has to send, and what `TlsIdentity.cert` wants. */
  readonly cert: string;
  /** PEM: the root. */
  readonly ca: string;
}

export interface IssueOptions {
  readonly validDays?: number;
  /** For tests of expired and not yet valid certificates. */
  readonly notBefore?: Date;
}

export interface TestAuthorityOptions {
  /** Where the authority's keys are kept; without it they live in memory only. */
  readonly directory?: string;
  readonly organisation?: string;
}

const DAY_MS = 86_400_000;
const ALGORITHM = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
};
const LEAF_USAGE = (x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment) as x509.KeyUsageFlags;
const DNS_NAME = /^(?=.{1,253}$)(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

type KeyPair = webcrypto.CryptoKeyPair;

interface Issuer {
  readonly key: webcrypto.CryptoKey;
  readonly certificate: x509.X509Certificate;
}

/** What `authority.pem` holds: root certificate, issuing certificate, issuing key. The root's key is thrown away. */
interface AuthorityMaterial {
  readonly root: string;
  readonly issuing: string;
  readonly issuingKey: string;
}

x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);

/**
 * Opens the authority kept in `directory`, or makes one. Two processes that start at once get the same authority.
 * @throws SidekickError SK_CONFIG_INVALID when the directory holds an authority that cannot be read.
 */
export async function makeTestAuthority(options: TestAuthorityOptions = {}): Promise<TestAuthority> {
  const organisation = options.organisation ?? 'Sidekick test authority';
  if (options.directory === undefined) {
    return openAuthority(await makeMaterial(organisation));
  }
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const file = join(options.directory, 'authority.pem');
  const kept =
    (await readIfThere(file)) ?? (await createOnce(file, async () => join3(await makeMaterial(organisation))));
  const material = readMaterial(kept, file);
  await writeWhole(join(options.directory, 'ca.pem'), material.root);

  return openAuthority(material);
}

async function openAuthority(material: AuthorityMaterial): Promise<TestAuthority> {
  const issuer: Issuer = {
    key: await webcrypto.subtle.importKey('pkcs8', pemToDer(material.issuingKey), ALGORITHM, false, ['sign']),
    certificate: new x509.X509Certificate(material.issuing),
  };

  async function issue(names: readonly string[], issueOptions: IssueOptions = {}): Promise<IssuedIdentity> {
    checkNames(names);
    const keys = await newKeys();
    const leaf = await signLeaf(issuer, keys, names, issueOptions);

    return {
      key: await exportKey(keys),
      leaf,
      chain: material.issuing,
      cert: leaf + material.issuing,
      ca: material.root,
    };
  }

  async function writeIdentity(directory: string, names: readonly string[]): Promise<IssuedIdentity> {
    checkNames(names);
    const kept = await readIdentity(directory, material);
    if (kept && isStillGood(kept, names, material)) {
      return kept;
    }
    const identity = await issue(names);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeWhole(join(directory, 'key.pem'), identity.key);
    await writeWhole(join(directory, 'cert.pem'), identity.leaf);
    await writeWhole(join(directory, 'chain.pem'), identity.chain);
    await writeWhole(join(directory, 'fullchain.pem'), identity.cert);
    await writeWhole(join(directory, 'ca.pem'), identity.ca);

    return identity;
  }

  return { ca: material.root, issue, writeIdentity };
}

async function readIdentity(directory: string, material: AuthorityMaterial): Promise<IssuedIdentity | undefined> {
  const [key, leaf] = await Promise.all([
    readIfThere(join(directory, 'key.pem')),
    readIfThere(join(directory, 'cert.pem')),
  ]);
  const rest = await Promise.all(['chain.pem', 'fullchain.pem', 'ca.pem'].map((f) => readIfThere(join(directory, f))));
  if (key === undefined || leaf === undefined || rest.includes(undefined)) {
    return undefined;
  }

  return { key, leaf, chain: material.issuing, cert: leaf + material.issuing, ca: material.root };
}

function isStillGood(identity: IssuedIdentity, names: readonly string[], material: AuthorityMaterial): boolean {
  try {
    const leaf = new X509Certificate(identity.leaf);
    const covered = names.every((name) =>
      isIP(name) ? leaf.checkIP(name) !== undefined : sanOf(leaf).includes(name.toLowerCase()),
    );

    return (
      covered &&
      Date.parse(leaf.validTo) > Date.now() + 30 * DAY_MS &&
      leaf.verify(new X509Certificate(material.issuing).publicKey) &&
      leaf.checkPrivateKey(createPrivateKey(identity.key))
    );
  } catch {
    return false; // Not a certificate or not a key: written anew.
  }
}

function sanOf(certificate: X509Certificate): string[] {
  return (certificate.subjectAltName ?? '')
    .split(', ')
    .filter((part) => part.startsWith('DNS:'))
    .map((part) => part.slice(4).toLowerCase());
}

async function makeMaterial(organisation: string): Promise<AuthorityMaterial> {
  const [rootKeys, issuingKeys] = await Promise.all([newKeys(), newKeys()]);
  const validity = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + 3650 * DAY_MS) };
  const usage = (x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign) as x509.KeyUsageFlags;
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: [{ O: [organisation] }, { CN: [`${organisation} root`] }],
    ...validity,
    signingAlgorithm: ALGORITHM,
    keys: rootKeys as never,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(usage, true),
      await x509.SubjectKeyIdentifierExtension.create(rootKeys.publicKey),
    ],
  });
  const issuing = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [{ O: [organisation] }, { CN: [`${organisation} issuing`] }],
    issuer: root.subject,
    ...validity,
    signingAlgorithm: ALGORITHM,
    publicKey: issuingKeys.publicKey as never,
    signingKey: rootKeys.privateKey as never,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(usage, true),
      await x509.SubjectKeyIdentifierExtension.create(issuingKeys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(rootKeys.publicKey as never),
    ],
  });

  return { root: pemOf(root), issuing: pemOf(issuing), issuingKey: await exportKey(issuingKeys) };
}

async function signLeaf(issuer: Issuer, keys: KeyPair, names: readonly string[], options: IssueOptions) {
  const notBefore = options.notBefore ?? new Date(Date.now() - DAY_MS);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [{ CN: [names[0] ?? ''] }],
    issuer: issuer.certificate.subject,
    notBefore,
    notAfter: new Date(notBefore.getTime() + (options.validDays ?? 397) * DAY_MS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey as never,
    signingKey: issuer.key as never,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(LEAF_USAGE, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value }))),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(await issuer.certificate.publicKey.export()),
    ],
  });

  return pemOf(certificate);
}

function checkNames(names: readonly string[]): void {
  if (names.length === 0) {
    throw new SidekickError('SK_USAGE', 'A certificate needs at least one name', {
      next: 'Give the host name it is for.',
    });
  }
  for (const name of names) {
    if (!isIP(name) && !DNS_NAME.test(name)) {
      throw new SidekickError('SK_USAGE', `Not a name for a certificate: ${JSON.stringify(name)}`, {
        why: 'It is neither a DNS name nor an IP address.',
        next: 'Use a name like sbc.example.com or an address like 127.0.0.1.',
      });
    }
  }
}

function readMaterial(text: string, file: string): AuthorityMaterial {
  const [root, issuing] = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
  const [issuingKey] = text.match(/-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n?/) ?? [];
  let why = 'The file does not hold two certificates and a key.';
  if (root !== undefined && issuing !== undefined && issuingKey !== undefined) {
    try {
      const certificate = new X509Certificate(issuing);
      const fits = certificate.verify(new X509Certificate(root).publicKey);
      if (fits && certificate.checkPrivateKey(createPrivateKey(issuingKey))) {
        return { root, issuing, issuingKey };
      }
      why = 'Its certificates and key do not belong together.';
    } catch (error) {
      why = describeError(error);
    }
  }
  throw new SidekickError('SK_CONFIG_INVALID', `The test authority in ${file} cannot be used`, {
    why,
    next: 'Move the file away; a new authority is made, and every certificate of the old one has to be issued again.',
  });
}

function join3(material: AuthorityMaterial): string {
  return material.root + material.issuing + material.issuingKey;
}

async function newKeys(): Promise<KeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function exportKey(keys: KeyPair): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));

  return `-----BEGIN PRIVATE KEY-----\n${lines64(der.toString('base64'))}-----END PRIVATE KEY-----\n`;
}

function pemOf(certificate: x509.X509Certificate): string {
  const base64 = Buffer.from(certificate.rawData).toString('base64');

  return `-----BEGIN CERTIFICATE-----\n${lines64(base64)}-----END CERTIFICATE-----\n`;
}

function lines64(base64: string): string {
  return base64.replace(/.{1,64}/g, '$&\n');
}

function pemToDer(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
}

/** 16 random bytes with the top bit clear: a positive DER integer. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;

  return bytes.toString('hex');
}
