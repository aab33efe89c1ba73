import { Listener } from '../../../src/embedded/phone/listener';
import type { HeardReport } from '../../../src/embedded/phone/listener';
import { onTick } from '../../../src/embedded/rtp/clock';
import { PCMA } from '../../../src/embedded/rtp/g711';
import { parseRtp, writeRtp } from '../../../src/embedded/rtp/packet';
import { RtpSocket } from '../../../src/embedded/rtp/rtp-socket';
import { ToneGenerator } from '../../../src/embedded/rtp/tone';
import type { PeerRoom } from './peer-process';

const FRAME = 160;

/** The sound of a caller whose SIP somebody else speaks: hears what comes, and speaks a tone to where it came from. */
export class RtpEar {
  readonly #socket: RtpSocket;
  readonly #listener: Listener;
  readonly #voice: ToneGenerator;
  readonly #stopTick: () => void;
  #target: { readonly address: string; readonly port: number } | undefined;
  #sequence = 0;
  #closed = false;

  private constructor(socket: RtpSocket, toneHz: number, listenFor: readonly number[]) {
    this.#socket = socket;
    this.#listener = new Listener({ tones: listenFor, now: () => Date.now() });
    this.#voice = new ToneGenerator([toneHz]);
    socket.onPacket((data, address, port) => {
      this.#target ??= { address, port };
      const packet = parseRtp(data);
      if (packet) {
        this.#listener.hear(packet, packet.payloadType === 8 ? 'PCMA' : undefined);
      }
    });
    this.#stopTick = onTick(() => {
      this.#speak();
    });
  }

  /** For offers of PCMA alone. */
  static async open(room: PeerRoom, toneHz: number, listenFor: readonly number[]): Promise<RtpEar> {
    const ear = new RtpEar(await RtpSocket.open({ host: '127.0.0.1' }), toneHz, listenFor);
    room.onClose(() => {
      ear.close();
    });
    return ear;
  }

  get port(): number {
    return this.#socket.port;
  }

  heardMs(hz: number): number {
    return this.#listener.heardMs(hz);
  }

  report(): HeardReport {
    return this.#listener.report();
  }

  close(): void {
    if (!this.#closed) {
      this.#closed = true;
      this.#stopTick();
      this.#socket.close();
    }
  }

  #speak(): void {
    const payload = PCMA.encode(this.#voice.next(FRAME));
    const sequence = this.#sequence++;
    if (this.#target) {
      this.#socket.send(
        writeRtp({
          payloadType: 8,
          marker: sequence === 0,
          sequence: sequence & 0xffff,
          timestamp: sequence * FRAME,
          ssrc: 0x5151_5151,
          payload,
        }),
        this.#target.port,
        this.#target.address,
      );
    }
  }
}
