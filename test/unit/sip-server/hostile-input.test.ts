import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { connect, type Socket } from 'node:net';
import {
  closeAll,
  connectApp,
  expectNothingLeft,
  FAST,
  nextInvite,
  onClose,
  once,
  RawPeer,
  SDP,
  serverPeer,
  serverUri,
  startAgent,
  startServer,
  until,
  type Request,
  type Response,
} from './support';

afterEach(closeAll);

async function tcp(port: number): Promise<{ socket: Socket; closed: Promise<void>; text: () => string }> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      resolve();
    });
  });
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  onClose(async () => {
    socket.destroy();
  });
  return { socket, closed, text: () => text };
}

/** A call that must live through everything. */
async function callInProgress(options = {}) {
  const server = await startServer(options);
  const app = await connectApp(server);
  const invited = nextInvite(app);
  const caller = await startAgent({}, { timers: FAST });
  const call = caller.invite(serverUri(server, 'tcp'), { sdp: SDP });
  const { req, res } = await invited;
  const dialog = await app.createUAS(req, res, { localSdp: SDP });
  const acked = once(dialog, 'ack');
  await call.answered;
  await acked;
  dialog.on('info', (_req: Request, reply: Response) => {
    reply.send(200);
  });
  return { server, app, caller, call };
}

test('lies about Content-Length, NUL bytes and huge headers over TCP end that connection only', async () => {
  const { server, caller, call } = await callInProgress();
  const { port } = serverPeer(server, 'tcp');
  const head = (extra: string): string =>
    `OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKh\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: h\r\nCSeq: 1 OPTIONS\r\n${extra}\r\n\r\n`;
  for (const bad of [
    head('Content-Length: 99999999'),
    head('Content-Length: -1'),
    head('Content-Length: 0\r\nl: 7'),
    head(`X-Big: ${'x'.repeat(70_000)}`),
    'y'.repeat(70_000),
  ]) {
    const peer = await tcp(port);
    peer.socket.write(bad);
    await peer.closed;
  }
  expect(server.counters.oversized).toBe(3);
  expect(server.counters.malformed).toBe(2);
  const nul = await tcp(port);
  nul.socket.write(head('X-Nul: a\0b\r\nContent-Length: 0'));
  nul.socket.write(head('X-Fine: 1\r\nContent-Length: 0').replace('z9hG4bKh', 'z9hG4bKok'));
  await until(() => nul.text().includes('503 Service Unavailable'));
  expect(server.counters.malformed).toBe(3);
  expect((await call.request('INFO')).status).toBe(200);
  await call.bye();
  await expectNothingLeft(server, caller);
});

test('a sender that never finishes its message is cut off, and keep-alives are answered', async () => {
  const { server, call } = await callInProgress({ stack: { partialMessageMs: 100 } });
  const slow = await tcp(serverPeer(server, 'tcp').port);
  const timer = setInterval(() => slow.socket.write('INVITE'), 20);
  await slow.closed;
  clearInterval(timer);
  expect(server.counters.slow).toBe(1);
  const alive = await tcp(serverPeer(server, 'tcp').port);
  alive.socket.write('\r\n\r\n');
  await until(() => alive.text() === '\r\n');
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(alive.socket.destroyed).toBe(false);
  expect((await call.request('INFO')).status).toBe(200);
});

test('thousands of INVITEs that are refused leave nothing behind and disturb no call', async () => {
  const server = await startServer();
  const app = await connectApp(server);
  let flood = 0;
  let wanted: ((value: { req: Request; res: Response }) => void) | undefined;
  app.invite((req, res) => {
    if (req.uri.includes('flood')) {
      flood++;
      res.send(403);
    } else {
      wanted?.({ req, res });
    }
  });
  const invited = new Promise<{ req: Request; res: Response }>((resolve) => (wanted = resolve));
  const caller = await startAgent({}, { timers: FAST });
  const call = caller.invite(serverUri(server), { sdp: SDP });
  const { req, res } = await invited;
  const dialog = await app.createUAS(req, res, { localSdp: SDP });
  dialog.on('info', (_req: Request, reply: Response) => {
    reply.send(200);
  });
  await call.answered;
  const peer = await RawPeer.open();
  const { port } = serverPeer(server);
  const total = 3000;
  for (let n = 0; n < total; n++) {
    peer.send(
      `INVITE sip:flood@127.0.0.1:${port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bK${n}\r\nFrom: <sip:a@b>;tag=${n}\r\nTo: <sip:c@d>\r\nCall-ID: f${n}\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n`,
      serverPeer(server),
    );
    if (n % 200 === 0) {
      expect((await call.request('INFO')).status).toBe(200);
    }
  }
  await until(() => flood === total, 15_000);
  expect((await call.request('INFO')).status).toBe(200);
  await call.bye();
  await expectNothingLeft(server, caller);
  await until(() => server.counters.serverTransactions === 0, 15_000);
});

test('when the table of transactions is full new requests are dropped and calls in progress go on', async () => {
  const { server, call } = await callInProgress({ stack: { maxTransactions: 20 } });
  const peer = await RawPeer.open();
  for (let n = 0; n < 100; n++) {
    peer.send(
      `OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bK${n}\r\nFrom: <sip:a@b>;tag=${n}\r\nTo: <sip:c@d>\r\nCall-ID: f${n}\r\nCSeq: 1 OPTIONS\r\n\r\n`,
      serverPeer(server),
    );
  }
  await until(() => server.counters.dropped >= 80);
  expect((await call.request('INFO')).status).toBe(200);
  await until(() => server.counters.serverTransactions <= 2);
});

/** Only what is still referenced counts, so that the figure does not depend on when the collector last ran. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

test('2,000 calls leave no dialog, transaction or memory behind', async () => {
  const server = await startServer();
  const app = await connectApp(server);
  app.invite((req, res) => {
    void app.createUAS(req, res, { localSdp: SDP });
  });
  const caller = await startAgent({}, { timers: FAST });
  const round = async (calls: number): Promise<number> => {
    for (let n = 0; n < calls; n += 20) {
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const call = caller.invite(serverUri(server, 'tcp'), { sdp: SDP });
          await call.answered;
          await call.bye();
        }),
      );
    }
    await expectNothingLeft(server, caller);
    await until(() => server.counters.serverTransactions === 0 && caller.stack.counters.clientTransactions === 0);
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const before = await round(500);
  const after = await round(1500);
  // 1,500 forgotten calls would be far more.
  expect(after - before).toBeLessThan(20 * 1024 * 1024);
  expect(server.counters.requestsIn).toBe(4000);
}, 60_000);
