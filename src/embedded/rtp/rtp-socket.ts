/** One UDP socket for RTP, on an even port (RFC 3550 11). */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { SidekickError } from '../../lib/errors';

export interface RtpSocketOptions {
  readonly host: string;
  /** First and last port that may be used; without it the system chooses. */
  readonly portRange?: readonly [number, number];
}

export type RtpHandler = (packet: Buffer, address: string, port: number) => void;

const TRIES = 200;

export class RtpSocket {
  readonly #socket: Socket;
  #handler: RtpHandler | undefined;
  #closed = false;
  /** What the system said against the socket itself. A packet that cannot be sent is not reported: audio is never repeated. */
  socketErrors = 0;

  private constructor(
    socket: Socket,
    readonly host: string,
    readonly port: number,
  ) {
    this.#socket = socket;
    socket.on('error', () => {
      this.socketErrors++;
    });
    socket.on('message', (packet, from) => {
      if (!this.#closed) {
        this.#handler?.(packet, from.address, from.port);
      }
    });
  }

  /** Binds a socket to a free even port of the range. Fails with SK_MEDIA_FAILED if there is none. */
  static async open(options: RtpSocketOptions): Promise<RtpSocket> {
    let lastError: unknown;
    for (const port of candidates(options.portRange)) {
      const socket = createSocket({
        type: isIPv6(options.host) ? 'udp6' : 'udp4',
        // Addresses are always numeric here; asking the resolver would cost a turn of the event loop per packet.
        lookup: (address, _options, callback) => {
          callback(null, address, isIPv6(address) ? 6 : 4);
        },
      });
      try {
        await bind(socket, options.host, port);
      } catch (error) {
        lastError = error;
        socket.close();
        continue;
      }
      const bound = socket.address().port;
      if (bound % 2 === 0) {
        return new RtpSocket(socket, options.host, bound);
      }
      socket.close();
    }
    throw new SidekickError('SK_MEDIA_FAILED', `no free even UDP port for RTP on ${options.host}`, {
      why: options.portRange ? `ports ${options.portRange.join('–')} are all in use` : 'the system gave no even port',
      next: 'widen the RTP port range or end what uses it',
      cause: lastError,
    });
  }

  /** One handler; a new one replaces it. The buffer belongs to the handler. */
  onPacket(handler: RtpHandler | undefined): void {
    this.#handler = handler;
  }

  /**
   * Sends the first `length` bytes of `packet`. The system takes the bytes before this returns, unless its buffer is full: then
   * a buffer that is used again at once spoils that one packet.
   */
  send(packet: Buffer, port: number, address: string, length = packet.length): void {
    if (this.#closed) {
      return;
    }
    this.#socket.send(packet, 0, length, port, address);
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.#handler = undefined;
    this.#socket.close();
  }
}

/** Ports to try: the range from a random place on and round, or `0` (any) again and again until it is even. */
function* candidates(range: readonly [number, number] | undefined): Generator<number> {
  if (range === undefined) {
    for (let i = 0; i < TRIES; i++) {
      yield 0;
    }
    return;
  }
  const first = range[0] + (range[0] % 2);
  const count = Math.floor((range[1] - first) / 2) + 1;
  const offset = Math.floor(Math.random() * count);
  for (let i = 0; i < count; i++) {
    yield first + 2 * ((offset + i) % count);
  }
}

function bind(socket: Socket, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      reject(error);
    };
    socket.once('error', failed);
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.off('error', failed);
      resolve();
    });
  });
}
