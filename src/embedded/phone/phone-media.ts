import { SidekickError } from '../../lib/errors';
import { onTick } from '../rtp/clock';
import { DtmfSender } from '../rtp/dtmf';
import { g711, isG711, type G711Name } from '../rtp/g711';
import { parseRtp, writeRtpHeader, RTP_HEADER_BYTES } from '../rtp/packet';
import { RtpSocket } from '../rtp/rtp-socket';
import { answerDirection, formatAudio, parseAudio, type AudioDescription, type Direction } from '../rtp/sdp';
import { newSdesKey, sameSdesKey, SrtpStream, type SdesCrypto } from '../rtp/srtp';
import { Listener, type HeardReport } from './listener';
import { FRAME_SAMPLES, framesOf, type Sound } from './speaker';

export interface PhoneMediaOptions {
  /** Address for RTP and for the SDP. */
  readonly host: string;
  /** First and last UDP port; without it the system chooses. */
  readonly portRange?: readonly [number, number];
  /** In order of preference. Default PCMA, PCMU. */
  readonly codecs?: readonly G711Name[];
  /** Offers RTP/SAVP with one suite, and takes nothing else. Default false: RTP/AVP. */
  readonly srtp?: boolean;
  /** RFC 4733 events. Default true. */
  readonly dtmf?: boolean;
  readonly listenFor?: readonly number[];
  /** Shorter gaps are not reported. Default 60 ms. */
  readonly gapMs?: number;
  /** False: packets go to the first address for the whole call, as Teams does (1.7). Default true. */
  readonly followTarget?: boolean;
  readonly onTone?: (hz: number, at: number) => void;
  readonly onDigit?: (digit: string) => void;
}

export interface AnswerOptions {
  /** What we want; the offer's direction limits it. */
  readonly direction?: Direction;
  /** How the answer writes the key: with a lifetime, with an MKI. */
  readonly cryptoForm?: 'plain' | 'lifetime' | 'lifetime-mki';
}

export interface PhoneReport extends HeardReport {
  /** Packets that failed SRTP authentication. */
  readonly srtpFailures: number;
  readonly sent: number;
  /** Errors of the UDP socket. */
  readonly socketErrors: number;
  readonly codec: G711Name | undefined;
  readonly srtp: boolean;
}

const TELEPHONE_EVENT = 101;
/** A protected packet is at most this much longer than its payload and header: tag and MKI. */
const SRTP_ROOM = 32;

/**
 * The audio of one call at a phone: an RTP socket, one 20 ms beat shared with all others, offer and answer, a sound to send
 * and an ear that keeps what it heard.
 */
export class PhoneMedia {
  readonly #options: PhoneMediaOptions;
  readonly #socket: RtpSocket;
  readonly #listener: Listener;
  readonly #dtmf = new DtmfSender();
  readonly #ssrc = randomUint32();
  readonly #packet = Buffer.alloc(RTP_HEADER_BYTES + FRAME_SAMPLES + SRTP_ROOM);
  readonly #sessionId = String(Date.now());
  #version = 0;
  #localKey: SdesCrypto | undefined;
  #local: Direction = 'sendrecv';
  #remote: AudioDescription | undefined;
  #target: { readonly address: string; readonly port: number } | undefined;
  #codec: G711Name | undefined;
  #srtp: SrtpStream | undefined;
  #srtpFailuresBefore = 0;
  #sound: Sound = { kind: 'silence' };
  #frame = 0;
  #sequence = randomUint32() & 0x7fff;
  #timestamp = randomUint32();
  #marker = true;
  #sent = 0;
  #stopTick: (() => void) | undefined;
  #closed = false;

