import { randomBytes } from 'node:crypto';
import type { CarrierCall } from '../../src/embedded/carrier/carrier-call';
import { eventually } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';
import { offer, pause, RawTcp, RawUdp, sipRequest, undisturbed } from './hostile-peers';
import type { SipParts } from './hostile-peers';

interface Self {
  readonly address: string;
  readonly port: number;
}

const KB = 1024;

/** Requests that are wrong in one way each. None of them may become a call. */
const WRONG: Readonly<Record<string, SipParts>> = {
  'no number in CSeq': { cseq: 'CSeq: INVITE' },
  'CSeq of another method': { cseq: 'CSeq: 1 BYE' },
  'CSeq beyond 32 bits': { cseq: 'CSeq: 99999999999999999999 INVITE' },
  'no Via': { via: 'Subject: no via here' },
  'Via that is none': { via: 'Via: \0\0\0' },
  'no Call-ID': { callId: 'Subject: no call-id here' },
  'a NUL in the request URI': { uri: 'sip:+4930\x00100@127.0.0.1' },
  'a NUL in From': { from: 'From: <sip:a\0b@127.0.0.1>;tag=1' },
  'an unknown URI scheme': { uri: 'gopher://127.0.0.1/' },
  'a request URI without end': { uri: `sip:${'9'.repeat(8 * KB)}` },
  'a quote that is not closed': { from: 'From: "Anna <sip:anna@127.0.0.1>;tag=1' },
  'From without a URI': { from: 'From: ;tag=1' },
  'two values for To': { to: 'To: <sip:a@127.0.0.1>, <sip:b@127.0.0.1>' },
  'a thousand headers': { headers: Array.from({ length: 1_000 }, (_, i) => `X-${i}: ${i}`) },
  'a header of 40 kB': { headers: [`Subject: ${'x'.repeat(40 * KB)}`] },
  'a negative Content-Length': { contentLength: -1, body: offer() },
  'a Content-Length that is a word': { contentLength: 'much', body: offer() },
  'SDP that is noise': { body: randomBytes(300).toString('latin1') },
  'SDP without audio': { body: 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n' },
  'SDP with a codec nobody has': { body: offer().replaceAll('PCMA/8000', 'NOISE/1').replace('AVP 8', 'AVP 97') },
  'an unknown method': { method: 'EXPLODE' },
  'a REFER from nowhere': { method: 'REFER', headers: ['Refer-To: <sip:x@127.0.0.1>'] },
};

const NOISE: Readonly<Record<string, () => Buffer>> = {
  'random bytes': () => randomBytes(900),
  'a STUN request': () => Buffer.concat([Buffer.from('000100002112a442', 'hex'), randomBytes(12)]),
  'nothing but line ends': () => Buffer.from('\r\n'.repeat(500)),
  zeros: () => Buffer.alloc(1_400),
  'a response to nothing': () => Buffer.from('SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\r\n\r\n'),
  'an HTTP request': () => Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  'half an INVITE': () => Buffer.from('INVITE sip:+49301000100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UD'),
};

describe('malformed and hostile SIP from where calls may come', () => {
  const suite = labSuite({ agents: ['anna'] });

  /** A call that was refused for its SDP is on record too, but nobody answered it. */
  async function answeredCalls(): Promise<number> {
    return (await suite.lab.calls()).filter((call) => call.answeredAt !== undefined).length;
  }

  async function healthy(over: 'udp' | 'tcp' = 'udp'): Promise<void> {
    const { lab } = suite;
    if (over === 'tcp') {
      const tcp = await RawTcp.open(lab.tcp);
      await tcp.send(sipRequest({ address: '127.0.0.1', port: tcp.port }, { method: 'OPTIONS', protocol: 'TCP' }));
      await eventually('200 to OPTIONS', () => (tcp.received.startsWith('SIP/2.0 200') ? true : undefined));
      tcp.destroy();
      return;
    }
    const udp = await RawUdp.open();
    await udp.send(sipRequest(udp, { method: 'OPTIONS' }), lab.udp);
    await eventually('200 to OPTIONS', () => (udp.count(200) > 0 ? true : undefined));
    udp.close();
  }

  it('over UDP: no call comes of it, the one in progress goes on', async () => {
    const { lab } = suite;
    const udp = await RawUdp.open();
    const before = await answeredCalls();
    await undisturbed(suite, async () => {
      for (const parts of Object.values(WRONG)) {
        await udp.send(sipRequest(udp, parts), lab.udp);
        await pause(5);
      }
      for (let i = 0; i < 20; i++) {
        for (const noise of Object.values(NOISE)) {
          await udp.send(noise(), lab.udp);
        }
        await pause(5);
      }
      await healthy();
    });
    udp.close();
    expect(udp.count(200)).toBe(0);
    expect(await answeredCalls()).toBe(before + 1);
  });

  it('over TCP, each on a connection of its own: no call comes of it, the one in progress goes on', async () => {
    const { lab } = suite;
    const before = await answeredCalls();
    const connections: RawTcp[] = [];
    await undisturbed(suite, async () => {
      for (const parts of Object.values(WRONG)) {
        const tcp = await RawTcp.open(lab.tcp);
        connections.push(tcp);
        await tcp.send(sipRequest({ address: '127.0.0.1', port: tcp.port }, { protocol: 'TCP', ...parts }));
      }
      for (const noise of Object.values(NOISE)) {
        const tcp = await RawTcp.open(lab.tcp);
        connections.push(tcp);
        await tcp.send(noise());
      }
      await pause(500);
      await healthy('tcp');
    });
    expect(connections.filter((c) => /^SIP\/2\.0 200/m.test(c.received))).toEqual([]);
    for (const tcp of connections) {
      tcp.destroy();
    }
    expect(await answeredCalls()).toBe(before + 1);
  });

  it('over TCP: lies about the length, 64 kB of headers, one byte at a time, hundreds of idle connections', async () => {
    const { lab } = suite;
    const before = await answeredCalls();
    await undisturbed(suite, async () => {
      const open = async (): Promise<RawTcp & { self: Self }> => {
        const tcp = await RawTcp.open(lab.tcp);
        return Object.assign(tcp, { self: { address: '127.0.0.1', port: tcp.port } });
      };
      const waits = await open();
      await waits.send(sipRequest(waits.self, { protocol: 'TCP', body: offer(), contentLength: 60_000 }));
      const huge = await open();
      await huge.send(sipRequest(huge.self, { protocol: 'TCP', body: offer(), contentLength: 999_999_999 }));
      const headers = await open();
      await headers.send(sipRequest(headers.self, { protocol: 'TCP', headers: [`X: ${'h'.repeat(64 * KB)}`] }));
      const endless = await open();
      await endless.send('INVITE sip:x SIP/2.0\r\n');
      for (let i = 0; i < 64 && !endless.closed; i++) {
        await endless.send(`X-${i}: ${'y'.repeat(32 * KB)}\r\n`);
      }
      const slow = await open();
      for (const byte of sipRequest(slow.self, { method: 'OPTIONS', protocol: 'TCP' })) {
        await slow.send(byte);
      }
      await eventually('200 to the slow one', () => (slow.received.startsWith('SIP/2.0 200') ? true : undefined));
      const idle = await Promise.all(Array.from({ length: 300 }, () => RawTcp.open(lab.tcp)));
      await healthy('tcp');
      for (const tcp of [waits, huge, headers, endless, slow, ...idle]) {
        tcp.destroy();
      }
      await healthy('tcp');
    });
    expect(await answeredCalls()).toBe(before + 1);
  }, 60_000);

  it('requests forged into the call in progress do not end it', async () => {
    const { lab } = suite;
    const udp = await RawUdp.open();
    await undisturbed(suite, async (call: CarrierCall) => {
      const callId = `Call-ID: ${call.sipCallId}`;
      const tags = ['1', 'a'.repeat(64), '%00', ''];
      for (const tag of tags) {
        for (const method of ['BYE', 'CANCEL', 'INVITE', 'UPDATE', 'REFER', 'ACK']) {
          const to = `To: <sip:+49301000100@127.0.0.1>;tag=${tag}`;
          await udp.send(sipRequest(udp, { method, callId, to, headers: ['Refer-To: <sip:x@127.0.0.1>'] }), lab.udp);
        }
      }
      await pause(500);
    });
    udp.close();
    expect(udp.count(200)).toBe(0);
  });

  it('the same INVITE again and again is one call', async () => {
    const { lab } = suite;
    const before = await answeredCalls();
    const udp = await RawUdp.open();
    const id = `twice-${process.pid}-${Date.now()}`;
    const same = {
      via: `Via: SIP/2.0/UDP 127.0.0.1:${udp.port};branch=z9hG4bK${id};rport`,
      from: `From: <sip:+491700000009@127.0.0.1>;tag=${id}`,
      callId: `Call-ID: ${id}`,
    };
    for (let i = 0; i < 20; i++) {
      await udp.send(sipRequest(udp, { ...same, body: offer() }), lab.udp);
    }
    await eventually('an answer', () => (udp.count(200) > 0 ? true : undefined));
    await pause(300);
    expect(await answeredCalls()).toBe(before + 1);
    expect(lab.node.open().calls).toBe(1);
    const to = /^To: .*$/im.exec(udp.accepted)?.[0] ?? '';
    await udp.send(sipRequest(udp, { ...same, to, method: 'ACK', via: same.via.replace(id, `${id}-ack`) }), lab.udp);
    const bye = { ...same, to, method: 'BYE', cseq: 'CSeq: 2 BYE', via: same.via.replace(id, `${id}-bye`) };
    await udp.send(sipRequest(udp, bye), lab.udp);
    await lab.expectNothingLeft();
    udp.close();
  }, 60_000);
});
