/** Things that can be played: each gives 20 ms at a time, already in the codec of the leg that plays it. */
import { g711 } from '../../rtp/g711';
import type { G711Codec, G711Name } from '../../rtp/g711';

/** Samples, and G.711 bytes, of 20 ms. */
export const FRAME = 160;
export const FRAME_MS = 20;

export interface AudioSource {
  /** Shown in PLAYBACK_START for everything that is not a file. */
  readonly fileType?: 'tone_stream' | 'silence_stream' | 'local_stream';
  /** As it was asked for. */
  readonly path: string;
  /** Samples from the beginning of the file. */
  readonly position: number;
  /** The next 20 ms, valid until the next call; undefined at the end. `tick` is the beat of the shared clock. */
  next(codec: G711Codec, tick: number): Uint8Array | undefined;
}

/** Audio kept in memory. Each law is made once, when first played, and shared by all who play it. */
export class Clip {
  readonly #encoded = new Map<G711Name, Uint8Array>();

  constructor(readonly pcm: Int16Array) {}

  get length(): number {
    return this.pcm.length;
  }

  /** All bytes, followed by one frame of silence so that the last frame is whole. */
  bytes(codec: G711Codec): Uint8Array {
    let bytes = this.#encoded.get(codec.name);
    if (bytes === undefined) {
      bytes = new Uint8Array(this.pcm.length + FRAME).fill(codec.silence);
      codec.encode(this.pcm, bytes);
      this.#encoded.set(codec.name, bytes);
    }
    return bytes;
  }
}

export class ClipSource implements AudioSource {
  position: number;

  constructor(
    readonly path: string,
    readonly clip: Clip,
    offset = 0,
  ) {
    this.position = Math.max(0, Math.min(offset, clip.length));
  }

  next(codec: G711Codec): Uint8Array | undefined {
    if (this.position >= this.clip.length) {
      return undefined;
    }
    const start = this.position;
    this.position = Math.min(this.clip.length, start + FRAME);
    return this.clip.bytes(codec).subarray(start, start + FRAME);
  }
}

const silentFrames: Readonly<Record<G711Name, Uint8Array>> = {
  PCMA: new Uint8Array(FRAME).fill(g711('PCMA').silence),
  PCMU: new Uint8Array(FRAME).fill(g711('PCMU').silence),
};

/** 20 ms of silence. Not to be written to. */
export function silentFrame(codec: G711Codec): Uint8Array {
  return silentFrames[codec.name];
}

/** Quiet noise, the same for everybody; a larger divisor is quieter, as in FreeSWITCH (400 loud, 1400 soft). */
export class NoiseSource {
  readonly #pcm = new Int16Array(FRAME);
  readonly #bytes = new Uint8Array(FRAME);
  #seed = 0x2545f491;

  constructor(readonly divisor: number) {}

  next(codec: G711Codec): Uint8Array {
    const peak = 98_301 / Math.max(1, this.divisor);
    for (let i = 0; i < FRAME; i++) {
      this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) | 0;
      this.#pcm[i] = Math.round((this.#seed / 0x80000000) * peak);
    }
    return codec.encode(this.#pcm, this.#bytes);
  }
}

/** `silence_stream://ms[,divisor]`: silence, or comfort noise; −1 = for ever. */
export class SilenceSource implements AudioSource {
  readonly fileType = 'silence_stream';
  readonly #noise: NoiseSource | undefined;
  readonly #samples: number;
  position = 0;

  constructor(
    readonly path: string,
    ms: number,
    divisor = 0,
  ) {
    this.#samples = ms < 0 ? Infinity : ms * 8;
    this.#noise = divisor > 0 ? new NoiseSource(divisor) : undefined;
  }

  next(codec: G711Codec): Uint8Array | undefined {
    if (this.position >= this.#samples) {
      return undefined;
    }
    this.position += FRAME;
    return this.#noise?.next(codec) ?? silentFrame(codec);
  }
}

/**
 * `local_stream://name`: endless, and at the same place for everyone who listens. The place follows from the beat alone, so
 * nothing has to run while nobody listens.
 */
export class LocalStreamSource implements AudioSource {
  readonly fileType = 'local_stream';
  position = 0;

  /** @param clip a loop of whole frames whose end runs into its beginning */
  constructor(
    readonly path: string,
    readonly clip: Clip,
  ) {}

  next(codec: G711Codec, tick: number): Uint8Array {
    this.position += FRAME;
    const start = (tick * FRAME) % this.clip.length;
    return this.clip.bytes(codec).subarray(start, start + FRAME);
  }
}
