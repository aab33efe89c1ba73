/**
 * `tone_stream://…`: FreeSWITCH's tone language. Parts are separated by `;`: `%(on,off,f1[,f2…])` in ms and Hz, key digits,
 * `v=` volume in dB, `d=` and `w=` key and gap time in ms, `l=` repeats of each part, and a closing `loops=` (−1 for ever).
 */
import { ToneGenerator } from '../../rtp/tone';
import type { G711Codec } from '../../rtp/g711';
import { FRAME } from './audio-source';
import type { AudioSource } from './audio-source';

interface Segment {
  readonly frequencies: readonly number[];
  readonly samples: number;
  readonly level: number;
}

interface ToneProgram {
  readonly segments: readonly Segment[];
  /** −1 = for ever. */
  readonly loops: number;
}

const KEY_ROWS = [697, 770, 852, 941];
const KEY_COLUMNS = [1209, 1336, 1477, 1633];
const KEY_PAD = '123A456B789C*0#D';
const MAX_SEGMENTS = 1000;

/** Frequencies of a key (ITU-T Q.23). */
export function keyFrequencies(key: string): readonly [number, number] | undefined {
  const at = key.length === 1 ? KEY_PAD.indexOf(key) : -1;
  const row = KEY_ROWS[at >> 2];
  const column = KEY_COLUMNS[at & 3];
  return at < 0 || row === undefined || column === undefined ? undefined : [row, column];
}

/** Undefined if there is no tone in it or a part is not understood. */
export function parseToneStream(text: string): ToneProgram | undefined {
  let loops = 1;
  const body = text.replace(/;?\s*loops\s*=\s*(-?\d+)/i, (_, n: string) => {
    loops = Number(n);
    return '';
  });
  const segments: Segment[] = [];
  const settings = { level: 10 ** (-7 / 20), keyMs: 250, gapMs: 50, repeats: 1 };
  for (const part of body.split(/;(?![^(]*\))/).map((p) => p.trim())) {
    if (part === '') {
      continue;
    }
    const made = setSetting(part, settings) ? [] : partSegments(part, settings);
    if (made === undefined || segments.length + made.length * settings.repeats > MAX_SEGMENTS) {
      return undefined;
    }
    for (let i = 0; i < settings.repeats; i++) {
      segments.push(...made);
    }
  }
  return segments.some((s) => s.samples > 0) ? { segments, loops } : undefined;
}

interface Settings {
  level: number;
  keyMs: number;
  gapMs: number;
  repeats: number;
}

function setSetting(part: string, settings: Settings): boolean {
  const [, name, value] = /^([a-z<>+])\s*=\s*(-?[\d.]+)$/i.exec(part) ?? [];
  if (name === undefined || value === undefined) {
    return false;
  }
  const number = Number(value);
  switch (name.toLowerCase()) {
    case 'v':
      settings.level = Math.min(1, 10 ** (number / 20));
      break;
    case 'd':
      settings.keyMs = number;
      break;
    case 'w':
      settings.gapMs = number;
      break;
    case 'l':
      settings.repeats = Math.max(1, Math.min(100, Math.round(number)));
      break;
    default:
      // Channel count, rate and the fade settings of the language change nothing on an 8 kHz leg.
      break;
  }
  return true;
}

function partSegments(part: string, settings: Settings): Segment[] | undefined {
  const [, inside] = /^%\(([^)]*)\)$/.exec(part) ?? [];
  if (inside !== undefined) {
    const [on = NaN, off = NaN, ...frequencies] = inside.split(',').map((n) => Number(n.trim()));
    const good = [on, off, ...frequencies].every((n) => Number.isFinite(n) && n >= 0) && on + off < 3_600_000;
    if (!good || frequencies.some((f) => f >= 4000)) {
      return undefined;
    }
    return segmentsOf(frequencies, on, off, settings.level);
  }
  const segments: Segment[] = [];
  for (const key of part.toUpperCase()) {
    const frequencies = keyFrequencies(key);
    if (frequencies === undefined) {
      return undefined;
    }
    segments.push(...segmentsOf(frequencies, settings.keyMs, settings.gapMs, settings.level));
  }
  return segments;
}

function segmentsOf(frequencies: readonly number[], on: number, off: number, level: number): Segment[] {
  return [
    { frequencies, samples: Math.round(on * 8), level },
    { frequencies: [], samples: Math.round(off * 8), level: 0 },
  ];
}

export class ToneStreamSource implements AudioSource {
  readonly fileType = 'tone_stream';
  readonly #program: ToneProgram;
  readonly #pcm = new Int16Array(FRAME);
  readonly #bytes = new Uint8Array(FRAME);
  #loopsDone = 0;
  #segment = 0;
  #left = 0;
  #generator: ToneGenerator | undefined;
  #ended = false;
  position = 0;

  constructor(
    readonly path: string,
    program: ToneProgram,
  ) {
    this.#program = program;
    this.#enter(0);
  }

  next(codec: G711Codec): Uint8Array | undefined {
    if (this.#ended) {
      return undefined;
    }
    this.#pcm.fill(0);
    for (let at = 0; at < FRAME && !this.#ended;) {
      const count = Math.min(FRAME - at, this.#left);
      this.#generator?.fill(this.#pcm.subarray(at, at + count));
      at += count;
      this.#left -= count;
      this.position += count;
      if (this.#left === 0) {
        this.#enter(this.#segment + 1);
      }
    }
    return codec.encode(this.#pcm, this.#bytes);
  }

  /** Goes to a segment, past empty ones, into the next loop or to the end. */
  #enter(index: number): void {
    const { segments, loops } = this.#program;
    for (let i = index; ; i++) {
      if (i >= segments.length) {
        this.#loopsDone++;
        if (loops >= 0 && this.#loopsDone >= Math.max(1, loops)) {
          this.#ended = true;
          return;
        }
        i = 0;
      }
      const segment = segments[i];
      if (segment !== undefined && segment.samples > 0) {
        this.#segment = i;
        this.#left = segment.samples;
        this.#generator =
          segment.frequencies.length > 0 ? new ToneGenerator(segment.frequencies, segment.level) : undefined;
        return;
      }
    }
  }
}
