import { SipRejected } from '../../../src/embedded/sip/user-agent';
import type { IncomingSession, Protocol } from '../../../src/embedded/sip/types';
import type { UserAgent } from '../../../src/embedded/sip/user-agent';
import { closeAll, listen, SDP, startAgent, until, uriOf } from './support';

const FAST = { timers: { t1: 20, t2: 80, t4: 50 } };
const ANSWER = SDP.replace('40000', '50000');

afterEach(closeAll);

async function pair(): Promise<{ alice: UserAgent; bob: UserAgent; incoming: Promise<IncomingSession> }> {
  const alice = await startAgent({}, FAST);
  const bob = await startAgent({}, FAST);
  const incoming = new Promise<IncomingSession>((resolve) => {
    bob.onInvite(resolve);
  });
  return { alice, bob, incoming };
}

async function call(protocol: Protocol = 'udp') {
  const { alice, bob, incoming } = await pair();
  const out = alice.invite(uriOf(bob, protocol), { sdp: SDP });
  const session = await incoming;
  const ack = session.accept(ANSWER);
  await out.answered;
  await ack;
  return { alice, bob, out, session };
}

describe.each<Protocol>(['udp', 'tcp'])('a call over %s', (protocol) => {
  test('is answered, carries SDP both ways and ends with the BYE of the caller', async () => {
    const { alice, bob, out, session } = await call(protocol);
    expect(session.remoteSdp).toBe(SDP);
    expect(out.remoteSdp).toBe(ANSWER);
    expect(out.state).toBe('confirmed');
    expect(out.remoteTag).toBe(session.localTag);
    const ended = new Promise((resolve) => {
      session.onEnd(resolve);
    });
    await out.bye({ headers: { Reason: 'Q.850;cause=16' } });
    expect(await ended).toEqual({ by: 'remote', reason: 'Q.850;cause=16' });
    expect([alice.sessions, bob.sessions]).toEqual([0, 0]);
  });

  test('ends with the BYE of the called party', async () => {
    const { alice, bob, out, session } = await call(protocol);
    const ended = new Promise((resolve) => {
      out.onEnd(resolve);
    });
    await session.bye();
    expect(await ended).toEqual({ by: 'remote' });
    expect([alice.sessions, bob.sessions]).toEqual([0, 0]);
  });

  test('that is refused rejects with the status and leaves nothing behind', async () => {
    const { alice, bob, incoming } = await pair();
    const out = alice.invite(uriOf(bob, protocol), { sdp: SDP });
    (await incoming).reject(486);
    const error = await out.answered.catch((e: unknown) => e);
    expect(error).toBeInstanceOf(SipRejected);
    expect(error).toMatchObject({ status: 486, reason: 'Busy Here' });
    expect([alice.sessions, bob.sessions]).toEqual([0, 0]);
    await until(() => bob.stack.counters.serverTransactions === 0 && alice.stack.counters.clientTransactions === 0);
  });

  test('that is cancelled while ringing ends with 487 and tells the called party why', async () => {
    const { alice, bob, incoming } = await pair();
    const out = alice.invite(uriOf(bob, protocol), { sdp: SDP });
    const session = await incoming;
    const rang = new Promise((resolve) => {
      out.onProgress(resolve);
    });
    await session.progress(180);
    await rang;
    const cancelled = new Promise((resolve) => {
      session.onCancel(resolve);
    });
    out.cancel({ headers: { Reason: 'SIP;cause=200;text="Call completed elsewhere"' } });
    expect(await cancelled).toBe('SIP;cause=200;text="Call completed elsewhere"');
    await expect(out.answered).rejects.toMatchObject({ status: 487 });
    expect([alice.sessions, bob.sessions]).toEqual([0, 0]);
  });
});

test('a 200 that crosses the CANCEL is acknowledged and hung up', async () => {
  const { alice, bob, incoming } = await pair();
  const out = alice.invite(uriOf(bob), { sdp: SDP });
  const session = await incoming;
  await session.progress(180);
  await until(() => out.remoteTag !== undefined);
  const ended = new Promise((resolve) => {
    session.onEnd(resolve);
  });
  const ack = session.accept(ANSWER);
  // The accept goes out before the CANCEL arrives, the CANCEL before the 200 arrives.
  out.cancel();
  await ack;
  expect(await ended).toEqual({ by: 'remote' });
  await expect(out.answered).rejects.toMatchObject({ status: 487 });
  await until(() => alice.sessions === 0 && bob.sessions === 0);
});

