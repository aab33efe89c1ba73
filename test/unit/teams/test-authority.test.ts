import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import type { AddressInfo } from 'node:net';
import { makeTestAuthority, type IssuedIdentity } from '../../../src/embedded/tls/test-authority';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sk-authority-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Connects with mutual TLS and tells how it went: the server's view of the client, or the error. */
async function handshake(
  server: { key: string; cert: string },
  client: { key: string; cert: string } | undefined,
  ca: string,
  servername: string,
): Promise<string> {
  const listener = tls.createServer({
    ...server,
    ca,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  try {
    return await new Promise<string>((resolve) => {
      listener.on('secureConnection', (socket) => {
        socket.on('error', () => undefined);
        resolve(socket.getPeerCertificate().subjectaltname ?? '');
        socket.destroy();
      });
      listener.on('tlsClientError', (error: NodeJS.ErrnoException) => resolve(`server: ${error.code}`));
      const socket = tls.connect({ host: '127.0.0.1', port, ca, servername, ...client });
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(`client: ${error.code}`));
    });
  } finally {
    listener.close();
  }
}

/** A server that refuses a client's certificate just closes; which side tells first differs. */
const REFUSED = /^(server|client): E/;

const pair = (identity: IssuedIdentity) => ({ key: identity.key, cert: identity.cert });

describe('the test authority', () => {
  test('issues certificates that pass mutual TLS with a name check', async () => {
    const authority = await makeTestAuthority();
    const [teams, sbc] = await Promise.all([
      authority.issue(['sip.pstnhub.microsoft.com', '127.0.0.1']),
      authority.issue(['sbc.example.com', '*.sbc.example.com']),
    ]);
    expect(await handshake(pair(teams), pair(sbc), authority.ca, 'sip.pstnhub.microsoft.com')).toBe(
      'DNS:sbc.example.com, DNS:*.sbc.example.com',
    );
    expect(await handshake(pair(teams), pair(sbc), authority.ca, 'other.example.com')).toBe(
      'client: ERR_TLS_CERT_ALTNAME_INVALID',
    );
  });

  test('has an issuing authority, so a server that leaves out the chain is refused', async () => {
    const authority = await makeTestAuthority();
    const teams = await authority.issue(['teams.test']);
    const sbc = await authority.issue(['sbc.test']);
    const chainless = { key: teams.key, cert: teams.leaf };
    expect(await handshake(chainless, pair(sbc), authority.ca, 'teams.test')).toBe(
      'client: UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    );
  });

  test('refuses the certificates of another authority, and expired ones', async () => {
    const [authority, other] = await Promise.all([makeTestAuthority(), makeTestAuthority()]);
    const teams = await authority.issue(['teams.test']);
    const stranger = await other.issue(['sbc.test']);
    const expired = await authority.issue(['sbc.test'], { notBefore: new Date('2020-01-01'), validDays: 30 });
    expect(await handshake(pair(teams), pair(stranger), authority.ca, 'teams.test')).toMatch(REFUSED);
    expect(await handshake(pair(teams), pair(expired), authority.ca, 'teams.test')).toMatch(REFUSED);
  });

  test('makes RSA 2048 keys for server and client use', async () => {
    const identity = await (await makeTestAuthority()).issue(['sbc.test']);
    const leaf = new X509Certificate(identity.leaf);
    expect(leaf.publicKey.asymmetricKeyDetails?.modulusLength).toBe(2048);
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect(leaf.subject).toBe('CN=sbc.test');
  });

  test('keeps its keys in a directory, and two that start at once are one authority', async () => {
    const [a, b] = await Promise.all([makeTestAuthority({ directory }), makeTestAuthority({ directory })]);
    expect(b.ca).toBe(a.ca);
    expect((await makeTestAuthority({ directory })).ca).toBe(a.ca);
    expect(await readFile(join(directory, 'ca.pem'), 'utf8')).toBe(a.ca);
    expect((await stat(join(directory, 'authority.pem'))).mode & 0o077).toBe(0);
  });

  test('writes an identity once and again only when names are missing or a file is damaged', async () => {
    const authority = await makeTestAuthority({ directory });
    const place = join(directory, 'sbc');
    const first = await authority.writeIdentity(place, ['sbc.test', '127.0.0.1']);
    expect(await authority.writeIdentity(place, ['sbc.test'])).toEqual(first);
    expect(await readFile(join(place, 'fullchain.pem'), 'utf8')).toBe(first.cert);

    const wider = await authority.writeIdentity(place, ['sbc.test', 'more.test']);
    expect(wider.leaf).not.toBe(first.leaf);
    expect(await readFile(join(place, 'key.pem'), 'utf8')).toBe(wider.key);

    await writeFile(join(place, 'key.pem'), 'damaged');
    const repaired = await authority.writeIdentity(place, ['sbc.test']);
    expect(repaired.leaf).not.toBe(wider.leaf);
    expect(new X509Certificate(repaired.leaf).checkHost('sbc.test')).toBe('sbc.test');
  });

  test('says what to do about a damaged authority and about names that cannot be certified', async () => {
    await writeFile(join(directory, 'authority.pem'), 'nonsense');
    await expect(makeTestAuthority({ directory })).rejects.toMatchObject({
      code: 'SK_CONFIG_INVALID',
      next: expect.stringContaining('Move the file away'),
    });
    const authority = await makeTestAuthority();
    await expect(authority.issue([])).rejects.toMatchObject({ code: 'SK_USAGE' });
    await expect(authority.issue(['no spaces.test'])).rejects.toMatchObject({ code: 'SK_USAGE' });
  });
});
