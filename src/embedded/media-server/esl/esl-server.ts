/** The event socket's listening side (port 8021 of a real server). */
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { SidekickError } from '../../../lib/errors';
import { EslConnection } from './connection';
import type { EslServices } from './connection';

const MAX_CONNECTIONS = 256;

export class EslServer {
  readonly #server: Server;
  readonly #connections = new Set<EslConnection>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Listens on `host:port` (0 = any). Fails with SK_PORT_TAKEN when someone else does. */
  static async listen(host: string, port: number, secret: string, services: EslServices): Promise<EslServer> {
    const server = createServer();
    const self = new EslServer(server);
    server.maxConnections = MAX_CONNECTIONS;
    server.on('connection', (socket) => {
      const connection = new EslConnection(socket, services, { secret });
      self.#connections.add(connection);
      connection.onClose(() => {
        self.#connections.delete(connection);
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => {
        reject(
          new SidekickError(
            cause.code === 'EADDRINUSE' ? 'SK_PORT_TAKEN' : 'SK_MEDIA_FAILED',
            `event socket cannot listen on ${host}:${port}`,
            {
              why: cause.message,
              next: 'end what uses the port or choose another one for the embedded media server',
              cause,
            },
          ),
        );
      });
      server.listen(port, host, resolve);
    });
    return self;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#connections.size;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    for (const connection of this.#connections) {
      connection.close();
    }
    await closed;
  }
}
