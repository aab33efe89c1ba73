/** What the parts of the embedded SIP server share. */
import type { Log } from '../../lib/log';
import type { SipMessage } from '../sip/message';
import type { SipStack } from '../sip/stack';
import type { Peer } from '../sip/types';
import { formatHostPort } from '../sip/uri';
import type { ClientRegistry } from './client-registry';
import type { ContactFlows } from './contact-flows';
import type { DialogTable } from './server-dialog';

export interface ServerCounters {
  /** Requests handed to applications. */
  requestsIn: number;
  /** Requests sent for applications. */
  requestsOut: number;
  /** Requests that no application wanted (503) or could still take (481). */
  unrouted: number;
  /** Commands refused with NOK or NO. */
  refusedCommands: number;
  /** BYEs that the server sent by itself. */
  ownByes: number;
  /** Requests that an application left unanswered. */
  unanswered: number;
}

export interface ServerContext {
  readonly stack: SipStack;
  readonly registry: ClientRegistry;
  readonly dialogs: DialogTable;
  readonly contacts: ContactFlows;
  readonly counters: ServerCounters;
  readonly log: Log;
  /** Smallest session interval, seconds. */
  readonly minSessionExpires: number;
}

/** The server's own Contact on that transport: `<sip:host:port;transport=x>`, on TLS `<sips:…>`. */
export function ownContact(local: Peer): string {
  const hostPort = formatHostPort(local.address, local.port);
  if (local.protocol === 'udp') {
    return `<sip:${hostPort}>`;
  }
  return `<${local.protocol === 'tls' ? 'sips' : 'sip'}:${hostPort};transport=${local.protocol}>`;
}

/** Headers in which an application may write `localhost` for the address of the chosen transport. */
const LOCALISED = ['from', 'to', 'contact', 'p-asserted-identity'];

export function replaceLocalhost(message: SipMessage, local: Peer): void {
  for (const name of LOCALISED) {
    const value = message.get(name);
    if (value?.includes('localhost') === true) {
      const hostPort = formatHostPort(local.address, local.port);
      message.set(
        name,
        value.replace(
          /(sips?:(?:[^@<>\s]*@)?)localhost(?::\d+)?(?=[;>?\s]|$)/gi,
          (_all, head: string) => head + hostPort,
        ),
      );
    }
  }
}

/**
 * Content-Type for a body: the application's, else application/sdp for what looks like SDP.
 * @returns undefined if there is none and it cannot be guessed.
 */
export function contentTypeFor(body: string, given: string | undefined): string | undefined {
  return given ?? (body.startsWith('v=0') ? 'application/sdp' : undefined);
}
