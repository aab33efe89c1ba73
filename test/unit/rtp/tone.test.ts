import { PCMA } from '../../../src/embedded/rtp/g711';
import { ToneDetector, ToneGenerator } from '../../../src/embedded/rtp/tone';

const CANDIDATES = [700, 1100, 1300, 1500, 1700, 1900];

function detect(pcm: Int16Array, frequencies = CANDIDATES): ToneDetector {
  const detector = new ToneDetector(frequencies);
  for (let i = 0; i < pcm.length; i += 160) {
    detector.push(pcm.subarray(i, i + 160));
  }
  return detector;
}

function mix(...parts: Int16Array[]): Int16Array {
  return Int16Array.from(parts[0]!, (x, i) => x + parts.slice(1).reduce((sum, p) => sum + p[i]!, 0));
}

describe('tones', () => {
  test.each(CANDIDATES)('%d Hz through A-law is found for as long as it sounds, and nothing else is', (frequency) => {
    const tone = new ToneGenerator([frequency], 0.2).next(8000);
    const heard = detect(PCMA.decode(PCMA.encode(tone)));
    expect(heard.report().map((r) => r.frequency)).toEqual([frequency]);
    expect(heard.heardMs(frequency)).toBeGreaterThanOrEqual(960);
    expect(heard.heardMs(frequency)).toBeLessThanOrEqual(1000);
  });

  test('the place of the tone in the stream is told', () => {
    const pcm = new Int16Array(16000);
    pcm.set(new ToneGenerator([1100]).next(4000), 8000);
    const [report] = detect(pcm).report();
    expect(report!.firstAtMs).toBeGreaterThanOrEqual(960);
    expect(report!.firstAtMs).toBeLessThanOrEqual(1020);
    expect(report!.lastAtMs).toBeLessThanOrEqual(1540);
  });

  test('two tones at once are both found', () => {
    const both = new ToneGenerator([700, 1500], 0.3).next(4000);
    expect(
      detect(both)
        .report()
        .map((r) => r.frequency)
        .sort(),
    ).toEqual([1500, 700]);
  });

  test('silence, quiet tones, noise and a chord with a candidate in it hold no tone', () => {
    let seed = 1;
    const noise = Int16Array.from({ length: 16000 }, () => {
      seed = (seed * 48271) % 0x7fffffff;
      return (seed % 16000) - 8000;
    });
    const chord = mix(...[350, 440, 520, 700, 830].map((f) => new ToneGenerator([f], 0.1).next(8000)));
    for (const pcm of [new Int16Array(8000), new ToneGenerator([700], 0.003).next(8000), noise, chord]) {
      expect(detect(pcm).report()).toEqual([]);
    }
  });

  test('a blip of 20 ms is no tone', () => {
    const pcm = new Int16Array(8000);
    pcm.set(new ToneGenerator([700]).next(160), 3200);
    expect(detect(pcm).report()).toEqual([]);
  });

  test('the generator goes on without a jump from one call to the next', () => {
    const whole = new ToneGenerator([700, 1100], 0.5).next(1600);
    const generator = new ToneGenerator([700, 1100], 0.5);
    const pieces = Array.from({ length: 10 }, () => [...generator.next(160)]).flat();
    expect(pieces).toEqual([...whole]);
  });

  test('reset forgets', () => {
    const detector = detect(new ToneGenerator([700]).next(8000));
    expect(detector.current).toEqual([700]);
    detector.reset();
    expect(detector.current).toEqual([]);
    expect(detector.report()).toEqual([]);
  });
});
