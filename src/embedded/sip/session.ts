/**
 * What both kinds of session share once there is a dialog: in-dialog requests in both directions, re-INVITE with its ACK,
 * glare, session timer, the end. incoming-session.ts and outgoing-session.ts add how the dialog comes about.
 *
 *   early ──2xx──▶ confirmed ──BYE, timeout, close()──▶ ended
 *      └──failure, CANCEL, close()──▶ ended
 */
import { SidekickError } from '../../lib/errors';
import { AnswerKeeper } from './answer-keeper';
import type { Dialog } from './dialog';
import { parseSeconds, parseSessionExpires, type SessionExpires } from './header-values';
import { SipMessage } from './message';
import { offerRequest } from './incoming-request';
import { addAgreed, negotiateTimer, SessionTimer } from './session-timer';
import type { SipStack } from './stack';
import type {
  ClientTransaction,
  IncomingRequest,
  ReinviteOptions,
  RequestOptions,
  ServerTransaction,
  Session,
  SessionEnd,
} from './types';

/** What a session needs of its user agent. */
export interface SessionHost {
  readonly stack: SipStack;
  readonly minSessionExpires: number;
  /** Adds User-Agent or Server, Allow, Supported, and then the given headers and body. */
  readonly dress: (message: SipMessage, options: RequestOptions | undefined) => SipMessage;
  forget(session: BaseSession): void;
}

export abstract class BaseSession implements Session {
  abstract readonly callId: string;
  abstract readonly localTag: string;
  remoteSdp: string | undefined;
  localSdp: string | undefined;
  state: 'early' | 'confirmed' | 'ended' = 'early';
  protected readonly host: SessionHost;
  protected dialog: Dialog | undefined;
  protected readonly timer: SessionTimer;
  protected answer: AnswerKeeper | undefined;
  #end: SessionEnd | undefined;
  readonly #onEnd: ((end: SessionEnd) => void)[] = [];
  #onReinvite: ((reinvite: IncomingRequest) => void) | undefined;
  #onRequest: ((request: IncomingRequest) => void) | undefined;
  #ourInvite: ClientTransaction | undefined;
  #theirInvite: ServerTransaction | undefined;
  /** ACKs sent, by CSeq of their INVITE, to be repeated with repeated 2xx. */
  readonly #acks = new Map<string, () => void>();
  readonly #waiting = new Set<(error: Error) => void>();

  constructor(host: SessionHost) {
    this.host = host;
    this.timer = new SessionTimer({
      refresh: () => {
        void this.#refresh();
      },
      expired: () => {
        this.#hangUp({ by: 'timeout', reason: 'session timer expired' }, 'SIP;cause=408;text="Session timer expired"');
      },
    });
  }

  get remoteTag(): string | undefined {
    return this.dialog?.remoteTag;
  }

