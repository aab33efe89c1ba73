/**
 * SIP over TCP and TLS. Connections are reused in both directions (RFC 3261 18, RFC 5923): what a peer opened also carries
 * our requests to it. TLS is 1.2 or newer; names are checked where a name is known.
 */
import { connect as connectTcp, createServer as createTcpServer, isIP, type Server, type Socket } from 'node:net';
import {
  checkServerIdentity,
  connect as connectTls,
  createServer as createTlsServer,
  type ConnectionOptions as TlsConnectionOptions,
  type TLSSocket,
} from 'node:tls';
import { TEAMS_CIPHER_LIST } from '../../lib/tls-suites';
import { StreamConnection } from './stream-connection';
import {
  listenError,
  plainAddress,
  shownAddress,
  type Flow,
  type Transport,
  type TransportLimits,
  type TransportSink,
} from './transport';
import { peerKey } from './uri';
import type { ListenOptions, Peer, TlsIdentity } from './types';

const CONNECT_MS = 10_000;

export interface StreamTransportOptions {
  readonly protocol: 'tcp' | 'tls';
  readonly listen?: ListenOptions;
  readonly tlsClient?: TlsIdentity;
  readonly limits: TransportLimits;
  readonly sink: TransportSink;
}

export class StreamTransport implements Transport {
  local: Peer | undefined;
  readonly #options: StreamTransportOptions;
  readonly #connections = new Map<string, StreamConnection>();
  readonly #all = new Set<StreamConnection>();
  #server: Server | undefined;

  private constructor(options: StreamTransportOptions) {
    this.#options = options;
  }

  /** With `listen` it also accepts connections; without, it only opens them. */
  static async open(options: StreamTransportOptions): Promise<StreamTransport> {
    const transport = new StreamTransport(options);
    if (options.listen !== undefined) {
      await transport.#listen(options.listen);
    }
    return transport;
  }

  flowTo(peer: Peer): Flow {
    return this.existing(peer) ?? this.#connect(peer);
  }

  existing(peer: Peer): Flow | undefined {
    const known = this.#connections.get(connectionKey(peer)) ?? this.#connections.get(peerKey(peer));
    return known?.open === true ? known : undefined;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = server === undefined ? undefined : new Promise<void>((resolve) => server.close(() => resolve()));
    for (const connection of this.#all) {
      connection.destroy();
    }
    await closed;
  }

