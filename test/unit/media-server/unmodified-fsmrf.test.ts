import { createRequire } from 'node:module';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMediaServer } from '../../../src/embedded/media-server/media-server';
import type { EmbeddedMediaServer } from '../../../src/embedded/media-server/media-server';
import { readWav } from '../../../src/embedded/rtp/wav';
import { ToneDetector } from '../../../src/embedded/rtp/tone';
import { startSipServer } from '../../../src/embedded/sip-server/sip-server';
import type { EmbeddedSipServer } from '../../../src/embedded/sip-server/sip-server';
import { RtpPhone } from './kit/rtp-phone';
import { listen, wait } from './kit/lab';

/* The packages have no types: what the tests use of them is unchecked. */
/* eslint-disable @typescript-eslint/no-explicit-any */
const load = createRequire(__filename);
const Srf = load('drachtio-srf');
const Mrf = load('drachtio-fsmrf');

describe('drachtio-fsmrf 4.1.2, as it is, over the embedded servers', () => {
  let sip: EmbeddedSipServer;
  let media: EmbeddedMediaServer;
  let srf: any;
  let ms: any;
  const phones: RtpPhone[] = [];
  const info = jest.spyOn(console, 'info').mockImplementation(() => undefined);

  beforeAll(async () => {
    sip = await startSipServer({
      adminHost: '127.0.0.1',
      adminPort: 0,
      secret: 'cymru',
      listen: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }],
    });
    media = await startMediaServer({
      sip: { host: '127.0.0.1', port: 0 },
      esl: { host: '127.0.0.1', port: 0, secret: 'ClueCon' },
      rtpHost: '127.0.0.1',
      timers: { holdDelayMs: 50, heartbeatMs: 200 },
    });
    srf = new Srf();
    srf.connect({ host: '127.0.0.1', port: sip.admin.port, secret: 'cymru' });
    await new Promise<void>((resolve, reject) =>
      srf.on('connect', (error: any) => (error ? reject(new Error(String(error))) : resolve())),
    );
    ms = await new Mrf(srf).connect({
      address: '127.0.0.1',
      port: media.esl.port,
      secret: 'ClueCon',
      listenAddress: '127.0.0.1',
    });
    ms.conn.socket.setNoDelay(true);
  });

  afterAll(async () => {
    ms.disconnect();
    srf.disconnect();
    await media.close();
    await sip.close();
    info.mockRestore();
  });

  afterEach(async () => {
    for (const phone of phones.splice(0)) {
      phone.close();
    }
    await wait(50);
    expect(media.channels).toBe(0);
  });

  const open = async (tone: number | undefined): Promise<{ ep: any; phone: RtpPhone }> => {
    const phone = await RtpPhone.open(tone === undefined ? {} : { tone });
    phones.push(phone);
    const ep = await ms.createEndpoint({ remoteSdp: phone.sdp() });
    ep.conn.socket.setNoDelay(true);
    phone.connect(ep.local.sdp);
    return { ep, phone };
  };

  test('an endpoint plays, refuses a missing file, sets variables and is destroyed', async () => {
    const { ep, phone } = await open(undefined);
    const played = ep.play('tone_stream://%(500,0,700)');
    expect(await listen({ phone }, 400)).toEqual({ phone: [700] });
    expect(await played).toMatchObject({
      playbackMilliseconds: '500',
      playbackSeconds: '0',
      playbackLastOffsetPos: '4000',
    });
    await expect(ep.play('/nowhere/x.wav')).rejects.toThrow('File Not Found');
    expect(await ep.play(['silence_stream://100', 'silence_stream://100'])).toMatchObject({
      playbackMilliseconds: '100',
    });
    await ep.set({ one: '1', two: 'zwei' });
    const variables = await ep.getChannelVariables(true);
    expect(variables).toMatchObject({ variable_one: '1', variable_two: 'zwei', variable_read_codec: 'PCMA' });
    await ep.destroy();
  });

  test('digits are collected during the prompt, invalid ones are told', async () => {
    const { ep, phone } = await open(undefined);
    const collected = ep.playCollect({
      file: 'tone_stream://%(2000,0,700)',
      min: 1,
      max: 4,
      terminators: '#',
      timeout: 2000,
      digitTimeout: 1500,
    });
    await wait(100);
    phone.press('42#');
    expect(await collected).toMatchObject({ digits: '42', terminatorUsed: '#' });
    const keys: string[] = [];
    ep.on('dtmf', (e: { dtmf: string }) => keys.push(e.dtmf));
    const invalid = ep.playCollect({ file: 'silence_stream://20', min: 1, max: 1, regexp: '[12]', timeout: 1000 });
    await wait(100);
    phone.press('9');
    const { digits, invalidDigits } = await invalid;
    expect([digits, invalidDigits, keys]).toEqual([null, '9', ['9']]);
    await ep.destroy();
  });

  test('two endpoints are bridged and unbridged', async () => {
    const a = await open(700);
    const b = await open(1100);
    await a.ep.bridge(b.ep);
    await wait(150);
    expect(await listen({ a: a.phone, b: b.phone }, 400)).toEqual({ a: [1100], b: [700] });
    await a.ep.unbridge();
    await wait(100);
    expect(await listen({ a: a.phone, b: b.phone }, 300)).toEqual({ a: [], b: [] });
    await Promise.all([a.ep.destroy(), b.ep.destroy()]);
  });

  test('modify renegotiates, mute silences, recording holds what was said', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rec-'));
    const { ep, phone } = await open(700);
    const file = join(folder, 'a.wav');
    await ep.recordSession(file);
    await wait(600);
    await ep.api('uuid_record', `${ep.uuid} stop ${file}`);
    await wait(100);
    const detector = new ToneDetector([700]);
    detector.push(readWav(await readFile(file)).pcm);
    expect(detector.heardMs(700)).toBeGreaterThan(400);
    const sdp = await ep.modify(phone.sdp({ direction: 'inactive' }));
    expect(sdp).toContain('a=inactive');
    await ep.modify(phone.sdp());
    await ep.destroy();
    await rm(folder, { recursive: true });
  });

  test('an endpoint without SDP is made (3pcc) and gets its peer by modify', async () => {
    const phone = await RtpPhone.open();
    phones.push(phone);
    const ep = await ms.createEndpoint();
    const sdp = await ep.modify(phone.sdp());
    phone.connect(sdp);
    ep.play('tone_stream://%(700,0,1300)').catch(() => undefined);
    expect(await listen({ phone }, 400)).toEqual({ phone: [1300] });
    await ep.destroy();
  });

  test('a killed endpoint tells the reason, and twenty at once are made and ended', async () => {
    const { ep } = await open(undefined);
    const gone = new Promise((resolve) => ep.on('destroy', resolve));
    await ep.api('uuid_kill', `${ep.uuid} ALLOTTED_TIMEOUT`);
    expect(await gone).toEqual({ reason: 'ALLOTTED_TIMEOUT' });
    const many = await Promise.all(Array.from({ length: 20 }, () => open(undefined)));
    expect(media.channels).toBe(20);
    await Promise.all(many.map((m) => m.ep.destroy()));
  });

  test('load and limits come with the heartbeat', async () => {
    await wait(250);
    expect(ms).toMatchObject({ maxSessions: 1000, currentSessions: 0, hostname: 'embedded' });
    expect(await new Promise((resolve) => ms.api('show channels count', resolve))).toBe('\n0 total.\n');
  });
});
