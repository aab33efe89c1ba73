import { connect, createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { createServer, DEFAULT_CIPHERS } from 'node:tls';
import type { TlsOptions } from 'node:tls';
import { makeTestAuthority } from '../../../src/embedded/tls/test-authority';
import type { IssuedIdentity, TestAuthority } from '../../../src/embedded/tls/test-authority';
import { greetServer } from '../../../src/lib/tls-hello';
import { certificatesOf } from '../../../src/lib/tls-peer';
import { checkSuites, suitesOf, TEAMS_CIPHER_LIST, TEAMS_SUITES } from '../../../src/lib/tls-suites';

const NAME = 'sip.pstnhub.microsoft.com';
const HELLO = { version: 'TLSv1.2', suites: Object.values(TEAMS_SUITES) } as const;

describe('the greeting of a TLS server', () => {
  let authority: TestAuthority;
  let id: IssuedIdentity;
  const open: Server[] = [];

  beforeAll(async () => {
    authority = await makeTestAuthority();
    id = await authority.issue([NAME]);
  });

  afterEach(() => {
    open.splice(0).forEach((server) => server.close());
  });

  async function listen(server: Server): Promise<{ host: string; port: number; serverName: string }> {
    open.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, serverName: NAME };
  }

  const tls = (more: TlsOptions = {}) =>
    listen(createServer({ key: id.key, cert: id.cert, ...more }).on('tlsClientError', () => undefined));

  it('shows suite, chain and the proof of its key, also where a certificate of ours is demanded', async () => {
    const peer = await tls({ ca: authority.ca, requestCert: true, rejectUnauthorized: true, maxVersion: 'TLSv1.2' });
    const greeting = await greetServer(peer, HELLO, 2_000);
    expect(Object.values(TEAMS_SUITES)).toContain(greeting?.suite);
    expect(greeting?.proven).toBe(true);
    expect(greeting?.certificates.map((c) => c.checkHost(NAME))).toEqual([NAME, undefined]);
    // What `sidekick tls check --connect` looks at.
    expect((await certificatesOf(peer, 2_000))[0]?.fingerprint256).toBe(greeting?.certificates[0]?.fingerprint256);
  });

  it.each(Object.entries(TEAMS_SUITES))('can be asked for one suite alone: %s', async (_name, suite) => {
    const peer = await tls();
    expect(await greetServer(peer, { version: 'TLSv1.2', suites: [suite] }, 2_000)).toMatchObject({
      suite,
      proven: true,
    });
  });

  it.each(['RSA-PSS+SHA256', 'RSA-PSS+SHA512', 'RSA+SHA256', 'RSA+SHA384', 'RSA+SHA1'])(
    'a server that signs by %s alone proves its key too',
    async (sigalgs) => {
      const peer = await tls({ sigalgs, ciphers: 'ECDHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0', maxVersion: 'TLSv1.2' });
      expect(await greetServer(peer, HELLO, 2_000)).toMatchObject({ proven: true });
    },
  );

  it('somebody who replays the messages of another server has no proof of the key', async () => {
    const genuine = await tls({ maxVersion: 'TLSv1.2' });
    const recorded = await record(genuine, HELLO);
    const thief = await listen(createTcpServer((socket) => socket.once('data', () => socket.write(recorded))));
    const greeting = await greetServer(thief, HELLO, 2_000);
    expect(greeting?.certificates[0]?.checkHost(NAME)).toBe(NAME);
    expect(greeting?.proven).toBe(false);
  });

  it('a server that is cut into pieces is understood all the same', async () => {
    const recorded = await record(await tls({ maxVersion: 'TLSv1.2' }), HELLO);
    const slow = await listen(
      createTcpServer((socket) =>
        socket.once('data', () => {
          for (let at = 0; at < recorded.length; at += 100) {
            socket.write(recorded.subarray(at, at + 100));
          }
        }),
      ),
    );
    expect((await greetServer(slow, HELLO, 2_000))?.certificates).toHaveLength(2);
  });

  it('a refusal is told from silence and from something that is no TLS server', async () => {
    const peer = await tls({ ciphers: 'ECDHE-RSA-AES256-GCM-SHA384', maxVersion: 'TLSv1.2' });
    expect(await greetServer(peer, { version: 'TLSv1.2', suites: [0x002f] }, 2_000)).toBeUndefined();
    const mute = await listen(createTcpServer((socket) => socket.resume()));
    await expect(greetServer(mute, HELLO, 100)).rejects.toThrow('no TLS answer within 100 ms');
    const http = await listen(createTcpServer((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')));
    await expect(greetServer(http, HELLO, 2_000)).rejects.toThrow('does not speak TLS');
  });
});

describe('versions and suites of a server', () => {
  it('the four of Teams and no others are as they should be', async () => {
    const facts = await factsOf({ ciphers: TEAMS_CIPHER_LIST });
    expect(checkSuites(facts).map((f) => f.verdict)).toEqual(['ok', 'ok']);
    expect(checkSuites(facts)[1]?.found).toContain('ECDHE-RSA-AES128-SHA256 and no others');
  });

  it('others beside them are named, with what to do', async () => {
    const facts = await factsOf({ ciphers: `${DEFAULT_CIPHERS}:AES128-SHA` });
    expect(facts.teams).toHaveLength(4);
    expect(facts.others).toContain('AES128-SHA');
    expect(checkSuites(facts)[1]).toMatchObject({ verdict: 'warn', fix: expect.stringContaining('start-drachtio.sh') });
  });

  it('a server with none of them cannot be reached by Teams', async () => {
    const facts = await factsOf({ ciphers: 'AES128-SHA' });
    expect(checkSuites(facts)[1]).toMatchObject({ verdict: 'fail', found: expect.stringContaining('none of ECDHE') });
  });

  it('an old version is a fault', async () => {
    const facts = await factsOf({ minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' });
    expect(facts.old).toEqual(['TLSv1.1', 'TLSv1']);
    expect(checkSuites(facts)[0]).toMatchObject({ verdict: 'fail', found: 'TLSv1.1 and TLSv1 is taken' });
  });

  async function factsOf(options: TlsOptions) {
    const { key, cert } = await (await makeTestAuthority()).issue([NAME]);
    const server = createServer({ key, cert, ...options }).on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      return await suitesOf({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }, 2_000);
    } finally {
      server.close();
    }
  }
});

/** The bytes that a server sends in answer to our greeting. */
async function record(peer: { host: string; port: number }, hello: typeof HELLO): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const relay = createTcpServer((client) => {
    const upstream = connect(peer.port, peer.host);
    client.pipe(upstream).on('error', () => undefined);
    client.on('error', () => undefined).on('close', () => upstream.destroy());
    upstream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  await greetServer({ host: '127.0.0.1', port: (relay.address() as AddressInfo).port }, hello, 2_000);
  relay.close();
  return Buffer.concat(chunks);
}
