/** Keys heard as tones in the audio (ITU-T Q.23), for `start_dtmf`. */
import type { G711Codec } from '../../rtp/g711';
import { FRAME } from '../media/audio-source';

const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477, 1633];
const KEYS = ['123A', '456B', '789C', '*0#D'];
const MIN_TICKS = 2;
const WINDOW = FRAME * 2;

/** Listens to one leg; a key is reported when it was heard for 40 ms, once per press. */
export class InbandKeys {
  readonly #pcm = new Int16Array(WINDOW);
  #last = '';
  #run = 0;
  #reported = false;

  /** Takes 20 ms; returns a key that has just been recognised. */
  push(bytes: Uint8Array, codec: G711Codec): string | undefined {
    this.#pcm.copyWithin(0, FRAME);
    codec.decode(bytes, this.#pcm.subarray(FRAME));
    const key = this.#recognise();
    if (key !== this.#last) {
      this.#last = key;
      this.#run = 0;
      this.#reported = false;
    }
    this.#run++;
    if (key === '' || this.#reported || this.#run < MIN_TICKS) {
      return undefined;
    }
    this.#reported = true;
    return key;
  }

  #recognise(): string {
    let energy = 0;
    for (const sample of this.#pcm) {
      energy += sample * sample;
    }
    if (energy < WINDOW * 200 * 200) {
      return '';
    }
    const row = strongest(this.#pcm, ROWS);
    const column = strongest(this.#pcm, COLUMNS);
    const share = (2 * (row.power + column.power)) / (WINDOW * energy);
    const twist = row.power / Math.max(1, column.power);
    return share > 0.7 && twist > 0.1 && twist < 10 ? (KEYS[row.index]?.charAt(column.index) ?? '') : '';
  }
}

function strongest(pcm: Int16Array, frequencies: readonly number[]): { index: number; power: number } {
  let best = { index: 0, power: 0 };
  frequencies.forEach((frequency, index) => {
    const coefficient = 2 * Math.cos((2 * Math.PI * frequency) / 8000);
    let s1 = 0;
    let s2 = 0;
    for (const x of pcm) {
      const s0 = x + coefficient * s1 - s2;
      s2 = s1;
      s1 = s0;
    }
    const power = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
    if (power > best.power) {
      best = { index, power };
    }
  });
  return best;
}
