import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readWav, writeWav } from '../../../src/embedded/rtp/wav';
import { ToneDetector, ToneGenerator } from '../../../src/embedded/rtp/tone';
import { Lab, listen, wait } from './kit/lab';
import type { Endpoint } from './kit/lab';

describe('applications', () => {
  let lab: Lab;
  let ep: Endpoint;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sounds-'));
    await writeFile(join(folder, 'hello.wav'), writeWav(new ToneGenerator([1300], 0.2).next(8000)));
    await writeFile(join(folder, 'broken.wav'), 'this is no wav file');
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    lab = await Lab.start({ prompts: folder });
    ep = await lab.endpoint({ tone: 700 });
  });
  afterEach(async () => {
    await lab.close();
  });

  test.each([
    ['hello.wav', 'FILE PLAYED', '1000'],
    ['hello.wav@@6400', 'FILE PLAYED', '200'],
    ['file_string://hello.wav@@7200!silence_stream://300', 'FILE PLAYED', '300'],
    ['silence_stream://100', 'FILE PLAYED', '100'],
    ['silence_stream://100,1400', 'FILE PLAYED', '100'],
    ['tone_stream://%(100,100,440);loops=2', 'FILE PLAYED', '400'],
    ['tone_stream://d=100;w=0;12#', 'FILE PLAYED', '300'],
    ['missing.wav', 'FILE NOT FOUND', undefined],
    ['../../../etc/passwd', 'FILE NOT FOUND', undefined],
    ['broken.wav', 'FILE NOT FOUND', undefined],
    ['tone_stream://%(a,b,c)', 'FILE NOT FOUND', undefined],
    ['local_stream://nothing', 'FILE NOT FOUND', undefined],
    ['shout://radio', 'FILE NOT FOUND', undefined],
  ])('playback %s: %s', async (file, response, ms) => {
    const done = await ep.esl.run(ep.uuid, 'playback', file);
    expect([done['Application-Response'], done['variable_playback_ms']]).toEqual([response, ms]);
    const started = ep.esl.names().includes('PLAYBACK_START');
    expect(started).toBe(response === 'FILE PLAYED');
    expect(ep.esl.names().includes('PLAYBACK_STOP')).toBe(started);
  });

  test('a broken sound file is told in the log with the way out', async () => {
    await ep.esl.run(ep.uuid, 'playback', 'broken.wav');
    expect(lab.log.join()).toMatch(/sound_unreadable.*broken\.wav/);
  });

  test('a file is heard as it was recorded', async () => {
    void ep.esl.execute(ep.uuid, 'playback', 'hello.wav');
    expect(await listen({ phone: ep.phone }, 700)).toEqual({ phone: [1300] });
  });

  test('a prompt is nested in the music, which goes on afterwards; uuid_break ends the inner one only', async () => {
    void ep.esl.execute(ep.uuid, 'playback', 'tone_stream://%(10000,0,1100)');
    await wait(100);
    const inner = ep.esl.run(ep.uuid, 'playback', 'tone_stream://%(5000,0,1500)');
    await wait(60);
    expect(await listen({ phone: ep.phone }, 300)).toEqual({ phone: [1500] });
    expect(await lab.control.api(`uuid_break ${ep.uuid}`)).toBe('+OK\n');
    await inner;
    const stop = ep.esl.events.find((e) => e['Event-Name'] === 'PLAYBACK_STOP')!;
    expect(stop).toMatchObject({ 'Playback-Status': 'break', 'Playback-File-Type': 'tone_stream' });
    await wait(60);
    expect(await listen({ phone: ep.phone }, 300)).toEqual({ phone: [1100] });
  });

  test('with event-lock commands follow one another', async () => {
    const lock = { 'event-lock': 'true' };
    const first = ep.esl.run(ep.uuid, 'playback', 'tone_stream://%(400,0,1100)', lock);
    const second = ep.esl.run(ep.uuid, 'playback', 'tone_stream://%(400,0,1500)', lock);
    await Promise.all([first, second]);
    const order = ep.esl.events.filter(
      (e) => /^CHANNEL_EXECUTE/.test(e['Event-Name']!) && e['Application'] === 'playback',
    );
    expect(order.map((e) => [e['Event-Name'], e['Application-Data']!.slice(-5, -1)])).toEqual([
      ['CHANNEL_EXECUTE', '1100'],
      ['CHANNEL_EXECUTE_COMPLETE', '1100'],
      ['CHANNEL_EXECUTE', '1500'],
      ['CHANNEL_EXECUTE_COMPLETE', '1500'],
    ]);
  });

  test('loops repeat, and a loop that is too short is stopped', async () => {
    await ep.esl.execute(ep.uuid, 'playback', 'silence_stream://800', { loops: '3' });
    await ep.esl.execute(ep.uuid, 'set', 'done=1', { 'event-lock': 'true' });
    await ep.esl.until(() => ep.esl.events.filter((e) => e['Event-Name'] === 'PLAYBACK_STOP').length === 3);
    await ep.esl.execute(ep.uuid, 'playback', 'silence_stream://40', { loops: '-1' });
    await wait(400);
    expect(ep.esl.events.filter((e) => e['Event-Name'] === 'PLAYBACK_STOP')).toHaveLength(4);
  });

  test('music is the same for two who wait, at the same moment', async () => {
    const other = await lab.endpoint();
    for (const e of [ep, other]) {
      void e.esl.execute(e.uuid, 'playback', 'local_stream://moh/8000');
    }
    await wait(700);
    const theirs = new Set(other.phone.packets.slice(-20).map((p) => Buffer.from(p.payload).toString('hex')));
    const shared = ep.phone.packets.slice(-20).filter((p) => theirs.has(Buffer.from(p.payload).toString('hex')));
    expect(shared.length).toBeGreaterThan(15);
  });

  test('playback_terminators end a playback and are told', async () => {
    await ep.esl.run(ep.uuid, 'set', 'playback_terminators=#');
    const playing = ep.esl.run(ep.uuid, 'playback', 'silence_stream://5000');
    await wait(50);
    ep.phone.press('1#');
    expect(await playing).toMatchObject({ variable_playback_terminator_used: '#' });
  });

  test('playback_timeout_sec limits a playback', async () => {
    await ep.esl.run(ep.uuid, 'set', 'playback_timeout_sec=1');
    expect(await ep.esl.run(ep.uuid, 'playback', 'silence_stream://-1')).toMatchObject({
      variable_playback_ms: '1000',
    });
  });

  const collect = (args: string): Promise<Record<string, string>> => ep.esl.run(ep.uuid, 'play_and_get_digits', args);

  test('play_and_get_digits: max digits end it, digits during the prompt break it', async () => {
    const done = collect('1 2 1 3000 # tone_stream://%(5000,0,1100) silence_stream://20 got \\d+ 2000');
    await wait(100);
    ep.phone.press('47');
    expect(await done).toMatchObject({ variable_got: '47', variable_read_result: 'success' });
    expect(ep.esl.events.find((e) => e['Event-Name'] === 'PLAYBACK_STOP')).toMatchObject({
      'Playback-Status': 'break',
    });
  });

  test('play_and_get_digits: an invalid entry plays the invalid file and asks again', async () => {
    const done = collect('1 1 2 1500 # silence_stream://20 hello.wav got [12] 1000');
    await wait(100);
    ep.phone.press('9');
    await ep.esl.event((e) => e['Event-Name'] === 'PLAYBACK_STOP' && e['Playback-File-Path'] === 'hello.wav');
    await wait(60);
    ep.phone.press('2');
    expect(await done).toMatchObject({ variable_got: '2', variable_got_invalid: '9' });
  });

  test('play_and_get_digits: nothing pressed is a timeout', async () => {
    const done = await collect('1 1 1 1000 # silence_stream://20 silence_stream://20 got \\d 1000');
    expect(done['variable_got']).toBeUndefined();
    expect(done['variable_read_result']).toBe('failure');
  });

  test('keys are told by one event each, also those put in by command, and sent on command', async () => {
    ep.phone.press('5');
    await ep.esl.event(
      (e) =>
        e['Event-Name'] === 'DTMF' &&
        e['DTMF-Digit'] === '5' &&
        e['DTMF-Source'] === 'RTP' &&
        e['DTMF-Duration'] === '800',
    );
    expect(await lab.control.api(`uuid_recv_dtmf ${ep.uuid} 2`)).toBe(`+OK ${ep.uuid} received DTMF 2.\n`);
    await ep.esl.event((e) => e['DTMF-Source'] === 'APP' && e['DTMF-Duration'] === '2000');
    expect(await lab.control.api(`uuid_send_dtmf ${ep.uuid} 12@100`)).toBe(`+OK ${ep.uuid} sent DTMF 12.\n`);
    await wait(600);
    expect(ep.phone.keysHeard).toEqual(['1', '2']);
    const events = ep.phone.packets.filter((p) => p.payloadType === 101);
    expect(events.filter((p) => p.marker)).toHaveLength(2);
    expect(events.filter((p) => (p.payload[1]! & 0x80) !== 0)).toHaveLength(6);
  });

  test('keys in the audio are found after start_dtmf', async () => {
    await ep.esl.run(ep.uuid, 'start_dtmf');
    const keypad = new ToneGenerator([852, 1209], 0.4);
    ep.phone.say(undefined);
    await wait(100);
    ep.phone.sayWith(keypad);
    await ep.esl.event(
      (e) => e['Event-Name'] === 'DTMF' && e['DTMF-Digit'] === '7' && e['DTMF-Source'] === 'INBAND_AUDIO',
    );
    ep.phone.say(undefined);
    await wait(100);
    expect(ep.esl.names().filter((n) => n === 'DTMF')).toHaveLength(1);
  });

  test('SIP INFO carries a key too', async () => {
    const response = await ep.session.request('INFO', {
      contentType: 'application/dtmf-relay',
      body: 'Signal=8\r\nDuration=160\r\n',
    });
    expect(response.status).toBe(200);
    await ep.esl.event(
      (e) => e['DTMF-Digit'] === '8' && e['DTMF-Source'] === 'ENDPOINT' && e['DTMF-Duration'] === '1280',
    );
  });

  test('variables are set, many at once, exported, expanded and removed', async () => {
    await ep.esl.run(ep.uuid, 'multiset', '^^^a=1^b=x y^c=3');
    await ep.esl.run(ep.uuid, 'export', 'nolocal:d=4');
    await ep.esl.run(ep.uuid, 'unset', 'c');
    const done = await ep.esl.run(ep.uuid, 'set', 'e=${a}${d}${nothing}!');
    expect(done).toMatchObject({ variable_a: '1', variable_b: 'x y', variable_d: '4', variable_e: '14!' });
    expect(done['variable_c']).toBeUndefined();
  });

  test('sleep takes its time', async () => {
    const before = performance.now();
    await ep.esl.run(ep.uuid, 'sleep', '300');
    expect(performance.now() - before).toBeGreaterThanOrEqual(300);
  });

  test('an unknown application is told in the log and does nothing', async () => {
    await ep.esl.execute(ep.uuid, 'valet_park', 'x');
    await wait(50);
    expect(lab.log.join()).toContain('application_unknown');
    expect(await lab.control.api(`uuid_exists ${ep.uuid}`)).toBe('true');
  });

  test('record_session holds both sides, left the caller and right what he heard', async () => {
    const file = join(folder, 'both.wav');
    await ep.esl.run(ep.uuid, 'set', 'RECORD_STEREO=true');
    await ep.esl.run(ep.uuid, 'record_session', file);
    await ep.esl.run(ep.uuid, 'playback', 'tone_stream://%(800,0,1900)');
    expect(await lab.control.api(`uuid_record ${ep.uuid} stop ${file}`)).toBe('+OK Success\n');
    await lab.control.event((e) => e['Event-Name'] === 'RECORD_STOP');
    const bytes = await readFile(file);
    const side = (offset: number): Int16Array => {
      const samples = (bytes.length - 44) / 4;
      return Int16Array.from({ length: samples }, (_, i) => bytes.readInt16LE(44 + i * 4 + offset));
    };
    const heard = (pcm: Int16Array): number[] => {
      const detector = new ToneDetector([700, 1900]);
      detector.push(pcm);
      return detector
        .report()
        .filter((r) => r.ms > 400)
        .map((r) => r.frequency);
    };
    expect(readWav(bytes).channels).toBe(2);
    expect([heard(side(0)), heard(side(2))]).toEqual([[700], [1900]]);
  });

  test('a mask writes silence, a pause leaves the time out', async () => {
    const file = join(folder, 'masked.wav');
    await ep.esl.run(ep.uuid, 'record_session', file);
    await wait(400);
    await lab.control.api(`uuid_record ${ep.uuid} mask ${file}`);
    await wait(400);
    await lab.control.api(`uuid_record ${ep.uuid} unmask ${file}`);
    await lab.control.api(`uuid_record ${ep.uuid} pause ${file}`);
    await wait(400);
    await lab.control.api(`uuid_record ${ep.uuid} resume ${file}`);
    await wait(100);
    await lab.control.api(`uuid_record ${ep.uuid} stop all`);
    await lab.control.event((e) => e['Event-Name'] === 'RECORD_STOP');
    const { pcm } = readWav(await readFile(file));
    expect(pcm.length / 8).toBeLessThan(1200);
    expect(pcm.length / 8).toBeGreaterThan(700);
    const quiet = pcm.subarray(8 * 500, 8 * 700);
    expect(Math.max(...quiet.map(Math.abs))).toBe(0);
  });

  test('record ends at its limit, and a hang-up completes the file', async () => {
    const file = join(folder, 'limit.wav');
    const done = await ep.esl.run(ep.uuid, 'record', `${file} 1`);
    expect(done['variable_record_seconds']).toBe('1');
    const late = join(folder, 'late.wav');
    await ep.esl.execute(ep.uuid, 'record', `${late} 30`);
    await wait(200);
    await ep.session.bye();
    await lab.control.event((e) => e['Event-Name'] === 'CHANNEL_DESTROY');
    expect(readWav(await readFile(late)).pcm.length).toBeGreaterThan(800);
  });

  test('a recording that cannot be written is told and disturbs nothing', async () => {
    await ep.esl.run(ep.uuid, 'record_session', '/proc/nowhere/x.wav');
    await wait(100);
    expect(lab.log.join()).toContain('recording_failed');
    expect(await lab.control.api(`uuid_exists ${ep.uuid}`)).toBe('true');
  });

  test('mute silences what the caller says', async () => {
    const other = await lab.endpoint({ tone: 1100 });
    await lab.control.api(`uuid_bridge ${ep.uuid} ${other.uuid}`);
    await ep.esl.run(ep.uuid, 'set_mute', 'read true');
    await wait(100);
    expect(await listen({ a: ep.phone, b: other.phone }, 300)).toEqual({ a: [1100], b: [] });
    await ep.esl.run(ep.uuid, 'set_mute', 'read false');
    await wait(100);
    expect(await listen({ b: other.phone }, 300)).toEqual({ b: [700] });
  });
});
