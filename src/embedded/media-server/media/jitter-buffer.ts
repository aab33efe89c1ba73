/**
 * A small adaptive jitter buffer for G.711. It is a ring of bytes, one per sample, addressed by RTP timestamp, so packets of
 * any length fit and one 20 ms frame can be taken out at each beat. The delay starts small, grows by as much as a packet
 * came late, and shrinks again when nothing was late for a while.
 */
import { timestampDelta } from '../../rtp/packet';
import { FRAME } from './audio-source';

/** One second. */
const RING = 8192;
const MASK = RING - 1;
const START_DELAY = 80;
const MAX_DELAY = 1600;
/** Beats over which the buffer must have been fuller than needed before it is shortened. */
const CALM_TICKS = 100;
/** After this much lost audio in a row concealment gives way to nothing. */
const CONCEAL_TICKS = 5;

export interface JitterStats {
  packets: number;
  /** Came after their time. */
  late: number;
  /** 20 ms frames that had to be made up. */
  concealed: number;
  /** Frames left out to get back to a short delay. */
  skipped: number;
  /** The stream jumped or began anew. */
  resets: number;
}

export class JitterBuffer {
  readonly #bytes = new Uint8Array(RING);
  readonly #valid = new Uint8Array(RING);
  readonly #frame = new Uint8Array(FRAME);
  readonly #lastGood = new Uint8Array(FRAME);
  #hasGood = false;
  #running = false;
  #ssrc = 0;
  #readAt = 0;
  #end = 0;
  #misses = 0;
  #calmTicks = 0;
  #leastSpare = Infinity;
  readonly stats: JitterStats = { packets: 0, late: 0, concealed: 0, skipped: 0, resets: 0 };

  /** Puts the payload of one packet in its place. */
  put(timestamp: number, ssrc: number, payload: Uint8Array): void {
    if (payload.length === 0 || payload.length > MAX_DELAY * 2) {
      return;
    }
    this.stats.packets++;
    if (!this.#running || ssrc !== this.#ssrc || Math.abs(timestampDelta(this.#readAt, timestamp)) > RING / 2) {
      this.#start(timestamp, ssrc);
    }
    const late = -timestampDelta(this.#readAt, timestamp);
    if (late > 0) {
      this.stats.late++;
      this.#calmTicks = 0;
      this.#leastSpare = Infinity;
      if (this.#misses > CONCEAL_TICKS) {
        // The stream was paused and its timestamps stood still: nothing waits, so begin again here.
        this.#start(timestamp, ssrc);
      } else if (late + this.depth <= MAX_DELAY) {
        this.#readAt = (this.#readAt - late) >>> 0;
      } else {
        return;
      }
    }
    for (let i = 0; i < payload.length; i++) {
      const at = (timestamp + i) & MASK;
      this.#bytes[at] = payload[i] ?? 0;
      this.#valid[at] = 1;
    }
    const end = (timestamp + payload.length) >>> 0;
    if (timestampDelta(this.#end, end) > 0) {
      this.#end = end;
    }
  }

  /** The next 20 ms, valid until the next call; undefined when there is nothing to hear and nothing to conceal. */
  take(silence: number): Uint8Array | undefined {
    if (!this.#running) {
      return undefined;
    }
    this.#shorten();
    let present = 0;
    for (let i = 0; i < FRAME; i++) {
      const at = (this.#readAt + i) & MASK;
      const valid = this.#valid[at] ?? 0;
      present += valid;
      this.#frame[i] = valid === 1 ? (this.#bytes[at] ?? silence) : silence;
      this.#valid[at] = 0;
    }
    this.#readAt = (this.#readAt + FRAME) >>> 0;
    if (present > 0) {
      this.#misses = 0;
      this.#lastGood.set(this.#frame);
      this.#hasGood = true;
      return this.#frame;
    }
    return this.#conceal(silence);
  }

  /** Samples between what is played and the newest that came. */
  get depth(): number {
    return this.#running ? Math.max(0, timestampDelta(this.#readAt, this.#end)) : 0;
  }

  reset(): void {
    this.#running = false;
    this.#hasGood = false;
    this.#valid.fill(0);
  }

  #start(timestamp: number, ssrc: number): void {
    if (this.#running) {
      this.stats.resets++;
    }
    this.#valid.fill(0);
    this.#running = true;
    this.#hasGood = false;
    this.#ssrc = ssrc;
    this.#readAt = (timestamp - START_DELAY) >>> 0;
    this.#end = timestamp;
    this.#misses = 0;
    this.#calmTicks = 0;
    this.#leastSpare = Infinity;
  }

  /** One lost frame is bridged by the last one, later ones by silence; then the stream counts as paused. */
  #conceal(silence: number): Uint8Array | undefined {
    this.#misses++;
    if (!this.#hasGood || this.#misses > CONCEAL_TICKS) {
      if (this.#misses > RING / FRAME) {
        this.#running = false;
      }
      return undefined;
    }
    this.stats.concealed++;
    if (this.#misses === 1) {
      this.#frame.set(this.#lastGood);
    } else {
      this.#frame.fill(silence);
    }
    return this.#frame;
  }

  /** Leaves out a frame when for two seconds there was always more than one frame to spare. */
  #shorten(): void {
    const spare = timestampDelta(this.#readAt, this.#end) - FRAME;
    this.#leastSpare = Math.min(this.#leastSpare, spare);
    if (++this.#calmTicks < CALM_TICKS) {
      return;
    }
    if (this.#leastSpare >= FRAME + START_DELAY) {
      for (let i = 0; i < FRAME; i++) {
        this.#valid[(this.#readAt + i) & MASK] = 0;
      }
      this.#readAt = (this.#readAt + FRAME) >>> 0;
      this.stats.skipped++;
    }
    this.#calmTicks = 0;
    this.#leastSpare = Infinity;
  }
}
