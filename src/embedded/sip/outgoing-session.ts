/** UAC side of an INVITE: provisional responses of several forks, PRACK, answer, CANCEL and its race with the 200. */
import { SidekickError } from '../../lib/errors';
import { Dialog } from './dialog';
import { listHas, parseSeconds, parseSessionExpires, withoutParams } from './header-values';
import { SipMessage } from './message';
import { BaseSession, gone, type SessionHost } from './session';
import type { ClientTransaction, InviteOptions, OutgoingSession, Peer, RequestOptions } from './types';

/** The INVITE was not accepted. */
export class SipRejected extends Error {
  readonly status: number;
  readonly reason: string;
  /** Undefined if we gave up ourselves. */
  readonly response: SipMessage | undefined;

  constructor(status: number, reason: string, response?: SipMessage) {
    super(`INVITE refused: ${status} ${reason}`);
    this.name = 'SipRejected';
    this.status = status;
    this.reason = reason;
    this.response = response;
  }
}

export interface OutgoingInit {
  readonly uri: string;
  readonly target: Peer;
  readonly from: string;
  readonly to: string;
  readonly contact: string;
  readonly callId: string;
  readonly localTag: string;
  readonly options: InviteOptions;
}

interface Fork {
  readonly dialog: Dialog;
  lastRSeq: number | undefined;
}

export class OutgoingSessionImpl extends BaseSession implements OutgoingSession {
  readonly answered: Promise<SipMessage>;
  readonly callId: string;
  readonly localTag: string;
  readonly #init: OutgoingInit;
  readonly #forks = new Map<string, Fork>();
  readonly #onProgress: ((response: SipMessage) => void)[] = [];
  #invite: SipMessage;
  #transaction: ClientTransaction;
  #settle: { resolve: (response: SipMessage) => void; reject: (error: Error) => void } | undefined;
  #cancelled = false;

  constructor(host: SessionHost, init: OutgoingInit) {
    super(host);
    this.#init = init;
    this.callId = init.callId;
    this.localTag = init.localTag;
    this.localSdp = init.options.sdp;
    this.answered = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.answered.catch(() => undefined);
    this.#invite = this.#makeInvite(1 + Math.floor(Math.random() * 1_000_000), init.options.sessionExpires);
    this.#transaction = this.#send(this.#invite);
  }

  get invite(): SipMessage {
    return this.#invite;
  }

  onProgress(handler: (response: SipMessage) => void): void {
    this.#onProgress.push(handler);
  }

