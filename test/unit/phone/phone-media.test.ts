import { longGaps } from '../../support/long-gaps';
import { createSocket } from 'node:dgram';
import { tickerRunning } from '../../../src/embedded/rtp/clock';
import { parseAudio } from '../../../src/embedded/rtp/sdp';
import { PhoneMedia, type PhoneMediaOptions } from '../../../src/embedded/phone/phone-media';
import { until } from '../teams/sbc';

const open: PhoneMedia[] = [];
async function phone(options: Partial<PhoneMediaOptions> = {}): Promise<PhoneMedia> {
  const media = await PhoneMedia.open({ host: '127.0.0.1', listenFor: [700, 1100], ...options });
  open.push(media);
  return media;
}
afterEach(() => {
  open.splice(0).forEach((media) => media.close());
  expect(tickerRunning()).toBe(false);
});

async function pair(options: Partial<PhoneMediaOptions> = {}): Promise<[PhoneMedia, PhoneMedia]> {
  const [a, b] = [await phone(options), await phone(options)];
  a.play({ kind: 'tone', hz: [700] });
  b.play({ kind: 'tone', hz: [1100] });
  a.takeAnswer(b.answer(a.offer()));
  return [a, b];
}

test.each([false, true])('two phones hear each other, with SRTP %s', async (srtp) => {
  const [a, b] = await pair({ srtp });
  await until('both hear', () => a.heardMs(1100) > 200 && b.heardMs(700) > 200);
  for (const media of [a, b]) {
    expect(media.report()).toMatchObject({ srtp, srtpFailures: 0, lost: 0, duplicates: 0, codec: 'PCMA' });
  }
});

test('an SRTP offer has one key of one suite, and each of our offers a higher version', async () => {
  const media = await phone({ srtp: true, codecs: ['PCMU', 'PCMA'] });
  const first = media.offer();
  expect(first.match(/a=crypto:/g)).toHaveLength(1);
  expect(parseAudio(first)).toMatchObject({ profile: 'RTP/SAVP', telephoneEvent: 101 });
  expect(parseAudio(first).codecs.map((codec) => codec.name)).toEqual(['PCMU', 'PCMA']);
  const second = media.offer();
  expect(parseAudio(second).origin!.version).toBe(parseAudio(first).origin!.version + 1);
  expect(parseAudio(second).crypto).toEqual(parseAudio(first).crypto);
});

test('a phone with SRTP refuses plain RTP and the other way round, and a phone refuses foreign codecs', async () => {
  const [plain, secure] = [await phone(), await phone({ srtp: true })];
  expect(() => secure.answer(plain.offer())).toThrow(/SK_MEDIA_OFFER_REFUSED/);
  expect(() => plain.answer(secure.offer())).toThrow(/SK_MEDIA_OFFER_REFUSED/);
  const offer = plain.offer();
  const other = await phone({ codecs: ['PCMU'] });
  expect(() => other.answer(offer.replace('8 0 101', '8 101'))).toThrow(/codec/);
  secure.offer();
  expect(() => secure.takeAnswer(offer)).toThrow(/SK_MEDIA_OFFER_REFUSED/);
});

test('hold stops both directions and unhold starts them, without a gap in the record', async () => {
  const [a, b] = await pair({ srtp: true });
  await until('both hear', () => a.heardMs(1100) > 100 && b.heardMs(700) > 100);
  const answer = b.answer(a.offer('inactive'));
  expect(parseAudio(answer).direction).toBe('inactive');
  a.takeAnswer(answer);
  await new Promise((resolve) => setTimeout(resolve, 60));
  const sent = [a.report().sent, b.report().sent];
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect([a.report().sent, b.report().sent]).toEqual(sent);
  a.takeAnswer(b.answer(a.offer('sendrecv')));
  const heard = a.heardMs(1100);
  await until('heard again', () => a.heardMs(1100) > heard + 100);
  expect(a.report().srtpFailures).toBe(0);
  expect(longGaps(a.report().gaps)).toEqual([]);
});

test('a wrong key is counted, and nothing is heard', async () => {
  const [a, b] = [await phone({ srtp: true }), await phone({ srtp: true })];
  a.play({ kind: 'tone', hz: [700] });
  const answer = b.answer(a.offer());
  const foreign = await phone({ srtp: true });
  const wrong = /inline:\S+/.exec(foreign.offer())![0];
  a.takeAnswer(answer.replace(/inline:\S+/, wrong));
  b.play({ kind: 'tone', hz: [1100] });
  await until('failures', () => a.report().srtpFailures > 5);
  expect(a.report()).toMatchObject({ received: 0, tones: [] });
});

test('a phone that does not follow stays with the first target, another one follows', async () => {
  for (const followTarget of [false, true]) {
    const [a, b] = [await phone(), await phone({ followTarget })];
    const elsewhere = createSocket('udp4');
    let moved = 0;
    elsewhere.on('message', () => moved++);
    await new Promise<void>((resolve) => elsewhere.bind(0, '127.0.0.1', resolve));
    b.play({ kind: 'tone', hz: [1100] });
    a.takeAnswer(b.answer(a.offer()));
    await until('heard', () => a.heardMs(1100) > 0);
    b.answer(a.offer().replace(/m=audio \d+/, `m=audio ${elsewhere.address().port}`));
    const before = a.heardMs(1100);
    await until('it goes on', () => (followTarget ? moved > 3 : a.heardMs(1100) > before + 60));
    expect(moved > 0).toBe(followTarget);
    elsewhere.close();
  }
});

test('a silent phone sends packets, a mute one sends none', async () => {
  const [a, b] = await pair();
  a.play({ kind: 'silence' });
  b.play({ kind: 'nothing' });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(b.report().received).toBeGreaterThan(5);
  expect(b.report().soundMs).toBeLessThan(100);
  expect(a.report().received).toBeLessThan(5);
});

test('garbage on the port is not heard and does no harm', async () => {
  const [a, b] = await pair();
  const noise = createSocket('udp4');
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from([0x80]),
    Buffer.alloc(2000, 0xff),
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  ]) {
    noise.send(bytes, a.port, '127.0.0.1');
  }
  await until('heard all the same', () => a.heardMs(1100) > 100 && b.heardMs(700) > 100);
  noise.close();
});
