/**
 * Framing of drachtio's admin protocol: `<n>#<payload>`, n = UTF-8 bytes of the payload. Frames may come split or glued in
 * any way; memory is bounded and work is linear in the bytes.
 */
const HASH = 0x23;
const ZERO = 0x30;
/** The real server stops at 5 digits and about 12 kB; bodies of that size must not block a link here. */
const MAX_DIGITS = 7;
export const MAX_FRAME_BYTES = 4 * 1024 * 1024;

/** One frame, ready for one write. */
export function encodeFrame(payload: string): string {
  return `${Buffer.byteLength(payload)}#${payload}`;
}

export class FrameReader {
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  /** Payloads completed by these bytes; undefined if the stream is not framed like this: close it. */
  push(chunk: Buffer): string[] | undefined {
    this.#append(chunk);
    const payloads: string[] = [];
    for (;;) {
      const head = this.#readLength();
      if (head === undefined) {
        return undefined;
      }
      if (head === 'more' || this.#end - head.from < head.length) {
        break;
      }
      payloads.push(this.#buffer.toString('utf8', head.from, head.from + head.length));
      this.#start = head.from + head.length;
    }
    if (this.#start === this.#end) {
      this.#start = this.#end = 0;
    }
    return payloads;
  }

  #readLength(): { from: number; length: number } | 'more' | undefined {
    let length = 0;
    for (let i = this.#start; i < this.#end; i++) {
      const byte = this.#buffer[i] ?? 0;
      if (byte === HASH && i > this.#start) {
        return length > MAX_FRAME_BYTES ? undefined : { from: i + 1, length };
      }
      if (byte < ZERO || byte > ZERO + 9 || i - this.#start >= MAX_DIGITS) {
        return undefined;
      }
      length = length * 10 + (byte - ZERO);
    }
    return 'more';
  }

  #append(chunk: Buffer): void {
    const used = this.#end - this.#start;
    if (used === 0) {
      this.#buffer = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      return;
    }
    if (this.#end + chunk.length > this.#buffer.length) {
      const bigger = Buffer.allocUnsafe(Math.max(4096, 2 * (used + chunk.length)));
      this.#buffer.copy(bigger, 0, this.#start, this.#end);
      this.#buffer = bigger;
      this.#start = 0;
      this.#end = used;
    }
    chunk.copy(this.#buffer, this.#end);
    this.#end += chunk.length;
  }
}
