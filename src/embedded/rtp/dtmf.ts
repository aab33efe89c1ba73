/** Keys as named telephone events (RFC 4733, events 0–15), in and out. */
import type { RtpPacket } from './packet';
import { timestampDelta } from './packet';

const KEYS = '0123456789*#ABCD';
/** The longest duration that one event packet can state. */
const SEGMENT_LIMIT = 0xffff;

export interface DtmfDigit {
  readonly digit: string;
  /** How long the key was held, in samples of 8 kHz (800 = 100 ms). */
  readonly durationSamples: number;
}

interface PressedKey {
  readonly event: number;
  timestamp: number;
  /** Samples of earlier segments of a very long key press (RFC 4733 2.5.1.3). */
  before: number;
  duration: number;
  lastSeenMs: number;
}

const NONE: readonly DtmfDigit[] = [];

export interface DtmfReceiverOptions {
  /** A key whose packets stop without an end packet counts as released after this time. */
  readonly releaseAfterMs?: number;
}

/**
 * Turns event packets into digits, each reported once, at the release of the key: at the first end packet, or, when all end
 * packets were lost, at the first packet of the next key or when `expire` sees no packet for `releaseAfterMs`.
 */
export class DtmfReceiver {
  readonly #releaseAfterMs: number;
  #ssrc: number | undefined;
  #pressed: PressedKey | undefined;
  /** Timestamp of the last key reported: its repeated end packets say nothing new. */
  #reported: number | undefined;

  constructor(options: DtmfReceiverOptions = {}) {
    this.#releaseAfterMs = options.releaseAfterMs ?? 100;
  }

  /** Takes one packet of the telephone-event payload type. `nowMs` is any clock that only goes forward. */
  receive(packet: RtpPacket, nowMs: number): readonly DtmfDigit[] {
    const { payload, timestamp } = packet;
    const event = payload[0] ?? 255;
    if (payload.length < 4 || event >= KEYS.length) {
      return NONE;
    }
    if (packet.ssrc !== this.#ssrc) {
      this.#ssrc = packet.ssrc;
      this.#reported = undefined;
    }
    if (this.#reported !== undefined && isNotNewer(this.#reported, timestamp)) {
      return NONE;
    }
    const released: DtmfDigit[] = [];
    const duration = ((payload[2] ?? 0) << 8) | (payload[3] ?? 0);
    const key = this.#keyFor(event, packet, nowMs, released);
    if (key === undefined) {
      return NONE;
    }
    key.duration = Math.max(key.duration, duration);
    key.lastSeenMs = nowMs;
    if (((payload[1] ?? 0) & 0x80) !== 0) {
      this.#release(released);
    }
    return released;
  }

  /** Call it now and then (each tick will do): reports a key whose end was never seen. */
  expire(nowMs: number): readonly DtmfDigit[] {
    if (this.#pressed === undefined || nowMs - this.#pressed.lastSeenMs < this.#releaseAfterMs) {
      return NONE;
    }
    const released: DtmfDigit[] = [];
    this.#release(released);
    return released;
  }

  get keyDown(): boolean {
    return this.#pressed !== undefined;
  }

  #keyFor(event: number, packet: RtpPacket, nowMs: number, released: DtmfDigit[]): PressedKey | undefined {
    const pressed = this.#pressed;
    if (pressed !== undefined) {
      const moved = timestampDelta(pressed.timestamp, packet.timestamp);
      if (moved === 0) {
        return pressed;
      }
      if (moved < 0) {
        return undefined;
      }
      if (event === pressed.event && !packet.marker && moved === SEGMENT_LIMIT) {
        pressed.before += SEGMENT_LIMIT;
        pressed.timestamp = packet.timestamp;
        pressed.duration = 0;
        return pressed;
      }
      this.#release(released);
    }
    this.#pressed = { event, timestamp: packet.timestamp, before: 0, duration: 0, lastSeenMs: nowMs };
    return this.#pressed;
  }

  #release(into: DtmfDigit[]): void {
    const key = this.#pressed;
    if (key === undefined) {
      return;
    }
    this.#pressed = undefined;
    this.#reported = key.timestamp;
    into.push({ digit: KEYS.charAt(key.event), durationSamples: key.before + key.duration });
  }
}

/** A minute back is a late packet; further back is a sender that started its timestamps anew. */
function isNotNewer(reported: number, timestamp: number): boolean {
  const delta = timestampDelta(reported, timestamp);
  return delta <= 0 && delta > -480_000;
}

export interface DtmfSenderOptions {
  /** Samples per packet step; 160 = 20 ms. */
  readonly step?: number;
  /** Power below 0 dBm0, 0–63. */
  readonly volume?: number;
  /** Silent steps after each key. */
  readonly gapSteps?: number;
}

/** One event packet to send: the caller adds payload type, sequence number and SSRC. */
export interface DtmfFrame {
  readonly marker: boolean;
  readonly timestamp: number;
  readonly payload: Uint8Array;
}

const NO_FRAMES: readonly DtmfFrame[] = [];
const END_REPEATS = 3;

/**
 * Turns keys into event packets: call `next` once per 20 ms in place of the audio packet while `active`. The first packet of
 * a key carries the marker, all carry the timestamp at which it began, and the end packet goes out three times.
 */
export class DtmfSender {
  readonly #step: number;
  readonly #volume: number;
  readonly #gapSteps: number;
  readonly #queue: { readonly event: number; readonly duration: number }[] = [];
  #start = 0;
  #sent = 0;
  #gap = 0;

  constructor(options: DtmfSenderOptions = {}) {
    this.#step = options.step ?? 160;
    this.#volume = options.volume ?? 13;
    this.#gapSteps = options.gapSteps ?? 4;
  }

  /** True while a key is being sent or waits. */
  get active(): boolean {
    return this.#queue.length > 0 || this.#gap > 0;
  }

  /** Queues keys (`0`–`9`, `*`, `#`, `A`–`D`); returns how many of the characters were keys. */
  send(digits: string, durationSamples = 2000): number {
    let accepted = 0;
    for (const char of digits.toUpperCase()) {
      const event = KEYS.indexOf(char);
      if (event >= 0) {
        this.#queue.push({ event, duration: Math.min(SEGMENT_LIMIT, Math.max(this.#step, durationSamples)) });
        accepted++;
      }
    }
    return accepted;
  }

  /** The packets of this step; `timestamp` is the one an audio packet would have had. Empty: nothing to send. */
  next(timestamp: number): readonly DtmfFrame[] {
    const key = this.#queue[0];
    if (this.#gap > 0) {
      this.#gap--;
      return NO_FRAMES;
    }
    if (key === undefined) {
      return NO_FRAMES;
    }
    const first = this.#sent === 0;
    if (first) {
      this.#start = timestamp >>> 0;
    }
    this.#sent = Math.min(key.duration, this.#sent + this.#step);
    const ended = this.#sent >= key.duration;
    const payload = Uint8Array.of(key.event, (ended ? 0x80 : 0) | this.#volume, this.#sent >> 8, this.#sent & 0xff);
    const frames: DtmfFrame[] = [{ marker: first, timestamp: this.#start, payload }];
    if (ended) {
      for (let i = 1; i < END_REPEATS; i++) {
        frames.push({ marker: false, timestamp: this.#start, payload });
      }
      this.#queue.shift();
      this.#sent = 0;
      this.#gap = this.#gapSteps;
    }
    return frames;
  }
}
