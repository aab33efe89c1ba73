import { isIP } from 'node:net';
import type { SipMessage } from '../sip/message';
import { parseSessionExpires } from '../sip/header-values';
import { parseNameAddr, parseUri, type SipUri } from '../sip/uri';
import type { Broken, RuleName, Verdict } from './rules';
import { checkOffer, checkReoffer } from './sdp-rules';

/** What the proxy knows when it judges a request. */
export interface RuleContext {
  /** Names of the peer's verified TLS certificate. */
  readonly peerNames: readonly string[];
  /** Domains of the tenant: `sbc.example.com`, or a parent of it. */
  readonly domains: readonly string[];
  /** The INVITE carries out a transfer: its URI was made by Teams and may name a user by id alone (1.8). */
  readonly referred?: boolean;
}

export const PROXY_NAMES: readonly string[] = [
  'sip.pstnhub.microsoft.com',
  'sip2.pstnhub.microsoft.com',
  'sip3.pstnhub.microsoft.com',
];

/** Teams refuses shorter sessions (1.7). Seconds. */
export const MIN_SESSION_EXPIRES = 1800;
const SUPPORTED_REQUIRE = ['100rel', 'timer'];
const E164 = /^\+[1-9]\d{4,14}$/;

const broken = (rule: RuleName, offending: string): Broken => ({ rule, offending: offending.slice(0, 300) });

/** Judges an INVITE that begins a call, in the order in which Teams looks (1.5): identity, number, extensions, media. */
export function judgeInvite(request: SipMessage, context: RuleContext): Verdict {
  const refused =
    judgeIdentity(request, context) ??
    (context.referred === true ? undefined : judgeRequestUri(request)) ??
    judgeExtensions(request) ??
    judgeSession(request) ??
    judgeBody(request);

  return { refused, recorded: context.referred === true ? [] : recordInvite(request) };
}

/** Judges a re-INVITE or UPDATE with SDP. `firstOffer` is the SDP that began the call, `minSeconds` the shortest session. */
export function judgeReinvite(request: SipMessage, firstOffer: string, minSeconds = MIN_SESSION_EXPIRES): Verdict {
  const offer = request.body.trim() === '' ? undefined : request.body;
  const result = offer === undefined ? undefined : checkReoffer(offer, firstOffer);

  return { refused: judgeSession(request, minSeconds) ?? result?.refused, recorded: result?.recorded ?? [] };
}

/** Judges an OPTIONS outside a dialog (1.4). */
export function judgeOptions(request: SipMessage, context: RuleContext): Verdict {
  const identity = judgeIdentity(request, context);
  if (identity) {
    return { refused: identity, recorded: [] };
  }
  const uri = parseUri(request.uri);
  if (!uri || uri.scheme !== 'sip') {
    return { refused: broken('request-uri-malformed', request.uri), recorded: [] };
  }
  if (uri.user !== undefined) {
    return { refused: broken('options-user', request.uri), recorded: [] };
  }
  const contact = firstContact(request);
  if (contact && contact.params.get('transport')?.toLowerCase() !== 'tls') {
    return { refused: broken('options-contact-transport', request.get('contact') ?? ''), recorded: [] };
  }
  for (const name of ['from', 'to']) {
    const user = uriOf(request.get(name))?.user;
    if (user !== undefined && /^\+?\d+$/.test(user)) {
      return { refused: broken('options-tel', `${name}: ${request.get(name) ?? ''}`), recorded: [] };
    }
  }

  return { refused: undefined, recorded: [] };
}

/** The FQDN that decides: Record-Route first, then Contact (1.4). */
export function trunkName(request: SipMessage): string | undefined {
  return (uriOf(request.list('record-route')[0]) ?? firstContact(request))?.host.toLowerCase();
}

/** True if a certificate name covers a host; a wildcard stands for exactly one label (1.3, RFC 2818). */
export function nameCovers(name: string, host: string): boolean {
  const pattern = name.toLowerCase();
  const wanted = host.toLowerCase();
  if (!pattern.startsWith('*.')) {
    return pattern === wanted;
  }
  const dot = wanted.indexOf('.');

  return dot > 0 && wanted.slice(dot + 1) === pattern.slice(2);
}

