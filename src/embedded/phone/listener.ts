import { DtmfReceiver } from '../rtp/dtmf';
import { g711, type G711Name } from '../rtp/g711';
import { sequenceDelta, type RtpPacket } from '../rtp/packet';
import { ToneDetector } from '../rtp/tone';

/** Times are milliseconds since the epoch, durations milliseconds. */
export interface Span {
  readonly at: number;
  readonly ms: number;
}

export interface HeardToneReport {
  readonly hz: number;
  readonly ms: number;
  readonly firstAt: number;
}

export interface HeardReport {
  /** Longest first. */
  readonly tones: readonly HeardToneReport[];
  readonly digits: string;
  readonly firstPacketAt: number | undefined;
  readonly lastPacketAt: number | undefined;
  /** When something louder than silence came first. */
  readonly firstSoundAt: number | undefined;
  /** How long something louder than silence came in all. */
  readonly soundMs: number;
  /** Between packets: longer than `gapMs` without one. Time on hold does not count. */
  readonly gaps: readonly Span[];
  /** In the sound: longer than `gapMs` of silence between sounds. */
  readonly silences: readonly Span[];
  readonly received: number;
  /** Sequence numbers that never came. */
  readonly lost: number;
  /** Came after a later one. */
  readonly late: number;
  readonly duplicates: number;
  /** Payload types that were not agreed on. */
  readonly unexpectedPayload: number;
}

export interface ListenerOptions {
  /** Candidate tones in hertz, at least 50 apart. */
  readonly tones: readonly number[];
  /** Shorter gaps are not reported. Default 60 ms. */
  readonly gapMs?: number;
  readonly now: () => number;
  /** A tone is heard for the first time. */
  readonly onTone?: (hz: number, at: number) => void;
  readonly onDigit?: (digit: string) => void;
}

const FRAME_MS = 20;
/** −50 dBFS: below it a frame counts as silence. */
const SILENCE_RMS = 104;
/** Spans kept of each kind; a call that breaks up more often is broken enough. */
const MAX_SPANS = 1000;

