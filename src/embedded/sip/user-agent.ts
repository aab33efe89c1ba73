/** The top of the SIP stack for everybody who makes and takes calls: sessions and out-of-dialog requests. */
import { newId, newToken } from '../../lib/ids';
import { listHas, withoutParams } from './header-values';
import { IncomingSessionImpl } from './incoming-session';
import { SipMessage } from './message';
import { noTarget, OutgoingSessionImpl } from './outgoing-session';
import type { BaseSession, SessionHost } from './session';
import type { SipStack } from './stack';
import type {
  IncomingRequest,
  IncomingSession,
  InviteOptions,
  OutgoingSession,
  Peer,
  RequestOptions,
  ServerTransaction,
  UserAgentOptions,
} from './types';
import { formatHostPort, peerOfUri } from './uri';

export { SipRejected } from './outgoing-session';

const ALLOW = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'INFO', 'UPDATE', 'PRACK', 'REFER', 'NOTIFY', 'MESSAGE'];
const SUPPORTED = ['100rel', 'timer'];

export interface OutOfDialogOptions extends RequestOptions {
  readonly target?: Peer;
  readonly from?: string;
  readonly to?: string;
  readonly contact?: string;
}

export class UserAgent {
  readonly stack: SipStack;
  readonly #options: UserAgentOptions;
  readonly #supported: readonly string[];
  readonly #allow: readonly string[];
  readonly #sessions = new Map<string, BaseSession>();
  /** INVITEs being answered, by Call-ID, From-tag and CSeq: the same one by another way is a loop (RFC 3261 8.2.2.2). */
  readonly #merging = new Map<string, BaseSession>();
  readonly #host: SessionHost;
  #onInvite: ((session: IncomingSession) => void) | undefined;
  #onRequest: ((request: IncomingRequest) => void) | undefined;

