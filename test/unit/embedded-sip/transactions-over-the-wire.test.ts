import { SipMessage } from '../../../src/embedded/sip/message';
import type { ServerTransaction } from '../../../src/embedded/sip/types';
import { closeAll, peerOf, RawPeer, SDP, startAgent, startStack, until } from './support';

const TIMERS = { t1: 40, t2: 160, t4: 100 };

afterEach(closeAll);

function request(
  method: string,
  port: number,
  branch: string,
  extra: string[] = [],
  cseq = 1,
  to = '<sip:bob@x>',
): string {
  return [
    `${method} sip:bob@127.0.0.1 SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=${branch}`,
    'From: <sip:a@x>;tag=a',
    `To: ${to}`,
    `Call-ID: raw-${port}`,
    `CSeq: ${cseq} ${method}`,
    `Contact: <sip:a@127.0.0.1:${port}>`,
    ...extra,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

function reply(status: string, to: string, extra = ''): string {
  const copied = to.split('\r\n').filter((line) => /^(via|from|call-id|cseq):/i.test(line));
  return `SIP/2.0 ${status}\r\n${copied.join('\r\n')}\r\nTo: <sip:x@y>;tag=z\r\n${extra}Content-Length: 0\r\n\r\n`;
}

const tagOf = (text: string): string => /^To:.*;tag=(\S+)/im.exec(text)?.[1] ?? '';

test('a refused INVITE repeats its final response until the ACK, and swallows it', async () => {
  const stack = await startStack({ timers: TIMERS });
  const done: string[] = [];
  stack.onRequest((transaction) => {
    transaction.onDone((how) => done.push(how));
    transaction.respond(SipMessage.response(486));
  });
  stack.onAck(() => done.push('leaked'));
  const peer = await RawPeer.open();
  peer.send(request('INVITE', peer.port, 'z9hG4bKone'), peerOf(stack));
  await peer.next((text) => text.startsWith('SIP/2.0 100'));
  const final = await peer.next((text) => text.startsWith('SIP/2.0 486'));
  expect(await peer.next((text) => text.startsWith('SIP/2.0 486'))).toBe(final);
  peer.send(request('INVITE', peer.port, 'z9hG4bKone'), peerOf(stack));
  expect(await peer.next((text) => text.startsWith('SIP/2.0 486'))).toBe(final);
  peer.send(request('ACK', peer.port, 'z9hG4bKone', [], 1, `<sip:bob@x>;tag=${tagOf(final)}`), peerOf(stack));
  await until(() => done.length > 0);
  await until(() => stack.counters.serverTransactions === 0);
  expect(done).toEqual(['ack']);
});

test('a refused INVITE without an ACK is forgotten after 64 T1', async () => {
  const stack = await startStack({ timers: { t1: 10, t2: 40, t4: 40 } });
  const done: string[] = [];
  stack.onRequest((transaction) => {
    transaction.onDone((how) => done.push(how));
    transaction.respond(SipMessage.response(403));
  });
  const peer = await RawPeer.open();
  peer.send(request('INVITE', peer.port, 'z9hG4bKtwo'), peerOf(stack));
  await until(() => stack.counters.serverTransactions === 0 && done.length === 1);
  expect(done).toEqual(['timeout']);
  // 0, 1, 3, 7, 11, … 64 T1: the interval doubles up to T2.
  expect(peer.received.filter((text) => text.startsWith('SIP/2.0 403')).length).toBeGreaterThan(8);
});

test('a repeated request gets the same answer once more and is delivered once', async () => {
  const stack = await startStack({ timers: TIMERS });
  const seen: ServerTransaction[] = [];
  stack.onRequest((transaction) => {
    seen.push(transaction);
    transaction.respond(SipMessage.response(200));
  });
  const peer = await RawPeer.open();
  for (let n = 0; n < 3; n++) {
    peer.send(request('OPTIONS', peer.port, 'z9hG4bKsame'), peerOf(stack));
  }
  const first = await peer.next();
  expect([await peer.next(), await peer.next()]).toEqual([first, first]);
  expect(seen).toHaveLength(1);
  expect(stack.counters.repeated).toBe(2);
  // Without the magic cookie a branch identifies nothing by itself (RFC 2543).
  peer.send(request('OPTIONS', peer.port, 'old', [], 1), peerOf(stack));
  peer.send(request('OPTIONS', peer.port, 'old', [], 2), peerOf(stack));
  await until(() => seen.length === 3);
});

test('an INVITE is repeated until a provisional comes, and the answer is acknowledged each time it comes', async () => {
  const agent = await startAgent({}, { timers: TIMERS });
  const peer = await RawPeer.open();
  const call = agent.invite(`sip:bob@127.0.0.1:${peer.port}`, { sdp: SDP });
  const invite = await peer.next();
  expect(await peer.next()).toBe(invite);
  expect(await peer.next()).toBe(invite);
  peer.send(reply('180 Ringing', invite), peerOf(agent.stack));
  await until(() => call.remoteTag === 'z');
  peer.received.length = 0;
  await new Promise((resolve) => setTimeout(resolve, 8 * TIMERS.t1));
  expect(peer.received).toEqual([]);
  const ok = reply('200 OK', invite, `Contact: <sip:b@127.0.0.1:${peer.port}>\r\n`);
  peer.send(ok, peerOf(agent.stack));
  const ack = await peer.next((text) => text.startsWith('ACK'));
  peer.send(ok, peerOf(agent.stack));
  expect(await peer.next((text) => text.startsWith('ACK'))).toBe(ack);
});

test('a failure is acknowledged with the branch of the INVITE, each time it comes', async () => {
  const agent = await startAgent({}, { timers: TIMERS });
  const peer = await RawPeer.open();
  const call = agent.invite(`sip:bob@127.0.0.1:${peer.port}`, { sdp: SDP });
  const invite = await peer.next();
  const busy = reply('486 Busy Here', invite);
  peer.send(busy, peerOf(agent.stack));
  const ack = await peer.next((text) => text.startsWith('ACK'));
  const branch = /branch=([^;\r]+)/;
  expect(branch.exec(ack)?.[1]).toBe(branch.exec(invite)?.[1]);
  peer.send(busy, peerOf(agent.stack));
  expect(await peer.next((text) => text.startsWith('ACK'))).toBe(ack);
  await expect(call.answered).rejects.toMatchObject({ status: 486 });
});

test('two forks that ring are two early dialogs, and the one that answers wins', async () => {
  const agent = await startAgent({}, { timers: TIMERS });
  const peer = await RawPeer.open();
  const call = agent.invite(`sip:bob@127.0.0.1:${peer.port}`, { sdp: SDP });
  const invite = await peer.next();
  const from = (status: string, tag: string): string =>
    reply(status, invite, `Contact: <sip:${tag}@127.0.0.1:${peer.port}>\r\n`).replace('tag=z', `tag=${tag}`);
  peer.send(from('180 Ringing', 'one'), peerOf(agent.stack));
  peer.send(from('180 Ringing', 'two'), peerOf(agent.stack));
  peer.send(from('200 OK', 'one'), peerOf(agent.stack));
  await call.answered;
  expect(call.remoteTag).toBe('one');
  peer.send(from('200 OK', 'two'), peerOf(agent.stack));
  expect(await peer.next((text) => text.startsWith('BYE'))).toContain('BYE sip:two@');
  expect(call.state).toBe('confirmed');
});

test('in-dialog requests are checked for order, and may come from another address', async () => {
  const agent = await startAgent({}, { timers: TIMERS });
  agent.onInvite((session) => {
    session.accept(SDP).catch(() => undefined);
  });
  const peer = await RawPeer.open();
  const other = await RawPeer.open();
  peer.send(request('INVITE', peer.port, 'z9hG4bKi', [], 10), peerOf(agent.stack));
  const ok = await peer.next((text) => text.startsWith('SIP/2.0 200'));
  const to = `<sip:bob@x>;tag=${tagOf(ok)}`;
  peer.send(request('ACK', peer.port, 'z9hG4bKa', [], 10, to), peerOf(agent.stack));
  const late = request('INFO', other.port, 'z9hG4bKb', [], 9, to).replace(/raw-\d+/, `raw-${peer.port}`);
  other.send(late, peerOf(agent.stack));
  expect(await other.next()).toContain('SIP/2.0 500 CSeq out of order');
  const info = request('INFO', other.port, 'z9hG4bKc', [], 11, to).replace(/raw-\d+/, `raw-${peer.port}`);
  other.send(info, peerOf(agent.stack));
  expect(await other.next()).toContain('SIP/2.0 200');
  const stranger = info.replace('z9hG4bKc', 'z9hG4bKd').replace('tag=a', 'tag=b');
  other.send(stranger, peerOf(agent.stack));
  expect(await other.next()).toContain('SIP/2.0 481');
});

test('a session interval that is too small gets 422, and our own INVITE takes the larger one', async () => {
  const agent = await startAgent({}, { timers: TIMERS });
  agent.onInvite((session) => {
    session.accept(SDP).catch(() => undefined);
  });
  const peer = await RawPeer.open();
  peer.send(request('INVITE', peer.port, 'z9hG4bKs', ['Session-Expires: 30', 'Supported: timer']), peerOf(agent.stack));
  expect(await peer.next((text) => text.startsWith('SIP/2.0 422'))).toContain('Min-SE: 90');
  expect(agent.sessions).toBe(0);
  const call = agent.invite(`sip:bob@127.0.0.1:${peer.port}`, { sdp: SDP, sessionExpires: 90 });
  const invite = await peer.next((text) => text.startsWith('INVITE'));
  expect(invite).toContain('Session-Expires: 90');
  peer.send(reply('422 Session Interval Too Small', invite, 'Min-SE: 1800\r\n'), peerOf(agent.stack));
  const second = await peer.next((text) => text.startsWith('INVITE') && text.includes('1800'));
  expect(second).toContain('Min-SE: 1800');
  peer.send(reply('200 OK', second, `Contact: <sip:b@127.0.0.1:${peer.port}>\r\n`), peerOf(agent.stack));
  await call.answered;
});

test('a port that is taken is named, and nothing stays open', async () => {
  const stack = await startStack();
  const { port } = peerOf(stack, 'tcp');
  const attempt = startStack({
    listen: [
      { protocol: 'udp', host: '127.0.0.1', port: 0 },
      { protocol: 'tcp', host: '127.0.0.1', port },
    ],
  });
  await expect(attempt).rejects.toMatchObject({
    code: 'SK_PORT_TAKEN',
    message: `SIP cannot listen on tcp 127.0.0.1:${port}: the port is taken (SK_PORT_TAKEN)`,
  });
  await expect(
    startStack({ listen: [{ protocol: 'udp', host: '127.0.0.1', port: peerOf(stack).port }] }),
  ).rejects.toMatchObject({ code: 'SK_PORT_TAKEN' });
});
