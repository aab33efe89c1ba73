/** SIP over UDP (RFC 3261 18). One socket sends and receives, so that answers to `rport` peers leave from where they came in. */
import { createSocket, type Socket } from 'node:dgram';
import { toError } from '../../lib/errors';
import {
  listenError,
  plainAddress,
  shownAddress,
  type Flow,
  type Transport,
  type TransportLimits,
  type TransportSink,
} from './transport';
import type { ListenOptions, Peer } from './types';

/** Bytes the kernel may hold for us; a burst of a thousand INVITEs must not be lost before it is read. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;

class UdpFlow implements Flow {
  readonly reliable = false;
  readonly peerNames = undefined;
  readonly remote: Peer;
  readonly #transport: UdpTransport;

  constructor(transport: UdpTransport, remote: Peer) {
    this.#transport = transport;
    this.remote = remote;
  }

  get local(): Peer {
    return this.#transport.local;
  }

  get open(): boolean {
    return !this.#transport.closed;
  }

  send(data: Buffer, failed: (error: Error) => void): void {
    this.#transport.sendTo(data, this.remote, failed);
  }
}

export class UdpTransport implements Transport {
  readonly local: Peer;
  closed = false;
  readonly #socket: Socket;

  private constructor(socket: Socket, local: Peer) {
    this.#socket = socket;
    this.local = local;
  }

  static async listen(options: ListenOptions, limits: TransportLimits, sink: TransportSink): Promise<UdpTransport> {
    const socket = createSocket({
      type: options.host.includes(':') ? 'udp6' : 'udp4',
      recvBufferSize: RECEIVE_BUFFER,
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error) => {
        socket.close();
        reject(listenError(error, options));
      });
      socket.bind({ address: options.host, port: options.port, exclusive: true }, () => {
        socket.removeAllListeners('error');
        resolve();
      });
    });
    const local: Peer = { protocol: 'udp', address: shownAddress(options.host), port: socket.address().port };
    const transport = new UdpTransport(socket, local);
    // ICMP errors of single peers arrive here; the transactions to them run into their own timeouts.
    socket.on('error', () => {
      sink.problem('refused', undefined);
    });
    socket.on('message', (data, from) => {
      const flow = new UdpFlow(transport, { protocol: 'udp', address: plainAddress(from.address), port: from.port });
      if (data.length > limits.maxMessageBytes) {
        sink.problem('oversized', flow);
      } else {
        sink.message(data, flow);
      }
    });
    return transport;
  }

  flowTo(peer: Peer): Flow {
    return new UdpFlow(this, peer);
  }

  existing(peer: Peer): Flow {
    return new UdpFlow(this, peer);
  }

  sendTo(data: Buffer, remote: Peer, failed: (error: Error) => void): void {
    const report = (error: unknown): void => {
      setImmediate(() => {
        failed(toError(error));
      });
    };
    if (this.closed) {
      report(new Error('UDP socket is closed'));
      return;
    }
    try {
      this.#socket.send(data, remote.port, remote.address, (error) => {
        if (error) {
          failed(error);
        }
      });
    } catch (error) {
      report(error);
    }
  }

  close(): Promise<void> {
    if (this.closed) {
      return Promise.resolve();
    }
    this.closed = true;
    return new Promise((resolve) => {
      this.#socket.close(() => {
        resolve();
      });
    });
  }
}
