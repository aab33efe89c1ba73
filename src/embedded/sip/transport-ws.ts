/** SIP over WebSocket (RFC 7118): one message a frame, sub-protocol `sip`. */
import { createServer, type Server } from 'node:http';
import { WebSocket, WebSocketServer, type RawData } from 'ws';
import {
  listenError,
  plainAddress,
  shownAddress,
  type Flow,
  type Transport,
  type TransportLimits,
  type TransportSink,
} from './transport';
import { formatHostPort, peerKey } from './uri';
import type { ListenOptions, Peer } from './types';

const MAX_BACKLOG = 4 * 1024 * 1024;

class WsFlow implements Flow {
  readonly reliable = true;
  readonly peerNames = undefined;
  readonly remote: Peer;
  readonly local: Peer;
  readonly #socket: WebSocket;
  #waiting: { data: Buffer; failed: (error: Error) => void }[] = [];

  constructor(socket: WebSocket, remote: Peer, local: Peer) {
    this.#socket = socket;
    this.remote = remote;
    this.local = local;
    socket.on('open', () => {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const { data, failed } of waiting) {
        this.send(data, failed);
      }
    });
    socket.on('close', () => {
      for (const { failed } of this.#waiting) {
        failed(new Error('WebSocket closed before it was open'));
      }
      this.#waiting = [];
    });
  }

  get open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN || this.#socket.readyState === WebSocket.CONNECTING;
  }

  send(data: Buffer, failed: (error: Error) => void): void {
    if (this.#socket.readyState === WebSocket.CONNECTING) {
      this.#waiting.push({ data, failed });
      return;
    }
    if (this.#socket.readyState !== WebSocket.OPEN || this.#socket.bufferedAmount > MAX_BACKLOG) {
      this.#socket.terminate();
      setImmediate(() => {
        failed(new Error('WebSocket is closed'));
      });
      return;
    }
    this.#socket.send(data, { binary: false }, (error) => {
      if (error) {
        failed(error);
      }
    });
  }
}

export class WsTransport implements Transport {
  local: Peer | undefined;
  readonly #limits: TransportLimits;
  readonly #sink: TransportSink;
  readonly #flows = new Map<string, WsFlow>();
  readonly #sockets = new Set<WebSocket>();
  #http: Server | undefined;
  #server: WebSocketServer | undefined;

  private constructor(limits: TransportLimits, sink: TransportSink) {
    this.#limits = limits;
    this.#sink = sink;
  }

  static async open(
    listen: ListenOptions | undefined,
    limits: TransportLimits,
    sink: TransportSink,
  ): Promise<WsTransport> {
    const transport = new WsTransport(limits, sink);
    if (listen !== undefined) {
      await transport.#listen(listen);
    }
    return transport;
  }

  flowTo(peer: Peer): Flow {
    const existing = this.existing(peer);
    if (existing !== undefined) {
      return existing;
    }
    const socket = new WebSocket(`ws://${formatHostPort(peer.address, peer.port)}`, 'sip', {
      maxPayload: this.#limits.maxMessageBytes,
      perMessageDeflate: false,
      handshakeTimeout: 10_000,
    });
    return this.#add(socket, peer);
  }

  existing(peer: Peer): Flow | undefined {
    const flow = this.#flows.get(peerKey(peer));
    return flow?.open === true ? flow : undefined;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) {
      socket.terminate();
    }
    const [server, http] = [this.#server, this.#http];
    this.#server = this.#http = undefined;
    server?.close();
    http?.closeAllConnections();
    await new Promise<void>((resolve) => {
      if (http === undefined) {
        resolve();
      } else {
        http.close(() => {
          resolve();
        });
      }
    });
  }

  async #listen(listen: ListenOptions): Promise<void> {
    const http = createServer((_request, response) => {
      response.writeHead(426, { 'content-type': 'text/plain', connection: 'close' });
      response.end('This port speaks SIP over WebSocket (sub-protocol "sip").\n');
    });
    http.maxConnections = this.#limits.maxConnections;
    this.#http = http;
    await new Promise<void>((resolve, reject) => {
      http.once('error', (error) => {
        reject(listenError(error, listen));
      });
      http.listen({ host: listen.host, port: listen.port, exclusive: true }, () => {
        http.removeAllListeners('error');
        resolve();
      });
    });
    const address = http.address();
    const port = typeof address === 'object' && address !== null ? address.port : listen.port;
    this.local = { protocol: 'ws', address: shownAddress(listen.host), port };
    this.#server = new WebSocketServer({
      server: http,
      maxPayload: this.#limits.maxMessageBytes,
      perMessageDeflate: false,
      handleProtocols: () => 'sip',
      verifyClient: ({ req }, done) => {
        const offered = (req.headers['sec-websocket-protocol'] ?? '').split(',').map((p) => p.trim().toLowerCase());
        done(offered.includes('sip'), 400, 'Sub-protocol sip is required');
      },
    });
    this.#server.on('error', () => {
      this.#sink.problem('refused', undefined);
    });
    this.#server.on('connection', (socket, request) => {
      this.#add(socket, {
        protocol: 'ws',
        address: plainAddress(request.socket.remoteAddress),
        port: request.socket.remotePort ?? 0,
      });
    });
  }

  #add(socket: WebSocket, remote: Peer): WsFlow {
    const flow = new WsFlow(socket, remote, this.local ?? { protocol: 'ws', address: '127.0.0.1', port: 0 });
    const key = peerKey(remote);
    this.#flows.set(key, flow);
    this.#sockets.add(socket);
    this.#sink.connections(1);
    socket.on('message', (data) => {
      this.#onMessage(toBuffer(data), flow);
    });
    socket.on('error', (error) => {
      this.#sink.problem(
        (error as NodeJS.ErrnoException).code?.includes('LENGTH') === true ? 'oversized' : 'refused',
        flow,
      );
    });
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#sink.connections(-1);
      if (this.#flows.get(key) === flow) {
        this.#flows.delete(key);
      }
    });
    return flow;
  }

  #onMessage(data: Buffer, flow: WsFlow): void {
    if (data.length <= 4 && /^[\r\n]*$/.test(data.toString('latin1'))) {
      if (data.length === 4) {
        flow.send(Buffer.from('\r\n'), () => undefined);
      }
      return;
    }
    this.#sink.message(data, flow);
  }
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) {
    return data;
  }
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
