import { WebSocket } from 'ws';
import { makeTestAuthority } from '../../../src/embedded/tls/test-authority';
import type { IncomingSession, TlsIdentity } from '../../../src/embedded/sip/types';
import {
  appRequest,
  closeAll,
  connectApp,
  expectNothingLeft,
  FAST,
  listen,
  nextInvite,
  once,
  SDP,
  serverPeer,
  serverUri,
  startAgent,
  startServer,
  until,
  type Response,
} from './support';

const ANSWER = SDP.replace('40000', '50000');

afterEach(closeAll);

async function identities() {
  const authority = await makeTestAuthority();
  const make = async (names: string[], more: Partial<TlsIdentity> = {}): Promise<TlsIdentity> => {
    const { key, cert } = await authority.issue(names);
    return { key, cert, ca: authority.ca, ...more };
  };
  return { make };
}

test('an INVITE to a named host goes over TLS to the address of the proxy URI, with certificates both ways', async () => {
  const { make } = await identities();
  const teams = await startAgent(
    {},
    {
      listen: [{ ...listen('tls'), tls: await make(['sip.example.com'], { requireClientCertificate: true }) }],
      timers: FAST,
    },
  );
  const incoming = new Promise<IncomingSession>((resolve) => {
    teams.onInvite(resolve);
  });
  const sbc = await make(['sbc.example.org']);
  const server = await startServer({ listen: [listen('udp'), { ...listen('tls'), tls: sbc }], tlsClient: sbc });
  const app = await connectApp(server);
  const port = teams.stack.localFor('tls')?.port;
  const dialogPromise = app.createUAC('sip:+4930123@sip.example.com;user=phone;transport=tls', {
    localSdp: SDP,
    proxy: `sip:127.0.0.1:${port};transport=tls;lr`,
    headers: { Contact: `<sip:sbc.example.org:5061;transport=tls>` },
  });
  const session = await incoming;
  expect(session.peerNames).toEqual(['sbc.example.org']);
  expect(session.invite.get('contact')).toBe('<sip:sbc.example.org:5061;transport=tls>');
  expect(session.invite.via?.transport).toBe('TLS');
  const acked = session.accept(ANSWER, { headers: { Contact: '<sip:api.example.com:443;x-i=1>' } });
  const dialog = await dialogPromise;
  await acked;
  // Both names resolve nowhere: what follows goes over the connection that is open.
  expect((await session.request('OPTIONS')).status).toBe(200);
  await dialog.modify(`${SDP}a=label:1\r\n`);
  const destroyed = once(dialog, 'destroy');
  await session.bye();
  await destroyed;
  expect(teams.stack.counters.connections).toBe(1);
  await expectNothingLeft(server, teams);
});

test('wrong names, strangers and missing certificates end in 503', async () => {
  const { make } = await identities();
  const stranger = await identities();
  const server = await startAgent(
    {},
    {
      listen: [{ ...listen('tls'), tls: await make(['sip.example.com'], { requireClientCertificate: true }) }],
      timers: FAST,
    },
  );
  const port = server.stack.localFor('tls')?.port ?? 0;
  const status = async (tlsClient: TlsIdentity | undefined, serverName: string): Promise<number> => {
    const agent = await startAgent(
      {},
      { listen: [listen('udp')], timers: FAST, ...(tlsClient === undefined ? {} : { tlsClient }) },
    );
    const target = { protocol: 'tls', address: '127.0.0.1', port, serverName } as const;
    return (await agent.request('OPTIONS', 'sip:x@sip.example.com', { target })).status;
  };
  const good = await make(['sbc.example.org']);
  expect(await status(good, 'sip.example.com')).toBe(200);
  expect(await status(good, 'other.example.com')).toBe(503);
  expect(await status(await stranger.make(['sbc.example.org']), 'sip.example.com')).toBe(503);
  // TLS 1.3 tells the client only after its first bytes: the request then runs into its timeout.
  expect([408, 503]).toContain(await status(undefined, 'sip.example.com'));
});

test('a call over WebSocket is answered, and requests of both sides use the one connection', async () => {
  const server = await startServer({ listen: [listen('ws')] });
  const app = await connectApp(server);
  const invited = nextInvite(app);
  const browser = await startAgent({ contact: 'sip:anna@abc123.invalid;transport=ws' }, { listen: [], timers: FAST });
  const call = browser.invite(serverUri(server, 'ws'), { sdp: SDP });
  const { req, res } = await invited;
  expect(req.protocol).toBe('tcp');
  const dialog = await app.createUAS(req, res, { localSdp: ANSWER });
  await call.answered;
  expect(await dialog.modify(`${ANSWER}a=label:1\r\n`)).toBe(SDP);
  expect((await call.request('INFO')).status).toBe(200);
  const destroyed = once(dialog, 'destroy');
  await call.bye();
  await destroyed;
  expect(server.counters.connections).toBe(1);
  await expectNothingLeft(server, browser);
});

test('a registered browser is reached over its own connection', async () => {
  const server = await startServer({ listen: [listen('udp'), listen('ws')] });
  const app = await connectApp(server, (srf) => {
    srf.register((_req, res: Response) => {
      res.send(200, { headers: { Expires: '60' } });
    });
  });
  const contact = 'sip:anna@abc123.invalid;transport=ws';
  const browser = await startAgent({ contact }, { listen: [], timers: FAST });
  const incoming = new Promise<IncomingSession>((resolve) => {
    browser.onInvite(resolve);
  });
  const registered = await browser.request('REGISTER', serverUri(server, 'ws'), { headers: { Expires: '60' } });
  expect(registered.status).toBe(200);
  expect((await appRequest(app, contact, { method: 'OPTIONS' })).status).toBe(200);
  const dialogPromise = app.createUAC(contact, { localSdp: SDP });
  const session = await incoming;
  const acked = session.accept(ANSWER);
  const dialog = await dialogPromise;
  await acked;
  await dialog.destroy();
  await expectNothingLeft(server, browser);
});

test('WebSocket peers must speak sip, and oversized frames close only their connection', async () => {
  const server = await startServer({ listen: [listen('ws')] });
  const { port } = serverPeer(server, 'ws');
  const other = new WebSocket(`ws://127.0.0.1:${port}`, 'chat');
  const refused = await new Promise<string>((resolve) => {
    other.on('error', (error) => {
      resolve(error.message);
    });
  });
  expect(refused).toContain('400');
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, 'sip');
  const pong = new Promise<string>((resolve) => {
    socket.on('message', (data: Buffer) => {
      resolve(data.toString());
    });
  });
  await once(socket, 'open');
  socket.send('\r\n\r\n');
  expect(await pong).toBe('\r\n');
  const closed = once(socket, 'close');
  socket.send('x'.repeat(70_000));
  await closed;
  await until(() => server.counters.connections === 0);
});