  private constructor(socket: RtpSocket, options: PhoneMediaOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#listener = new Listener({
      tones: options.listenFor ?? [],
      now: Date.now,
      ...(options.gapMs === undefined ? {} : { gapMs: options.gapMs }),
      ...(options.onTone === undefined ? {} : { onTone: options.onTone }),
      ...(options.onDigit === undefined ? {} : { onDigit: options.onDigit }),
    });
    socket.onPacket((packet) => {
      this.#receive(packet);
    });
  }

  /** Opens the socket. @throws SidekickError SK_MEDIA_FAILED when there is no free port */
  static async open(options: PhoneMediaOptions): Promise<PhoneMedia> {
    const socket = await RtpSocket.open({
      host: options.host,
      ...(options.portRange === undefined ? {} : { portRange: options.portRange }),
    });

    return new PhoneMedia(socket, options);
  }

  get port(): number {
    return this.#socket.port;
  }

  get codec(): G711Name | undefined {
    return this.#codec;
  }

  get direction(): Direction {
    return this.#local;
  }

  /** An offer; before the first answer with all our codecs, afterwards with the one in use. */
  offer(direction: Direction = 'sendrecv'): string {
    this.#setLocal(direction);
    if (this.#options.srtp === true) {
      this.#localKey ??= newSdesKey();
    }
    const codecs = this.#codec === undefined ? this.#codecs() : [this.#codec];

    return this.#describe(codecs, TELEPHONE_EVENT);
  }

  /**
   * Answers an offer with one codec, and starts.
   * @throws SidekickError SK_MEDIA_OFFER_REFUSED when there is no codec in common or SRTP is missing
   */
  answer(offer: string, options: AnswerOptions = {}): string {
    const remote = parseAudio(offer);
    const secure = remote.profile === 'RTP/SAVP';
    const crypto = remote.crypto[0];
    if (secure !== (this.#options.srtp === true) || (secure && crypto === undefined)) {
      throw new SidekickError('SK_MEDIA_OFFER_REFUSED', 'the offer does not fit this phone', {
        why: secure
          ? 'it offers SRTP without a key we know, or SRTP to a plain phone'
          : 'it offers plain RTP, SRTP is needed',
        next: 'offer RTP/SAVP with AES_CM_128_HMAC_SHA1_80 to a phone with SRTP and RTP/AVP to one without',
      });
    }
    if (crypto && this.#localKey?.tag !== crypto.tag) {
      this.#localKey = withForm(newSdesKey(crypto.tag), options.cryptoForm ?? 'plain');
    }
    this.#setRemote(remote, crypto);
    this.#setLocal(answerDirection(remote.direction, options.direction ?? 'sendrecv'));

    return this.#describe(this.#codec === undefined ? [] : [this.#codec], remote.telephoneEvent, remote);
  }

  /**
   * Takes the answer to our offer, and starts.
   * @throws SidekickError SK_MEDIA_OFFER_REFUSED when the answer holds nothing that was offered
   */
  takeAnswer(answer: string): void {
    const remote = parseAudio(answer);
    const secure = this.#options.srtp === true;
    const crypto = remote.crypto.find((c) => c.tag === this.#localKey?.tag);
    if (secure !== (remote.profile === 'RTP/SAVP') || (secure && !crypto)) {
      throw new SidekickError('SK_MEDIA_OFFER_REFUSED', 'the answer does not fit the offer', {
        why: `${remote.profile} with ${remote.crypto.length} usable keys`,
      });
    }
    this.#setRemote(remote, crypto);
  }

  /** What is sent from now on. */
  play(sound: Sound): void {
    this.#sound = sound;
    this.#frame = 0;
  }

  /** Presses keys; returns how many of the characters are keys. */
  press(digits: string): number {
    return this.#dtmf.send(digits);
  }

  /** Tones that are heard right now. */
  get hearing(): number[] {
    return this.#listener.current;
  }

  heardMs(hz: number): number {
    return this.#listener.heardMs(hz);
  }

  report(): PhoneReport {
    return {
      ...this.#listener.report(),
      srtpFailures: this.#srtpFailuresBefore + failures(this.#srtp),
      sent: this.#sent,
      socketErrors: this.#socket.socketErrors,
      codec: this.#codec,
      srtp: this.#srtp !== undefined,
    };
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Stops sending and hearing; `report` still tells. Idempotent. */
  close(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.#stopTick?.();
    this.#socket.close();
  }

  #codecs(): readonly G711Name[] {
    return this.#options.codecs ?? ['PCMA', 'PCMU'];
  }

  #describe(codecs: readonly G711Name[], event: number | undefined, remote?: AudioDescription): string {
    return formatAudio({
      address: this.#options.host,
      port: this.#socket.port,
      profile: this.#options.srtp === true ? 'RTP/SAVP' : 'RTP/AVP',
      codecs: codecs.map((name) => ({ name, payloadType: g711(name).payloadType, rate: 8000 })),
      ...(event === undefined || this.#options.dtmf === false ? {} : { telephoneEvent: event }),
      direction: this.#local,
      crypto: this.#localKey === undefined ? [] : [this.#localKey],
      ptime: 20,
      connectionHold: false,
      ...(remote?.mediaIndex === undefined ? {} : { mediaIndex: remote.mediaIndex }),
      ...(remote?.otherMedia === undefined ? {} : { otherMedia: remote.otherMedia }),
      origin: { username: '-', sessionId: this.#sessionId, version: ++this.#version, address: this.#options.host },
    });
  }

  #setLocal(direction: Direction): void {
    const heard = receives(this.#local);
    this.#local = direction;
    if (receives(direction) !== heard) {
      if (heard) {
        this.#listener.pause();
      } else {
        this.#listener.resume();
      }
    }
  }

  #setRemote(remote: AudioDescription, crypto: SdesCrypto | undefined): void {
    const known = this.#codecs();
    const codec = remote.codecs
      .map((c) => c.name)
      .filter(isG711)
      .find((name) => known.includes(name));
    if (codec === undefined) {
      throw new SidekickError('SK_MEDIA_OFFER_REFUSED', 'no codec in common', {
        why: `we have ${known.join(', ')}, the peer ${remote.codecs.map((c) => c.name).join(', ') || 'none'}`,
        next: 'offer G.711',
      });
    }
    this.#codec = codec;
    this.#remote = remote;
    if (this.#target === undefined || this.#options.followTarget !== false) {
      this.#target = { address: remote.address, port: remote.port };
    }
    if (
      crypto &&
      this.#localKey &&
      !(this.#srtp && sameSdesKey(this.#srtp.remote, crypto) && sameSdesKey(this.#srtp.local, this.#localKey))
    ) {
      this.#srtpFailuresBefore += failures(this.#srtp);
      this.#srtp = new SrtpStream(this.#localKey, crypto);
    }
    if (!this.#closed) {
      this.#stopTick ??= onTick(() => {
        this.#tick();
      });
    }
  }

  #tick(): void {
    this.#timestamp = (this.#timestamp + FRAME_SAMPLES) >>> 0;
    const { direction, connectionHold } = this.#remote ?? { direction: 'inactive', connectionHold: true };
    if (!this.#target || this.#codec === undefined || connectionHold || !sends(this.#local) || !receives(direction)) {
      this.#marker = true;

      return;
    }
    if (this.#dtmf.active && this.#remote?.telephoneEvent !== undefined) {
      for (const { marker, timestamp, payload } of this.#dtmf.next(this.#timestamp)) {
        this.#send(this.#remote.telephoneEvent, marker, timestamp, payload);
      }

      return;
    }
    const frames = framesOf(this.#sound, this.#codec);
    const frame = frames?.[this.#frame++ % frames.length];
    if (!frame) {
      this.#marker = true;

      return;
    }
    this.#send(g711(this.#codec).payloadType, this.#marker, this.#timestamp, frame);
    this.#marker = false;
  }

  #send(payloadType: number, marker: boolean, timestamp: number, payload: Uint8Array): void {
    const target = this.#target;
    if (!target) {
      return;
    }
    const packet = this.#packet;
    writeRtpHeader(packet, payloadType, marker, this.#sequence, timestamp, this.#ssrc);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    packet.set(payload, RTP_HEADER_BYTES);
    const length = RTP_HEADER_BYTES + payload.length;
    this.#socket.send(
      packet,
      target.port,
      target.address,
      this.#srtp ? this.#srtp.protectInPlace(packet, length) : length,
    );
    this.#sent++;
  }

  #receive(raw: Buffer): void {
    const second = raw[1] ?? 0;
    if (this.#remote === undefined || (second >= 192 && second <= 223)) {
      return; // Before the answer, or RTCP (RFC 5761 4).
    }
    const plain = this.#srtp ? this.#srtp.unprotect(raw) : raw;
    const packet = plain === undefined ? undefined : parseRtp(plain);
    if (packet && receives(this.#local)) {
      this.#listener.hear(packet, this.#codecOf(packet.payloadType));
    }
  }

  #codecOf(payloadType: number): G711Name | 'telephone-event' | undefined {
    if (payloadType === 8 || payloadType === 0) {
      return payloadType === 8 ? 'PCMA' : 'PCMU';
    }

    return payloadType === this.#remote?.telephoneEvent || payloadType === TELEPHONE_EVENT
      ? 'telephone-event'
      : undefined;
  }
}

export function sends(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'sendonly';
}

export function receives(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'recvonly';
}

function withForm(key: SdesCrypto, form: 'plain' | 'lifetime' | 'lifetime-mki'): SdesCrypto {
  return {
    ...key,
    ...(form === 'plain' ? {} : { lifetime: '2^31' }),
    ...(form === 'lifetime-mki' ? { mki: { value: 1, length: 1 } } : {}),
  };
}

function failures(stream: SrtpStream | undefined): number {
  return stream ? stream.stats.authenticationFailures + stream.stats.malformed : 0;
}

function randomUint32(): number {
  return Math.floor(Math.random() * 0x1_0000_0000);
}