  async #listen(listen: ListenOptions): Promise<void> {
    const server = this.#createServer(listen);
    this.#server = server;
    server.maxConnections = this.#options.limits.maxConnections;
    server.on('drop', () => {
      this.#options.sink.problem('refused', undefined);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        reject(listenError(error, listen));
      });
      server.listen({ host: listen.host, port: listen.port, exclusive: true }, () => {
        server.removeAllListeners('error');
        resolve();
      });
    });
    server.on('error', () => {
      this.#options.sink.problem('refused', undefined);
    });
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : listen.port;
    this.local = { protocol: this.#options.protocol, address: shownAddress(listen.host), port };
  }

  #createServer(listen: ListenOptions): Server {
    if (this.#options.protocol === 'tcp') {
      return createTcpServer({ noDelay: true }, (socket) => {
        this.#accept(socket, undefined);
      });
    }
    const tls = listen.tls;
    if (tls === undefined) {
      throw new TypeError('A TLS listener needs a key and a certificate');
    }
    const ask = tls.requireClientCertificate === true;
    const server = createTlsServer(
      {
        key: tls.key,
        cert: tls.cert,
        ...(tls.ca === undefined ? {} : { ca: tls.ca }),
        requestCert: ask,
        rejectUnauthorized: ask && tls.ca !== undefined,
        ...versionsAndSuites(tls),
        handshakeTimeout: CONNECT_MS,
      },
      (socket) => {
        if (ask && Object.keys(socket.getPeerCertificate()).length === 0) {
          this.#options.sink.problem('refused', undefined);
          socket.destroy();
          return;
        }
        this.#accept(socket, namesOf(socket));
      },
    );
    server.on('tlsClientError', () => {
      this.#options.sink.problem('refused', undefined);
    });
    return server;
  }

  #accept(socket: Socket, peerNames: readonly string[] | undefined): void {
    const remote: Peer = {
      protocol: this.#options.protocol,
      address: plainAddress(socket.remoteAddress),
      port: socket.remotePort ?? 0,
    };
    this.#add(socket, remote, peerKey(remote), false).peerNames = peerNames;
  }

  #connect(peer: Peer): StreamConnection {
    const socket =
      this.#options.protocol === 'tcp'
        ? connectTcp({ port: peer.port, host: peer.address, ...this.#bound() })
        : this.#connectTls(peer);
    const connection = this.#add(socket, peer, connectionKey(peer), true);
    const timer = setTimeout(() => {
      socket.destroy(new Error(`no connection to ${peerKey(peer)} in ${CONNECT_MS} ms`));
    }, CONNECT_MS);
    const done = (): void => {
      clearTimeout(timer);
    };
    socket.once(this.#options.protocol === 'tls' ? 'secureConnect' : 'connect', () => {
      done();
      connection.established();
      if (this.#options.protocol === 'tls') {
        connection.peerNames = namesOf(socket as TLSSocket);
      }
    });
    socket.once('close', done);
    return connection;
  }

  /** A listener on another loopback address than the usual one also calls from there; elsewhere the system chooses. */
  #bound(): { readonly localAddress?: string } {
    const host = this.local?.address ?? '';
    return /^127\.(?!0\.0\.1$)/.test(host) ? { localAddress: host } : {};
  }

  #connectTls(peer: Peer): TLSSocket {
    const identity = this.#options.tlsClient;
    const name = peer.serverName ?? (isIP(peer.address) === 0 ? peer.address : undefined);
    const options: TlsConnectionOptions = {
      host: peer.address,
      port: peer.port,
      ...this.#bound(),
      ...versionsAndSuites(identity),
      rejectUnauthorized: identity?.ca !== undefined,
      // Without a name there is only the chain to check.
      checkServerIdentity: (_host, cert) => {
        const wrong = name === undefined ? undefined : checkServerIdentity(name, cert);
        // A certificate for the address that was asked for is as good as one for the name.
        return wrong === undefined || checkServerIdentity(peer.address, cert) === undefined ? undefined : wrong;
      },
      ...(name === undefined ? {} : { servername: name }),
      ...(identity === undefined ? {} : { key: identity.key, cert: identity.cert }),
      ...(identity?.ca === undefined ? {} : { ca: identity.ca }),
    };
    return connectTls(options);
  }

  #add(socket: Socket, remote: Peer, key: string, connecting: boolean): StreamConnection {
    const connection: StreamConnection = new StreamConnection({
      socket,
      remote,
      connecting,
      local: this.local ?? { protocol: this.#options.protocol, address: plainAddress(socket.localAddress), port: 0 },
      limits: this.#options.limits,
      sink: this.#options.sink,
      onClose: () => {
        this.#all.delete(connection);
        if (this.#connections.get(key) === connection) {
          this.#connections.delete(key);
        }
      },
    });
    this.#all.add(connection);
    this.#connections.set(key, connection);
    return connection;
  }
}

/** The suites that sbc-config allows drachtio-server and Microsoft takes, and those of TLS 1.3. */
function versionsAndSuites(
  identity: TlsIdentity | undefined,
): Pick<TlsConnectionOptions, 'ciphers' | 'minVersion' | 'maxVersion'> {
  return {
    ciphers: `${TEAMS_CIPHER_LIST}:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256`,
    minVersion: 'TLSv1.2',
    ...(identity?.maxVersion === undefined ? {} : { maxVersion: identity.maxVersion }),
  };
}

/** Outgoing TLS connections to one address under different names are different connections. */
function connectionKey(peer: Peer): string {
  return peer.serverName === undefined ? peerKey(peer) : `${peerKey(peer)}/${peer.serverName}`;
}

function namesOf(socket: TLSSocket): readonly string[] | undefined {
  if (!socket.authorized) {
    return undefined;
  }
  const names = socket.getPeerCertificate().subjectaltname ?? '';
  return names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name.startsWith('DNS:') || name.startsWith('IP Address:'))
    .map((name) => name.slice(name.indexOf(':') + 1));
}
