/** One proxied request: its branches, and the best of their responses (RFC 3261 16.7). */
import { SipMessage } from '../sip/message';
import type { SipStack } from '../sip/stack';
import type { ClientTransaction, Peer, ServerTransaction } from '../sip/types';
import { parseNameAddr, peerOfUri } from '../sip/uri';
import type { AppMessage } from './app-message';
import { metaOf, type MessageMeta } from './meta';
import { orderForWire } from './wire-order';

export interface ProxyForkOptions {
  readonly stack: SipStack;
  readonly transaction: ServerTransaction;
  readonly destinations: readonly string[];
  readonly simultaneous: boolean;
  readonly followRedirects: boolean;
  /** A branch without any response after this time is given up for the next one. */
  readonly provisionalMs: number | undefined;
  /** To be added to the forwarded requests. */
  readonly headers: AppMessage['headers'];
  /** The request was addressed to us: the destination becomes the request URI. */
  readonly rewriteUri: boolean;
  readonly recordRoute: string | undefined;
  readonly onFinal: (meta: MessageMeta, response: SipMessage) => void;
  readonly onDone: () => void;
}

interface Branch {
  readonly client: ClientTransaction;
  readonly target: Peer;
  timer: NodeJS.Timeout | undefined;
  over: boolean;
}

const MAX_TARGETS = 20;

export class ProxyFork {
  readonly #options: ProxyForkOptions;
  readonly #left: string[];
  readonly #branches: Branch[] = [];
  #tried = 0;
  #best: SipMessage | undefined;
  #state: 'open' | 'cancelled' | 'done' = 'open';

  constructor(options: ProxyForkOptions) {
    this.#options = options;
    this.#left = [...options.destinations];
    options.transaction.onCancel(() => {
      if (this.#state === 'open') {
        this.#state = 'cancelled';
        this.#left.length = 0;
        this.#cancelAll();
      }
    });
  }

  start(): void {
    if (this.#state !== 'open') {
      // Cancelled before it was begun.
      this.#options.transaction.respond(SipMessage.response(487));
      this.#done();
      return;
    }
    this.#next();
  }

  /** Forgets everything; sends nothing. */
  close(): void {
    this.#state = 'done';
    for (const branch of this.#branches) {
      clearTimeout(branch.timer);
    }
  }

  #next(): void {
    do {
      const uri = this.#left.shift();
      if (uri === undefined) {
        return;
      }
      this.#forward(uri);
    } while (this.#options.simultaneous);
  }

  #forward(uri: string): void {
    const target = peerOfUri(uri);
    if (target === undefined || ++this.#tried > MAX_TARGETS) {
      return;
    }
    const { transaction, recordRoute, headers, rewriteUri } = this.#options;
    const request = transaction.request.clone();
    if (rewriteUri) {
      request.uri = uri;
    }
    request.set('Max-Forwards', Number(request.get('max-forwards') ?? '71') - 1);
    for (const header of headers) {
      if (!['call-id', 'from', 'to', 'cseq'].includes(header.key)) {
        request.set(header.name, header.value);
      }
    }
    if (recordRoute !== undefined) {
      request.prepend(request.method === 'REGISTER' ? 'Path' : 'Record-Route', recordRoute);
    }
    const client = this.#options.stack.send(orderForWire(request), target);
    const branch: Branch = { client, target, timer: undefined, over: false };
    if (this.#options.provisionalMs !== undefined) {
      branch.timer = setTimeout(() => {
        client.cancel();
        this.#final(branch, SipMessage.response(408), false);
      }, this.#options.provisionalMs);
    }
    this.#branches.push(branch);
    client.onResponse((response) => {
      this.#received(branch, response);
    });
  }

  #received(branch: Branch, response: SipMessage): void {
    clearTimeout(branch.timer);
    if (response.status === 100 || this.#state === 'done') {
      if (response.status >= 200 && response.status < 300) {
        // The caller's stack sorts out repetitions and late forks.
        this.#options.transaction.respond(response.clone());
      }
      return;
    }
    if (response.status < 200) {
      this.#options.transaction.respond(response.clone());
      return;
    }
    this.#final(branch, response, true);
  }

  #final(branch: Branch, response: SipMessage, report: boolean): void {
    if (branch.over) {
      return;
    }
    branch.over = true;
    clearTimeout(branch.timer);
    if (report) {
      this.#options.onFinal(metaOf('network', response, branch.target), response);
    }
    if (response.status < 300) {
      this.#options.transaction.respond(response.clone());
      this.#left.length = 0;
      this.#cancelAll();
      this.#done();
      return;
    }
    this.#best = better(this.#best, response);
    if (response.status >= 600) {
      this.#left.length = 0;
      this.#cancelAll();
    } else if (this.#options.followRedirects && response.status < 400) {
      this.#left.unshift(...response.list('contact').flatMap((value) => parseNameAddr(value)?.uri ?? []));
    }
    if (this.#left.length > 0 && this.#state === 'open') {
      this.#next();
    }
    if (this.#branches.every((other) => other.over)) {
      const best = this.#best.clone();
      this.#options.transaction.respond(this.#state === 'cancelled' ? SipMessage.response(487) : best);
      this.#done();
    }
  }

  #cancelAll(): void {
    for (const branch of this.#branches) {
      if (!branch.over) {
        clearTimeout(branch.timer);
        branch.client.cancel();
      }
    }
  }

  #done(): void {
    if (this.#state !== 'done') {
      this.#state = 'done';
      this.#options.onDone();
    }
  }
}

/** 6xx first, then the lowest class; in 4xx those that the caller can repair. */
function better(known: SipMessage | undefined, other: SipMessage): SipMessage {
  const rank = (response: SipMessage): number => {
    const family = Math.floor(response.status / 100);
    const repairable = [401, 407, 415, 420, 484].includes(response.status) ? 0 : 0.5;
    return family === 6 ? 0 : family + repairable;
  };
  return known === undefined || rank(other) < rank(known) ? other : known;
}
