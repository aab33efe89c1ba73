/** One TCP or TLS connection that carries SIP, whoever opened it. */
import type { Socket } from 'node:net';
import { StreamFramer } from './stream-framer';
import type { Flow, TransportLimits, TransportProblem, TransportSink } from './transport';
import type { Peer } from './types';

/** A peer that does not read what it is sent is cut off at this much unread data. */
const MAX_BACKLOG = 4 * 1024 * 1024;
/** A connection that never carried a whole message is closed after this time. */
const FIRST_MESSAGE_MS = 60_000;
const CRLF = Buffer.from('\r\n');

export interface ConnectionOptions {
  readonly socket: Socket;
  readonly remote: Peer;
  readonly local: Peer;
  readonly limits: TransportLimits;
  readonly sink: TransportSink;
  readonly onClose: (connection: StreamConnection) => void;
  /** We are opening it: `established()` follows, or it fails. */
  readonly connecting: boolean;
}

export class StreamConnection implements Flow {
  readonly reliable = true;
  readonly remote: Peer;
  readonly local: Peer;
  peerNames: readonly string[] | undefined;
  readonly #socket: Socket;
  readonly #framer: StreamFramer;
  readonly #options: ConnectionOptions;
  #timer: NodeJS.Timeout | undefined;
  #timerIsFirst = true;
  #error: Error | undefined;
  /** Sends before a connection of ours stands; undefined once it does. */
  #early: ((error: Error) => void)[] | undefined;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.remote = options.remote;
    this.local = options.local;
    this.#framer = new StreamFramer(options.limits.maxMessageBytes);
    this.#early = options.connecting ? [] : undefined;
    this.#armTimer(FIRST_MESSAGE_MS, true);
    options.socket.setNoDelay(true);
    options.socket.setKeepAlive(true, 30_000);
    options.socket.on('data', (chunk: Buffer) => {
      this.#onData(chunk);
    });
    options.socket.on('error', (error) => {
      this.#error = error;
    });
    options.socket.on('end', () => {
      options.socket.end();
    });
    options.socket.on('close', () => {
      this.#onClosed();
    });
    options.sink.connections(1);
  }

  get open(): boolean {
    return !this.#closed && !this.#socket.destroyed && !this.#socket.writableEnded;
  }

  send(data: Buffer, failed: (error: Error) => void): void {
    if (!this.open) {
      setImmediate(() => {
        failed(this.#error ?? new Error('connection is closed'));
      });
      return;
    }
    if (this.#socket.writableLength > MAX_BACKLOG) {
      this.#abort('backlog');
    }
    this.#early?.push(failed);
    this.#socket.write(data, (error) => {
      if (error) {
        failed(this.#error ?? error);
      }
    });
  }

  /** The connection that we opened stands; for TLS, the peer's certificate is verified. */
  established(): void {
    this.#early = undefined;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    for (const frame of this.#framer.push(chunk)) {
      if (frame.type === 'message') {
        this.#clearTimer();
        this.#options.sink.message(frame.data, this);
      } else if (frame.type === 'ping') {
        this.#clearTimer();
        this.send(CRLF, () => undefined);
      } else {
        this.#abort(frame.kind);
        return;
      }
    }
    if (this.#closed) {
      return;
    }
    if (!this.#framer.partial) {
      if (!this.#timerIsFirst) {
        this.#clearTimer();
      }
    } else if (this.#timer === undefined || this.#timerIsFirst) {
      this.#armTimer(this.#options.limits.partialMessageMs, false);
    }
  }

  #abort(kind: TransportProblem): void {
    this.#options.sink.problem(kind, this);
    this.#socket.destroy();
  }

  #armTimer(ms: number, first: boolean): void {
    this.#clearTimer();
    this.#timerIsFirst = first;
    this.#timer = setTimeout(() => {
      this.#abort('slow');
    }, ms);
  }

  #clearTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerIsFirst = false;
  }

  #onClosed(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.#clearTimer();
    this.#options.sink.connections(-1);
    // TLS takes data before the handshake is over and says nothing when that fails.
    for (const failed of this.#early?.splice(0) ?? []) {
      failed(this.#error ?? new Error('connection was not established'));
    }
    this.#options.onClose(this);
  }
}