  onEnd(handler: (end: SessionEnd) => void): void {
    if (this.#end === undefined) {
      this.#onEnd.push(handler);
    } else {
      handler(this.#end);
    }
  }

  onReinvite(handler: (reinvite: IncomingRequest) => void): void {
    this.#onReinvite = handler;
  }

  onRequest(handler: (request: IncomingRequest) => void): void {
    this.#onRequest = handler;
  }

  async bye(options?: RequestOptions): Promise<void> {
    if (this.state === 'ended') {
      return;
    }
    const dialog = this.dialog;
    if (this.state === 'early' || dialog === undefined) {
      this.abandon(options);
      return;
    }
    this.ended({ by: 'local' }, false);
    if (this.answer?.waiting === true) {
      // RFC 3261 15: not before the ACK for our 2xx.
      await this.answer.settled;
    }
    await this.#sendBye(dialog, options);
    this.close();
  }

  async reinvite(sdp: string | undefined, options: ReinviteOptions = {}): Promise<SipMessage> {
    const dialog = this.#confirmed();
    if (this.#ourInvite !== undefined || (this.#theirInvite !== undefined && options.crossing !== true)) {
      throw new SidekickError('SK_CONFLICT', 'A re-INVITE is already under way in this dialog', {
        next: 'Wait for its final response.',
      });
    }
    const request = dialog.request('INVITE');
    const body = sdp === undefined ? {} : { body: sdp };
    this.host.dress(request, { ...options, ...body });
    this.#addSessionExpires(request);
    const transaction = this.#send(dialog, request);
    this.#ourInvite = transaction;
    const response = await this.#final(transaction, (final) => {
      this.#ourInvite = undefined;
      if (final.status < 300) {
        const answer = sdp === undefined ? (options.ackSdp?.(final) ?? this.localSdp) : undefined;
        this.localSdp = sdp ?? answer ?? this.localSdp;
        this.sendAck(dialog, final, answer);
      }
    });
    if (response.status < 300) {
      dialog.refreshTarget(response);
      this.remoteSdp = response.body === '' ? this.remoteSdp : response.body;
      this.restartTimer(parseSessionExpires(response.get('session-expires')), true);
    }
    return response;
  }

  async request(method: string, options?: RequestOptions): Promise<SipMessage> {
    return await this.requestIn(this.#alive(), method, options);
  }

  close(): void {
    this.ended({ by: 'local' }, true);
  }

  /** The user agent: an ACK for a 2xx of ours. */
  receiveAck(ack: SipMessage): void {
    if (this.answer?.cseq === ack.cseq.number) {
      this.answer.acked(ack);
    }
  }

  /** The user agent: a request with our tag. */
  receive(transaction: ServerTransaction): void {
    const request = transaction.request;
    const dialog = this.dialogOf(request);
    if (dialog === undefined || this.state === 'ended') {
      transaction.respond(SipMessage.response(481));
      return;
    }
    if (dialog.remoteCSeq !== undefined && request.cseq.number < dialog.remoteCSeq) {
      transaction.respond(SipMessage.response(500, 'CSeq out of order'));
      return;
    }
    dialog.remoteCSeq = request.cseq.number;
    dialog.learn(transaction.source);
    switch (request.method) {
      case 'BYE':
        transaction.respond(this.host.dress(SipMessage.response(200), undefined));
        this.remoteEnded(request.get('reason'));
        return;
      case 'INVITE':
        this.#receiveInvite(dialog, transaction);
        return;
      case 'UPDATE':
        this.#receiveUpdate(dialog, transaction);
        return;
      case 'PRACK':
        this.receivePrack(transaction);
        return;
      default:
        offerRequest(this.#onRequest, transaction, this.host.dress);
    }
  }

  /** The dialog that a request of the peer belongs to. */
  protected abstract dialogOf(request: SipMessage): Dialog | undefined;
  /** `bye()` before the dialog was confirmed. */
  protected abstract abandon(options: RequestOptions | undefined): void;
  /** Stops what runs before the dialog was confirmed, without a word to the peer. */
  protected abstract closeEarly(): void;

  protected receivePrack(transaction: ServerTransaction): void {
    transaction.respond(SipMessage.response(481));
  }

  protected remoteEnded(reason: string | undefined): void {
    this.ended(reason === undefined ? { by: 'remote' } : { by: 'remote', reason }, true);
  }

  /** `forget` is false while a BYE is still to be sent. */
  protected ended(end: SessionEnd, forget: boolean): void {
    const first = this.#end === undefined;
    this.#end ??= end;
    if (first) {
      this.state = 'ended';
      this.timer.stop();
      this.closeEarly();
    }
    if (forget) {
      this.answer?.close();
      this.answer = undefined;
      this.#theirInvite?.respond(SipMessage.response(487));
      this.#theirInvite = undefined;
      this.#acks.clear();
      this.host.forget(this);
      for (const reject of [...this.#waiting]) {
        reject(gone());
      }
      this.#waiting.clear();
    }
    if (first) {
      for (const handler of this.#onEnd.splice(0)) {
        handler(end);
      }
    }
  }

  /** ACK for a 2xx; kept to be sent again when the 2xx is repeated. */
  protected sendAck(dialog: Dialog, response: SipMessage, sdp: string | undefined): void {
    const ack = dialog.request('ACK', response.cseq.number);
    if (sdp !== undefined) {
      this.host.dress(ack, { body: sdp });
    }
    this.#acks.set(ackKey(response), this.host.stack.sendStateless(ack, this.#hop(dialog)));
  }

  /** True if the 2xx is a repetition, whose ACK was sent again. */
  protected repeatAck(response: SipMessage): boolean {
    const again = this.#acks.get(ackKey(response));
    again?.();
    return again !== undefined;
  }

  /** Sends an in-dialog request other than INVITE and waits for the final response. */
  protected async requestIn(dialog: Dialog, method: string, options?: RequestOptions): Promise<SipMessage> {
    const request = dialog.request(method);
    this.host.dress(request, options);
    const response = await this.#final(this.#send(dialog, request), () => undefined);
    if (method === 'UPDATE' && response.status < 300) {
      dialog.refreshTarget(response);
      this.restartTimer(parseSessionExpires(response.get('session-expires')), true);
    }
    return response;
  }

  protected async sendByeIn(dialog: Dialog, options?: RequestOptions): Promise<void> {
    await this.#sendBye(dialog, options);
  }

  /** Starts the timer that both sides agreed on; `weAreUac` of the exchange that carried it. */
  protected restartTimer(agreed: SessionExpires | undefined, weAreUac: boolean): void {
    if (agreed !== undefined && this.state !== 'ended') {
      this.timer.start(agreed.seconds, (agreed.refresher ?? 'uac') === (weAreUac ? 'uac' : 'uas'));
    }
  }

  /** Sends a 2xx to an INVITE and keeps it until the ACK. */
  protected keepAnswer(
    transaction: ServerTransaction,
    response: SipMessage,
    done: (ack: SipMessage | undefined) => void,
  ): boolean {
    const keeper = new AnswerKeeper(transaction, response, this.host.stack.timers);
    this.answer = keeper;
    return keeper.start((ack) => {
      if (this.answer === keeper) {
        this.answer = undefined;
      }
      done(ack);
    });
  }

  #receiveInvite(dialog: Dialog, transaction: ServerTransaction): void {
    if (this.#ourInvite !== undefined) {
      transaction.respond(SipMessage.response(491));
      return;
    }
    if (this.#theirInvite !== undefined || this.answer?.waiting === true || this.state === 'early') {
      transaction.respond(SipMessage.response(500).set('Retry-After', 2));
      return;
    }
    const timer = negotiateTimer(transaction, this.host.minSessionExpires);
    if (timer === undefined) {
      return;
    }
    this.#theirInvite = transaction;
    transaction.onCancel(() => {
      if (transaction.respond(SipMessage.response(487))) {
        this.#theirInvite = undefined;
      }
    });
    offerRequest(this.#onReinvite, transaction, this.host.dress, (response) => {
      this.#theirInvite = undefined;
      if (response.status >= 300) {
        transaction.respond(response);
        return;
      }
      this.#answerReinvite(dialog, transaction, response, timer.agreed);
    });
  }

  #answerReinvite(
    dialog: Dialog,
    transaction: ServerTransaction,
    response: SipMessage,
    agreed: SessionExpires | undefined,
  ): void {
    const offer = transaction.request.body;
    this.#bodyOfAnswer(response);
    addAgreed(response, agreed);
    response.set('Contact', dialog.contact);
    const sent = this.keepAnswer(transaction, response, (ack) => {
      if (ack === undefined && this.state === 'confirmed') {
        this.#hangUp({ by: 'timeout', reason: 'no ACK' }, 'SIP;cause=408;text="ACK timeout"');
      } else if (ack !== undefined && offer === '' && ack.body !== '') {
        this.remoteSdp = ack.body;
      }
    });
    if (sent) {
      dialog.refreshTarget(transaction.request);
      this.remoteSdp = offer === '' ? this.remoteSdp : offer;
      this.restartTimer(agreed, false);
    }
  }

  #receiveUpdate(dialog: Dialog, transaction: ServerTransaction): void {
    const offer = transaction.request.body;
    if (offer !== '' && (this.#ourInvite !== undefined || this.#theirInvite !== undefined)) {
      transaction.respond(SipMessage.response(491));
      return;
    }
    const timer = negotiateTimer(transaction, this.host.minSessionExpires);
    if (timer === undefined) {
      return;
    }
    offerRequest(offer === '' ? undefined : this.#onReinvite, transaction, this.host.dress, (response) => {
      if (response.status < 300) {
        if (offer !== '') {
          this.#bodyOfAnswer(response);
          this.remoteSdp = offer;
        }
        addAgreed(response, timer.agreed);
        response.set('Contact', dialog.contact);
        dialog.refreshTarget(transaction.request);
        this.restartTimer(timer.agreed, false);
      }
      transaction.respond(response);
    });
  }

  #bodyOfAnswer(response: SipMessage): void {
    if (response.body === '' && this.localSdp !== undefined) {
      response.body = this.localSdp;
      response.set('Content-Type', 'application/sdp');
    }
    this.localSdp = response.body === '' ? this.localSdp : response.body;
  }

  /** Our turn to refresh: re-INVITE with the last SDP (RFC 4028 10). */
  async #refresh(): Promise<void> {
    try {
      const response = await this.reinvite(this.localSdp);
      if (response.status === 491 || response.status === 500) {
        this.timer.retry(2100 + Math.random() * 1900);
      } else if (response.status >= 300 && this.state === 'confirmed') {
        this.#hangUp(
          { by: 'timeout', reason: `refresh refused: ${response.status}` },
          'SIP;cause=408;text="Refresh refused"',
        );
      } else if (!response.has('session-expires') && this.state === 'confirmed') {
        this.timer.start(this.timer.seconds, true);
      }
    } catch {
      // A re-INVITE of somebody else is under way, or the session has ended (then retry() is undone by stop()).
      if (this.state === 'confirmed') {
        this.timer.retry(2100);
      }
    }
  }

  #hangUp(end: SessionEnd, reason: string): void {
    const dialog = this.dialog;
    if (this.state === 'confirmed' && dialog !== undefined) {
      this.ended(end, false);
      void this.#sendBye(dialog, { headers: { Reason: reason } }).then(() => {
        this.close();
      });
    }
  }

  async #sendBye(dialog: Dialog, options: RequestOptions | undefined): Promise<void> {
    const request = this.host.dress(dialog.request('BYE'), options);
    try {
      await new Promise<void>((resolve, reject) => {
        const leave = this.#track(reject);
        this.#send(dialog, request).onResponse((response) => {
          if (response.status >= 200) {
            leave();
            resolve();
          }
        });
      });
    } catch {
      // The stack or the session was closed before the answer came: the dialog is over either way.
      return;
    }
  }

  #send(dialog: Dialog, request: SipMessage): ClientTransaction {
    return this.host.stack.send(request, this.#hop(dialog));
  }

  #hop(dialog: Dialog): ReturnType<Dialog['nextHop']> {
    return dialog.nextHop((peer) => this.host.stack.hasFlow(peer));
  }

  #final(transaction: ClientTransaction, first: (response: SipMessage) => void): Promise<SipMessage> {
    return new Promise((resolve, reject) => {
      const leave = this.#track(reject);
      let done = false;
      transaction.onResponse((response, internal) => {
        if (response.status < 200) {
          return;
        }
        if (done) {
          this.repeatAck(response);
          return;
        }
        done = true;
        leave();
        if (this.state !== 'ended' || response.status < 300) {
          first(response);
        }
        resolve(response);
        const { method } = transaction.request;
        // RFC 3261 12.2.1.2: the peer does not know the dialog, or does not answer at all. A PRACK that comes too late
        // gets 481 as well, and means nothing.
        if (method !== 'PRACK' && (response.status === 481 || (response.status === 408 && internal))) {
          this.#lost(internal, response);
        }
      });
    });
  }

  #lost(silent: boolean, response: SipMessage): void {
    const end: SessionEnd = { by: silent ? 'timeout' : 'remote', reason: `${response.status} ${response.reason}` };
    if (silent && this.state === 'confirmed') {
      this.#hangUp(end, 'SIP;cause=408;text="Request timeout"');
    } else {
      this.ended(end, true);
    }
  }

  #track(reject: (error: Error) => void): () => void {
    this.#waiting.add(reject);
    return () => {
      this.#waiting.delete(reject);
    };
  }

  #addSessionExpires(request: SipMessage): void {
    if (this.timer.seconds > 0 && !request.has('session-expires')) {
      request.set('Session-Expires', `${this.timer.seconds};refresher=${this.timer.weRefresh ? 'uac' : 'uas'}`);
      request.set('Min-SE', Math.max(this.host.minSessionExpires, parseSeconds(request.get('min-se')) ?? 0));
    }
  }

  #alive(): Dialog {
    if (this.dialog === undefined || this.state === 'ended') {
      throw gone();
    }
    return this.dialog;
  }

  #confirmed(): Dialog {
    const dialog = this.#alive();
    if (this.state !== 'confirmed') {
      throw new SidekickError('SK_CONFLICT', 'The dialog is not confirmed yet');
    }
    return dialog;
  }
}

function ackKey(response: SipMessage): string {
  return `${response.toTag ?? ''} ${response.cseq.number}`;
}

export function gone(): SidekickError {
  return new SidekickError('SK_LEG_GONE', 'The SIP dialog has ended', { next: 'Do not use this session any more.' });
}
