/** Runs the two client machines: owns the timers, the CANCEL of an INVITE and the handler of whoever sent the request. */
import { SipMessage } from './message';
import { initialClient, stepClient, type ClientState } from './transaction-client';
import { initialInviteClient, stepInviteClient, type InviteClientState } from './transaction-invite-client';
import type { TransactionConfig, TransactionEffect, TransactionInput } from './transaction-machine';
import { TransactionTimers } from './transaction-timers';
import type { Flow } from './transport';
import type { ClientTransaction, Peer } from './types';

export interface ClientTransactionHost {
  transmit(message: SipMessage, data: Buffer, flow: Flow, failed: (error: Error) => void): void;
  /** Sends a request that has its Via already, in a transaction of its own, on the same flow. */
  sendCancel(cancel: SipMessage, flow: Flow): void;
  ended(transaction: ClientTransactionRunner): void;
}

export class ClientTransactionRunner implements ClientTransaction {
  readonly key: string;
  readonly request: SipMessage;
  readonly target: Peer;
  readonly #flow: Flow;
  readonly #host: ClientTransactionHost;
  readonly #config: TransactionConfig;
  readonly #timers: TransactionTimers;
  readonly #data: Buffer;
  #invite: InviteClientState | undefined;
  #other: ClientState | undefined;
  #handler: ((response: SipMessage, internal: boolean) => void) | undefined;
  #early: { response: SipMessage; internal: boolean }[] = [];
  #current: SipMessage | undefined;
  #finalAck: Buffer | undefined;
  #cancel: 'no' | 'wanted' | 'sent' = 'no';
  #cancelHeaders: Readonly<Record<string, string>> = {};
  #cancelTimer: NodeJS.Timeout | undefined;

  constructor(
    key: string,
    request: SipMessage,
    target: Peer,
    flow: Flow,
    config: TransactionConfig,
    host: ClientTransactionHost,
  ) {
    this.key = key;
    this.request = request;
    this.target = target;
    this.#flow = flow;
    this.#config = config;
    this.#host = host;
    this.#data = request.serialise();
    this.#timers = new TransactionTimers((timer) => {
      this.#step({ type: 'timer', timer });
    });
    if (request.method === 'INVITE') {
      this.#invite = initialInviteClient(config);
    } else {
      this.#other = initialClient(config);
    }
  }

  start(): void {
    this.#step({ type: 'start' });
  }

  onResponse(handler: (response: SipMessage, internal: boolean) => void): void {
    this.#handler = handler;
    for (const { response, internal } of this.#early.splice(0)) {
      handler(response, internal);
    }
  }

  /** The stack: a response with this transaction's branch came. */
  received(response: SipMessage): void {
    this.#current = response;
    this.#step({ type: 'response', status: response.status });
    if (this.#cancel === 'wanted') {
      this.#trySendCancel();
    }
  }

  cancel(headers: Readonly<Record<string, string>> = {}): void {
    const value = this.#invite?.value;
    if (this.#cancel === 'no' && (value === 'calling' || value === 'proceeding')) {
      this.#cancel = 'wanted';
      this.#cancelHeaders = headers;
      this.#trySendCancel();
    }
  }

  /** Forgets the transaction; sends nothing and tells nobody. */
  close(): void {
    this.#timers.clear();
    clearTimeout(this.#cancelTimer);
    this.#invite = this.#invite === undefined ? undefined : { value: 'terminated' };
    this.#other = this.#other === undefined ? undefined : { value: 'terminated' };
    this.#host.ended(this);
  }

  /** RFC 3261 9.1: not before a provisional; afterwards the INVITE is over at the latest 64·T1 later. */
  #trySendCancel(): void {
    if (this.#invite?.value !== 'proceeding') {
      return;
    }
    this.#cancel = 'sent';
    const cancel = SipMessage.request('CANCEL', this.request.uri);
    cancel.add('Via', this.request.get('via') ?? '');
    for (const route of this.request.getAll('route')) {
      cancel.add('Route', route);
    }
    cancel
      .add('Max-Forwards', 70)
      .add('From', this.request.get('from') ?? '')
      .add('To', this.request.get('to') ?? '')
      .add('Call-ID', this.request.callId)
      .add('CSeq', `${this.request.cseq.number} CANCEL`);
    for (const [name, value] of Object.entries(this.#cancelHeaders)) {
      cancel.set(name, value);
    }
    this.#cancelTimer = setTimeout(() => {
      this.#giveUp(408);
      this.close();
    }, 64 * this.#config.t1);
    this.#host.sendCancel(cancel, this.#flow);
  }

  #step(input: TransactionInput): void {
    if (this.#invite !== undefined) {
      const result = stepInviteClient(this.#invite, input, this.#config);
      if (result !== undefined) {
        this.#invite = result.state;
        if (result.state.value !== 'calling' && result.state.value !== 'proceeding') {
          clearTimeout(this.#cancelTimer);
        }
        this.#run(result.effects, result.state.value === 'terminated');
      }
    } else if (this.#other !== undefined) {
      const result = stepClient(this.#other, input, this.#config);
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
          this.#host.transmit(this.request, this.#data, this.#flow, () => {
            this.#step({ type: 'transport-error' });
          });
          break;
        case 'ack':
          this.#sendAck();
          break;
        case 'deliver':
          if (this.#current !== undefined) {
            this.#tell(this.#current, false);
          }
          break;
        case 'start':
          this.#timers.start(effect.timer, effect.ms);
          break;
        case 'stop':
          this.#timers.stop(effect.timer);
          break;
        case 'timed-out':
          this.#giveUp(408);
          break;
        case 'failed':
          this.#giveUp(503);
          break;
        case 'acked':
          break;
      }
    }
    if (over) {
      this.close();
    }
  }

  /** RFC 3261 17.1.1.3. */
  #sendAck(): void {
    const response = this.#current;
    if (response === undefined) {
      return;
    }
    const ack = SipMessage.request('ACK', this.request.uri);
    ack.add('Via', this.request.get('via') ?? '');
    for (const route of this.request.getAll('route')) {
      ack.add('Route', route);
    }
    ack
      .add('Max-Forwards', 70)
      .add('From', this.request.get('from') ?? '')
      .add('To', response.get('to') ?? '')
      .add('Call-ID', this.request.callId)
      .add('CSeq', `${this.request.cseq.number} ACK`);
    this.#finalAck ??= ack.serialise();
    this.#host.transmit(ack, this.#finalAck, this.#flow, () => {
      this.#step({ type: 'transport-error' });
    });
  }

  #giveUp(status: 408 | 503): void {
    const response = SipMessage.response(status);
    for (const name of ['Via', 'From', 'To', 'Call-ID', 'CSeq']) {
      response.add(name, this.request.get(name) ?? '');
    }
    this.#tell(response, true);
  }

  #tell(response: SipMessage, internal: boolean): void {
    if (this.#handler === undefined) {
      this.#early.push({ response, internal });
    } else {
      this.#handler(response, internal);
    }
  }
}
