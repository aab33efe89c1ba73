import { longGaps } from '../../support/long-gaps';
import { tickerRunning } from '../../../src/embedded/rtp/clock';
import { SipStack } from '../../../src/embedded/sip/stack';
import { UserAgent, SipRejected } from '../../../src/embedded/sip/user-agent';
import type { Peer, Protocol } from '../../../src/embedded/sip/types';
import { AnsweringPhone } from '../../../src/embedded/phone/answering-phone';
import { startCarrier, type Carrier } from '../../../src/embedded/carrier/carrier';
import { until } from '../teams/sbc';

let carrier: Carrier;
let stack: SipStack;
let phone: AnsweringPhone;
let target: Peer;

async function start(protocol: Extract<Protocol, 'udp' | 'tcp'> = 'udp'): Promise<void> {
  stack = await SipStack.start({ listen: [{ protocol, host: '127.0.0.1', port: 0 }] });
  phone = new AnsweringPhone({
    host: '127.0.0.1',
    listenFor: [700, 900],
    sound: { kind: 'tone', hz: [1100] },
    script: { do: 'answer', afterMs: 30 },
  }).listen(new UserAgent(stack));
  target = stack.listening[0]!;
  carrier = await startCarrier({ host: '127.0.0.1', port: 0, protocol });
}

afterEach(async () => {
  await until('no calls', () => carrier.live === 0 && phone.live === 0);
  phone.close();
  await carrier.close();
  await stack.close();
  await until('no beat', () => !tickerRunning());
});

test.each(['udp', 'tcp'] as const)('a caller over %s and a phone hear each other', async (protocol) => {
  await start(protocol);
  const call = await carrier.call({ to: '+49301000100', target });
  const stages: string[] = [];
  call.events.on('ringing', (status) => stages.push(`ringing ${status}`));
  call.events.on('answered', () => stages.push('answered'));
  call.events.on('heard', (hz) => stages.push(`heard ${hz}`));
  call.events.on('ended', (end) => stages.push(`ended ${end.by} ${end.status}`));
  await until('the caller hears enough', () => call.heardMs(1100) > 300);
  await call.hangUp();
  expect(await call.ended).toMatchObject({ by: 'local', status: 200 });
  expect(stages).toEqual(['ringing 180', 'answered', 'heard 1100', 'ended local 200']);
  const report = call.report();
  expect(report).toMatchObject({ status: 200, lost: 0, late: 0, codec: 'PCMA', srtp: false, failures: [] });
  expect(longGaps(report.gaps)).toEqual([]);
  expect(report.tones).toEqual([expect.objectContaining({ hz: 1100 })]);
  expect(report.tones[0]!.ms).toBeGreaterThan(300);
  expect(report.tones[0]!.firstAt).toBeGreaterThanOrEqual(report.answeredAt! - 100);
  await until('the phone ended too', () => phone.live === 0);
  expect(phone.calls[0]!.report().tones).toEqual([expect.objectContaining({ hz: 700 })]);
});

test('the first codec that both have is used, µ-law here', async () => {
  await start();
  const call = await carrier.call({ to: '100', target, codecs: ['PCMU'], toneHz: [900], seconds: 0.3 });
  await call.ended;
  expect(call.report().codec).toBe('PCMU');
  expect(phone.calls[0]!.report().tones[0]!.hz).toBe(900);
});

test('a delayed offer is answered in the ACK', async () => {
  await start();
  const call = await carrier.call({ to: '100', target, delayedOffer: true, seconds: 0.4 });
  await call.ended;
  expect(phone.calls[0]!.session.invite.body).toBe('');
  expect(call.heardMs(1100)).toBeGreaterThan(100);
  expect(phone.calls[0]!.report().tones[0]!.hz).toBe(700);
});

