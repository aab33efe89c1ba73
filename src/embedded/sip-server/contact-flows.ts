/**
 * Connections of registered user agents (RFC 5626): what a browser or a phone behind NAT registered over TCP, TLS or WS is
 * reached over that connection, by the `user@host` of its Contact.
 */
import type { SipMessage } from '../sip/message';
import { parseSeconds } from '../sip/header-values';
import type { Peer } from '../sip/types';
import { parseNameAddr, parseUri } from '../sip/uri';

const MAX_CONTACTS = 10_000;

export class ContactFlows {
  readonly #flows = new Map<string, { peer: Peer; until: number }>();

  /** A REGISTER or SUBSCRIBE from `source` was answered 2xx. */
  remember(request: SipMessage, response: SipMessage, source: Peer, now: number = Date.now()): void {
    if (source.protocol === 'udp') {
      return;
    }
    const value = request.list('contact')[0];
    const contact = value === undefined ? undefined : parseNameAddr(value);
    const key = contactKey(contact?.uri);
    if (key === undefined) {
      return;
    }
    const seconds =
      parseSeconds(response.get('expires')) ??
      parseSeconds(contact?.params.get('expires')) ??
      parseSeconds(request.get('expires')) ??
      3600;
    this.#flows.delete(key);
    if (seconds > 0) {
      this.#makeRoom(now);
      this.#flows.set(key, { peer: source, until: now + seconds * 1000 });
    }
  }

  find(uri: string, now: number = Date.now()): Peer | undefined {
    const entry = this.#flows.get(contactKey(uri) ?? '');
    return entry !== undefined && entry.until > now ? entry.peer : undefined;
  }

  /** Entries are kept in the order of their registration; the oldest give way. */
  #makeRoom(now: number): void {
    for (const [key, entry] of this.#flows) {
      if (this.#flows.size < MAX_CONTACTS && entry.until > now) {
        return;
      }
      this.#flows.delete(key);
    }
  }
}

function contactKey(uri: string | undefined): string | undefined {
  const parsed = uri === undefined ? undefined : parseUri(uri);
  return parsed?.user === undefined ? undefined : `${parsed.user}@${parsed.host.toLowerCase()}`;
}
