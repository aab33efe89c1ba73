/** The RTP side of one channel: its socket, keys, jitter buffer, keys pressed, and the packet it sends at each beat. */
import { randomInt } from 'node:crypto';
import { DtmfReceiver, DtmfSender } from '../../rtp/dtmf';
import type { DtmfDigit, DtmfFrame } from '../../rtp/dtmf';
import { g711 } from '../../rtp/g711';
import type { G711Codec } from '../../rtp/g711';
import { RTP_HEADER_BYTES, parseRtp, writeRtpHeader } from '../../rtp/packet';
import type { RtpPacket } from '../../rtp/packet';
import type { RtpSocket } from '../../rtp/rtp-socket';
import { SrtpStream, sameSdesKey } from '../../rtp/srtp';
import { FRAME } from './audio-source';
import { JitterBuffer } from './jitter-buffer';
import type { NegotiatedMedia } from './negotiation';

export interface LegStats {
  packetsIn: number;
  packetsOut: number;
  bytesIn: number;
  bytesOut: number;
  /** No RTP, another payload type, or too long. */
  ignored: number;
  /** From someone who is not the peer. */
  strangers: number;
  srtpFailures: number;
}

/** FreeSWITCH moves the remote address to where packets come from after this many of them. */
const ADJUST_AFTER = 10;
/** … and only as long as no more than this many have come since the offer. */
const ADJUST_WINDOW = 20;
const MAX_PACKET = 1500;
const SENDS: readonly string[] = ['sendrecv', 'sendonly'];
const RECEIVES: readonly string[] = ['sendrecv', 'recvonly'];

export class MediaLeg {
  readonly #socket: RtpSocket;
  readonly #buffer = Buffer.alloc(MAX_PACKET);
  readonly #jitter = new JitterBuffer();
  readonly #keysIn = new DtmfReceiver();
  readonly #keysOut = new DtmfSender();
  readonly #ssrc = randomInt(1, 0x7fffffff);
  #sequence = randomInt(0, 0xffff);
  #timestamp = randomInt(0, 0x7fffffff);
  #media: NegotiatedMedia | undefined;
  #codec: G711Codec = g711('PCMA');
  #srtp: SrtpStream | undefined;
  #remoteAddress = '';
  #remotePort = 0;
  #strangerKey = '';
  #strangerCount = 0;
  /** Packets that may still move the target. */
  #adjustWindow = 0;
  #sentLast = false;
  #digits: DtmfDigit[] = [];
  #srtpFailuresBefore = 0;
  /** Beats since the last packet of the peer. */
  idleTicks = 0;
  readonly stats: LegStats = {
    packetsIn: 0,
    packetsOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    ignored: 0,
    strangers: 0,
    srtpFailures: 0,
  };

  constructor(socket: RtpSocket) {
    this.#socket = socket;
    socket.onPacket((packet, address, port) => {
      this.#receive(packet, address, port);
    });
  }

  get port(): number {
    return this.#socket.port;
  }

  get codec(): G711Codec {
    return this.#codec;
  }

  get media(): NegotiatedMedia | undefined {
    return this.#media;
  }

  get secure(): boolean {
    return this.#srtp !== undefined;
  }