test('keys, hold and unhold follow the plan, and a held caller sends and hears as held', async () => {
  await start();
  const call = await carrier.call({ to: '100', target, dtmf: '42#', holdAfterMs: 900, holdForMs: 300, seconds: 1.7 });
  const held: boolean[] = [];
  await call.answered;
  phone.calls[0]!.events.on('held', (value) => held.push(value));
  await call.ended;
  expect(held).toEqual([true, false]);
  expect(phone.calls[0]!.report()).toMatchObject({ digits: '42#', lost: 0 });
  expect(call.report().failures).toEqual([]);
  expect(longGaps(call.report().gaps)).toEqual([]);
});

test('a refusal and a phone that rings until the caller gives up are told apart', async () => {
  await start();
  phone.script = { do: 'reject', status: 486 };
  const busy = await carrier.call({ to: '100', target });
  await expect(busy.answered).rejects.toMatchObject({ status: 486 });
  expect(await busy.ended).toMatchObject({ by: 'remote', status: 486 });
  phone.script = { do: 'ring' };
  const patient = await carrier.call({ to: '100', target, cancelAfterMs: 100 });
  await expect(patient.answered).rejects.toBeInstanceOf(SipRejected);
  expect(await patient.ended).toMatchObject({ by: 'local', status: 487 });
  expect(patient.report()).toMatchObject({ answeredAt: undefined, received: 0, status: 487 });
});

test('who calls is written as carriers write it', async () => {
  await start();
  phone.script = { do: 'reject', status: 404 };
  const headersOf = async (options: object) => {
    const call = await carrier.call({ to: '100', target, ...options });
    await call.ended;
    const invite = call.phone.session.invite;
    return ['from', 'p-asserted-identity', 'privacy', 'diversion', 'x-route'].map((name) =>
      invite
        .get(name)
        ?.replace(/;tag=.*/, '')
        .replaceAll(`:${carrier.port}`, ':PORT'),
    );
  };
  expect(await headersOf({})).toEqual([
    '<sip:+4915110000000@127.0.0.1:PORT>',
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(await headersOf({ from: '+4930555', fromName: 'A "B"', assertedIdentity: '+4930556' })).toEqual([
    '"A \\"B\\"" <sip:+4930555@127.0.0.1:PORT>',
    '<sip:+4930556@127.0.0.1:PORT>',
    undefined,
    undefined,
    undefined,
  ]);
  expect(await headersOf({ anonymous: true, divertedBy: '+4930777', headers: { 'X-Route': '7' } })).toEqual([
    '"Anonymous" <sip:anonymous@anonymous.invalid>',
    '<sip:+4915110000000@127.0.0.1:PORT>',
    'id',
    '<sip:+4930777@127.0.0.1:PORT>;reason=unconditional',
    '7',
  ]);
});

test('a hundred callers at once on one socket all hear and are heard', async () => {
  await start();
  phone.script = { do: 'answer', afterMs: 0 };
  const calls = await Promise.all(
    Array.from({ length: 100 }, (_, i) => carrier.call({ to: String(i), target, listenFor: [1100], seconds: 1.5 })),
  );
  await Promise.all(calls.map((call) => call.ended));
  expect(calls.filter((call) => call.heardMs(1100) < 200)).toEqual([]);
  expect(phone.calls.filter((call) => call.report().tones[0]?.hz !== 700)).toEqual([]);
  expect(phone.failures).toEqual([]);
});

test('closing the carrier ends its calls without a word, and refuses new ones', async () => {
  await start();
  const call = await carrier.call({ to: '100', target });
  await call.answered;
  await carrier.close();
  expect((await call.ended).by).toBe('local');
  expect(call.phone.media.closed).toBe(true);
  await expect(carrier.call({ to: '100', target })).rejects.toMatchObject({ code: 'SK_STOPPING' });
  expect(phone.live).toBe(1);
  phone.close();
});

test('a number that nobody could dial and a taken port are clear errors', async () => {
  await start();
  await expect(carrier.call({ to: '1 2>', target })).rejects.toMatchObject({ code: 'SK_USAGE' });
  const taken = startCarrier({ host: '127.0.0.1', port: carrier.port, protocol: 'udp' });
  await expect(taken).rejects.toThrow(/EADDRINUSE|the port is taken/);
});
