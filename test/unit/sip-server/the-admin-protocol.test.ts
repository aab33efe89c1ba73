import { connect } from 'node:net';
import {
  closeAll,
  connectApp,
  expectNothingLeft,
  FAST,
  RawApp,
  RawPeer,
  SDP,
  SECRET,
  serverPeer,
  serverUri,
  startAgent,
  startServer,
  until,
} from './support';

afterEach(closeAll);

async function authenticated(server: Awaited<ReturnType<typeof startServer>>): Promise<RawApp> {
  const app = await RawApp.connect(server);
  expect(await app.ask('auth', `authenticate|${SECRET}|red`)).toMatch(/^OK\|.*\|v0\.9\.10\|/);
  return app;
}

test('the handshake names all transports, newest first, and a version that allows pings', async () => {
  const server = await startServer();
  const app = await RawApp.connect(server);
  const hostports = [serverPeer(server, 'tcp'), serverPeer(server)]
    .map((peer) => `${peer.protocol}/127.0.0.1:${peer.port}`)
    .join(',');
  expect(await app.ask('1', `authenticate|${SECRET}|`)).toBe(`OK|${hostports}|v0.9.10|${hostports}`);
  expect(await app.ask('2', 'ping')).toBe('OK|pong');
  expect(await app.ask('3', 'route|invite')).toBe('OK');
  expect(await app.ask('4', 'remove_route|invite')).toBe('OK');
});

test('a wrong secret, a command without one, and unknown commands end the link', async () => {
  const server = await startServer();
  const wrong = await RawApp.connect(server);
  expect(await wrong.ask('1', 'authenticate|guess|')).toBe('NO|incorrect secret');
  await until(() => wrong.closed);
  const early = await RawApp.connect(server);
  expect(await early.ask('1', 'route|invite')).toBe('NO|not authenticated');
  await until(() => early.closed);
  const odd = await authenticated(server);
  expect(await odd.ask('2', 'dance')).toBe('NO|Unknown message type');
  await until(() => odd.closed);
  await until(() => server.applications === 0);
});

test('a connection that does not speak the protocol is closed', async () => {
  const server = await startServer();
  const socket = connect(server.admin.port, server.admin.host);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\n\r\n');
  await closed;
  expect(server.applications).toBe(0);
});

test('frames may come byte by byte, and large ones pass', async () => {
  const server = await startServer();
  const app = await authenticated(server);
  for (const byte of Buffer.from('6#7|ping6#8|ping')) {
    app.socket.write(Buffer.from([byte]));
  }
  await app.next((payload) => payload.includes('response|7|OK|pong'));
  await app.next((payload) => payload.includes('response|8|OK|pong'));
  const peer = await RawPeer.open();
  const body = `v=0\r\n${'a=x:ü\r\n'.repeat(3000)}`;
  const reply = await app.ask(
    '9',
    `sip||\r\nMESSAGE sip:bob@127.0.0.1:${peer.port} SIP/2.0\r\nContent-Length: 3\r\n\r\n${body}`,
  );
  expect(reply).toContain(`Content-Length: ${Buffer.byteLength(body)}\r\n`);
  const sent = await peer.next();
  expect(sent.endsWith(body)).toBe(true);
});

test('a new request and its answer look as the reference says', async () => {
  const server = await startServer();
  const app = await authenticated(server);
  await app.ask('r', 'route|invite');
  const peer = await RawPeer.open();
  const { port } = serverPeer(server);
  peer.send(
    [
      `INVITE sip:bob@127.0.0.1:${port} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bKas1;rport`,
      'X-lower-case: kept',
      'Max-Forwards: 70',
      'f: "Alice" <sip:alice@127.0.0.1>;tag=at',
      `t: <sip:bob@127.0.0.1>`,
      'i: call-1',
      'CSeq: 1 INVITE',
      `m: <sip:alice@127.0.0.1:${peer.port}>`,
      'Supported: 100rel',
      'l: 0',
      '',
      '',
    ].join('\r\n'),
    serverPeer(server),
  );
  expect(await peer.next()).toMatch(/^SIP\/2.0 100 Trying\r\n/);
  const invite = await app.next((payload) => payload.includes('|sip|network|'));
  const [meta = ''] = invite.split('\r\n');
  const tokens = meta.split('|');
  expect(tokens.slice(1, 3)).toEqual(['sip', 'network']);
  expect(tokens.slice(4, 7)).toEqual(['udp', '127.0.0.1', String(peer.port)]);
  expect(tokens[7]).toMatch(/^\d\d:\d\d:\d\d\.\d{6}$/);
  expect(tokens.slice(9)).toEqual(['', '127.0.0.1', String(port), '']);
  expect(invite).toContain(`;rport=${peer.port}`);
  expect(invite).toContain('\r\nFrom: "Alice"');
  const txn = tokens[8] ?? '';
  const reply = await app.ask('s', `sip|${txn}|\r\nSIP/2.0 183 Session Progress\r\nRequire: 100rel\r\n\r\n${SDP}`);
  const answered = (reply.split('\r\n')[0] ?? '').split('|');
  expect(answered.slice(0, 2)).toEqual(['OK', 'application']);
  expect(answered.slice(3, 6)).toEqual(['udp', '127.0.0.1', String(peer.port)]);
  expect(answered.slice(7)).toEqual([txn, 'call-1;from-tag=at', '', 'Msg sent:', '']);
  const lines = (await peer.next()).split('\r\n').map((line) => line.split(':')[0]);
  expect(lines.slice(0, lines.indexOf(''))).toEqual([
    'SIP/2.0 183 Session Progress',
    'Via',
    'From',
    'To',
    'Call-ID',
    'CSeq',
    'Contact',
    'RSeq',
    'Require',
    'Content-Type',
    'Content-Length',
  ]);
  expect(await app.ask('t', `sip|nonsense|\r\nSIP/2.0 200 OK\r\n\r\n`)).toBe(
    'NOK|Response not sent due to unknown transaction',
  );
  expect(await app.ask('u', `sip|nonsense|\r\nSIP/2.0 200 OK\r\nCSeq: 1 CANCEL\r\n\r\n`)).toBe(
    'NOK|200 OK to incoming CANCEL is automatically generated by the stack',
  );
  expect(await app.ask('v', `sip|${txn}|\r\nSIP/2.0 200 OK\r\n\r\nnot sdp`)).toBe('NOK|missing content-type');
});