  /** True once a packet was decrypted with the keys in use. */
  get secureConfirmed(): boolean {
    return (this.#srtp?.stats.unprotected ?? 0) > 0;
  }

  get remoteAddress(): string {
    return this.#remoteAddress;
  }

  get remotePort(): number {
    return this.#remotePort;
  }

  get ssrc(): number {
    return this.#ssrc;
  }

  get jitterStats(): Readonly<JitterBuffer['stats']> {
    return this.#jitter.stats;
  }

  /** Puts a (re)negotiated description to use. Keys that did not change go on with their packet counters. */
  apply(media: NegotiatedMedia): void {
    this.#media = media;
    const codec = g711(media.codec);
    if (codec !== this.#codec) {
      this.#codec = codec;
      this.#jitter.reset();
    }
    if (!media.held || media.remoteAddress !== '0.0.0.0') {
      this.#remoteAddress = media.remoteAddress;
      this.#remotePort = media.remotePort;
    }
    this.#adjustWindow = ADJUST_WINDOW;
    this.#strangerCount = 0;
    const { localKey, remoteKey } = media;
    if (localKey === undefined || remoteKey === undefined) {
      this.#srtp = undefined;
    } else if (
      this.#srtp === undefined ||
      !sameSdesKey(localKey, this.#srtp.local) ||
      !sameSdesKey(remoteKey, this.#srtp.remote)
    ) {
      this.#srtpFailuresBefore = this.stats.srtpFailures;
      this.#srtp = new SrtpStream(localKey, remoteKey);
    }
    this.idleTicks = 0;
  }

  /** Whether audio may be sent now: the description says so, there is somewhere to send it, and that is not ourselves. */
  get maySend(): boolean {
    const media = this.#media;
    return (
      media !== undefined &&
      SENDS.includes(media.direction) &&
      this.#remotePort > 0 &&
      this.#remoteAddress !== '0.0.0.0' &&
      !(this.#remotePort === this.port && this.#remoteAddress === this.#socket.host) &&
      media.remoteAddress !== '0.0.0.0'
    );
  }

  /** Keys that were released since the last call. */
  takeDigits(nowMs: number): readonly DtmfDigit[] {
    const expired = this.#keysIn.expire(nowMs);
    if (this.#digits.length === 0) {
      return expired;
    }
    const digits = [...this.#digits, ...expired];
    this.#digits = [];
    return digits;
  }

  /** The peer's next 20 ms in the leg's codec, valid until the next beat; undefined if there is none. */
  read(): Uint8Array | undefined {
    this.idleTicks++;
    const frame = this.#jitter.take(this.#codec.silence);
    if (frame !== undefined && this.#keysIn.keyDown) {
      frame.fill(this.#codec.silence);
    }
    return frame;
  }

  /** Queues keys to be sent as events. False if the peer takes none. */
  sendKeys(digits: string, durationSamples: number): boolean {
    return this.#media?.telephoneEvent !== undefined && this.#keysOut.send(digits, durationSamples) > 0;
  }

  /** Sends the 20 ms of this beat: `frame` in the leg's codec, or nothing. A key being sent takes the place of the audio. */
  write(frame: Uint8Array | undefined): void {
    this.#timestamp = (this.#timestamp + FRAME) >>> 0;
    const eventType = this.#media?.telephoneEvent;
    if (!this.maySend) {
      this.#sentLast = false;
      return;
    }
    if (this.#keysOut.active && eventType !== undefined) {
      const frames = this.#keysOut.next(this.#timestamp);
      for (const key of frames) {
        this.#sendKey(eventType, key);
      }
      if (frames.length > 0) {
        return;
      }
    }
    if (frame === undefined) {
      this.#sentLast = false;
      return;
    }
    const marker = !this.#sentLast;
    this.#sentLast = true;
    writeRtpHeader(
      this.#buffer,
      this.#media?.payloadType ?? this.#codec.payloadType,
      marker,
      this.#nextSequence(),
      this.#timestamp,
      this.#ssrc,
    );
    this.#buffer.set(frame, RTP_HEADER_BYTES);
    this.#transmit(RTP_HEADER_BYTES + frame.length);
  }

  close(): void {
    this.#socket.close();
  }

  #sendKey(payloadType: number, key: DtmfFrame): void {
    writeRtpHeader(this.#buffer, payloadType, key.marker, this.#nextSequence(), key.timestamp, this.#ssrc);
    this.#buffer.set(key.payload, RTP_HEADER_BYTES);
    this.#transmit(RTP_HEADER_BYTES + key.payload.length);
  }

  #nextSequence(): number {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    return this.#sequence;
  }

  #transmit(length: number): void {
    const total = this.#srtp === undefined ? length : this.#srtp.protectInPlace(this.#buffer, length);
    this.#socket.send(this.#buffer, this.#remotePort, this.#remoteAddress, total);
    this.stats.packetsOut++;
    this.stats.bytesOut += total;
  }

  #receive(wire: Buffer, address: string, port: number): void {
    const media = this.#media;
    if (media === undefined) {
      return;
    }
    const plain = this.#srtp === undefined ? wire : this.#srtp.unprotect(wire);
    if (plain === undefined) {
      const failed = this.#srtp?.stats;
      this.stats.srtpFailures =
        this.#srtpFailuresBefore +
        (failed === undefined ? 0 : failed.authenticationFailures + failed.malformed + failed.replays);
      return;
    }
    const packet = parseRtp(plain);
    if (packet === undefined) {
      this.stats.ignored++;
      return;
    }
    if (!this.#fromPeer(address, port)) {
      return;
    }
    this.idleTicks = 0;
    this.stats.packetsIn++;
    this.stats.bytesIn += wire.length;
    this.#accept(packet, media);
  }

  #accept(packet: RtpPacket, media: NegotiatedMedia): void {
    if (packet.payloadType === media.telephoneEvent) {
      const released = this.#keysIn.receive(packet, performance.now());
      if (released.length > 0) {
        this.#digits.push(...released);
      }
    } else if (packet.payloadType === media.payloadType && RECEIVES.includes(media.direction)) {
      this.#jitter.put(packet.timestamp, packet.ssrc, packet.payload);
    } else {
      this.stats.ignored++;
    }
  }

  /**
   * Packets from elsewhere are dropped until enough of them came in a row; then that is where the peer really is. Nobody can take
   * the sound away later: the first packet from the stated place, or the end of the window, settles it until the next offer.
   */
  #fromPeer(address: string, port: number): boolean {
    if (port === this.#remotePort && address === this.#remoteAddress) {
      this.#adjustWindow = 0;
      return true;
    }
    this.stats.strangers++;
    if (this.#adjustWindow === 0 || (port === this.port && address === this.#socket.host)) {
      return false;
    }
    this.#adjustWindow--;
    const key = `${address}:${port}`;
    this.#strangerCount = key === this.#strangerKey ? this.#strangerCount + 1 : 1;
    this.#strangerKey = key;
    if (this.#strangerCount < ADJUST_AFTER) {
      return false;
    }
    this.#remoteAddress = address;
    this.#remotePort = port;
    this.#adjustWindow = 0;
    return true;
  }
}
