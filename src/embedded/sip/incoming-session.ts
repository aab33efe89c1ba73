/** UAS side of an INVITE: provisional responses (reliable ones by RFC 3262), answer, refusal, CANCEL. */
import { SidekickError } from '../../lib/errors';
import { Dialog } from './dialog';
import { listHas, parseRAck } from './header-values';
import { SipMessage } from './message';
import { BaseSession, gone, type SessionHost } from './session';
import { addAgreed, negotiateTimer } from './session-timer';
import type { IncomingSession, Peer, RequestOptions, ServerTransaction } from './types';

interface Reliable {
  readonly rseq: number;
  readonly timers: NodeJS.Timeout[];
  readonly settle: (error?: Error) => void;
}

export class IncomingSessionImpl extends BaseSession implements IncomingSession {
  readonly invite: SipMessage;
  readonly source: Peer;
  readonly receivedOn: Peer;
  readonly peerNames?: readonly string[];
  readonly callId: string;
  readonly localTag: string;
  readonly #transaction: ServerTransaction;
  readonly #own: Dialog;
  readonly #agreed: ReturnType<typeof negotiateTimer>;
  readonly #onCancel: ((reason: string | undefined) => void)[] = [];
  #rseq = 1 + Math.floor(Math.random() * 100_000);
  #reliable: Reliable | undefined;
  #queue: Promise<void> = Promise.resolve();
  #answering = false;

  constructor(host: SessionHost, transaction: ServerTransaction, localTag: string, contact: string) {
    super(host);
    this.#transaction = transaction;
    this.invite = transaction.request;
    this.source = transaction.source;
    this.receivedOn = transaction.receivedOn;
    if (transaction.peerNames !== undefined) {
      this.peerNames = transaction.peerNames;
    }
    this.callId = this.invite.callId;
    this.localTag = localTag;
    this.#own = Dialog.ofRequest(this.invite, localTag, transaction.source, contact);
    this.dialog = this.#own;
    this.remoteSdp = this.invite.body === '' ? undefined : this.invite.body;
    this.#agreed = negotiateTimer(transaction, host.minSessionExpires);
    transaction.onCancel((cancel) => {
      this.#cancelled(cancel.get('reason'));
    });
  }

  /** False if the INVITE was refused before anybody saw it (422). */
  get offered(): boolean {
    return this.#agreed !== undefined;
  }

  onCancel(handler: (reason: string | undefined) => void): void {
    this.#onCancel.push(handler);
  }

  progress(
    status: number,
    options: RequestOptions & { readonly reason?: string; readonly reliable?: boolean } = {},
  ): Promise<void> {
    if (status <= 100 || status >= 200) {
      throw new SidekickError('SK_USAGE', `${status} is not a provisional status that can be sent`, {
        next: 'Use 101 to 199.',
      });
    }
    const supported = listHas(this.invite.list('supported').join(','), '100rel');
    const required = listHas(this.invite.list('require').join(','), '100rel');
    if (!required && !(options.reliable === true && supported)) {
      this.#assertEarly();
      this.#send(this.#response(status, options.reason, options));
      return Promise.resolve();
    }
    // RFC 3262 3: a second one only after the first was acknowledged.
    const sent = this.#queue.then(() => this.#sendReliable(this.#response(status, options.reason, options)));
    this.#queue = sent.catch(() => undefined);
    sent.catch(() => undefined);
    return sent;
  }

  accept(sdp: string, options?: RequestOptions): Promise<SipMessage> {
    this.#assertEarly();
    this.#answering = true;
    const result = this.#queue.then(() => this.#accept(sdp, options));
    result.catch(() => undefined);
    return result;
  }

  reject(status: number, reason?: string, options?: RequestOptions): void {
    if (this.state !== 'early') {
      return;
    }
    const response = this.host.dress(SipMessage.response(status, reason), options);
    this.#send(response);
    this.ended({ by: 'local' }, true);
  }

  protected override dialogOf(request: SipMessage): Dialog | undefined {
    return request.fromTag === this.#own.remoteTag ? this.#own : undefined;
  }

  protected override abandon(options: RequestOptions | undefined): void {
    this.reject(480, undefined, options);
  }

  protected override closeEarly(): void {
    this.#settleReliable(gone());
  }

  protected override remoteEnded(reason: string | undefined): void {
    // A BYE in an early dialog also ends the INVITE (RFC 3261 15.1.2).
    this.#send(SipMessage.response(487));
    super.remoteEnded(reason);
  }

