/**
 * Requests that an application hands over to be proxied (RFC 3261 16, wire reference 1.10): serial or simultaneous forks,
 * best response upstream. With Record-Route the later requests of the dialog pass through without the application.
 */
import { SipMessage } from '../sip/message';
import type { ServerTransaction } from '../sip/types';
import { formatHostPort, parseNameAddr, parseUri, peerOfUri } from '../sip/uri';
import type { AdminClient } from './admin-client';
import type { AppMessage } from './app-message';
import type { Incoming } from './incoming';
import { ProxyFork, type ProxyForkOptions } from './proxy-fork';
import type { ServerContext } from './server-context';

export class Proxy {
  readonly #context: ServerContext;
  readonly #incoming: Incoming;
  readonly #forks = new Set<ProxyFork>();

  constructor(context: ServerContext, incoming: Incoming) {
    this.#context = context;
    this.#incoming = incoming;
  }

  close(): void {
    for (const fork of this.#forks) {
      fork.close();
    }
    this.#forks.clear();
  }

  /** The `proxy` command; `tokens` are those after the verb. */
  start(client: AdminClient, commandId: string, tokens: readonly string[], app: AppMessage): void {
    const [transactionId = '', remain = '', full = '', follow = '', order = '', provisional = ''] = tokens;
    const destinations = tokens.slice(7).filter((uri) => uri !== '');
    const transaction = this.#incoming.transactionOf(transactionId);
    if (transaction === undefined) {
      this.#refuse(client, commandId, `Unknown transaction id: ${transactionId}`);
      return;
    }
    const bad = destinations.find((uri) => !this.#reachable(uri));
    if (bad !== undefined || destinations.length === 0) {
      this.#refuse(client, commandId, `error proxying request to ${bad ?? 'nowhere'}`);
      return;
    }
    this.#incoming.release(transactionId);
    if (Number(transaction.request.get('max-forwards') ?? '70') === 0) {
      transaction.respond(SipMessage.response(483));
      this.#refuse(client, commandId, 'Rejected with 483 Too Many Hops due to Max-Forwards value of 0');
      return;
    }
    const options: ProxyForkOptions = {
      stack: this.#context.stack,
      transaction,
      destinations,
      simultaneous: order === 'simultaneous',
      followRedirects: follow !== '',
      provisionalMs: milliseconds(provisional),
      headers: app.headers,
      rewriteUri: this.#isMine(transaction.request.uri),
      recordRoute: remain === '' ? undefined : this.#recordRoute(transaction),
      onFinal: (meta, response) => {
        if (full !== '') {
          client.sent(commandId, meta, '||continue', response);
        }
      },
      onDone: () => {
        this.#forks.delete(fork);
        client.reply(commandId, 'OK|done');
      },
    };
    const fork: ProxyFork = new ProxyFork(options);
    this.#forks.add(fork);
    fork.start();
  }

  /** True if the request has our Record-Route address on top of its Route: it goes on to the next hop. */
  pass(transaction: ServerTransaction): boolean {
    const next = transaction.request.toTag === undefined ? undefined : this.#withoutOurRoute(transaction.request);
    if (next === undefined) {
      return false;
    }
    const hops = Number(next.get('max-forwards') ?? '70');
    const target = peerOfUri(parseNameAddr(next.list('route')[0] ?? '')?.uri ?? next.uri);
    if (hops === 0 || target === undefined) {
      transaction.respond(SipMessage.response(hops === 0 ? 483 : 404));
      return true;
    }
    next.set('Max-Forwards', hops - 1);
    const forwarded = this.#context.stack.send(next, target);
    forwarded.onResponse((response) => {
      if (response.status > 100) {
        transaction.respond(response.clone());
      }
    });
    transaction.onCancel(() => {
      forwarded.cancel();
    });
    return true;
  }

  /** The same for the ACK of a 2xx. */
  passAck(ack: SipMessage): boolean {
    const next = this.#withoutOurRoute(ack);
    const target =
      next === undefined ? undefined : peerOfUri(parseNameAddr(next.list('route')[0] ?? '')?.uri ?? next.uri);
    if (next === undefined || target === undefined) {
      return false;
    }
    this.#context.stack.sendStateless(next, target);
    return true;
  }

  #withoutOurRoute(request: SipMessage): SipMessage | undefined {
    const routes = request.list('route');
    const top = parseNameAddr(routes[0] ?? '')?.uri;
    if (top === undefined || !this.#isMine(top) || parseUri(top)?.params.has('lr') !== true) {
      return undefined;
    }
    const rest = routes.slice(1);
    const copy = request.clone();
    return rest.length === 0 ? copy.remove('route') : copy.set('Route', rest);
  }

  #recordRoute(transaction: ServerTransaction): string {
    const { address, port, protocol } = transaction.receivedOn;
    const transport = protocol === 'udp' ? '' : `;transport=${protocol}`;
    return `<sip:${formatHostPort(address, port)}${transport};lr>`;
  }

  #isMine(uri: string): boolean {
    const peer = peerOfUri(uri);
    return this.#context.stack.listening.some((own) => own.address === peer?.address && own.port === peer.port);
  }

  #reachable(uri: string): boolean {
    const peer = peerOfUri(uri);
    return peer !== undefined && this.#context.stack.localFor(peer.protocol) !== undefined;
  }

  #refuse(client: AdminClient, commandId: string, text: string): void {
    this.#context.counters.refusedCommands++;
    client.refuse(commandId, text);
  }
}

/** `500ms`, `5s`; undefined for anything else. */
function milliseconds(text: string): number | undefined {
  const match = /^(\d{1,6})(ms|s)$/.exec(text);
  return match?.[1] === undefined ? undefined : Number(match[1]) * (match[2] === 's' ? 1000 : 1);
}
