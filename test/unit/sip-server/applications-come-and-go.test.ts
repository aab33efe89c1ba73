import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { IncomingSession } from '../../../src/embedded/sip/types';
import {
  appRequest,
  closeAll,
  connectApp,
  expectNothingLeft,
  FAST,
  nextInvite,
  once,
  onClose,
  RawApp,
  SDP,
  SECRET,
  serverUri,
  startAgent,
  startServer,
  until,
  uriOf,
  type Request,
  type Response,
} from './support';

const ANSWER = SDP.replace('40000', '50000');

afterEach(closeAll);

async function startRelay(to: number): Promise<{ port: number; cut(): void }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of sockets) {
      socket.destroy();
    }
    sockets.clear();
  };
  onClose(async () => {
    cut();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, cut };
}

async function answeredCall() {
  const server = await startServer();
  const first = await connectApp(server);
  const invited = nextInvite(first);
  const caller = await startAgent({}, { timers: FAST });
  const call = caller.invite(serverUri(server), { sdp: SDP });
  const { req, res } = await invited;
  const dialog = await first.createUAS(req, res, { localSdp: ANSWER });
  const acked = once(dialog, 'ack');
  await call.answered;
  await acked;
  return { server, first, caller, call, dialog };
}

test('after the application is gone the peer gets 481, and its BYE removes the dialog', async () => {
  const { server, first, caller, call } = await answeredCall();
  first.disconnect();
  await until(() => server.applications === 0);
  expect(server.dialogs).toBe(1);
  expect((await caller.request('OPTIONS', serverUri(server))).status).toBe(503);
  await call.bye();
  await expectNothingLeft(server, caller);
});

test('another application can hang up a call by its dialog id, but does not receive its requests', async () => {
  const { server, first, caller, call, dialog } = await answeredCall();
  const second = await connectApp(server);
  first.disconnect();
  await until(() => server.applications === 1);
  expect((await call.request('INFO')).status).toBe(481);
  const options = await appRequest(second, 'sip:placeholder', { method: 'OPTIONS', stackDialogId: dialog.id });
  expect(options.status).toBe(481);
  expect((await appRequest(second, 'sip:placeholder', { method: 'BYE', stackDialogId: dialog.id })).status).toBe(481);
  await expectNothingLeft(server, caller);
});

test('another application can act on a live call by its dialog id', async () => {
  const { server, first, caller, call, dialog } = await answeredCall();
  const second = await connectApp(server);
  first.disconnect();
  await until(() => server.applications === 1);
  const ended = new Promise((resolve) => {
    call.onEnd(resolve);
  });
  const options = { method: 'OPTIONS', stackDialogId: dialog.id };
  expect((await appRequest(second, 'sip:placeholder', options)).status).toBe(200);
  expect((await appRequest(second, 'sip:placeholder', { ...options, method: 'BYE' })).status).toBe(200);
  expect(await ended).toEqual({ by: 'remote' });
  await expect(appRequest(second, 'sip:placeholder', options)).rejects.toMatchObject({ code: 'ENODIALOG' });
  await expectNothingLeft(server, caller);
});

test('the pending request of a dead application can be answered over another connection', async () => {
  const server = await startServer();
  const first = await RawApp.connect(server);
  await first.ask('a', `authenticate|${SECRET}|`);
  await first.ask('r', 'route|invite');
  const caller = await startAgent({}, { timers: FAST });
  const call = caller.invite(serverUri(server), { sdp: SDP });
  const txn = (await first.next((payload) => payload.includes('|sip|network|'))).split('|')[8] ?? '';
  first.socket.destroy();
  await until(() => server.applications === 0);
  const second = await RawApp.connect(server);
  await second.ask('a', `authenticate|${SECRET}|`);
  expect(await second.ask('s', `sip|${txn}|\r\nSIP/2.0 200 OK\r\n\r\n${ANSWER}`)).toContain('OK|application|');
  expect((await call.answered).body).toBe(ANSWER);
});

test('an application that reconnects gets new calls again', async () => {
  const server = await startServer();
  const relay = await startRelay(server.admin.port);
  const app = await connectApp({ ...server, admin: { host: '127.0.0.1', port: relay.port } }, (srf) => {
    srf.invite((_req: Request, res: Response) => {
      res.send(486);
    });
  });
  const caller = await startAgent({}, { timers: FAST });
  await expect(caller.invite(serverUri(server), { sdp: SDP }).answered).rejects.toMatchObject({ status: 486 });
  const again = once(app, 'connect');
  // The link is cut from the outside, as by a firewall.
  relay.cut();
  await again;
  await until(() => server.applications === 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await expect(caller.invite(serverUri(server), { sdp: SDP }).answered).rejects.toMatchObject({ status: 486 });
});

test('the 200 of a call whose application has died is acknowledged and hung up', async () => {
  const server = await startServer();
  const app = await connectApp(server);
  const agent = await startAgent({}, { timers: FAST });
  const incoming = new Promise<IncomingSession>((resolve) => {
    agent.onInvite(resolve);
  });
  void app.createUAC(uriOf(agent), { localSdp: SDP }).catch(() => undefined);
  const session = await incoming;
  await session.progress(180);
  await until(() => server.dialogs === 1);
  app.disconnect();
  await until(() => server.applications === 0);
  const ended = new Promise((resolve) => {
    session.onEnd(resolve);
  });
  await session.accept(ANSWER);
  expect(await ended).toEqual({ by: 'remote' });
  await expectNothingLeft(server, agent);
});

test('a B2BUA bridges two calls and both ends end together', async () => {
  const server = await startServer();
  const agent = await startAgent({}, { timers: FAST });
  const caller = await startAgent({}, { timers: FAST });
  await connectApp(server, (srf) => {
    srf.invite((req, res) => {
      void srf.createB2BUA(req, res, uriOf(agent), { localSdpB: req.body }).then(({ uas, uac }) => {
        uas.on('destroy', () => void uac.destroy());
        uac.on('destroy', () => void uas.destroy());
      });
    });
  });
  agent.onInvite((session) => {
    void session.progress(180).then(() => session.accept(ANSWER));
  });
  for (let n = 0; n < 10; n++) {
    const call = caller.invite(serverUri(server), { sdp: SDP });
    expect((await call.answered).body).toBe(ANSWER);
    await call.bye();
  }
  await expectNothingLeft(server, agent, caller);
});

test('proxyRequest tries targets in turn, reports each final, and later requests pass through', async () => {
  const server = await startServer();
  const busy = await startAgent({}, { timers: FAST });
  const free = await startAgent({}, { timers: FAST });
  const caller = await startAgent({}, { timers: FAST });
  busy.onInvite((session) => {
    session.reject(486);
  });
  free.onInvite((session) => {
    void session.accept(ANSWER);
  });
  const done = new Promise<{ finalStatus: number }>((resolve) => {
    void connectApp(server, (srf) => {
      srf.invite((req) => {
        void srf.proxyRequest(req, [uriOf(busy), uriOf(free)], { remainInDialog: true }).then(resolve);
      });
    });
  });
  await until(() => server.applications === 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const call = caller.invite(serverUri(server), { sdp: SDP });
  const answer = await call.answered;
  expect(answer.body).toBe(ANSWER);
  expect(answer.get('record-route')).toContain(';lr');
  expect((await done).finalStatus).toBe(200);
  expect((await call.request('INFO')).status).toBe(200);
  await call.bye();
  await expectNothingLeft(server, busy, free, caller);
});
