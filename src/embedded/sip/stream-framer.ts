/**
 * Cuts a byte stream into SIP messages by Content-Length (RFC 3261 18.3) and sees the keep-alives between them (RFC 5626
 * 3.5.1). Memory is bounded by `maxBytes`, work is linear in the bytes received, however small the pieces are.
 */
export type Frame =
  | { readonly type: 'message'; readonly data: Buffer }
  /** Double CRLF: wants a CRLF back. */
  | { readonly type: 'ping' }
  | { readonly type: 'error'; readonly kind: 'oversized' | 'malformed'; readonly reason: string };

const CR = 0x0d;
const LF = 0x0a;

export class StreamFramer {
  readonly #maxBytes: number;
  #buffer = Buffer.allocUnsafe(2048);
  #start = 0;
  #end = 0;
  #scanned = 0;
  /** Full length of the message at `#start` once its headers are complete. */
  #needed = 0;
  #failed = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** True while part of a message has arrived; blanks between messages do not count. */
  get partial(): boolean {
    return this.#end > this.#start && !this.#failed;
  }

  /** Takes the next bytes. After an error frame the stream is lost: close it. */
  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = [];
    if (this.#failed) {
      return frames;
    }
    this.#append(chunk);
    while (!this.#failed && this.#next(frames)) {
      // #next moves on until it needs more bytes
    }
    if (this.#start === this.#end) {
      this.#start = this.#end = this.#scanned = 0;
      if (this.#buffer.length > 16_384) {
        this.#buffer = Buffer.allocUnsafe(2048);
      }
    }
    return frames;
  }

  #append(chunk: Buffer): void {
    if (this.#end + chunk.length > this.#buffer.length) {
      const used = this.#end - this.#start;
      const size = Math.max(2048, 2 * used, used + chunk.length);
      const bigger = Buffer.allocUnsafe(size);
      this.#buffer.copy(bigger, 0, this.#start, this.#end);
      this.#buffer = bigger;
      this.#scanned -= this.#start;
      this.#start = 0;
      this.#end = used;
    }
    chunk.copy(this.#buffer, this.#end);
    this.#end += chunk.length;
  }

  #next(frames: Frame[]): boolean {
    if (this.#needed === 0) {
      if (this.#buffer[this.#start] === CR || this.#buffer[this.#start] === LF) {
        if (!this.#skipBlank(frames)) {
          return false;
        }
      }
      if (!this.#readHead(frames)) {
        return false;
      }
    }
    if (this.#end - this.#start < this.#needed) {
      return false;
    }
    const data = Buffer.from(this.#buffer.subarray(this.#start, this.#start + this.#needed));
    frames.push({ type: 'message', data });
    this.#start += this.#needed;
    this.#scanned = this.#start;
    this.#needed = 0;
    return this.#start < this.#end;
  }

  /** Drops CRLFs before a message; four bytes CRLFCRLF in a row are a ping. False if nothing else is there. */
  #skipBlank(frames: Frame[]): boolean {
    while (this.#start < this.#end) {
      const first = this.#buffer[this.#start];
      if (first !== CR && first !== LF) {
        this.#scanned = this.#start;
        return true;
      }
      const four = this.#buffer.toString('latin1', this.#start, Math.min(this.#start + 4, this.#end));
      if (four === '\r\n\r\n') {
        frames.push({ type: 'ping' });
        this.#start += 4;
      } else if (four.length < 4 && '\r\n\r\n'.startsWith(four)) {
        return false;
      } else {
        this.#start++;
      }
    }
    this.#scanned = this.#start;
    return false;
  }

  #readHead(frames: Frame[]): boolean {
    const from = Math.max(this.#start, this.#scanned - 3);
    const found = this.#buffer.subarray(0, this.#end).indexOf('\r\n\r\n', from, 'latin1');
    this.#scanned = this.#end;
    if (found === -1) {
      return this.#end - this.#start > this.#maxBytes ? this.#fail(frames, 'oversized', 'headers too large') : false;
    }
    const head = this.#buffer.toString('latin1', this.#start, found);
    const length = contentLength(head);
    if (length === undefined) {
      return this.#fail(frames, 'malformed', 'malformed or contradictory Content-Length');
    }
    this.#needed = found + 4 - this.#start + length;
    return this.#needed > this.#maxBytes ? this.#fail(frames, 'oversized', 'message too large') : true;
  }

  #fail(frames: Frame[], kind: 'oversized' | 'malformed', reason: string): false {
    this.#failed = true;
    this.#buffer = Buffer.alloc(0);
    this.#start = this.#end = 0;
    frames.push({ type: 'error', kind, reason });
    return false;
  }
}

/** Content-Length of a header block; 0 if there is none, undefined if it cannot be trusted. */
function contentLength(head: string): number | undefined {
  let length: number | undefined;
  for (const match of head.matchAll(/\r\n(?:content-length|l)[ \t]*:[ \t]*(?:\r\n[ \t]+)?([^\r\n]*)/gi)) {
    const text = (match[1] ?? '').trim();
    if (!/^\d{1,9}$/.test(text) || (length !== undefined && length !== Number(text))) {
      return undefined;
    }
    length = Number(text);
  }
  return length ?? 0;
}
