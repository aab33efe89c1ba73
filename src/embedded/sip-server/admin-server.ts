/** The admin port: accepts applications, checks the secret, hands their commands on (wire reference 1.1, 1.2). */
import { createServer, type Server, type Socket } from 'node:net';
import { timingSafeEqual } from 'node:crypto';
import { SidekickError, toError } from '../../lib/errors';
import type { Log } from '../../lib/log';
import { AdminClient } from './admin-client';
import type { ClientRegistry } from './client-registry';

/** What srf compares with v0.8.2 to find out whether pings are answered. */
export const SERVER_VERSION = 'v0.9.10';
const AUTHENTICATE_MS = 10_000;
const MAX_CLIENTS = 1000;

export interface AdminServerOptions {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  readonly registry: ClientRegistry;
  readonly log: Log;
  /** `proto/host:port` of all transports, newest first. */
  readonly hostports: () => string;
  /** A `sip` or `proxy` command: all tokens of the meta line from the verb on, and the SIP text. */
  readonly onCommand: (client: AdminClient, commandId: string, tokens: readonly string[], sip: string) => void;
}

export class AdminServer {
  readonly #options: AdminServerOptions;
  readonly #server: Server;

  private constructor(options: AdminServerOptions) {
    this.#options = options;
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#accept(socket);
    });
    this.#server.maxConnections = MAX_CLIENTS;
  }

  /** @throws SidekickError SK_PORT_TAKEN, naming the port. */
  static async listen(options: AdminServerOptions): Promise<AdminServer> {
    const admin = new AdminServer(options);
    await new Promise<void>((resolve, reject) => {
      admin.#server.once('error', (error) => {
        reject(adminListenError(error, options));
      });
      admin.#server.listen({ host: options.host, port: options.port, exclusive: true }, () => {
        admin.#server.removeAllListeners('error');
        resolve();
      });
    });
    admin.#server.on('error', (err) => {
      options.log.error({ event: 'sip:admin-error', err });
    });
    return admin;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : this.#options.port;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    for (const client of this.#options.registry.all()) {
      client.destroy();
    }
    await closed;
  }

  #accept(socket: Socket): void {
    const timer = setTimeout(() => {
      if (!client.authenticated) {
        socket.destroy();
      }
    }, AUTHENTICATE_MS);
    const client = new AdminClient(
      socket,
      (from, payload) => {
        this.#command(from, payload);
      },
      () => {
        clearTimeout(timer);
        this.#options.registry.remove(client);
        this.#options.log.info({ event: 'sip:application-gone' });
      },
    );
    this.#options.registry.add(client);
  }

  #command(client: AdminClient, payload: string): void {
    const cr = payload.indexOf('\r');
    const meta = cr === -1 ? payload : payload.slice(0, cr);
    const sip = cr === -1 ? '' : payload.slice(cr + 2);
    const [id = '', ...tokens] = meta.split('|');
    const verb = tokens[0];
    if (verb === 'authenticate') {
      this.#authenticate(client, id, tokens[1] ?? '', tokens[2] ?? '');
      return;
    }
    if (!client.authenticated) {
      client.reply(id, 'NO|not authenticated');
      client.end();
      return;
    }
    switch (verb) {
      case 'ping':
        client.reply(id, 'OK|pong');
        return;
      case 'route':
        this.#options.registry.route(client, tokens[1] ?? '');
        client.reply(id, 'OK');
        return;
      case 'remove_route':
        this.#options.registry.unroute(client, tokens[1] ?? '');
        client.reply(id, 'OK');
        return;
      case 'sip':
      case 'proxy':
        this.#options.onCommand(client, id, tokens, sip);
        return;
      default:
        client.reply(id, 'NO|Unknown message type');
        client.end();
    }
  }

  #authenticate(client: AdminClient, id: string, secret: string, tags: string): void {
    if (!sameSecret(secret, this.#options.secret)) {
      this.#options.log.warn({ event: 'sip:application-refused' });
      client.reply(id, 'NO|incorrect secret');
      client.end();
      return;
    }
    client.authenticated = true;
    client.tags = tags === '' ? [] : tags.split(',').slice(0, 20);
    const hostports = this.#options.hostports();
    client.reply(id, `OK|${hostports}|${SERVER_VERSION}|${hostports}`);
    this.#options.log.info({ event: 'sip:application-connected' });
  }
}

function sameSecret(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function adminListenError(error: unknown, options: AdminServerOptions): Error {
  const cause = toError(error);
  const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
  return new SidekickError(
    taken ? 'SK_PORT_TAKEN' : 'SK_SETTINGS_INVALID',
    `The admin port of the SIP server cannot listen on tcp ${options.host}:${options.port}`,
    {
      why: taken ? 'Another process already listens there.' : cause.message,
      next: 'Stop that process or choose another admin port for the SIP server.',
      context: { protocol: 'tcp', host: options.host, port: options.port },
      cause,
    },
  );
}
