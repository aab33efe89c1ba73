/**
 * A stand-in for drachtio-server: carriers and agents on one side by SIP, applications on the other by drachtio's admin
 * protocol. For evaluation, development and tests. What it does not do is listed in docs/embedded-servers.md.
 */
import { silentLog, type Log } from '../../lib/log';
import { SipStack, type StackCounters } from '../sip/stack';
import type { ListenOptions, Peer, SipTimers, StackOptions, TlsIdentity } from '../sip/types';
import { formatHostPort } from '../sip/uri';
import type { AdminClient } from './admin-client';
import { AdminServer } from './admin-server';
import { parseAppMessage } from './app-message';
import { ClientRegistry } from './client-registry';
import { ContactFlows } from './contact-flows';
import { Incoming } from './incoming';
import { OutgoingRequests } from './outgoing';
import { OwnRequests } from './own-requests';
import { Proxy } from './proxy';
import type { ServerContext, ServerCounters } from './server-context';
import { DialogTable } from './server-dialog';

export interface SipServerOptions {
  readonly adminHost: string;
  /** 0 = any free port. */
  readonly adminPort: number;
  readonly secret: string;
  readonly listen: readonly ListenOptions[];
  readonly tlsClient?: TlsIdentity;
  readonly timers?: Partial<SipTimers>;
  readonly log?: Log;
  /** Smallest session interval (RFC 4028), seconds. Default 90, as the real server has it. */
  readonly minSessionExpires?: number;
  /** Limits and the wire tap of the SIP side. */
  readonly stack?: Pick<
    StackOptions,
    'maxMessageBytes' | 'maxHeaders' | 'partialMessageMs' | 'maxConnections' | 'maxTransactions' | 'onWire'
  >;
}

export interface EmbeddedSipServer {
  readonly admin: { readonly host: string; readonly port: number };
  readonly listening: readonly Peer[];
  readonly counters: StackCounters & ServerCounters;
  /** Live dialogs, early ones included. */
  readonly dialogs: number;
  /** Requests that wait for an application or for the network. */
  readonly transactions: number;
  /** Connected applications. */
  readonly applications: number;
  /** Idempotent. Sends nothing to peers. */
  close(): Promise<void>;
}

/**
 * Starts listening for SIP and for applications.
 * @throws SidekickError SK_PORT_TAKEN naming protocol and port; nothing stays open then.
 */
export async function startSipServer(options: SipServerOptions): Promise<EmbeddedSipServer> {
  const log = options.log ?? silentLog();
  const stack = await SipStack.start({
    ...options.stack,
    listen: options.listen,
    ...(options.tlsClient === undefined ? {} : { tlsClient: options.tlsClient }),
    ...(options.timers === undefined ? {} : { timers: options.timers }),
    onHandlerError: (err) => {
      log.error({ event: 'sip:handler-failed', err });
    },
  });
  const server = new SipServer(stack, options, log);
  try {
    await server.openAdmin();
  } catch (error) {
    await stack.close();
    throw error;
  }
  return server;
}

class SipServer implements EmbeddedSipServer {
  readonly #options: SipServerOptions;
  readonly #context: ServerContext;
  readonly #incoming: Incoming;
  readonly #outgoing: OutgoingRequests;
  readonly #proxy: Proxy;
  #admin: AdminServer | undefined;
  #adminPort = 0;
  #closing: Promise<void> | undefined;

  constructor(stack: SipStack, options: SipServerOptions, log: Log) {
    this.#options = options;
    this.#context = {
      stack,
      registry: new ClientRegistry(),
      dialogs: new DialogTable(),
      contacts: new ContactFlows(),
      counters: { requestsIn: 0, requestsOut: 0, unrouted: 0, refusedCommands: 0, ownByes: 0, unanswered: 0 },
      log,
      minSessionExpires: options.minSessionExpires ?? 90,
    };
    const own = new OwnRequests(this.#context);
    this.#incoming = new Incoming(this.#context, own);
    this.#outgoing = new OutgoingRequests(this.#context, own);
    this.#proxy = new Proxy(this.#context, this.#incoming);
    stack.onRequest((transaction) => {
      if (!this.#proxy.pass(transaction)) {
        this.#incoming.receive(transaction);
      }
    });
    stack.onAck((ack, source) => {
      if (!this.#proxy.passAck(ack)) {
        this.#incoming.receiveAck(ack, source);
      }
    });
  }

  async openAdmin(): Promise<void> {
    this.#admin = await AdminServer.listen({
      host: this.#options.adminHost,
      port: this.#options.adminPort,
      secret: this.#options.secret,
      registry: this.#context.registry,
      log: this.#context.log,
      hostports: () =>
        [...this.listening]
          .reverse()
          .map((peer) => `${peer.protocol}/${formatHostPort(peer.address, peer.port)}`)
          .join(','),
      onCommand: (client, id, tokens, sip) => {
        this.#command(client, id, tokens, sip);
      },
    });
    this.#adminPort = this.#admin.port;
  }

  get admin(): { host: string; port: number } {
    return { host: this.#options.adminHost, port: this.#adminPort };
  }

  get listening(): readonly Peer[] {
    return this.#context.stack.listening;
  }

  get counters(): StackCounters & ServerCounters {
    return { ...this.#context.stack.counters, ...this.#context.counters };
  }

  get dialogs(): number {
    return this.#context.dialogs.size;
  }

  get transactions(): number {
    return this.#incoming.size + this.#outgoing.size;
  }

  get applications(): number {
    return this.#context.registry.size;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#incoming.close();
    this.#outgoing.close();
    this.#proxy.close();
    for (const dialog of this.#context.dialogs.all()) {
      this.#context.dialogs.remove(dialog);
    }
    await this.#admin?.close();
    await this.#context.stack.close();
  }

  /** A command that fails in a way nobody thought of is refused; the link and all calls go on. */
  #command(client: AdminClient, id: string, tokens: readonly string[], sip: string): void {
    try {
      if (tokens[0] === 'proxy') {
        this.#proxy.start(client, id, tokens.slice(1), parseAppMessage(sip));
        return;
      }
      const [, transactionId = '', dialogId = '', routeUri = ''] = tokens;
      const message = parseAppMessage(sip);
      if (message.status !== undefined) {
        this.#incoming.respond(client, id, transactionId, message);
      } else if (message.method === undefined) {
        client.refuse(id, `invalid request-uri: ${message.startLine}`);
      } else {
        this.#outgoing.send(client, id, { transactionId, dialogId, routeUri }, message);
      }
    } catch (error) {
      this.#context.log.error({ event: 'sip:command-failed', err: error });
      client.refuse(id, tokens[0] === 'sip' ? 'Unknown server error sending response' : 'error proxying request');
    }
  }
}
