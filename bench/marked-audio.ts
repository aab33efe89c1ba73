/** The audio of one simulated party: sends marked frames, and measures what arrives of the other party's. */
import { RtpSocket } from '../src/embedded/rtp/rtp-socket';
import { parseRtp, RTP_HEADER_BYTES, writeRtpHeader } from '../src/embedded/rtp/packet';
import { SrtpStream } from '../src/embedded/rtp/srtp';
import type { SdesCrypto } from '../src/embedded/rtp/srtp';
import { FRAME_BYTES, readMark, writeMark } from './audio-mark';
import type { Pacer } from './pacer';

const HOST = '127.0.0.1';
const PCMA = 8;
const SRTP_ROOM = 32;
/** Send times of the last ten seconds. */
const KEPT = 512;
const GAP_MS = 60;

export interface Heard {
  /** Frames of the other party that arrived. */
  readonly frames: number;
  /** Frames of the other party between the first and the last that arrived which did not. */
  readonly lost: number;
  /** Times between two of its frames longer than 60 ms. */
  readonly gaps: number;
  readonly worstGapMs: number;
}

export interface Target {
  readonly address: string;
  readonly port: number;
  readonly keys?: { readonly local: SdesCrypto; readonly remote: SdesCrypto };
}

/** All parties of a run by the number in their marks. */
export class Parties {
  readonly #byId = new Map<number, MarkedAudio>();
  #next = 1;

  add(audio: (id: number) => MarkedAudio): MarkedAudio {
    const id = this.#next;
    this.#next = this.#next === 0xffff ? 1 : this.#next + 1;
    const made = audio(id);
    this.#byId.set(id, made);
    return made;
  }

  get(id: number): MarkedAudio | undefined {
    return this.#byId.get(id);
  }

  remove(audio: MarkedAudio): void {
    if (this.#byId.get(audio.id) === audio) {
      this.#byId.delete(audio.id);
    }
  }
}

export class MarkedAudio {
  readonly id: number;
  /** Delays of the frames that arrived here, milliseconds; those of the first 200 ms are left out. */
  readonly delays: number[] = [];
  /** When the first frame of the other party arrived. */
  firstAt: number | undefined;
  readonly #socket: RtpSocket;
  readonly #pacer: Pacer;
  readonly #parties: Parties;
  readonly #sentAt = new Float64Array(KEPT);
  readonly #packet = Buffer.alloc(RTP_HEADER_BYTES + FRAME_BYTES + SRTP_ROOM);
  readonly #payload = this.#packet.subarray(RTP_HEADER_BYTES, RTP_HEADER_BYTES + FRAME_BYTES);
  readonly #ssrc = Math.floor(Math.random() * 0xffff_ffff);
  #frame = 0;
  #target: Target | undefined;
  #srtp: SrtpStream | undefined;
  #leave: (() => void) | undefined;
  #lastFrame = -1;
  #lastAt = 0;
  #heard = { frames: 0, lost: 0, gaps: 0, worstGapMs: 0 };
  #closed = false;

  private constructor(id: number, socket: RtpSocket, pacer: Pacer, parties: Parties) {
    this.id = id;
    this.#socket = socket;
    this.#pacer = pacer;
    this.#parties = parties;
    socket.onPacket((packet) => {
      this.#receive(packet);
    });
  }

  static async open(pacer: Pacer, parties: Parties): Promise<MarkedAudio> {
    const socket = await RtpSocket.open({ host: HOST });
    return parties.add((id) => new MarkedAudio(id, socket, pacer, parties));
  }

  get port(): number {
    return this.#socket.port;
  }

  /** Sends the first frame now and one every 20 ms from then on. */
  start(target: Target): void {
    if (this.#closed || this.#target !== undefined) {
      return;
    }
    this.#target = target;
    this.#srtp = target.keys && new SrtpStream(target.keys.local, target.keys.remote);
    this.#send();
    this.#leave = this.#pacer.join(() => {
      this.#send();
    });
  }

  sentAt(frame: number): number | undefined {
    return frame < this.#frame && frame >= this.#frame - KEPT ? this.#sentAt[frame % KEPT] : undefined;
  }

  /** What was heard since the last call. */
  takeHeard(): Heard {
    const heard = this.#heard;
    this.#heard = { frames: 0, lost: 0, gaps: 0, worstGapMs: 0 };
    return heard;
  }

  /** Milliseconds since the last frame of the other party; Infinity if there was none. */
  silentMs(now: number): number {
    return this.firstAt === undefined ? Number.POSITIVE_INFINITY : now - this.#lastAt;
  }

  close(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.#leave?.();
    this.#parties.remove(this);
    this.#socket.close();
  }

  #send(): void {
    const target = this.#target;
    if (!target) {
      return;
    }
    const frame = this.#frame++;
    writeRtpHeader(this.#packet, PCMA, frame === 0, frame & 0xffff, (frame * FRAME_BYTES) >>> 0, this.#ssrc);
    writeMark(this.#payload, this.id, frame & 0xff_ffff);
    const plain = RTP_HEADER_BYTES + FRAME_BYTES;
    const length = this.#srtp ? this.#srtp.protectInPlace(this.#packet, plain) : plain;
    this.#sentAt[frame % KEPT] = performance.now();
    this.#socket.send(this.#packet, target.port, target.address, length);
  }

  #receive(raw: Buffer): void {
    const now = performance.now();
    const plain = this.#srtp ? this.#srtp.unprotect(raw) : raw;
    const packet = plain && parseRtp(plain);
    const mark = packet && packet.payloadType === PCMA ? readMark(packet.payload) : undefined;
    if (!mark) {
      return;
    }
    this.#count(mark.frame, now);
    const sent = this.#parties.get(mark.sender)?.sentAt(mark.frame);
    if (sent !== undefined && this.firstAt !== undefined && now - this.firstAt > 200) {
      this.delays.push(now - sent);
    }
  }

  #count(frame: number, now: number): void {
    const heard = this.#heard;
    heard.frames++;
    if (this.firstAt === undefined) {
      this.firstAt = now;
    } else {
      const gap = now - this.#lastAt;
      heard.worstGapMs = Math.max(heard.worstGapMs, gap);
      heard.gaps += gap > GAP_MS ? 1 : 0;
      heard.lost += Math.max(0, frame - this.#lastFrame - 1);
    }
    this.#lastAt = now;
    this.#lastFrame = Math.max(this.#lastFrame, frame);
  }
}
