/**
 * Marks inside the audio itself. Each 20 ms of sound carries, in the bytes of the codec, who sent it and its number; a server
 * in between may send new RTP headers, but audio that is passed on (also decoded and encoded again: A-law to 16 bits and back
 * is exact) keeps its mark. So delay and loss are measured end to end, whatever stands between.
 *
 * Eight bytes, twenty times over: 0xD7 0x2B, sender (2), frame (3, big end first), check.
 */
export interface Mark {
  readonly sender: number;
  readonly frame: number;
}

export const FRAME_BYTES = 160;
const UNIT = 8;
const FIRST = 0xd7;
const SECOND = 0x2b;

/** Fills `payload` (160 bytes) with the mark. `sender` has 16 bits, `frame` 24. */
export function writeMark(payload: Uint8Array, sender: number, frame: number): void {
  const unit = [FIRST, SECOND, sender >> 8, sender & 0xff, (frame >> 16) & 0xff, (frame >> 8) & 0xff, frame & 0xff];
  const check = checkOf(unit);
  for (let at = 0; at + UNIT <= payload.length; at += UNIT) {
    payload.set(unit, at);
    payload[at + UNIT - 1] = check;
  }
}

/** The mark in a payload, wherever in it a whole unit stands; undefined for any other sound. */
export function readMark(payload: Uint8Array): Mark | undefined {
  const last = Math.min(payload.length - UNIT, UNIT * 2);
  for (let at = 0; at <= last; at++) {
    if (payload[at] === FIRST && payload[at + 1] === SECOND) {
      const unit = payload.subarray(at, at + UNIT - 1);
      if (checkOf(unit) === payload[at + UNIT - 1]) {
        const [, , s1 = 0, s0 = 0, f2 = 0, f1 = 0, f0 = 0] = unit;
        return { sender: (s1 << 8) | s0, frame: (f2 << 16) | (f1 << 8) | f0 };
      }
    }
  }
  return undefined;
}

function checkOf(unit: Iterable<number>): number {
  let check = 0x5a;
  for (const byte of unit) {
    check = ((check << 1) | (check >> 7)) & 0xff;
    check ^= byte;
  }
  return check & 0xff;
}
