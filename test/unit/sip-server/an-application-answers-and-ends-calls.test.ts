import type { Protocol } from '../../../src/embedded/sip/types';
import {
  closeAll,
  connectApp,
  expectNothingLeft,
  FAST,
  nextInvite,
  once,
  SDP,
  serverUri,
  startAgent,
  startServer,
  until,
  type Dialog,
  type Message,
} from './support';

const ANSWER = SDP.replace('40000', '50000');

afterEach(closeAll);

describe.each<Protocol>(['udp', 'tcp'])('createUAS over %s', (protocol) => {
  test('answers, gets the ACK, and hears the BYE of the caller', async () => {
    const server = await startServer();
    const app = await connectApp(server);
    const invited = nextInvite(app);
    const caller = await startAgent({}, { timers: FAST });
    const call = caller.invite(serverUri(server, protocol), { sdp: SDP });
    const { req, res } = await invited;
    expect(req.body).toBe(SDP);
    expect(req.protocol).toBe(protocol);
    expect(req.receivedOn).toBe(`127.0.0.1:${server.listening.find((p) => p.protocol === protocol)?.port}`);
    const dialog = await app.createUAS(req, res, { localSdp: ANSWER, headers: { 'X-ref': '7' } });
    const acked = once(dialog, 'ack');
    const answer = await call.answered;
    expect(answer.body).toBe(ANSWER);
    expect(answer.get('x-ref')).toBe('7');
    expect(answer.get('contact')).toContain('127.0.0.1');
    await acked;
    expect(dialog.id).toBe(`${call.callId};from-tag=${call.localTag}`);
    expect(dialog.sip).toEqual({ callId: call.callId, localTag: call.remoteTag, remoteTag: call.localTag });
    const destroyed = once(dialog, 'destroy');
    await call.bye({ headers: { Reason: 'Q.850;cause=16' } });
    expect(((await destroyed) as Message).get('reason')).toBe('Q.850;cause=16');
    await expectNothingLeft(server, caller);
  });

  test('answers, and ends the call with a BYE of its own', async () => {
    const server = await startServer();
    const app = await connectApp(server);
    const invited = nextInvite(app);
    const caller = await startAgent({}, { timers: FAST });
    const call = caller.invite(serverUri(server, protocol), { sdp: SDP });
    const { req, res } = await invited;
    const dialog = await app.createUAS(req, res, { localSdp: ANSWER });
    await call.answered;
    const ended = new Promise((resolve) => {
      call.onEnd(resolve);
    });
    const bye = await dialog.destroy({ headers: { Reason: 'Q.850;cause=16' } });
    expect(bye.method).toBe('BYE');
    expect(await ended).toEqual({ by: 'remote', reason: 'Q.850;cause=16' });
    await expectNothingLeft(server, caller);
  });

  test('a caller who gives up while ringing is reported, and 487 goes out by itself', async () => {
    const server = await startServer();
    const app = await connectApp(server);
    const invited = nextInvite(app);
    const caller = await startAgent({}, { timers: FAST });
    const call = caller.invite(serverUri(server, protocol), { sdp: SDP });
    const { req, res } = await invited;
    const cancelled = once(req, 'cancel');
    res.send(180);
    await until(() => call.remoteTag !== undefined);
    call.cancel({ headers: { Reason: 'SIP;cause=487' } });
    expect(((await cancelled) as Message).get('reason')).toBe('SIP;cause=487');
    await expect(call.answered).rejects.toMatchObject({ status: 487 });
    const late = await new Promise((resolve) => {
      res.send(200, { body: ANSWER }, (error) => {
        resolve(error);
      });
    });
    expect(String(late)).toContain('Response not sent due to unknown transaction');
    await expectNothingLeft(server, caller);
  });
});

