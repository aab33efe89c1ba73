import type { IncomingSession, Protocol } from '../../../src/embedded/sip/types';
import type { UserAgent } from '../../../src/embedded/sip/user-agent';
import {
  appRequest,
  closeAll,
  connectApp,
  expectNothingLeft,
  FAST,
  listen,
  once,
  RawPeer,
  SDP,
  serverPeer,
  startAgent,
  startServer,
  until,
  uriOf,
  type Dialog,
  type Message,
  type Request,
} from './support';

const ANSWER = SDP.replace('40000', '50000');

afterEach(closeAll);

async function setUp(): Promise<{
  server: Awaited<ReturnType<typeof startServer>>;
  app: Awaited<ReturnType<typeof connectApp>>;
  agent: UserAgent;
  incoming: Promise<IncomingSession>;
}> {
  const server = await startServer();
  const app = await connectApp(server);
  const agent = await startAgent({}, { timers: FAST });
  const incoming = new Promise<IncomingSession>((resolve) => {
    agent.onInvite(resolve);
  });
  return { server, app, agent, incoming };
}

describe.each<Protocol>(['udp', 'tcp'])('createUAC over %s', (protocol) => {
  test('places a call with its own headers, acknowledges it and ends it', async () => {
    const { server, app, agent, incoming } = await setUp();
    const provisional: number[] = [];
    const dialogPromise = app.createUAC(
      uriOf(agent, protocol),
      {
        localSdp: SDP,
        headers: {
          From: '"Carol" <sip:+4930@localhost>',
          Contact: '<sip:acd@localhost>',
          'X-cc-id': '7',
          Subject: 'hi',
        },
      },
      { cbProvisional: (res: Message) => provisional.push(res.status) },
    );
    const session = await incoming;
    const { invite } = session;
    const local = serverPeer(server, protocol);
    expect(invite.get('from')).toMatch(new RegExp(`^"Carol" <sip:\\+4930@127.0.0.1:${local.port}>;tag=.+`));
    expect(invite.get('contact')).toBe(`<sip:acd@127.0.0.1:${local.port}>`);
    expect(invite.headers.map((header) => header.name)).toEqual([
      'Via',
      'Max-Forwards',
      'From',
      'To',
      'Call-ID',
      'CSeq',
      'Contact',
      'Subject',
      'Content-Type',
      'Content-Length',
      'X-cc-id',
    ]);
    await session.progress(180);
    const acked = session.accept(ANSWER);
    const dialog = await dialogPromise;
    await acked;
    expect(provisional).toEqual([180]);
    expect(dialog.id).toBe(`${session.callId};from-tag=${session.remoteTag}`);
    expect(dialog.remote.sdp).toBe(ANSWER);
    await dialog.destroy();
    await expectNothingLeft(server, agent);
  });

  test('hears the BYE and the re-INVITE of the called party', async () => {
    const { server, app, agent, incoming } = await setUp();
    const dialogPromise = app.createUAC(uriOf(agent, protocol), { localSdp: SDP });
    const session = await incoming;
    const acked = session.accept(ANSWER);
    const dialog = await dialogPromise;
    await acked;
    const answered = await session.reinvite(`${ANSWER}a=label:1\r\n`);
    expect([answered.status, answered.body]).toEqual([200, SDP]);
    const destroyed = once(dialog, 'destroy');
    await session.bye();
    expect(((await destroyed) as Message).method).toBe('BYE');
    await expectNothingLeft(server, agent);
  });

  test('a refusal rejects with its status', async () => {
    const { server, app, agent, incoming } = await setUp();
    const dialogPromise = app.createUAC(uriOf(agent, protocol), { localSdp: SDP });
    (await incoming).reject(486);
    await expect(dialogPromise).rejects.toMatchObject({ status: 486 });
    await expectNothingLeft(server, agent);
  });
});

test('cancel after 180 ends with 487 and passes the Reason on', async () => {
  const { server, app, agent, incoming } = await setUp();
  let request: Request | undefined;
  const dialogPromise = app.createUAC(
    uriOf(agent),
    { localSdp: SDP },
    { cbRequest: (_error: unknown, req: Request) => (request = req), cbProvisional: () => undefined },
  );
  const outcome = dialogPromise.catch((error: unknown) => error);
  const session = await incoming;
  const cancelled = new Promise((resolve) => {
    session.onCancel(resolve);
  });
  await session.progress(180);
  await until(() => server.dialogs === 1);
  request?.cancel({ headers: { Reason: 'SIP;cause=200;text="Call completed elsewhere"' } });
  expect(await cancelled).toBe('SIP;cause=200;text="Call completed elsewhere"');
  expect(await outcome).toMatchObject({ status: 487 });
  await expectNothingLeft(server, agent);
});

