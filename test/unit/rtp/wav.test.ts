import { PCMA, PCMU } from '../../../src/embedded/rtp/g711';
import { ToneDetector, ToneGenerator } from '../../../src/embedded/rtp/tone';
import { readWav, wavHeader, writeWav } from '../../../src/embedded/rtp/wav';
import { isSidekickError } from '../../../src/lib/errors';

const tone = new ToneGenerator([700], 0.5).next(801);

function at16k(frequency: number, samples = 16000): Buffer {
  const pcm = Int16Array.from({ length: samples }, (_, i) =>
    Math.round(12000 * Math.sin((2 * Math.PI * frequency * i) / 16000)),
  );
  const file = writeWav(pcm);
  file.writeUInt32LE(16000, 24);
  return file;
}

function refusal(file: Buffer): string {
  try {
    readWav(file);
  } catch (error) {
    return isSidekickError(error, 'SK_MEDIA_FAILED') ? `${error.why ?? ''} / ${error.next ?? ''}` : String(error);
  }
  throw new Error('it was read');
}

describe('WAV files', () => {
  test('16-bit PCM is written and read back unchanged', () => {
    expect(readWav(writeWav(tone))).toEqual({ pcm: tone, rate: 8000, channels: 1 });
  });

  test('G.711 of both laws is written and read back, also with an odd number of bytes', () => {
    expect(readWav(writeWav(tone, { codec: 'PCMA' })).pcm).toEqual(PCMA.decode(PCMA.encode(tone)));
    expect(readWav(writeWav(tone, { codec: 'PCMU' })).pcm).toEqual(PCMU.decode(PCMU.encode(tone)));
    expect(writeWav(tone, { codec: 'PCMA' }).length % 2).toBe(0);
  });

  test('two channels are mixed to one', () => {
    const file = writeWav(Int16Array.of(100, 200, 300), { right: Int16Array.of(300, 400, 500) });
    expect([...readWav(file).pcm]).toEqual([200, 300, 400]);
  });

  test('16 kHz comes down to 8 kHz; what 8 kHz cannot hold is gone and does not fold back', () => {
    const low = readWav(at16k(1100)).pcm;
    expect(low).toHaveLength(8000);
    const detector = new ToneDetector([1100, 2000]);
    detector.push(low);
    expect(detector.heardMs(1100)).toBeGreaterThan(900);
    const high = readWav(at16k(6000)).pcm.subarray(100, 7900);
    expect(Math.max(...high.map(Math.abs))).toBeLessThan(200);
  });

  test('unknown chunks in front of the audio are skipped; a file cut off gives what is there', () => {
    const file = writeWav(tone);
    const extra = Buffer.concat([file.subarray(0, 36), Buffer.from('LIST\x03\x00\x00\x00abc\x00'), file.subarray(36)]);
    expect(readWav(extra).pcm).toEqual(tone);
    expect(readWav(file.subarray(0, 44 + 100)).pcm).toEqual(tone.subarray(0, 50));
    expect(wavHeader(100).readUInt32LE(40)).toBe(100);
  });

  test.each([
    ['something else', Buffer.from('not a wav file at all'), 'RIFF'],
    ['an empty file', Buffer.alloc(0), 'RIFF'],
    ['no data', writeWav(tone).subarray(0, 36), 'data chunk'],
    [
      '24 bits',
      (() => {
        const f = writeWav(tone);
        f.writeUInt16LE(24, 34);
        return f;
      })(),
      '24 bits',
    ],
    [
      '44.1 kHz',
      (() => {
        const f = writeWav(tone);
        f.writeUInt32LE(44100, 24);
        return f;
      })(),
      '44100 Hz',
    ],
    [
      'no channels',
      (() => {
        const f = writeWav(tone);
        f.writeUInt16LE(0, 22);
        return f;
      })(),
      '0 channels',
    ],
  ])('%s is refused with the reason and the way out', (_name, file, why) => {
    expect(refusal(file)).toContain(why);
  });
});
