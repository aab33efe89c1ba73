import { Emitter } from '../lib/emitter';
import { describeError, SidekickError } from '../lib/errors';
import type { Log } from '../lib/log';
import { disconnectForGood, newSrf } from './srf';
import type { Srf } from './srf';

export interface DrachtioAddress {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
}

/** A transport that the drachtio-server has bound, as it reports it. */
export interface BoundTransport {
  readonly protocol: 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';
  readonly host: string;
  readonly port: number;
}

interface LinkEvents {
  up: readonly [];
  down: readonly [string];
}

/** The connection to this node's own drachtio-server. Reconnects by itself; `up` and `down` tell of changes. */
export class DrachtioLink {
  readonly srf: Srf = newSrf();
  readonly events = new Emitter<LinkEvents>();
  #up = false;
  #detail = 'not connected yet';
  #since = Date.now();
  #transports: readonly BoundTransport[] = [];
  #closed = false;
  readonly #address: DrachtioAddress;
  readonly #log: Log;

  constructor(address: DrachtioAddress, log: Log) {
    this.#address = address;
    this.#log = log;
    this.srf.on('error', (error: unknown) => {
      this.#setDown(describeError(error));
    });
    this.srf.on('close', () => {
      this.#setDown('the connection was closed');
    });
    this.srf.on('reconnecting', () => {
      this.#setDown('reconnecting');
    });
  }

  get state(): { readonly up: boolean; readonly detail: string; readonly since: number } {
    return { up: this.#up, detail: this.#detail, since: this.#since };
  }

  get transports(): readonly BoundTransport[] {
    return this.#transports;
  }

  /** Host and port of the UDP transport, where FreeSWITCH sends the legs that it originates. @throws SK_DRACHTIO_UNREACHABLE */
  get originateTarget(): string {
    const bound =
      this.#transports.find((t) => t.protocol === 'udp') ?? this.#transports.find((t) => t.protocol === 'tcp');
    if (!bound) {
      throw new SidekickError('SK_DRACHTIO_UNREACHABLE', 'drachtio-server has no UDP or TCP transport', {
        why: `it reports: ${this.#transports.map((t) => t.protocol).join(', ') || 'nothing'}`,
        next: 'add a udp contact to drachtio.conf.xml',
      });
    }
    return `${bound.host}:${bound.port}${bound.protocol === 'tcp' ? ';transport=tcp' : ''}`;
  }

  /**
   * Connects and waits until the server accepted the secret.
   * @throws SK_DRACHTIO_UNREACHABLE after `timeoutMs`, SK_DRACHTIO_REFUSED for a wrong secret.
   */
  connect(timeoutMs: number): Promise<void> {
    const { host, port, secret } = this.#address;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(
          new SidekickError('SK_DRACHTIO_UNREACHABLE', `drachtio-server at ${host}:${port} does not answer`, {
            why: this.#detail,
            next: 'check SIDEKICK_DRACHTIO and that the server runs',
          }),
        );
      }, timeoutMs);
      this.srf.on('connect', (error: unknown, hostports?: string, version?: string) => {
        if (error) {
          clearTimeout(timer);
          this.#setDown('the secret was refused');
          reject(
            new SidekickError('SK_DRACHTIO_REFUSED', `drachtio-server at ${host}:${port} refused the connection`, {
              why: describeError(error),
              next: 'check the secret in SIDEKICK_DRACHTIO (host:port:secret)',
            }),
          );
          return;
        }
        clearTimeout(timer);
        this.#transports = parseHostports(hostports ?? '');
        this.#setUp(version ?? 'unknown version');
        resolve();
      });
      this.srf.connect({
        host,
        port,
        secret,
        enablePing: true,
        pingInterval: 15_000,
        reconnect: { retryMaxDelay: 2_000 },
      });
    });
  }

  close(): void {
    this.#closed = true;
    disconnectForGood(this.srf);
    this.#up = false;
    this.#detail = 'closed';
  }

  #setUp(version: string): void {
    this.#up = true;
    this.#since = Date.now();
    this.#detail = `drachtio-server ${version}`;
    this.#log.info({ event: 'drachtio_up', version, transports: this.#transports });
    this.events.emit('up');
  }

  #setDown(detail: string): void {
    const wasUp = this.#up;
    this.#up = false;
    this.#detail = detail;
    if (wasUp && !this.#closed) {
      this.#since = Date.now();
      this.#log.error({ event: 'drachtio_down', reason: detail });
      this.events.emit('down', detail);
    }
  }
}

/** Parses `tls/127.0.0.1:5061,udp/[::1]:5060`. What cannot be read is left out. */
export function parseHostports(text: string): BoundTransport[] {
  const bound: BoundTransport[] = [];
  for (const part of text.split(',')) {
    const match = /^(udp|tcp|tls|wss?)\/(\[[0-9a-f:.]+\]|[^:]+):(\d+)/i.exec(part.trim());
    if (match?.[1] && match[2] && match[3]) {
      bound.push({
        protocol: match[1].toLowerCase() as BoundTransport['protocol'],
        host: match[2],
        port: Number(match[3]),
      });
    }
  }
  return bound;
}