/** A response by hand. */
function responseTo(request: string, status: string, headers: readonly string[] = [], body = ''): string {
  const copied = request.split('\r\n').filter((line) => /^(via|from|call-id|cseq):/i.test(line));
  const to = (request.split('\r\n').find((line) => /^to:/i.test(line)) ?? '').replace(/;tag=.*$/, '');
  return [`SIP/2.0 ${status}`, ...copied, `${to};tag=x`, ...headers, `Content-Length: ${body.length}`, '', body].join(
    '\r\n',
  );
}

test('a CANCEL before any provisional is held back, and a second one is refused', async () => {
  const server = await startServer();
  const app = await connectApp(server);
  const peer = await RawPeer.open();
  let request: Request | undefined;
  const outcome = app
    .createUAC(
      `sip:bob@127.0.0.1:${peer.port}`,
      { localSdp: SDP },
      { cbRequest: (_e: unknown, req: Request) => (request = req) },
    )
    .catch((error: unknown) => error);
  const invite = await peer.next((text) => text.startsWith('INVITE'));
  await until(() => request !== undefined);
  const first = await new Promise((resolve) => request?.cancel(resolve));
  expect(first).toBeNull();
  const second = await new Promise((resolve) => request?.cancel(resolve));
  expect(String(second)).toContain('unable to cancel unknown transaction id');
  expect(peer.received.some((text) => text.startsWith('CANCEL'))).toBe(false);
  peer.send(responseTo(invite, '180 Ringing'), serverPeer(server));
  const cancel = await peer.next((text) => text.startsWith('CANCEL'));
  expect(/branch=([^;\r]+)/.exec(cancel)?.[1]).toBe(/branch=([^;\r]+)/.exec(invite)?.[1]);
  peer.send(responseTo(cancel, '200 OK'), serverPeer(server));
  peer.send(responseTo(invite, '487 Request Terminated'), serverPeer(server));
  await peer.next((text) => text.startsWith('ACK'));
  expect(await outcome).toMatchObject({ status: 487 });
  await expectNothingLeft(server);
});

test('a 200 that crosses the CANCEL is delivered, acknowledged and hung up by the server', async () => {
  const server = await startServer();
  const app = await connectApp(server);
  const peer = await RawPeer.open();
  let request: Request | undefined;
  const dialogPromise = app.createUAC(
    `sip:bob@127.0.0.1:${peer.port}`,
    { localSdp: SDP },
    { cbRequest: (_error: unknown, req: Request) => (request = req) },
  );
  const invite = await peer.next((text) => text.startsWith('INVITE'));
  peer.send(responseTo(invite, '180 Ringing'), serverPeer(server));
  await until(() => server.dialogs === 1 && request !== undefined);
  request?.cancel();
  const cancel = await peer.next((text) => text.startsWith('CANCEL'));
  const contact = [`Contact: <sip:bob@127.0.0.1:${peer.port}>`, 'Content-Type: application/sdp'];
  peer.send(responseTo(invite, '200 OK', contact, ANSWER), serverPeer(server));
  peer.send(responseTo(cancel, '200 OK'), serverPeer(server));
  const dialog: Dialog = await dialogPromise;
  const destroyed = dialog.connected ? once(dialog, 'destroy') : Promise.resolve();
  await peer.next((text) => text.startsWith('ACK'));
  const bye = await peer.next((text) => text.startsWith('BYE'));
  expect(bye).toContain('ACK-BYE due to cancel race condition');
  peer.send(responseTo(bye, '200 OK'), serverPeer(server));
  await destroyed;
  await expectNothingLeft(server);
});

test('a proxy URI decides where the INVITE goes, not what it says', async () => {
  const { server, app, agent, incoming } = await setUp();
  const via = serverPeerUri(agent);
  const dialogPromise = app.createUAC('sip:+4930123@sip.example.com;user=phone', { localSdp: SDP, proxy: `${via};lr` });
  const session = await incoming;
  expect(session.invite.uri).toBe('sip:+4930123@sip.example.com;user=phone');
  expect(session.invite.has('route')).toBe(false);
  const acked = session.accept(ANSWER);
  const dialog = await dialogPromise;
  await acked;
  await dialog.destroy();
  await expectNothingLeft(server, agent);
});

test('a delayed offer carries the application’s answer in the ACK', async () => {
  const { server, app, agent, incoming } = await setUp();
  const dialogPromise = app.createUAC(uriOf(agent), { noAck: true });
  const session = await incoming;
  expect(session.remoteSdp).toBeUndefined();
  const acked = session.accept(ANSWER);
  const held = (await dialogPromise) as unknown as { sdp: string; ack(sdp: string): Promise<Dialog> };
  expect(held.sdp).toBe(ANSWER);
  const dialog = await held.ack(SDP);
  expect((await acked).body).toBe(SDP);
  expect(session.remoteSdp).toBe(SDP);
  await dialog.destroy();
  await expectNothingLeft(server, agent);
});