test('re-INVITE and INFO of the caller reach the dialog, and its own reach the caller', async () => {
  const server = await startServer();
  const app = await connectApp(server);
  const invited = nextInvite(app);
  const caller = await startAgent({}, { timers: FAST });
  const call = caller.invite(serverUri(server), { sdp: SDP });
  const { req, res } = await invited;
  const dialog: Dialog = await app.createUAS(req, res, { localSdp: ANSWER });
  await call.answered;
  dialog.on('modify', (modify: Message, reply: { send(status: number, options: object): void }) => {
    reply.send(200, { body: `${ANSWER}a=${modify.body.includes('inactive') ? 'inactive' : 'sendrecv'}\r\n` });
  });
  dialog.on('info', (_info: Message, reply: { send(status: number): void }) => {
    reply.send(200);
  });
  const held = await call.reinvite(`${SDP}a=inactive\r\n`);
  expect(held.body).toContain('a=inactive');
  expect((await call.request('INFO', { body: 'Signal=5', contentType: 'application/dtmf-relay' })).status).toBe(200);
  expect(await dialog.modify(`${ANSWER}a=label:2\r\n`)).toContain('a=inactive');
  expect(call.remoteSdp).toContain('a=label:2');
  const options = await dialog.request({ method: 'OPTIONS' });
  expect(options.status).toBe(200);
  await dialog.destroy();
  await expectNothingLeft(server, caller);
});

test('refusals, redirects and reliable provisionals go out as the application says', async () => {
  const server = await startServer();
  const app = await connectApp(server, (srf) => {
    srf.invite((req, res) => {
      if (req.uri.includes('busy')) {
        res.send(486, { headers: { 'Retry-After': '30' } });
      } else {
        res.send(183, { body: ANSWER, headers: { Require: '100rel' } }, (error) => {
          res.send(error ? 500 : 200, { body: ANSWER });
        });
      }
    });
  });
  const caller = await startAgent({}, { timers: FAST });
  const busy = caller.invite(serverUri(server, 'udp', 'busy'), { sdp: SDP });
  await expect(busy.answered).rejects.toMatchObject({ status: 486 });
  const early = caller.invite(serverUri(server), { sdp: SDP });
  const seen: string[] = [];
  early.onProgress((response) => seen.push(`${response.status} ${response.get('require') ?? ''}`));
  await early.answered;
  expect(seen).toEqual(['183 100rel']);
  const refused = caller.invite(serverUri(server), { sdp: SDP, headers: { Supported: 'timer' } });
  await expect(refused.answered).rejects.toMatchObject({ status: 500 });
  await early.bye();
  await expectNothingLeft(server, caller);
  expect(app).toBeDefined();
});

test('without an application INVITEs get 503; unknown methods and dialogs are refused', async () => {
  const server = await startServer();
  const caller = await startAgent({}, { timers: FAST });
  const call = caller.invite(serverUri(server), { sdp: SDP });
  await expect(call.answered).rejects.toMatchObject({ status: 503 });
  expect((await caller.request('OPTIONS', serverUri(server))).status).toBe(503);
  expect((await caller.request('BYE', serverUri(server))).status).toBe(481);
  expect((await caller.request('REFER', serverUri(server))).status).toBe(405);
  const stray = await caller.request('INVITE', serverUri(server), { to: `<${serverUri(server)}>;tag=x` });
  expect(stray.status).toBe(481);
  await expectNothingLeft(server, caller);
});

test('no ACK: the 200 is repeated, then the server hangs up and says so', async () => {
  const server = await startServer();
  const app = await connectApp(server);
  const invited = nextInvite(app);
  const caller = await startAgent({}, { timers: FAST });
  const call = caller.invite(serverUri(server), { sdp: SDP });
  const { req, res } = await invited;
  await caller.stack.close();
  const dialog = await app.createUAS(req, res, { localSdp: ANSWER });
  const reason = await new Promise((resolve) => {
    dialog.once('destroy', (_bye: Message, why: string) => {
      resolve(why);
    });
  });
  expect(reason).toBe('ACK timeout');
  expect(server.counters.ownByes).toBe(1);
  call.close();
  await expectNothingLeft(server);
});