  protected override receivePrack(transaction: ServerTransaction): void {
    const rack = parseRAck(transaction.request.get('rack'));
    const matches =
      this.#reliable !== undefined &&
      rack?.rseq === this.#reliable.rseq &&
      rack.cseq === this.invite.cseq.number &&
      rack.method === 'INVITE';
    if (!matches) {
      transaction.respond(SipMessage.response(481));
      return;
    }
    if (transaction.request.body !== '') {
      this.remoteSdp = transaction.request.body;
    }
    transaction.respond(this.host.dress(SipMessage.response(200), undefined));
    this.#settleReliable();
  }

  #accept(sdp: string, options: RequestOptions | undefined): Promise<SipMessage> {
    this.#assertOpen();
    const response = this.#response(200, undefined, { ...options, body: sdp });
    const agreed = this.#agreed?.agreed;
    addAgreed(response, agreed);
    this.localSdp = sdp;
    this.state = 'confirmed';
    return new Promise<SipMessage>((resolve, reject) => {
      const sent = this.keepAnswer(this.#transaction, response, (ack) => {
        if (ack !== undefined) {
          if (this.invite.body === '' && ack.body !== '') {
            this.remoteSdp = ack.body;
          }
          resolve(ack);
          return;
        }
        reject(
          new SidekickError('SK_LEG_GONE', 'No ACK came for the 200', { why: 'The caller is gone or unreachable.' }),
        );
        if (this.state === 'confirmed') {
          this.ended({ by: 'timeout', reason: 'no ACK' }, false);
          void this.sendByeIn(this.#own, { headers: { Reason: 'SIP;cause=408;text="ACK timeout"' } }).then(() => {
            this.close();
          });
        }
      });
      if (!sent) {
        reject(gone());
        this.ended({ by: 'transport' }, true);
        return;
      }
      this.restartTimer(agreed, false);
    });
  }

  #sendReliable(response: SipMessage): Promise<void> {
    this.#assertOpen();
    const rseq = this.#rseq++;
    response.set('RSeq', rseq).set('Require', '100rel');
    return new Promise((resolve, reject) => {
      const { t1 } = this.host.stack.timers;
      const timers: NodeJS.Timeout[] = [];
      const arm = (ms: number): void => {
        timers[0] = setTimeout(() => {
          this.#transaction.respond(response);
          arm(ms * 2);
        }, ms);
      };
      this.#reliable = {
        rseq,
        timers,
        settle: (error) => {
          if (error === undefined) {
            resolve();
          } else {
            reject(error);
          }
        },
      };
      this.#send(response);
      arm(t1);
      timers[1] = setTimeout(() => {
        this.#settleReliable(new SidekickError('SK_LEG_GONE', 'No PRACK came for a reliable provisional response'));
        this.reject(504);
      }, 64 * t1);
    });
  }

  #settleReliable(error?: Error): void {
    const reliable = this.#reliable;
    this.#reliable = undefined;
    for (const timer of reliable?.timers ?? []) {
      clearTimeout(timer);
    }
    reliable?.settle(error);
  }

  #response(status: number, reason: string | undefined, options: RequestOptions | undefined): SipMessage {
    const response = this.#tagged(SipMessage.response(status, reason));
    response.set('Contact', this.#own.contact);
    this.host.dress(response, options);
    if (options?.body !== undefined) {
      this.localSdp = options.body;
    }
    return response;
  }

  #send(response: SipMessage): boolean {
    return this.#transaction.respond(this.#tagged(response));
  }

  /** Every response carries the dialog's tag. */
  #tagged(response: SipMessage): SipMessage {
    return response.toTag === undefined ? response.set('To', `${this.#own.local};tag=${this.localTag}`) : response;
  }

  #cancelled(reason: string | undefined): void {
    if (this.state !== 'early') {
      return;
    }
    this.#send(SipMessage.response(487));
    for (const handler of this.#onCancel.splice(0)) {
      handler(reason);
    }
    super.remoteEnded(reason);
  }

  #assertEarly(): void {
    if (this.#answering) {
      throw new SidekickError('SK_CONFLICT', 'The INVITE is answered already');
    }
    this.#assertOpen();
  }

  #assertOpen(): void {
    if (this.state !== 'early') {
      throw gone();
    }
  }
}