function judgeIdentity(request: SipMessage, context: RuleContext): Broken | undefined {
  const recordRoute = request.list('record-route')[0];
  const contact = request.list('contact')[0];
  if (recordRoute === undefined && contact === undefined) {
    return broken('contact-missing', 'neither Contact nor Record-Route');
  }
  const routeUri = uriOf(recordRoute);
  if (recordRoute !== undefined && (!routeUri || isIP(routeUri.host) !== 0)) {
    return broken('record-route-ip', recordRoute);
  }
  const contactUri = uriOf(contact);
  if (contactUri?.scheme === 'sips') {
    return broken('contact-sips', contact ?? '');
  }
  const deciding = routeUri ?? contactUri;
  const shown = recordRoute ?? contact ?? '';
  if (!deciding || deciding.host === '') {
    return broken('contact-missing', shown);
  }
  if (isIP(deciding.host) !== 0) {
    return broken('contact-ip', shown);
  }
  if (!context.peerNames.some((name) => nameCovers(name, deciding.host))) {
    return broken(
      'contact-not-in-certificate',
      `${deciding.host} is not in ${context.peerNames.join(', ') || 'no certificate'}`,
    );
  }

  return belongsToTenant(deciding.host, context.domains) ? undefined : broken('domain-unknown', deciding.host);
}

/** The whole FQDN as a domain of the tenant, else its parent (1.5). */
function belongsToTenant(host: string, domains: readonly string[]): boolean {
  const name = host.toLowerCase();
  const parent = name.slice(name.indexOf('.') + 1);

  return domains.some((domain) => domain.toLowerCase() === name || domain.toLowerCase() === parent);
}

function judgeRequestUri(request: SipMessage): Broken | undefined {
  const uri = parseUri(request.uri);
  if (!uri || uri.scheme !== 'sip') {
    return broken('request-uri-malformed', request.uri);
  }
  if (!PROXY_NAMES.includes(uri.host.toLowerCase())) {
    return broken('request-uri-host', request.uri);
  }
  const number = calledNumber(uri);
  if (/^\d+$/.test(number)) {
    return broken('request-uri-plus', request.uri);
  }

  return E164.test(number) ? undefined : broken('request-uri-number', request.uri);
}

function judgeExtensions(request: SipMessage): Broken | undefined {
  const replaces = request.get('replaces');
  if (replaces !== undefined) {
    return broken('replaces-refused', `Replaces: ${replaces}`);
  }
  const unknown = request.list('require').find((token) => !SUPPORTED_REQUIRE.includes(token.toLowerCase()));

  return unknown === undefined ? undefined : broken('extension-unsupported', unknown);
}

function judgeSession(request: SipMessage, minSeconds = MIN_SESSION_EXPIRES): Broken | undefined {
  const value = request.get('session-expires');
  const expires = parseSessionExpires(value);

  return expires && expires.seconds < minSeconds
    ? broken('session-interval', `Session-Expires: ${value ?? ''}`)
    : undefined;
}

function judgeBody(request: SipMessage): Broken | undefined {
  if (request.body.trim() === '') {
    return broken('delayed-offer', 'no body');
  }
  const type = (request.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

  return type === 'application/sdp' ? checkOffer(request.body) : broken('media-type', `Content-Type: ${type}`);
}

function recordInvite(request: SipMessage): Broken[] {
  const recorded: Broken[] = [];
  const uri = parseUri(request.uri);
  if (uri?.params.get('user')?.toLowerCase() !== 'phone') {
    recorded.push(broken('user-phone', request.uri));
  }
  const from = uriOf(request.get('from'));
  if (!from?.user || !(E164.test(from.user) || from.user.toLowerCase() === 'anonymous')) {
    recorded.push(broken('from-number', request.get('from') ?? 'no From'));
  }

  return recorded;
}

/** The number of a URI's user part, without parameters such as `;ext=`. */
export function calledNumber(uri: SipUri): string {
  return (uri.user ?? '').split(';')[0] ?? '';
}

function firstContact(request: SipMessage): SipUri | undefined {
  return uriOf(request.list('contact')[0]);
}

export function uriOf(value: string | undefined): SipUri | undefined {
  const address = value === undefined ? undefined : parseNameAddr(value);

  return address === undefined ? undefined : parseUri(address.uri);
}
