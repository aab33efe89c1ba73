/**
 * Transports and transactions: everything below dialogs (RFC 3261 17, 18). Retransmissions, ACKs for failures, answers to
 * CANCEL and malformed requests are handled here; owners see each request and each response once.
 */
import { newToken } from '../../lib/ids';
import { ClientTransactionRunner, type ClientTransactionHost } from './client-transaction';
import { formatVia } from './header-values';
import { parseSipMessage, SipMessage, SipParseError } from './message';
import { ServerTransactionRunner } from './server-transaction';
import type { Flow, TransportProblem } from './transport';
import { Transports } from './transports';
import type { TransactionConfig } from './transaction-machine';
import type { ClientTransaction, Peer, Protocol, ServerTransaction, SipTimers, StackOptions } from './types';
import { formatHostPort } from './uri';

export interface StackCounters {
  received: number;
  sent: number;
  /** Not understood; answered 400 where that was possible. */
  malformed: number;
  oversized: number;
  /** Streams: unfinished messages that took too long. */
  slow: number;
  /** Well-formed but of no use: unknown responses, too many transactions, nobody to take it. */
  dropped: number;
  /** Requests and responses that came again. */
  repeated: number;
  /** Handlers that threw. */
  handlerErrors: number;
  connections: number;
  serverTransactions: number;
  clientTransactions: number;
}

export interface SendOptions {
  /** Local socket to send from, where several listen. */
  readonly from?: Peer;
}

const DEFAULT_TIMERS: SipTimers = { t1: 500, t2: 4000, t4: 5000 };

