import type { EventEmitter } from 'node:events';
import { connect, type Socket } from 'node:net';
import DrachtioSrf from 'drachtio-srf';
import { startSipServer, type EmbeddedSipServer, type SipServerOptions } from '../../../src/embedded/sip-server';
import type { SipMessage } from '../../../src/embedded/sip/message';
import type { Peer, Protocol } from '../../../src/embedded/sip/types';
import type { UserAgent } from '../../../src/embedded/sip/user-agent';
import { FrameReader, encodeFrame } from '../../../src/embedded/sip-server/admin-frame';
import { listen, onClose, until } from '../embedded-sip/support';

export * from '../embedded-sip/support';

/** As much of drachtio-srf as the tests use; its own types leave half of it out. */
export interface Message {
  readonly status: number;
  readonly reason: string;
  readonly method: string;
  readonly uri: string;
  readonly body: string;
  readonly msg: { readonly headers: Record<string, string>; readonly body: string };
  readonly stackTxnId: string;
  readonly stackDialogId: string;
  readonly protocol: string;
  readonly source_address: string;
  readonly source_port: string;
  readonly receivedOn: string;
  get(name: string): string;
  has(name: string): boolean;
}
export interface Request extends Message, EventEmitter {
  cancel(options: { headers: Record<string, string> }, done?: (error: Error | null) => void): void;
  cancel(done?: (error: Error | null) => void): void;
}
export interface Response extends Message {
  send(status: number, options?: object, done?: (error: unknown, sent: Message) => void): void;
  send(status: number, reason: string, options: object, done?: (error: unknown, sent: Message) => void): void;
}
export interface Dialog extends EventEmitter {
  readonly id: string;
  readonly connected: boolean;
  readonly sip: { callId: string; localTag: string; remoteTag: string };
  readonly local: { uri: string; sdp: string };
  readonly remote: { uri: string; sdp: string };
  destroy(options?: object): Promise<Message>;
  modify(sdp: string, options?: object): Promise<string>;
  request(options: object): Promise<Message>;
}
export interface Srf extends EventEmitter {
  connect(options: object): void;
  disconnect(): void;
  invite(handler: (req: Request, res: Response) => void): void;
  options(handler: (req: Request, res: Response) => void): void;
  register(handler: (req: Request, res: Response) => void): void;
  createUAS(req: Request, res: Response, options: object): Promise<Dialog>;
  createUAC(uri: string, options: object, progress?: object): Promise<Dialog>;
  createB2BUA(req: Request, res: Response, uri: string, options: object): Promise<{ uas: Dialog; uac: Dialog }>;
  proxyRequest(req: Request, uri: string | string[], options: object): Promise<{ finalStatus: number }>;
  request(uri: string, options: object, done: (error: (Error & { code?: string }) | null, req: Request) => void): void;
  unregisterForMessages(verb: string): void;
}
const SrfClass = DrachtioSrf as unknown as new (tags?: string[]) => Srf;

export const SECRET = 'tested';
export const FAST = { t1: 20, t2: 80, t4: 50 };

export async function startServer(options: Partial<SipServerOptions> = {}): Promise<EmbeddedSipServer> {
  const server = await startSipServer({
    adminHost: '127.0.0.1',
    adminPort: 0,
    secret: SECRET,
    listen: [listen('udp'), listen('tcp')],
    timers: FAST,
    ...options,
  });
  onClose(() => server.close());
  return server;
}

/** An unmodified drachtio-srf, connected. */
export async function connectApp(
  server: EmbeddedSipServer,
  before?: (srf: Srf) => void,
  reconnect: object = { maxAttempts: 5 },
): Promise<Srf> {
  const srf = new SrfClass();
  srf.on('error', () => undefined);
  before?.(srf);
  srf.connect({ host: server.admin.host, port: server.admin.port, secret: SECRET, reconnect });
  await new Promise<void>((resolve, reject) => {
    srf.once('connect', (error: Error | null) => {
      if (error) {
        reject(error);
      } else {
        resolve();
      }
    });
  });
  onClose(async () => {
    try {
      srf.disconnect();
    } catch {
      // The link is down already, as the test wanted.
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  });
  return srf;
}

export function serverPeer(server: EmbeddedSipServer, protocol: Protocol = 'udp'): Peer {
  const peer = server.listening.find((candidate) => candidate.protocol === protocol);
  if (peer === undefined) {
    throw new Error(`no ${protocol} listener`);
  }
  return peer;
}

export function serverUri(server: EmbeddedSipServer, protocol: Protocol = 'udp', user = 'acd'): string {
  const peer = serverPeer(server, protocol);
  return `sip:${user}@${peer.address}:${peer.port}${protocol === 'udp' ? '' : `;transport=${protocol}`}`;
}

/** srf.request in the form that loses no response. */
export function appRequest(srf: Srf, uri: string, options: object): Promise<Message> {
  return new Promise((resolve, reject) => {
    srf.request(uri, options, (error, req) => {
      if (error !== null) {
        reject(error);
      } else {
        req.on('response', (response: Message) => {
          if (response.status >= 200) {
            resolve(response);
          }
        });
      }
    });
  });
}

export function nextInvite(srf: Srf): Promise<{ req: Request; res: Response }> {
  return new Promise((resolve) => {
    srf.invite((req, res) => {
      resolve({ req, res });
    });
  });
}

export function once(emitter: EventEmitter, event: string): Promise<unknown> {
  return new Promise((resolve) => {
    emitter.once(event, (first: unknown) => {
      resolve(first);
    });
  });
}

/** Nothing of a call may be left, on either side. */
export async function expectNothingLeft(server: EmbeddedSipServer, ...agents: UserAgent[]): Promise<void> {
  await until(() => server.dialogs === 0 && server.transactions === 0);
  await until(() => agents.every((agent) => agent.sessions === 0));
}

/** The admin protocol by hand. */
export class RawApp {
  readonly payloads: string[] = [];
  closed = false;
  readonly #reader = new FrameReader();

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.payloads.push(...(this.#reader.push(chunk) ?? []));
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async connect(server: Pick<EmbeddedSipServer, 'admin'>): Promise<RawApp> {
    const socket = connect(server.admin.port, server.admin.host);
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    onClose(async () => {
      socket.destroy();
    });
    return new RawApp(socket);
  }

  send(payload: string): void {
    this.socket.write(encodeFrame(payload));
  }

  /** Sends a command and waits for its answer: what follows `response|<id>|`. */
  async ask(id: string, command: string): Promise<string> {
    this.send(`${id}|${command}`);
    return (await this.next((payload) => payload.split('|')[2] === id)).split('|').slice(3).join('|');
  }

  async next(match: (payload: string) => boolean): Promise<string> {
    await until(() => this.payloads.some(match));
    return this.payloads.splice(this.payloads.findIndex(match), 1)[0] ?? '';
  }
}

export function statusOf(message: SipMessage): number {
  return message.status;
}