  cancel(options?: RequestOptions): void {
    if (this.state !== 'early' || this.#cancelled) {
      return;
    }
    this.#cancelled = true;
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(options?.headers ?? {})) {
      headers[name] = typeof value === 'string' ? value : value.join(', ');
    }
    this.#transaction.cancel(headers);
  }

  protected override dialogOf(request: SipMessage): Dialog | undefined {
    if (this.state === 'confirmed') {
      return this.dialog?.remoteTag === request.fromTag ? this.dialog : undefined;
    }
    return this.#forks.get(request.fromTag ?? '')?.dialog;
  }

  protected override abandon(options: RequestOptions | undefined): void {
    this.cancel(options);
  }

  protected override closeEarly(): void {
    this.#settle?.reject(this.#cancelled ? new SipRejected(487, 'Request Terminated') : gone());
    this.#settle = undefined;
    this.#forks.clear();
  }

  #makeInvite(cseq: number, sessionExpires: number | undefined): SipMessage {
    const { uri, from, to, contact, options } = this.#init;
    const invite = SipMessage.request('INVITE', uri);
    invite
      .add('Max-Forwards', 70)
      .add('From', `${withoutParams(from)};tag=${this.localTag}`)
      .add('To', to)
      .add('Call-ID', this.callId)
      .add('CSeq', `${cseq} INVITE`)
      .add('Contact', contact);
    const body = options.sdp === undefined ? {} : { body: options.sdp };
    this.host.dress(invite, { ...options, ...body });
    if (sessionExpires !== undefined) {
      invite.set('Session-Expires', sessionExpires);
      invite.set('Min-SE', Math.min(this.host.minSessionExpires, sessionExpires));
    }
    return invite;
  }

  #send(invite: SipMessage): ClientTransaction {
    const transaction = this.host.stack.send(invite, this.#init.target);
    transaction.onResponse((response, internal) => {
      if (transaction.request === this.#invite) {
        this.#receive(response, internal);
      }
    });
    return transaction;
  }

  #receive(response: SipMessage, internal: boolean): void {
    if (response.status === 100) {
      return;
    }
    if (response.status < 200) {
      this.#progress(response);
    } else if (response.status < 300) {
      this.#accepted(response);
    } else {
      this.#refused(response, internal);
    }
  }

  #progress(response: SipMessage): void {
    if (this.state !== 'early') {
      return;
    }
    if (response.toTag !== undefined) {
      const fork = this.#fork(response, response.toTag);
      this.dialog = fork.dialog;
      if (!this.#prack(fork, response)) {
        return;
      }
    }
    if (response.body !== '') {
      this.remoteSdp = response.body;
    }
    for (const handler of this.#onProgress) {
      handler(response);
    }
  }

  #fork(response: SipMessage, tag: string): Fork {
    const known = this.#forks.get(tag);
    if (known !== undefined) {
      known.dialog.refreshTarget(response);
      return known;
    }
    const dialog = Dialog.ofResponse(this.#invite, response, this.#init.target, this.#init.contact);
    const fork: Fork = { dialog, lastRSeq: undefined };
    this.#forks.set(tag, fork);
    return fork;
  }

  /** RFC 3262 4: each in order, once. False for a repetition or one out of order, which nobody shall see. */
  #prack(fork: Fork, response: SipMessage): boolean {
    const rseq = parseSeconds(response.get('rseq'));
    if (rseq === undefined || !listHas(response.list('require').join(','), '100rel')) {
      return true;
    }
    if (fork.lastRSeq !== undefined && rseq !== fork.lastRSeq + 1) {
      return false;
    }
    fork.lastRSeq = rseq;
    const answer =
      this.#init.options.sdp === undefined && response.body !== '' ? this.#init.options.ackSdp?.(response) : undefined;
    this.localSdp = answer ?? this.localSdp;
    this.requestIn(fork.dialog, 'PRACK', {
      headers: { RAck: `${rseq} ${this.#invite.cseq.number} INVITE` },
      ...(answer === undefined ? {} : { body: answer }),
    }).catch(() => undefined);
    return true;
  }

  #accepted(response: SipMessage): void {
    if (this.repeatAck(response)) {
      return;
    }
    const tag = response.toTag;
    if (tag === undefined) {
      // Without a tag there is no dialog that could be used or ended.
      this.#refused(response, false);
      return;
    }
    const known = this.#forks.get(tag)?.dialog;
    const dialog = Dialog.ofResponse(this.#invite, response, this.#init.target, this.#init.contact);
    dialog.localCSeq = Math.max(dialog.localCSeq, known?.localCSeq ?? 0);
    dialog.remoteCSeq = known?.remoteCSeq;
    if (this.state !== 'early' || this.#cancelled) {
      this.#unwanted(dialog, response);
      return;
    }
    let answer: string | undefined;
    try {
      answer = this.#init.options.sdp === undefined ? this.#init.options.ackSdp?.(response) : undefined;
    } catch (error) {
      this.#settle?.reject(error instanceof Error ? error : new Error(String(error)));
      this.#settle = undefined;
      this.#unwanted(dialog, response);
      return;
    }
    this.dialog = dialog;
    this.state = 'confirmed';
    this.localSdp = answer ?? this.localSdp;
    this.remoteSdp = response.body === '' ? this.remoteSdp : response.body;
    this.sendAck(dialog, response, answer);
    this.restartTimer(parseSessionExpires(response.get('session-expires')), true);
    this.#forks.clear();
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.resolve(response);
  }

  /** A second fork answered, or the 200 crossed our CANCEL: ACK, then BYE (RFC 3261 13.2.2.4, 15). */
  #unwanted(dialog: Dialog, response: SipMessage): void {
    this.sendAck(dialog, response, this.#init.options.sdp === undefined ? (this.localSdp ?? '') : undefined);
    const bye = this.sendByeIn(dialog);
    if (this.state === 'early') {
      this.ended({ by: 'local' }, false);
      void bye.then(() => {
        this.close();
      });
    }
  }

  #refused(response: SipMessage, internal: boolean): void {
    if (this.state !== 'early') {
      return;
    }
    const minimum = parseSeconds(response.get('min-se'));
    const asked = parseSeconds(this.#invite.get('session-expires'));
    if (
      response.status === 422 &&
      minimum !== undefined &&
      asked !== undefined &&
      minimum > asked &&
      !this.#cancelled
    ) {
      this.#invite = this.#makeInvite(this.#invite.cseq.number + 1, minimum);
      this.#invite.set('Min-SE', minimum);
      this.#transaction = this.#send(this.#invite);
      return;
    }
    const reject = this.#settle?.reject;
    this.#settle = undefined;
    reject?.(new SipRejected(response.status, response.reason, response));
    const by = this.#cancelled ? 'local' : !internal ? 'remote' : response.status === 408 ? 'timeout' : 'transport';
    this.ended({ by, reason: response.get('reason') ?? `${response.status} ${response.reason}` }, true);
  }
}

/** @throws SidekickError SK_USAGE for a URI that names no peer. */
export function noTarget(uri: string): SidekickError {
  return new SidekickError('SK_USAGE', `No SIP peer can be derived from ${uri}`, {
    next: 'Give a sip: or sips: URI with a host, or a target.',
  });
}
