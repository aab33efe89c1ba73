/** The state of one dialog (RFC 3261 12): who is who, the next CSeq, the way to the peer. Makes requests, sends nothing. */
import { isIP } from 'node:net';
import { withoutParams } from './header-values';
import { SipMessage } from './message';
import type { Peer } from './types';
import { parseNameAddr, parseUri, peerOfUri } from './uri';

export interface DialogInit {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string | undefined;
  /** From/To values without tags. */
  readonly local: string;
  readonly remote: string;
  readonly routeSet: readonly string[];
  readonly remoteTarget: string;
  readonly localCSeq: number;
  readonly remoteCSeq: number | undefined;
  /** Where the dialog's messages came from, or went to. */
  readonly peer: Peer;
  readonly contact: string;
}

export class Dialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string | undefined;
  readonly local: string;
  readonly remote: string;
  readonly routeSet: readonly string[];
  readonly contact: string;
  remoteTarget: string;
  localCSeq: number;
  remoteCSeq: number | undefined;
  #peer: Peer;

  constructor(init: DialogInit) {
    this.callId = init.callId;
    this.localTag = init.localTag;
    this.remoteTag = init.remoteTag;
    this.local = init.local;
    this.remote = init.remote;
    this.routeSet = init.routeSet;
    this.remoteTarget = init.remoteTarget;
    this.localCSeq = init.localCSeq;
    this.remoteCSeq = init.remoteCSeq;
    this.contact = init.contact;
    this.#peer = init.peer;
  }

  /** RFC 3261 12.1.1: of a request that came in. */
  static ofRequest(request: SipMessage, localTag: string, source: Peer, contact: string): Dialog {
    return new Dialog({
      callId: request.callId,
      localTag,
      remoteTag: request.fromTag,
      local: withoutParams(request.get('to') ?? ''),
      remote: withoutParams(request.get('from') ?? ''),
      routeSet: request.list('record-route'),
      remoteTarget: contactUri(request) ?? parseNameAddr(request.get('from') ?? '')?.uri ?? request.uri,
      localCSeq: request.cseq.number,
      remoteCSeq: request.cseq.number,
      peer: source,
      contact,
    });
  }

  /** RFC 3261 12.1.2: of a request that we sent and a response that made it. */
  static ofResponse(request: SipMessage, response: SipMessage, target: Peer, contact: string): Dialog {
    return new Dialog({
      callId: request.callId,
      localTag: request.fromTag ?? '',
      remoteTag: response.toTag,
      local: withoutParams(request.get('from') ?? ''),
      remote: withoutParams(response.get('to') ?? ''),
      routeSet: response.list('record-route').reverse(),
      remoteTarget: contactUri(response) ?? request.uri,
      localCSeq: request.cseq.number,
      remoteCSeq: undefined,
      peer: target,
      contact,
    });
  }

  /** The next in-dialog request: own CSeq, route set, tags. `cseq` is given for an ACK only. */
  request(method: string, cseq?: number): SipMessage {
    const number = cseq ?? ++this.localCSeq;
    const first = this.routeSet[0];
    const strict = first !== undefined && parseUri(parseNameAddr(first)?.uri ?? '')?.params.has('lr') !== true;
    const routes = strict ? [...this.routeSet.slice(1), `<${this.remoteTarget}>`] : this.routeSet;
    const uri = strict ? (parseNameAddr(first)?.uri ?? this.remoteTarget) : this.remoteTarget;
    const request = SipMessage.request(method, uri);
    for (const route of routes) {
      request.add('Route', route);
    }
    request
      .add('Max-Forwards', 70)
      .add('From', `${this.local};tag=${this.localTag}`)
      .add('To', this.remoteTag === undefined ? this.remote : `${this.remote};tag=${this.remoteTag}`)
      .add('Call-ID', this.callId)
      .add('CSeq', `${number} ${method}`);
    if (['INVITE', 'SUBSCRIBE', 'UPDATE', 'REFER', 'NOTIFY'].includes(method)) {
      request.add('Contact', this.contact);
    }
    return request;
  }

  /** A message of the peer came from there: connections of the peer may change during a call. */
  learn(source: Peer): void {
    this.#peer = source;
  }

  /** Takes over a new Contact (target refresh, RFC 3261 12.2). */
  refreshTarget(message: SipMessage): void {
    this.remoteTarget = contactUri(message) ?? this.remoteTarget;
  }

  /**
   * Where requests go. Names are not resolved: they mean the peer that was seen. An open connection of the peer is used
   * again; a UDP peer without Record-Route is answered where it sends from (NAT).
   */
  nextHop(hasFlow: (peer: Peer) => boolean): Peer {
    const uri = parseNameAddr(this.routeSet[0] ?? '')?.uri ?? this.remoteTarget;
    const wanted = peerOfUri(uri);
    const seen = this.#peer;
    if (wanted === undefined) {
      return seen;
    }
    const named = isIP(wanted.address) === 0;
    if (seen.protocol === 'udp') {
      return named || (this.routeSet.length === 0 && wanted.protocol === 'udp') ? seen : wanted;
    }
    if (!hasFlow(seen)) {
      return named ? { ...wanted, address: seen.address, ...nameOf(wanted.address) } : wanted;
    }
    return named || (wanted.protocol === seen.protocol && wanted.address === seen.address) ? seen : wanted;
  }
}

function nameOf(serverName: string): { serverName: string } {
  return { serverName };
}

/** URI of the first Contact; undefined if there is none or it is malformed. */
export function contactUri(message: SipMessage): string | undefined {
  const first = message.list('contact')[0];
  const uri = first === undefined ? undefined : parseNameAddr(first)?.uri;
  return uri !== undefined && parseUri(uri) !== undefined ? uri : undefined;
}