test('requests outside dialogs get their responses, whoever makes them', async () => {
  const { server, app, agent } = await setUp();
  expect((await appRequest(app, uriOf(agent), { method: 'OPTIONS' })).status).toBe(200);
  const nobody = await appRequest(app, 'sip:bob@127.0.0.1:9', { method: 'OPTIONS' });
  expect([nobody.status, nobody.source_address]).toEqual([408, '']);
  const refused = await appRequest(app, 'sip:bob@127.0.0.1:1;transport=tcp', { method: 'OPTIONS' });
  expect(refused.status).toBe(503);
  await expect(appRequest(app, 'sip:bob@127.0.0.1:1;transport=tls', { method: 'OPTIONS' })).rejects.toThrow(
    'requested protocol/transport not available',
  );
  const self = `sip:bob@127.0.0.1:${serverPeer(server).port}`;
  await expect(appRequest(app, self, { method: 'OPTIONS' })).rejects.toThrow('can not send request to myself');
  await expect(
    appRequest(app, 'sip:placeholder', { method: 'BYE', stackDialogId: 'gone;from-tag=1' }),
  ).rejects.toMatchObject({ code: 'ENODIALOG' });
  await expectNothingLeft(server, agent);
});

test('a second fork that answers is acknowledged and hung up without the application', async () => {
  const server = await startServer();
  const app = await connectApp(server);
  const peer = await RawPeer.open();
  const dialogPromise = app.createUAC(`sip:bob@127.0.0.1:${peer.port}`, { localSdp: SDP });
  const invite = await peer.next((text) => text.startsWith('INVITE'));
  const answer = (tag: string): string =>
    `SIP/2.0 200 OK\r\n${invite
      .split('\r\n')
      .filter((line) => /^(via|from|call-id|cseq):/i.test(line))
      .join(
        '\r\n',
      )}\r\nTo: <sip:bob@x>;tag=${tag}\r\nContact: <sip:${tag}@127.0.0.1:${peer.port}>\r\nContent-Length: 0\r\n\r\n`;
  peer.send(answer('one'), serverPeer(server));
  await dialogPromise;
  expect(await peer.next((text) => text.startsWith('ACK'))).toContain('ACK sip:one@');
  peer.send(answer('one'), serverPeer(server));
  expect(await peer.next((text) => text.startsWith('ACK'))).toContain('ACK sip:one@');
  peer.send(answer('two'), serverPeer(server));
  expect(await peer.next((text) => text.startsWith('ACK'))).toContain('ACK sip:two@');
  expect(await peer.next((text) => text.startsWith('BYE'))).toContain('BYE sip:two@');
  expect(server.dialogs).toBe(1);
});

test('session refreshes are made by the server and the application is not bothered', async () => {
  const server = await startServer({ minSessionExpires: 1 });
  const app = await connectApp(server);
  const agent = await startAgent({ minSessionExpires: 1 }, { listen: [listen('udp')], timers: FAST });
  const incoming = new Promise<IncomingSession>((resolve) => {
    agent.onInvite(resolve);
  });
  const dialogPromise = app.createUAC(uriOf(agent), {
    localSdp: SDP,
    headers: { 'Session-Expires': '1;refresher=uac', Supported: 'timer' },
  });
  const session = await incoming;
  const acked = session.accept(ANSWER);
  const dialog = await dialogPromise;
  await acked;
  dialog.on('modify', () => {
    throw new Error('the application must not see refreshes');
  });
  const refreshed = await new Promise<string>((resolve) => {
    session.onReinvite((request) => {
      resolve(`${request.message.get('session-expires') ?? ''} ${request.message.body === SDP}`);
      request.respond(200);
    });
  });
  expect(refreshed).toBe('1;refresher=uac true');
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect(session.state).toBe('confirmed');
  await dialog.destroy();
  await expectNothingLeft(server, agent);
});

test('a peer that does not refresh is hung up when the interval is over', async () => {
  const server = await startServer({ minSessionExpires: 1 });
  const app = await connectApp(server);
  const peer = await RawPeer.open();
  const dialogPromise = app.createUAC(`sip:bob@127.0.0.1:${peer.port}`, { localSdp: SDP });
  const invite = await peer.next((text) => text.startsWith('INVITE'));
  const head = invite
    .split('\r\n')
    .filter((line) => /^(via|from|call-id|cseq):/i.test(line))
    .join('\r\n');
  peer.send(
    `SIP/2.0 200 OK\r\n${head}\r\nTo: <sip:bob@x>;tag=z\r\nContact: <sip:z@127.0.0.1:${peer.port}>\r\nSession-Expires: 1;refresher=uas\r\nContent-Length: 0\r\n\r\n`,
    serverPeer(server),
  );
  const dialog = await dialogPromise;
  const reason = await new Promise((resolve) => {
    dialog.once('destroy', (_bye: Message, why: string) => {
      resolve(why);
    });
  });
  expect(reason).toBe('Session timer expired');
  expect(await peer.next((text) => text.startsWith('BYE'))).toContain('Session timer expired');
  await expectNothingLeft(server);
});

function serverPeerUri(agent: UserAgent): string {
  return uriOf(agent).replace('bob@', '');
}
