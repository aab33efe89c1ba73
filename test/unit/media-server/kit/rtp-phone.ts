/** The audio of a phone: says a tone, writes down which tones it hears, presses keys. Plain or SRTP. */
import { onTick } from '../../../../src/embedded/rtp/clock';
import { DtmfReceiver, DtmfSender } from '../../../../src/embedded/rtp/dtmf';
import { g711 } from '../../../../src/embedded/rtp/g711';
import type { G711Name } from '../../../../src/embedded/rtp/g711';
import { parseRtp, writeRtp } from '../../../../src/embedded/rtp/packet';
import type { RtpPacket } from '../../../../src/embedded/rtp/packet';
import { RtpSocket } from '../../../../src/embedded/rtp/rtp-socket';
import { formatAudio, parseAudio } from '../../../../src/embedded/rtp/sdp';
import type { Direction } from '../../../../src/embedded/rtp/sdp';
import { SrtpStream, newSdesKey } from '../../../../src/embedded/rtp/srtp';
import type { SdesCrypto } from '../../../../src/embedded/rtp/srtp';
import { ToneDetector, ToneGenerator } from '../../../../src/embedded/rtp/tone';

/** 700 caller, 1100 agent, and so on. */
export const TONES = [440, 700, 1100, 1300, 1500, 1700, 1900];

export interface PhoneOptions {
  readonly tone?: number;
  readonly codec?: G711Name;
  readonly secure?: boolean;
  /** Sends no RTP at all. */
  readonly mute?: boolean;
}

export class RtpPhone {
  readonly heard = new ToneDetector(TONES);
  readonly packets: RtpPacket[] = [];
  readonly keysHeard: string[] = [];
  key: SdesCrypto = newSdesKey();
  sending = true;
  received = 0;
  failures = 0;
  readonly #keysIn = new DtmfReceiver();
  readonly #keysOut = new DtmfSender();
  readonly #stop: () => void;
  #generator: ToneGenerator | undefined;
  #srtp: SrtpStream | undefined;
  #remote: { address: string; port: number } | undefined;
  #sequence = Math.floor(Math.random() * 60000);
  #timestamp = 1000;
  #ssrc = Math.floor(Math.random() * 0x7fffffff);
  codec: G711Name;

  private constructor(
    readonly socket: RtpSocket,
    readonly options: PhoneOptions,
  ) {
    this.codec = options.codec ?? 'PCMA';
    this.sending = options.mute !== true;
    this.#generator = options.tone === undefined ? undefined : new ToneGenerator([options.tone], 0.2);
    socket.onPacket((packet) => {
      this.#receive(packet);
    });
    this.#stop = onTick(() => {
      this.#beat();
    });
  }

  static async open(options: PhoneOptions = {}): Promise<RtpPhone> {
    return new RtpPhone(await RtpSocket.open({ host: '127.0.0.1' }), options);
  }

  say(tone: number | undefined): void {
    this.#generator = tone === undefined ? undefined : new ToneGenerator([tone], 0.2);
  }

  sayWith(generator: ToneGenerator): void {
    this.#generator = generator;
  }

  press(keys: string, samples = 800): void {
    this.#keysOut.send(keys, samples);
  }

  sdp(options: { direction?: Direction; codecs?: readonly G711Name[]; address?: string } = {}): string {
    return formatAudio({
      address: options.address ?? '127.0.0.1',
      port: this.socket.port,
      profile: this.options.secure === true ? 'RTP/SAVP' : 'RTP/AVP',
      codecs: (options.codecs ?? [this.codec]).map((name) => ({
        name,
        payloadType: name === 'PCMA' ? 8 : 0,
        rate: 8000,
      })),
      telephoneEvent: 101,
      direction: options.direction ?? 'sendrecv',
      crypto: this.options.secure === true ? [this.key] : [],
      ptime: 20,
      connectionHold: false,
    });
  }

  /** Takes the other side's description: where to send and with which keys. */
  connect(remoteSdp: string): void {
    const audio = parseAudio(remoteSdp);
    this.#remote = { address: audio.address, port: audio.port };
    const remoteKey = audio.crypto[0];
    this.#srtp = remoteKey === undefined ? undefined : new SrtpStream(this.key, remoteKey);
  }

  /** Sends to another place than agreed, for NAT tests. */
  get port(): number {
    return this.socket.port;
  }

  close(): void {
    this.#stop();
    this.socket.close();
  }

  #beat(): void {
    this.#timestamp += 160;
    if (this.#remote === undefined || !this.sending) {
      return;
    }
    if (this.#keysOut.active) {
      for (const frame of this.#keysOut.next(this.#timestamp)) {
        this.#send({ ...frame, payloadType: 101, sequence: this.#nextSequence(), ssrc: this.#ssrc });
      }
      return;
    }
    const pcm = this.#generator?.next(160) ?? new Int16Array(160);
    const codec = g711(this.codec);
    this.#send({
      payloadType: codec.payloadType,
      marker: false,
      sequence: this.#nextSequence(),
      timestamp: this.#timestamp,
      ssrc: this.#ssrc,
      payload: codec.encode(pcm),
    });
  }

  #nextSequence(): number {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    return this.#sequence;
  }

  #send(packet: RtpPacket): void {
    const plain = writeRtp(packet);
    const wire = this.#srtp === undefined ? plain : this.#srtp.protect(plain);
    this.socket.send(wire, this.#remote!.port, this.#remote!.address);
  }

  #receive(wire: Buffer): void {
    this.received++;
    const plain = this.#srtp === undefined ? wire : this.#srtp.unprotect(wire);
    const packet = plain === undefined ? undefined : parseRtp(plain);
    if (packet === undefined) {
      this.failures++;
      return;
    }
    this.packets.push({ ...packet, payload: Buffer.from(packet.payload) });
    if (packet.payloadType === 101) {
      this.keysHeard.push(...this.#keysIn.receive(packet, performance.now()).map((k) => k.digit));
    } else if (packet.payloadType === 0 || packet.payloadType === 8) {
      this.heard.push(g711(packet.payloadType === 8 ? 'PCMA' : 'PCMU').decode(packet.payload));
    } else {
      this.failures++;
    }
  }
}