test('re-INVITE, INFO and hold work in both directions', async () => {
  const { out, session } = await call();
  session.onReinvite((request) => {
    expect(request.message.body).toContain('a=inactive');
    request.respond(200, undefined, { body: `${ANSWER}a=inactive\r\n` });
  });
  const held = await out.reinvite(`${SDP}a=inactive\r\n`);
  expect(held.status).toBe(200);
  expect(out.remoteSdp).toBe(`${ANSWER}a=inactive\r\n`);
  expect(session.remoteSdp).toBe(`${SDP}a=inactive\r\n`);
  const back = await session.reinvite(ANSWER);
  expect(back.body).toBe(`${SDP}a=inactive\r\n`);
  session.onRequest((request) => {
    request.respond(405);
  });
  expect((await out.request('INFO', { body: 'Signal=1', contentType: 'application/dtmf-relay' })).status).toBe(405);
  expect((await session.request('OPTIONS')).status).toBe(200);
});

test('two re-INVITEs that meet are both refused with 491', async () => {
  const { out, session } = await call();
  const [a, b] = await Promise.all([out.reinvite(SDP), session.reinvite(ANSWER)]);
  expect([a.status, b.status]).toEqual([491, 491]);
  expect((await out.reinvite(SDP)).status).toBe(200);
});

test('a reliable provisional is acknowledged by PRACK before the answer goes out', async () => {
  const { alice, bob, incoming } = await pair();
  const seen: string[] = [];
  const out = alice.invite(uriOf(bob), { sdp: SDP });
  out.onProgress((response) => seen.push(`${response.status} ${response.get('require') ?? ''}`));
  const session = await incoming;
  await session.progress(183, { body: ANSWER, reliable: true });
  expect(out.remoteSdp).toBe(ANSWER);
  await session.accept(ANSWER);
  await out.answered;
  expect(seen).toEqual(['183 100rel']);
  await out.bye();
});

test('a delayed offer carries the answer in the ACK', async () => {
  const { alice, bob, incoming } = await pair();
  const out = alice.invite(uriOf(bob), { ackSdp: () => SDP });
  const session = await incoming;
  expect(session.remoteSdp).toBeUndefined();
  const ack = await session.accept(ANSWER);
  expect(ack.body).toBe(SDP);
  expect(session.remoteSdp).toBe(SDP);
  expect(out.remoteSdp).toBe(ANSWER);
});

test('without an ACK the 200 is repeated, then the session ends and BYE is sent', async () => {
  const { alice, bob, incoming } = await pair();
  const out = alice.invite(uriOf(bob), { sdp: SDP });
  const session = await incoming;
  const ended = new Promise((resolve) => {
    session.onEnd(resolve);
  });
  // Nobody is there any more to send the ACK.
  await alice.stack.close();
  await expect(session.accept(ANSWER)).rejects.toMatchObject({ code: 'SK_LEG_GONE' });
  expect(await ended).toEqual({ by: 'timeout', reason: 'no ACK' });
  out.close();
});

test('requests for unknown dialogs get 481, OPTIONS outside dialogs 200', async () => {
  const { alice, bob } = await pair();
  expect((await alice.request('OPTIONS', uriOf(bob))).status).toBe(200);
  const stray = await alice.request('BYE', uriOf(bob), { to: `<${uriOf(bob)}>;tag=nobody` });
  expect(stray.status).toBe(481);
  expect((await alice.request('FOO', uriOf(bob))).status).toBe(405);
  const required = await alice.request('OPTIONS', uriOf(bob), { headers: { Require: 'teleport' } });
  expect([required.status, required.get('unsupported')]).toEqual([420, 'teleport']);
});

test('a peer that does not answer gives 408, one that is not there over TCP gives 503', async () => {
  const alice = await startAgent({}, { listen: [listen('udp')], timers: { t1: 5, t2: 20, t4: 20 } });
  const silent = await startAgent();
  await silent.stack.close();
  const out = alice.invite('sip:bob@127.0.0.1:9', { sdp: SDP });
  await expect(out.answered).rejects.toMatchObject({ status: 408 });
  const refused = await alice.request('OPTIONS', 'sip:bob@127.0.0.1:1;transport=tcp');
  expect(refused.status).toBe(503);
  expect(alice.sessions).toBe(0);
});

test('close() sends nothing and settles everything that waits', async () => {
  const { bob, out, session } = await call();
  const end = new Promise((resolve) => {
    out.onEnd(resolve);
  });
  out.close();
  out.close();
  expect(await end).toEqual({ by: 'local' });
  expect(session.state).toBe('confirmed');
  await expect(out.request('INFO')).rejects.toMatchObject({ code: 'SK_LEG_GONE' });
  bob.close();
  expect(session.state).toBe('ended');
});
