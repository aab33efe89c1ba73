/** Runs the two server machines: owns the timers, the last response and the handlers of whoever answers. */
import { newToken } from '../../lib/ids';
import { withTag } from './header-values';
import { reasonPhrase, type SipMessage } from './message';
import { initialInviteServer, stepInviteServer, type InviteServerState } from './transaction-invite-server';
import type { TransactionConfig, TransactionEffect, TransactionInput } from './transaction-machine';
import { initialServer, stepServer, type ServerState } from './transaction-server';
import { TransactionTimers } from './transaction-timers';
import type { Flow } from './transport';
import type { Peer, ServerTransaction } from './types';

export interface ServerTransactionHost {
  /** Puts a message on the wire and shows it to `onWire`. */
  transmit(message: SipMessage, data: Buffer, flow: Flow, failed: (error: Error) => void): void;
  ended(transaction: ServerTransactionRunner): void;
}

type DoneHow = 'ack' | 'timeout' | 'transport-error';

/** Headers of a response that come from the request (RFC 3261 8.2.6.2). */
const COPIED = new Set(['via', 'from', 'to', 'call-id', 'cseq', 'record-route']);

export class ServerTransactionRunner implements ServerTransaction {
  readonly key: string;
  readonly request: SipMessage;
  readonly flow: Flow;
  readonly #host: ServerTransactionHost;
  readonly #config: TransactionConfig;
  readonly #timers: TransactionTimers;
  #invite: InviteServerState | undefined;
  #other: ServerState | undefined;
  #last: { message: SipMessage; data: Buffer } | undefined;
  #localTag: string | undefined;
  #cancelled: SipMessage | undefined;
  #onCancel: ((cancel: SipMessage) => void) | undefined;
  #done: DoneHow | undefined;
  #onDone: ((how: DoneHow) => void) | undefined;
  #abandoned: NodeJS.Timeout | undefined;

  constructor(key: string, request: SipMessage, flow: Flow, config: TransactionConfig, host: ServerTransactionHost) {
    this.key = key;
    this.request = request;
    this.flow = flow;
    this.#config = config;
    this.#host = host;
    this.#timers = new TransactionTimers((timer) => {
      this.#step({ type: 'timer', timer });
    });
    if (request.method === 'INVITE') {
      this.#invite = initialInviteServer;
    } else {
      this.#other = initialServer;
      // The sender has given up by then (timer F): an owner that never answers must not leave this behind.
      this.#abandoned = setTimeout(() => {
        this.close();
      }, 64 * config.t1);
    }
  }

  get source(): Peer {
    return this.flow.remote;
  }

  get receivedOn(): Peer {
    return this.flow.local;
  }

  get peerNames(): readonly string[] {
    return this.flow.peerNames ?? [];
  }

  /** Tag that completes To in all responses of this transaction. */
  get localTag(): string {
    this.#localTag ??= newToken(6);
    return this.#localTag;
  }

  /** True until a final response was sent. */
  get pending(): boolean {
    return this.#invite === undefined
      ? this.#other?.value === 'trying' || this.#other?.value === 'proceeding'
      : this.#invite.value === 'proceeding';
  }

  respond(response: SipMessage): boolean {
    const possible = this.pending || (this.#invite?.value === 'accepted' && is2xx(response.status));
    if (!possible) {
      return false;
    }
    this.#complete(response);
    this.#last = { message: response, data: response.serialise() };
    this.#step({ type: 'response', status: response.status });
    return true;
  }

  onCancel(handler: (cancel: SipMessage) => void): void {
    this.#onCancel = handler;
    if (this.#cancelled !== undefined) {
      handler(this.#cancelled);
    }
  }

  onDone(handler: (how: DoneHow) => void): void {
    this.#onDone = handler;
    if (this.#done !== undefined) {
      handler(this.#done);
    }
  }

  /** The stack: a CANCEL for this INVITE came while it was pending. */
  cancelled(cancel: SipMessage): void {
    if (this.#cancelled === undefined) {
      this.#cancelled = cancel;
      this.#onCancel?.(cancel);
    }
  }

  /** The stack: the request came again. */
  repeated(): void {
    this.#step({ type: 'request' });
  }

  /** The stack: an ACK with this transaction's branch came. False if it belongs to a 2xx, which is the owner's. */
  acked(): boolean {
    if (this.#invite?.value === 'accepted') {
      return false;
    }
    this.#step({ type: 'ack' });
    return true;
  }

  /** Forgets the transaction; sends nothing. */
  close(): void {
    this.#timers.clear();
    clearTimeout(this.#abandoned);
    this.#invite = this.#invite === undefined ? undefined : { value: 'terminated' };
    this.#other = this.#other === undefined ? undefined : { value: 'terminated' };
    this.#host.ended(this);
  }

  #complete(response: SipMessage): void {
    const to = response.toTag === undefined ? undefined : response.get('to');
    if (to !== undefined) {
      this.#localTag = response.toTag;
    }
    const own = response.headers.filter((header) => !COPIED.has(header.key));
    const recordRoute = response.has('record-route')
      ? response.headers.filter((header) => header.key === 'record-route')
      : this.request.headers.filter((header) => header.key === 'record-route');
    const request = this.request.headers;
    response.setHeaders(request.filter((header) => header.key === 'via'));
    if (response.status > 100 && response.status < 300) {
      response.setHeaders([...response.headers, ...recordRoute]);
    }
    response.set('From', this.request.get('from') ?? '');
    const requestTo = this.request.get('to') ?? '';
    const completed =
      this.request.toTag !== undefined || response.status === 100 ? requestTo : withTag(requestTo, this.localTag);
    response.set('To', to ?? completed);
    response.set('Call-ID', this.request.callId);
    response.set('CSeq', this.request.get('cseq') ?? '');
    response.setHeaders([...response.headers, ...own]);
    response.reason ||= reasonPhrase(response.status);
  }

  #step(input: TransactionInput): void {
    if (this.#invite !== undefined) {
      const result = stepInviteServer(this.#invite, input, this.#config);
      if (result !== undefined) {
        this.#invite = result.state;
        this.#run(result.effects, result.state.value === 'terminated');
      }
    } else if (this.#other !== undefined) {
      const result = stepServer(this.#other, input, this.#config);
      if (result !== undefined) {
        this.#other = result.state;
        this.#run(result.effects, result.state.value === 'terminated');
      }
    }
  }

  #run(effects: readonly TransactionEffect[], over: boolean): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'send':
          this.#send();
          break;
        case 'start':
          this.#timers.start(effect.timer, effect.ms);
          break;
        case 'stop':
          this.#timers.stop(effect.timer);
          break;
        case 'acked':
          this.#finish('ack');
          break;
        case 'timed-out':
          this.#finish('timeout');
          break;
        case 'failed':
          this.#finish('transport-error');
          break;
        case 'ack':
        case 'deliver':
          break;
      }
    }
    if (over) {
      this.close();
    }
  }

  #send(): void {
    if (this.#last !== undefined) {
      this.#host.transmit(this.#last.message, this.#last.data, this.flow, () => {
        this.#step({ type: 'transport-error' });
      });
    }
  }

  #finish(how: DoneHow): void {
    if (this.#done === undefined) {
      this.#done = how;
      this.#onDone?.(how);
    }
  }
}

function is2xx(status: number): boolean {
  return status >= 200 && status < 300;
}
