import { PCMA, PCMU } from '../../../src/embedded/rtp/g711';
import { ToneDetector } from '../../../src/embedded/rtp/tone';
import { FRAME, LocalStreamSource } from '../../../src/embedded/media-server/media/audio-source';
import { composeGreeting, composeMusic } from '../../../src/embedded/media-server/media/default-sounds';
import { defaultMusic } from '../../../src/embedded/media-server/media/sound-library';

describe('the composed music', () => {
  const music = composeMusic();
  const loudness = (pcm: Int16Array): number => Math.sqrt(pcm.reduce((sum, x) => sum + x * x, 0) / pcm.length);

  test('is the same each time, whole frames long, and neither silent nor loud anywhere', () => {
    expect(composeMusic()).toEqual(music);
    expect(music.length % FRAME).toBe(0);
    expect(music.length / 8000).toBeGreaterThan(40);
    for (let at = 0; at < music.length; at += 8000) {
      const second = loudness(music.subarray(at, at + 8000));
      expect(second).toBeGreaterThan(300);
      expect(second).toBeLessThan(6000);
    }
  });

  test('has no click, not at the loop point either', () => {
    const twice = new Int16Array(music.length + 8000);
    twice.set(music);
    twice.set(music.subarray(0, 8000), music.length);
    let steepest = 0;
    for (let i = 2; i < twice.length; i++) {
      steepest = Math.max(steepest, Math.abs(twice[i]! - 2 * twice[i - 1]! + twice[i - 2]!));
    }
    expect(steepest).toBeLessThan(4000);
    const seam = twice.subarray(music.length - 2, music.length + 2);
    expect(Math.abs(seam[2]! - seam[1]!)).toBeLessThan(3000);
  });

  test('is never taken for one of the tones that tell speakers apart', () => {
    const detector = new ToneDetector([650, 700, 750, 1050, 1100, 1150, 1300, 1500, 1700, 1900]);
    detector.push(PCMA.decode(PCMA.encode(music)));
    expect(detector.report()).toEqual([]);
  });

  test('is at one place for everyone who listens, and runs on over the loop point', () => {
    const clip = defaultMusic();
    const [a, b] = [
      new LocalStreamSource('local_stream://moh', clip),
      new LocalStreamSource('local_stream://moh', clip),
    ];
    const last = clip.length / FRAME - 1;
    expect(Buffer.from(a.next(PCMA, last))).toEqual(Buffer.from(b.next(PCMA, last)));
    expect(Buffer.from(a.next(PCMU, last + 1))).toEqual(Buffer.from(PCMU.encode(music.subarray(0, FRAME))));
  });
});

test('the greeting is a chime that begins and ends in silence', () => {
  const greeting = composeGreeting();
  expect(greeting.length).toBe(14_400);
  expect(Math.abs(greeting[0]!)).toBe(0);
  expect(Math.abs(greeting.at(-1)!)).toBeLessThan(50);
  expect(Math.max(...greeting)).toBeGreaterThan(3000);
});
