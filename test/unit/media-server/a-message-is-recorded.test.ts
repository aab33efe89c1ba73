/** `record`, held to what FreeSWITCH 1.11.1 does: the same test runs against the one that SIDEKICK_TEST_FREESWITCH names. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '../../../src/lib/ids';
import { ToneDetector } from '../../../src/embedded/rtp/tone';
import { readWav } from '../../../src/embedded/rtp/wav';
import { Lab, wait } from './kit/lab';
import type { Endpoint } from './kit/lab';

type Ended = Readonly<Record<string, string>>;

describe('a message is recorded', () => {
  let lab: Lab;
  let folder: string;
  let ep: Endpoint;
  let file: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sidekick-record-'));
    lab = await Lab.startRealOrEmbedded(folder);
  });
  afterAll(async () => {
    await lab.close();
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    ep = await lab.endpoint({ tone: 700 });
    file = join(folder, `${newId()}.wav`);
  });
  afterEach(async () => {
    await ep.session.bye().catch(() => undefined);
  });

  const set = (name: string, value: string): Promise<unknown> =>
    lab.control.api(`uuid_setvar ${ep.uuid} ${name} ${value}`);

  /** Records while something happens; what the end said, and how long it took. */
  async function record(
    args: string,
    meanwhile: () => Promise<void> = () => Promise.resolve(),
  ): Promise<Ended & { readonly tookMs: string }> {
    const startedAt = Date.now();
    const id = await ep.esl.execute(ep.uuid, 'record', `${file}${args}`);
    const over = ep.esl.event(
      (e) => e['Event-Name'] === 'CHANNEL_EXECUTE_COMPLETE' && e['Application-UUID'] === id,
      12_000,
    );
    await meanwhile();
    const ended = await over;
    return { ...ended, tookMs: String(Date.now() - startedAt) };
  }

  async function heard(): Promise<{ readonly lengthMs: number; readonly toneMs: number }> {
    const { pcm } = readWav(await readFile(file));
    const detector = new ToneDetector([700]);
    detector.push(pcm);
    return { lengthMs: pcm.length / 8, toneMs: detector.heardMs(700) };
  }

  test('at the limit, which is counted in seconds of the clock: up to one more', async () => {
    const ended = await record(' 2');
    const ms = Number(ended['variable_record_ms']);
    expect(ms).toBeGreaterThan(1_900);
    expect(ms).toBeLessThan(3_200);
    expect(Number(ended.tookMs) - ms).toBeLessThan(300);
    expect(ended).toMatchObject({
      'Application-Response': '_none_',
      variable_record_seconds: String(Math.floor(ms / 1000)),
      variable_record_samples: String(ms * 8),
      variable_silence_hits_exhausted: 'false',
    });
    const { lengthMs, toneMs } = await heard();
    expect(lengthMs).toBe(ms);
    expect(toneMs).toBeGreaterThan(ms - 200);
    const stop = lab.control.events.find((e) => e['Event-Name'] === 'RECORD_STOP' && e['Record-File-Path'] === file);
    expect(stop?.['Record-Completion-Cause']).toBeUndefined();
    expect(lab.control.events.some((e) => e['Event-Name'] === 'RECORD_START' && e['Record-File-Path'] === file)).toBe(
      true,
    );
  });

  test('to the key that ends it, and to no other', async () => {
    await set('playback_terminators', '#');
    const ended = await record(' 30 200 5', async () => {
      await wait(600);
      ep.phone.press('5');
      await wait(800);
      ep.phone.press('#');
    });
    expect(ended['variable_playback_terminator_used']).toBe('#');
    const ms = Number(ended['variable_record_ms']);
    expect(ms).toBeGreaterThan(1_200);
    expect(ms).toBeLessThan(2_200);
  });

  test('as long as it takes where no key ends it', async () => {
    const ended = await record(' 1', async () => {
      await wait(300);
      ep.phone.press('*');
    });
    expect(Number(ended['variable_record_ms'])).toBeGreaterThan(900);
    expect(ended['variable_playback_terminator_used'] ?? '').toBe('');
  });

  test('until it has been silent for so long, and the silence is in the file', async () => {
    const ended = await record(' 30 200 2', async () => {
      await wait(800);
      ep.phone.say(undefined);
    });
    expect(ended['variable_silence_hits_exhausted']).toBe('true');
    const ms = Number(ended['variable_record_ms']);
    expect(ms).toBeGreaterThan(2_600);
    expect(ms).toBeLessThan(3_300);
    const { toneMs } = await heard();
    expect(ms - toneMs).toBeGreaterThan(1_850);
    expect(ms - toneMs).toBeLessThan(2_400);
  });

  test('three seconds of silence where only the threshold is given', async () => {
    ep.phone.say(undefined);
    const ended = await record(' 30 200');
    expect(ended['variable_silence_hits_exhausted']).toBe('true');
    const ms = Number(ended['variable_record_ms']);
    expect(ms).toBeGreaterThan(2_850);
    expect(ms).toBeLessThan(3_250);
  });

  test('without the time in which nothing is sent at all, which counts as silence all the same', async () => {
    const ended = await record(' 30 200 2', async () => {
      await wait(800);
      ep.phone.sending = false;
    });
    expect(ended['variable_silence_hits_exhausted']).toBe('true');
    expect(Number(ended.tookMs)).toBeGreaterThan(2_500);
    expect(Number(ended.tookMs)).toBeLessThan(3_400);
    expect((await heard()).lengthMs).toBeLessThan(1_300);
  });

  test('with noise in its place where record_fill_cng says so', async () => {
    await set('record_fill_cng', 'true');
    await record(' 30 200 2', async () => {
      await wait(800);
      ep.phone.sending = false;
    });
    const { lengthMs, toneMs } = await heard();
    expect(lengthMs).toBeGreaterThan(2_500);
    expect(lengthMs).toBeLessThan(3_300);
    expect(toneMs).toBeLessThan(1_200);
  });

  test('until it is broken off: the file is whole and its length is told', async () => {
    const ended = await record(' 30 200 5', async () => {
      await wait(900);
      await lab.control.api(`uuid_break ${ep.uuid}`);
    });
    expect(ended['variable_silence_hits_exhausted']).toBe('false');
    const ms = Number(ended['variable_record_ms']);
    expect(ms).toBeGreaterThan(700);
    expect(ms).toBeLessThan(1_200);
    expect((await heard()).lengthMs).toBe(ms);
    expect(await lab.control.api(`uuid_exists ${ep.uuid}`)).toBe('true');
  });

  test('while packets go on to whoever speaks', async () => {
    await record(' 1', async () => {
      await wait(200);
      ep.phone.packets.length = 0;
      await wait(500);
      expect(ep.phone.packets.length).toBeGreaterThan(15);
    });
  });

  test('and completed when the channel ends', async () => {
    await ep.esl.execute(ep.uuid, 'record', `${file} 30`);
    await wait(600);
    await ep.session.bye();
    await lab.control.event((e) => e['Event-Name'] === 'CHANNEL_DESTROY' && e['Unique-ID'] === ep.uuid);
    expect((await heard()).toneMs).toBeGreaterThan(300);
  });

  test('on, when whoever gave the order is gone: to its own end, then there is music', async () => {
    await ep.esl.execute(ep.uuid, 'record', `${file} 30 200 2`);
    await wait(500);
    ep.esl.close();
    await wait(1_500);
    ep.phone.say(undefined);
    await lab.control.event((e) => e['Event-Name'] === 'RECORD_STOP' && e['Record-File-Path'] === file, 8_000);
    const { lengthMs, toneMs } = await heard();
    expect(toneMs).toBeGreaterThan(1_800);
    expect(lengthMs).toBeGreaterThan(3_700);
    expect(await lab.control.api(`uuid_exists ${ep.uuid}`)).toBe('true');
  });

  test('or not at all where the file cannot be made: then the channel ends', async () => {
    await ep.esl.execute(ep.uuid, 'record', '/proc/nowhere/x.wav 30');
    const gone = await lab.control.event((e) => e['Event-Name'] === 'CHANNEL_HANGUP' && e['Unique-ID'] === ep.uuid);
    expect(gone['Hangup-Cause']).toBe('DESTINATION_OUT_OF_ORDER');
  });

  test('nor does it make a folder that is not there', async () => {
    await ep.esl.execute(ep.uuid, 'record', `${folder}/not-there/x.wav 30`);
    const gone = await lab.control.event((e) => e['Event-Name'] === 'CHANNEL_HANGUP' && e['Unique-ID'] === ep.uuid);
    expect(gone['Hangup-Cause']).toBe('DESTINATION_OUT_OF_ORDER');
  });
});