test('an application cannot smuggle headers of the server or extra lines', async () => {
  const server = await startServer();
  const app = await authenticated(server);
  const peer = await RawPeer.open();
  await app.ask(
    '1',
    `sip||\r\nOPTIONS sip:bob@127.0.0.1:${peer.port} SIP/2.0\r\nVia: SIP/2.0/UDP evil\r\nRoute: <sip:evil>\r\nBad Name: x\r\nx-own: 1\r\ndashed-name: 2\r\n\r\n`,
  );
  const sent = await peer.next();
  expect(sent).not.toContain('evil');
  expect(sent).not.toContain('Bad Name');
  expect(sent).toContain('\r\nx-own: 1\r\n');
  expect(sent).toContain('\r\nDashed-Name: 2\r\n');
});

test('requests go round robin; a verb routed twice counts once; remove_route removes only that verb', async () => {
  const server = await startServer();
  const first = await authenticated(server);
  const second = await authenticated(server);
  for (const app of [first, first, second]) {
    await app.ask('i', 'route|invite');
    await app.ask('o', 'route|options');
  }
  const peer = await RawPeer.open();
  const invite = (n: number): void =>
    peer.send(
      `INVITE sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bK${n}\r\nFrom: <sip:a@b>;tag=${n}\r\nTo: <sip:c@d>\r\nCall-ID: c${n}\r\nCSeq: 1 INVITE\r\n\r\n`,
      serverPeer(server),
    );
  const of = (app: RawApp): number => app.payloads.filter((payload) => payload.includes('|sip|network|')).length;
  for (let n = 0; n < 6; n++) {
    invite(n);
  }
  await until(() => of(first) + of(second) === 6);
  expect([of(first), of(second)]).toEqual([3, 3]);
  await first.ask('x', 'remove_route|invite');
  for (let n = 6; n < 9; n++) {
    invite(n);
  }
  await until(() => of(first) + of(second) === 9);
  expect(of(second)).toBe(6);
  await second.ask('x', 'remove_route|invite');
  const agent = await startAgent({}, { timers: FAST });
  await expect(agent.invite(serverUri(server), { sdp: SDP }).answered).rejects.toMatchObject({ status: 503 });
  void agent.request('OPTIONS', serverUri(server));
  await until(() => [...first.payloads, ...second.payloads].some((payload) => payload.includes('\r\nOPTIONS ')));
});

test('a second INVITE with the same Call-ID and From-tag is refused while the first lives', async () => {
  const server = await startServer();
  const app = await authenticated(server);
  await app.ask('i', 'route|invite');
  const peer = await RawPeer.open();
  for (const branch of ['a', 'b']) {
    peer.send(
      `INVITE sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bK${branch}\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: same\r\nCSeq: 1 INVITE\r\n\r\n`,
      serverPeer(server),
    );
  }
  await peer.next((text) => text.startsWith('SIP/2.0 491 Request Pending'));
  expect(app.payloads.filter((payload) => payload.includes('INVITE sip:bob'))).toHaveLength(1);
});

test('an application that never answers costs the caller a 500, not silence', async () => {
  const server = await startServer({ timers: { t1: 5, t2: 20, t4: 20 } });
  const app = await authenticated(server);
  await app.ask('i', 'route|invite');
  await app.ask('o', 'route|options');
  const agent = await startAgent({}, { timers: FAST });
  await expect(agent.invite(serverUri(server), { sdp: SDP }).answered).rejects.toMatchObject({ status: 500 });
  expect((await agent.request('OPTIONS', serverUri(server))).status).toBe(500);
  await expectNothingLeft(server, agent);
  // Two, unless a retransmission came so late that its transaction was over already: then it is a request like any other.
  const given = app.payloads.filter((payload) => /\r\n(?:INVITE|OPTIONS) sip:/.test(payload)).length;
  expect(given).toBeGreaterThanOrEqual(2);
  expect(server.counters.unanswered).toBe(given);
});

test('a wrong secret reaches drachtio-srf as an error of connect', async () => {
  const server = await startServer({ secret: 'other' });
  await expect(connectApp(server, undefined, { maxAttempts: 1 })).rejects.toThrow('failed to authenticate');
});
