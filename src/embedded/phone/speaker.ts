import { g711, type G711Name } from '../rtp/g711';
import { SAMPLE_RATE, ToneGenerator } from '../rtp/tone';

/** What a phone says. `nothing` sends no packets at all, as Teams does for a muted user. */
export type Sound =
  | { readonly kind: 'tone'; readonly hz: readonly number[] }
  | { readonly kind: 'silence' }
  | { readonly kind: 'nothing' };

export const FRAME_SAMPLES = 160;
const FRAMES = SAMPLE_RATE / FRAME_SAMPLES;

/**
 * One second of the sound in the wire's bytes, as 50 frames of 20 ms. Whole hertz close up at the second without a click,
 * so hundreds of phones with the same tone share one loop and sending costs them a copy.
 */
const loops = new Map<string, readonly Uint8Array[]>();

export function framesOf(sound: Sound, codec: G711Name): readonly Uint8Array[] | undefined {
  if (sound.kind === 'nothing') {
    return undefined;
  }
  const hz = sound.kind === 'tone' ? sound.hz.map((f) => Math.round(f)) : [];
  const key = `${codec} ${hz.join(' ')}`;
  let frames = loops.get(key);
  if (!frames) {
    const generator = new ToneGenerator(hz);
    const pcm = new Int16Array(FRAME_SAMPLES);
    frames = Array.from({ length: FRAMES }, () => Uint8Array.from(g711(codec).encode(generator.fill(pcm))));
    loops.set(key, frames);
  }

  return frames;
}