  /** Becomes the one owner of the stack's requests. */
  constructor(stack: SipStack, options: UserAgentOptions = {}) {
    this.stack = stack;
    this.#options = options;
    this.#supported = options.supported ?? SUPPORTED;
    this.#allow = options.allow ?? ALLOW;
    this.#host = {
      stack,
      // Asked each time: whoever made the options may change their mind.
      get minSessionExpires() {
        return options.minSessionExpires ?? 90;
      },
      dress: (message, extra) => this.#dress(message, extra),
      forget: (session) => {
        this.#forget(session);
      },
    };
    stack.onRequest((transaction) => {
      this.#receive(transaction);
    });
    stack.onAck((ack) => {
      this.#sessions.get(sessionKey(ack.callId, ack.toTag))?.receiveAck(ack);
    });
  }

  /** Live sessions, early ones included. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** Without a handler INVITEs get 480. */
  onInvite(handler: (session: IncomingSession) => void): void {
    this.#onInvite = handler;
  }

  /** Requests outside dialogs. Without a handler OPTIONS get 200, others 405. */
  onRequest(handler: (request: IncomingRequest) => void): void {
    this.#onRequest = handler;
  }

  /**
   * Sends an INVITE.
   * @throws SidekickError SK_USAGE if neither `options.target` nor the URI says where to.
   */
  invite(uri: string, options: InviteOptions = {}): OutgoingSession {
    const target = options.target ?? peerOfUri(uri);
    if (target === undefined) {
      throw noTarget(uri);
    }
    const contact = options.contact ?? this.#contact(target, this.stack.localFor(target.protocol));
    const session = new OutgoingSessionImpl(this.#host, {
      uri,
      target,
      from: options.from ?? contact,
      to: options.to ?? `<${uri}>`,
      contact,
      callId: options.callId ?? newId(),
      localTag: newToken(6),
      options,
    });
    this.#sessions.set(sessionKey(session.callId, session.localTag), session);
    return session;
  }

  /**
   * Sends a request outside a dialog (OPTIONS, REGISTER, MESSAGE…) and resolves to its final response; 408 and 503 are made
   * here when nobody answers.
   * @throws SidekickError SK_USAGE if neither `options.target` nor the URI says where to.
   */
  request(method: string, uri: string, options: OutOfDialogOptions = {}): Promise<SipMessage> {
    const target = options.target ?? peerOfUri(uri);
    if (target === undefined) {
      throw noTarget(uri);
    }
    const contact = options.contact ?? this.#contact(target, this.stack.localFor(target.protocol));
    const request = SipMessage.request(method, uri);
    request
      .add('Max-Forwards', 70)
      .add('From', `${withoutParams(options.from ?? contact)};tag=${newToken(6)}`)
      .add('To', options.to ?? `<${uri}>`)
      .add('Call-ID', newId())
      .add('CSeq', `1 ${method}`)
      .add('Contact', contact);
    this.#dress(request, options);
    return new Promise((resolve) => {
      this.stack.send(request, target).onResponse((response) => {
        if (response.status >= 200) {
          resolve(response);
        }
      });
    });
  }

  /** Closes all sessions without a word to their peers. The stack stays open: it is not ours. Idempotent. */
  close(): void {
    this.#onInvite = this.#onRequest = undefined;
    for (const session of [...this.#sessions.values()]) {
      session.close();
    }
  }

  #receive(transaction: ServerTransaction): void {
    const request = transaction.request;
    if (request.toTag !== undefined) {
      const session = this.#sessions.get(sessionKey(request.callId, request.toTag));
      if (session === undefined) {
        transaction.respond(SipMessage.response(481));
      } else {
        session.receive(transaction);
      }
      return;
    }
    const unknown = request.list('require').filter((option) => !this.#knows(option));
    if (unknown.length > 0) {
      transaction.respond(SipMessage.response(420).set('Unsupported', unknown.join(', ')));
      return;
    }
    if (request.method === 'INVITE') {
      this.#receiveInvite(transaction);
    } else {
      this.#receiveOther(transaction);
    }
  }

  #receiveInvite(transaction: ServerTransaction): void {
    const mergeKey = inviteKey(transaction.request);
    if (this.#merging.has(mergeKey)) {
      transaction.respond(SipMessage.response(482));
      return;
    }
    if (this.#onInvite === undefined) {
      transaction.respond(this.#dress(SipMessage.response(480), undefined));
      return;
    }
    const contact = this.#contact(transaction.source, transaction.receivedOn);
    const session = new IncomingSessionImpl(this.#host, transaction, newToken(6), contact);
    if (!session.offered) {
      return;
    }
    this.#sessions.set(sessionKey(session.callId, session.localTag), session);
    this.#merging.set(mergeKey, session);
    try {
      this.#onInvite(session);
    } catch (error) {
      session.reject(500);
      throw error;
    }
  }

  #receiveOther(transaction: ServerTransaction): void {
    const { request, source } = transaction;
    if (request.method === 'BYE' || request.method === 'PRACK' || request.method === 'UPDATE') {
      transaction.respond(SipMessage.response(481));
      return;
    }
    if (this.#onRequest === undefined) {
      const status = request.method === 'OPTIONS' ? 200 : 405;
      transaction.respond(this.#dress(SipMessage.response(status), { headers: { Allow: this.#allow.join(', ') } }));
      return;
    }
    this.#onRequest({
      message: request,
      source,
      respond: (status, reason, options) => {
        transaction.respond(this.#dress(SipMessage.response(status, reason), options));
      },
    });
  }

  #knows(option: string): boolean {
    return listHas(this.#supported.join(','), option);
  }

  #forget(session: BaseSession): void {
    this.#sessions.delete(sessionKey(session.callId, session.localTag));
    if (session instanceof IncomingSessionImpl) {
      this.#merging.delete(inviteKey(session.invite));
    }
  }

  #contact(peer: Peer, local: Peer | undefined): string {
    if (this.#options.contact !== undefined) {
      return bracketed(this.#options.contact);
    }
    const address = local?.address ?? '127.0.0.1';
    const port = local?.port === undefined || local.port === 0 ? undefined : local.port;
    const transport = peer.protocol === 'udp' ? '' : `;transport=${peer.protocol}`;
    return `<sip:${formatHostPort(address, port)}${transport}>`;
  }

  #dress(message: SipMessage, options: RequestOptions | undefined): SipMessage {
    const { userAgent } = this.#options;
    if (userAgent !== undefined) {
      message.set(message.isRequest ? 'User-Agent' : 'Server', userAgent);
    }
    const dialogForming = message.isRequest
      ? ['INVITE', 'UPDATE', 'OPTIONS'].includes(message.method)
      : message.status >= 200 && message.status < 300;
    if (dialogForming) {
      message.set('Allow', this.#allow.join(', '));
      message.set('Supported', this.#supported.join(', '));
    }
    for (const [name, value] of Object.entries(options?.headers ?? {})) {
      message.set(name, value);
    }
    if (options?.body !== undefined && options.body !== '') {
      message.body = options.body;
      message.set('Content-Type', options.contentType ?? message.get('content-type') ?? 'application/sdp');
    }
    return message;
  }
}

function bracketed(contact: string): string {
  return contact.includes('<') ? contact : `<${contact}>`;
}

function sessionKey(callId: string, localTag: string | undefined): string {
  return `${callId};${localTag ?? ''}`;
}

function inviteKey(invite: SipMessage): string {
  return `${invite.callId};${invite.fromTag ?? ''};${invite.cseq.number}`;
}