export class SipStack {
  readonly timers: SipTimers;
  readonly #options: StackOptions;
  readonly #servers = new Map<string, ServerTransactionRunner>();
  readonly #clients = new Map<string, ClientTransactionRunner>();
  readonly #counters = {
    received: 0,
    sent: 0,
    malformed: 0,
    oversized: 0,
    slow: 0,
    dropped: 0,
    repeated: 0,
    handlerErrors: 0,
    connections: 0,
  };
  #transports: Transports | undefined;
  #onRequest: ((transaction: ServerTransaction) => void) | undefined;
  #onAck: ((ack: SipMessage, source: Peer) => void) | undefined;
  #closed = false;

  private constructor(options: StackOptions) {
    this.#options = options;
    this.timers = { ...DEFAULT_TIMERS, ...options.timers };
  }

  /**
   * Opens all listeners.
   * @throws SidekickError SK_PORT_TAKEN with protocol and port if one is in use; nothing stays open then.
   */
  static async start(options: StackOptions): Promise<SipStack> {
    const stack = new SipStack(options);
    stack.#transports = await Transports.open(
      options.listen,
      options.tlsClient,
      {
        maxMessageBytes: options.maxMessageBytes ?? 65_535,
        partialMessageMs: options.partialMessageMs ?? 10_000,
        maxConnections: options.maxConnections ?? 4000,
      },
      {
        message: (data, flow) => {
          stack.#receive(data, flow);
        },
        problem: (kind) => {
          stack.#problem(kind);
        },
        connections: (change) => {
          stack.#counters.connections += change;
        },
      },
    );
    return stack;
  }

  get listening(): Peer[] {
    return this.#transports?.listening ?? [];
  }

  get counters(): StackCounters {
    return {
      ...this.#counters,
      serverTransactions: this.#servers.size,
      clientTransactions: this.#clients.size,
    };
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The one owner of incoming requests except ACK and CANCEL. */
  onRequest(handler: (transaction: ServerTransaction) => void): void {
    this.#onRequest = handler;
  }

  /** The one owner of ACKs for 2xx. */
  onAck(handler: (ack: SipMessage, source: Peer) => void): void {
    this.#onAck = handler;
  }

  /** Our address on that transport, for Contact and Record-Route; undefined if nothing listens there. */
  localFor(protocol: Protocol): Peer | undefined {
    return this.#transports?.localFor(protocol);
  }

  /** True if an open connection to the peer exists (UDP: if there is a socket at all). */
  hasFlow(peer: Peer): boolean {
    return this.#transports?.existing(peer) !== undefined;
  }

  /**
   * Sends a request in a new client transaction; Via, Max-Forwards and Content-Length are completed. Anything that fails
   * later comes as an internal 408 or 503.
   * @throws SidekickError SK_SETTINGS_INVALID if no socket of that protocol exists.
   */
  send(request: SipMessage, target: Peer, options: SendOptions = {}): ClientTransaction {
    const flow = this.#flow(target, options.from);
    this.#addVia(request, flow);
    return this.#startClient(request, target, flow);
  }

  /** Sends a request without a transaction (ACK for 2xx). Returns a function that sends the very same bytes again. */
  sendStateless(request: SipMessage, target: Peer, options: SendOptions = {}): () => void {
    this.#addVia(request, this.#flow(target, options.from));
    const data = request.serialise();
    const transmit = (): void => {
      if (!this.#closed) {
        this.#transmit(request, data, this.#flow(target, options.from), () => undefined);
      }
    };
    transmit();
    return transmit;
  }

  /** Idempotent. Forgets all transactions without a word to anybody and closes all sockets. */
  async close(): Promise<void> {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.#onRequest = this.#onAck = undefined;
    for (const transaction of [...this.#servers.values(), ...this.#clients.values()]) {
      transaction.close();
    }
    await this.#transports?.close();
  }

  #flow(target: Peer, from: Peer | undefined): Flow {
    if (this.#transports === undefined || this.#closed) {
      throw new Error('SIP stack is closed');
    }
    return this.#transports.flowTo(target, from);
  }

  #addVia(request: SipMessage, flow: Flow): void {
    const protocol = flow.remote.protocol;
    const rport = protocol === 'udp' ? ';rport' : '';
    const sentBy = formatHostPort(flow.local.address || '127.0.0.1', flow.local.port || undefined);
    request.prepend('Via', `SIP/2.0/${protocol.toUpperCase()} ${sentBy}${rport};branch=z9hG4bK${newToken(9)}`);
    if (!request.has('max-forwards')) {
      request.set('Max-Forwards', 70);
    }
  }

  #startClient(request: SipMessage, target: Peer, flow: Flow): ClientTransactionRunner {
    const key = clientKey(request.branch, request.method);
    const transaction = new ClientTransactionRunner(key, request, target, flow, this.#config(flow), this.#clientHost);
    this.#clients.set(key, transaction);
    transaction.start();
    return transaction;
  }

  readonly #clientHost: ClientTransactionHost = {
    transmit: (message, data, flow, failed) => {
      this.#transmit(message, data, flow, failed);
    },
    sendCancel: (cancel, flow) => {
      this.#startClient(cancel, flow.remote, flow).onResponse(() => undefined);
    },
    ended: (transaction) => {
      this.#clients.delete(transaction.key);
    },
  };

  #config(flow: Flow): TransactionConfig {
    return { ...this.timers, reliable: flow.reliable };
  }

  #transmit(message: SipMessage, data: Buffer, flow: Flow, failed: (error: Error) => void): void {
    this.#counters.sent++;
    this.#options.onWire?.('out', message, flow.remote);
    flow.send(data, failed);
  }

  #problem(kind: TransportProblem): void {
    if (kind === 'oversized' || kind === 'malformed' || kind === 'slow') {
      this.#counters[kind]++;
    } else {
      this.#counters.dropped++;
    }
  }

  #receive(data: Buffer, flow: Flow): void {
    if (this.#closed) {
      return;
    }
    this.#counters.received++;
    let message: SipMessage;
    try {
      const limits = this.#options.maxHeaders === undefined ? {} : { maxHeaders: this.#options.maxHeaders };
      message = parseSipMessage(data, limits);
    } catch (error) {
      this.#counters.malformed++;
      this.#answerMalformed(error, flow);
      return;
    }
    this.#options.onWire?.('in', message, flow.remote);
    if (!message.isRequest) {
      this.#receiveResponse(message);
      return;
    }
    completeVia(message, flow.remote);
    if (message.method === 'ACK') {
      this.#receiveAck(message, flow);
    } else {
      this.#receiveRequest(message, flow);
    }
  }

  #answerMalformed(error: unknown, flow: Flow): void {
    if (!(error instanceof SipParseError)) {
      this.#counters.handlerErrors++;
      return;
    }
    const request = error.partial;
    if (request === undefined) {
      return;
    }
    completeVia(request, flow.remote);
    const response = SipMessage.response(
      error.status,
      error.status === 400 ? `Bad Request - ${error.message}` : undefined,
    );
    for (const name of ['via', 'from', 'to', 'call-id', 'cseq']) {
      for (const value of request.getAll(name)) {
        response.add(name, value);
      }
    }
    this.#transmit(response, response.serialise(), flow, () => undefined);
  }

  #receiveResponse(response: SipMessage): void {
    const transaction = this.#clients.get(clientKey(response.branch, response.cseq.method));
    if (transaction === undefined) {
      this.#counters.dropped++;
      return;
    }
    this.#guard(() => {
      transaction.received(response);
    });
  }

  #receiveAck(ack: SipMessage, flow: Flow): void {
    if (this.#servers.get(serverKey(ack, 'INVITE'))?.acked() === true) {
      return;
    }
    if (this.#onAck === undefined) {
      this.#counters.dropped++;
      return;
    }
    this.#guard(() => {
      this.#onAck?.(ack, flow.remote);
    });
  }

  #receiveRequest(request: SipMessage, flow: Flow): void {
    const key = serverKey(request, request.method);
    const known = this.#servers.get(key);
    if (known !== undefined) {
      this.#counters.repeated++;
      known.repeated();
      return;
    }
    // Requests of calls in progress still get through when a flood has filled the table.
    const limit = (this.#options.maxTransactions ?? 20_000) * (request.toTag === undefined ? 1 : 2);
    if (this.#servers.size >= limit || this.#onRequest === undefined) {
      this.#counters.dropped++;
      return;
    }
    const transaction = new ServerTransactionRunner(key, request, flow, this.#config(flow), {
      transmit: (message, data, over, failed) => {
        this.#respondOver(message, data, over, failed);
      },
      ended: (ended) => {
        this.#servers.delete(ended.key);
      },
    });
    this.#servers.set(key, transaction);
    if (request.method === 'CANCEL') {
      this.#receiveCancel(request, transaction);
      return;
    }
    if (request.method === 'INVITE') {
      transaction.respond(SipMessage.response(100));
    }
    const ok = this.#guard(() => {
      this.#onRequest?.(transaction);
    });
    if (!ok && transaction.pending) {
      transaction.respond(SipMessage.response(500));
    }
  }

  /** RFC 3261 9.2. After a final response a CANCEL changes nothing. */
  #receiveCancel(cancel: SipMessage, transaction: ServerTransactionRunner): void {
    const invite = this.#servers.get(serverKey(cancel, 'INVITE'));
    if (invite === undefined) {
      transaction.respond(SipMessage.response(481));
      return;
    }
    const ok = SipMessage.response(200);
    const to =
      invite.request.toTag === undefined ? `${cancel.get('to') ?? ''};tag=${invite.localTag}` : cancel.get('to');
    transaction.respond(cancel.toTag === undefined ? ok.set('To', to ?? '') : ok);
    if (invite.pending) {
      this.#guard(() => {
        invite.cancelled(cancel);
      });
    }
  }

  /** RFC 3261 18.2.2: a response whose connection is gone goes to the address that the Via names. */
  #respondOver(message: SipMessage, data: Buffer, flow: Flow, failed: (error: Error) => void): void {
    const via = message.via;
    if (flow.open || via === undefined || this.#transports === undefined || this.#closed) {
      this.#transmit(message, data, flow, failed);
      return;
    }
    const port = via.port ?? (flow.remote.protocol === 'tls' ? 5061 : 5060);
    this.#transmit(message, data, this.#transports.flowTo({ ...flow.remote, port }), failed);
  }

  #guard(run: () => void): boolean {
    try {
      run();
      return true;
    } catch (error) {
      this.#counters.handlerErrors++;
      this.#options.onHandlerError?.(error);
      return false;
    }
  }
}

/** RFC 3581 4; also for peers that did not ask, as NATs need it. */
function completeVia(request: SipMessage, source: Peer): void {
  const via = request.via;
  if (via === undefined) {
    return;
  }
  via.params.set('rport', String(source.port));
  if (via.host === source.address) {
    via.params.delete('received');
  } else {
    via.params.set('received', source.address);
  }
  request.replaceFirst('Via', formatVia(via));
}

function clientKey(branch: string, method: string): string {
  return `${branch} ${method}`;
}

/** RFC 3261 17.2.3; peers without the magic cookie are matched by what RFC 2543 offers. */
function serverKey(request: SipMessage, method: string): string {
  const via = request.via;
  const sentBy = via === undefined ? '' : formatHostPort(via.host.toLowerCase(), via.port);
  const branch = request.branch;
  return branch.startsWith('z9hG4bK') && branch.length > 7
    ? `${branch} ${sentBy} ${method}`
    : `${request.uri} ${request.callId} ${request.fromTag ?? ''} ${request.cseq.number} ${sentBy} ${branch} ${method}`;
}