/** The ear of a phone: takes RTP packets in the order of their arrival and keeps what was heard. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #gapMs: number;
  readonly #detector: ToneDetector;
  readonly #dtmf = new DtmfReceiver();
  readonly #tones = new Map<number, number>();
  readonly #gaps: Span[] = [];
  readonly #silences: Span[] = [];
  #pcm = new Int16Array(160);
  #streamMs = 0;
  #digits = '';
  #firstPacketAt: number | undefined;
  #lastPacketAt: number | undefined;
  #firstSoundAt: number | undefined;
  #lastSoundAt: number | undefined;
  #soundMs = 0;
  #received = 0;
  #late = 0;
  #duplicates = 0;
  #unexpected = 0;
  #lostBefore = 0;
  #source: SequenceCount | undefined;
  #paused = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#gapMs = options.gapMs ?? 60;
    this.#detector = new ToneDetector(options.tones);
  }

  /** A packet came. `codec` is the agreed codec of the packet's payload type, undefined if it has none. */
  hear(packet: RtpPacket, codec: G711Name | 'telephone-event' | undefined): void {
    const now = this.#options.now();
    if (codec === undefined) {
      this.#unexpected++;

      return;
    }
    if (!this.#count(packet)) {
      return;
    }
    this.#noteArrival(now);
    if (codec === 'telephone-event') {
      for (const { digit } of this.#dtmf.receive(packet, now)) {
        this.#noteDigit(digit);
      }

      return;
    }
    for (const { digit } of this.#dtmf.expire(now)) {
      this.#noteDigit(digit);
    }
    if (this.#pcm.length < packet.payload.length) {
      this.#pcm = new Int16Array(packet.payload.length);
    }
    const pcm = g711(codec).decode(packet.payload, this.#pcm);
    this.#streamMs += pcm.length / 8;
    this.#noteSound(pcm, now);
    this.#detector.push(pcm);
    this.#noteTones(now);
  }

  /** On hold no packets are due: the time until `resume` is no gap. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#lastPacketAt = undefined;
    this.#lastSoundAt = undefined;
  }

  /** Tones that are there right now. */
  get current(): number[] {
    return this.#detector.current;
  }

  heardMs(hz: number): number {
    return this.#detector.heardMs(hz);
  }

  report(): HeardReport {
    const tones = this.#detector.report().map(({ frequency, ms }) => ({
      hz: frequency,
      ms,
      firstAt: this.#tones.get(frequency) ?? this.#options.now(),
    }));

    return {
      tones,
      digits: this.#digits,
      firstPacketAt: this.#firstPacketAt,
      lastPacketAt: this.#lastPacketAt,
      firstSoundAt: this.#firstSoundAt,
      soundMs: this.#soundMs,
      gaps: [...this.#gaps],
      silences: [...this.#silences],
      received: this.#received,
      lost: this.#lostBefore + (this.#source?.lost ?? 0),
      late: this.#late,
      duplicates: this.#duplicates,
      unexpectedPayload: this.#unexpected,
    };
  }

  /** Counts the packet; false if it is a duplicate or too late to be played. */
  #count(packet: RtpPacket): boolean {
    if (!this.#source || this.#source.ssrc !== packet.ssrc) {
      this.#lostBefore += this.#source?.lost ?? 0;
      this.#source = new SequenceCount(packet.ssrc, packet.sequence);
      this.#received++;

      return true;
    }
    const kind = this.#source.take(packet.sequence);
    if (kind === 'duplicate') {
      this.#duplicates++;

      return false;
    }
    this.#received++;
    if (kind === 'late') {
      this.#late++;
    }

    return kind === 'next';
  }

  #noteArrival(now: number): void {
    this.#firstPacketAt ??= now;
    const last = this.#lastPacketAt;
    if (last !== undefined && !this.#paused && now - last > this.#gapMs) {
      keep(this.#gaps, { at: last, ms: Math.round(now - last) });
    }
    this.#lastPacketAt = now;
  }

  #noteSound(pcm: Int16Array, now: number): void {
    let energy = 0;
    for (const sample of pcm) {
      energy += sample * sample;
    }
    if (energy < SILENCE_RMS * SILENCE_RMS * pcm.length) {
      return;
    }
    this.#firstSoundAt ??= now;
    const last = this.#lastSoundAt;
    if (last !== undefined && now - last > this.#gapMs + FRAME_MS) {
      keep(this.#silences, { at: last, ms: Math.round(now - last) });
    }
    this.#lastSoundAt = now;
    this.#soundMs += pcm.length / 8;
  }

  #noteTones(now: number): void {
    for (const hz of this.#options.tones) {
      if (!this.#tones.has(hz) && this.#detector.heardMs(hz) > 0) {
        const position = this.#detector.report().find((tone) => tone.frequency === hz)?.firstAtMs ?? this.#streamMs;
        const at = Math.round(now - (this.#streamMs - position));
        this.#tones.set(hz, at);
        this.#options.onTone?.(hz, at);
      }
    }
  }

  #noteDigit(digit: string): void {
    this.#digits += digit;
    this.#options.onDigit?.(digit);
  }
}

/** Which sequence numbers of one source came. Remembers the last 64 to tell a late packet from a duplicate. */
class SequenceCount {
  readonly #seen: number[] = [];
  #top: number;
  #expected = 1;
  #received = 1;

  constructor(
    readonly ssrc: number,
    first: number,
  ) {
    this.#top = first;
    this.#seen.push(first);
  }

  get lost(): number {
    return Math.max(0, this.#expected - this.#received);
  }

  take(sequence: number): 'next' | 'late' | 'duplicate' {
    const ahead = sequenceDelta(this.#top, sequence);
    if (ahead <= 0 && this.#seen.includes(sequence)) {
      return 'duplicate';
    }
    this.#seen.push(sequence);
    if (this.#seen.length > 64) {
      this.#seen.shift();
    }
    this.#received++;
    if (ahead <= 0) {
      return 'late';
    }
    this.#top = sequence;
    this.#expected += ahead;

    return 'next';
  }
}

function keep(spans: Span[], span: Span): void {
  if (spans.length < MAX_SPANS) {
    spans.push(span);
  }
}
