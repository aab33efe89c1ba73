import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { wavHeader } from '../../../src/embedded/rtp/wav';
import { newId } from '../../../src/lib/ids';
import { silentLog } from '../../../src/lib/log';
import { Recordings } from '../../../src/media/recordings';

const SERVER = 'fs1:8021';

/** So many milliseconds of samples of one size. */
function sound(ms: number, level: number): Buffer {
  const samples = Buffer.alloc(ms * 16);
  for (let i = 0; i < samples.length; i += 2) {
    samples.writeInt16LE((i / 2) % 2 === 0 ? level : -level, i);
  }
  return samples;
}

describe('recordings of the media servers', () => {
  let folder: string;
  let recordings: Recordings;
  const name = (): string => `${newId()}.wav`;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'recordings-'));
    const links = [{ name: SERVER, recordingsFolder: () => Promise.resolve(folder) }];
    recordings = new Recordings(links, undefined, silentLog());
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('are told in milliseconds: how long, how much of it is sound, when the last sound ends', async () => {
    const file = name();
    const samples = Buffer.concat([sound(1_000, 0), sound(600, 2_000), sound(400, 50)]);
    // As FreeSWITCH writes it: words about the recording behind the samples are no sound.
    const words = Buffer.concat([Buffer.from('LIST'), Buffer.from([4, 0, 0, 0]), Buffer.from('INFO')]);
    await writeFile(path.join(folder, file), Buffer.concat([wavHeader(samples.length), samples, words]));
    expect(await recordings.listenTo(SERVER, file)).toEqual({ lengthMs: 2_000, soundMs: 600, lastSoundMs: 1_600 });
  });

  it('are heard to the end of the file where a crash left the length out', async () => {
    const file = name();
    await writeFile(path.join(folder, file), Buffer.concat([wavHeader(0), sound(500, 2_000)]));
    expect(await recordings.listenTo(SERVER, file)).toEqual({ lengthMs: 500, soundMs: 500, lastSoundMs: 500 });
    await writeFile(path.join(folder, file), Buffer.alloc(10));
    expect(await recordings.listenTo(SERVER, file)).toEqual({ lengthMs: 0, soundMs: 0, lastSoundMs: 0 });
  });

  it('are opened by our own names alone, never through a link or out of the folder', async () => {
    await writeFile(path.join(folder, 'secret.wav'), 'x');
    await writeFile(path.join(folder, 'target'), 'x');
    const link = name();
    await symlink(path.join(folder, 'target'), path.join(folder, link));
    for (const bad of ['secret.wav', '../secret.wav', `../${path.basename(folder)}/secret.wav`, '/etc/passwd', '']) {
      expect(await recordings.open(SERVER, bad)).toBeUndefined();
      expect(await recordings.remove(SERVER, bad)).toBe(false);
    }
    expect(await recordings.open(SERVER, link)).toBeUndefined();
  });

  it('of another machine are not here, and are not taken for deleted', async () => {
    expect(await recordings.open(SERVER, name())).toBeUndefined();
    expect(await recordings.open('fs2:8021', name())).toBeUndefined();
    expect(await recordings.remove(SERVER, name())).toBe(false);
    const file = name();
    await writeFile(path.join(folder, file), 'x');
    expect(await recordings.remove('fs2:8021', file)).toBe(false);
    expect(await recordings.remove(SERVER, file)).toBe(true);
    expect(await recordings.remove(SERVER, file)).toBe(false);
  });

  it('are where the setting says, whatever the servers say', async () => {
    const links = [{ name: SERVER, recordingsFolder: () => Promise.reject(new Error('away')) }];
    const elsewhere = new Recordings(links, folder, silentLog());
    const file = name();
    await writeFile(path.join(folder, file), Buffer.concat([wavHeader(160), sound(10, 900)]));
    expect((await elsewhere.listenTo('fs9:8021', file))?.lengthMs).toBe(10);
    expect(await new Recordings(links, undefined, silentLog()).open(SERVER, file)).toBeUndefined();
  });
});
