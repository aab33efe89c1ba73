/** SIP, SIPS and tel URIs (RFC 3261 19.1, RFC 3966) and the name-addr form that From, To, Contact and Route use. */
import { isIP } from 'node:net';
import { formatParams, parseParams, unquote, type Params } from './params';
import type { Peer, Protocol } from './types';

export interface SipUri {
  scheme: 'sip' | 'sips' | 'tel';
  /** User part as written (escapes kept); for tel the number. */
  user: string | undefined;
  /** Without brackets for IPv6; empty for tel. */
  host: string;
  port: number | undefined;
  params: Params;
  /** What follows `?`, as written. */
  headers: string | undefined;
}

export interface NameAddr {
  /** Display name without quotes. */
  name: string | undefined;
  uri: string;
  params: Params;
}

const HOST = /^[a-z0-9]([a-z0-9._-]*[a-z0-9.])?$/i;
const TEL = /^\+?[0-9a-f*#().-]+$/i;

/** Parses a URI of the three schemes. Undefined for anything else or anything malformed; never throws. */
export function parseUri(text: string): SipUri | undefined {
  const colon = text.indexOf(':');
  const scheme = text.slice(0, Math.max(colon, 0)).toLowerCase();
  if (/\s/.test(text) || /[<>"]/.test(text)) {
    return undefined;
  }
  if (scheme === 'tel') {
    return parseTel(text.slice(colon + 1));
  }
  if (scheme !== 'sip' && scheme !== 'sips') {
    return undefined;
  }
  const at = text.indexOf('@', colon);
  const user = at === -1 ? undefined : text.slice(colon + 1, at);
  let rest = text.slice(at === -1 ? colon + 1 : at + 1);
  let headers: string | undefined;
  const question = rest.indexOf('?');
  if (question !== -1) {
    headers = rest.slice(question + 1);
    rest = rest.slice(0, question);
  }
  const semicolon = rest.indexOf(';');
  const hostPort = parseHostPort(semicolon === -1 ? rest : rest.slice(0, semicolon));
  if (hostPort === undefined || user === '') {
    return undefined;
  }
  const params: Params = semicolon === -1 ? new Map<string, string | undefined>() : parseParams(rest.slice(semicolon));
  return { scheme, user, host: hostPort.host, port: hostPort.port, params, headers };
}

function parseTel(rest: string): SipUri | undefined {
  const semicolon = rest.indexOf(';');
  const number = semicolon === -1 ? rest : rest.slice(0, semicolon);
  if (!TEL.test(number)) {
    return undefined;
  }
  const params: Params = semicolon === -1 ? new Map<string, string | undefined>() : parseParams(rest.slice(semicolon));
  return { scheme: 'tel', user: number, host: '', port: undefined, params, headers: undefined };
}

/** Parses `host`, `host:port`, `1.2.3.4:5`, `[::1]:5`. Undefined if malformed. */
export function parseHostPort(text: string): { host: string; port: number | undefined } | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?:\s*:\s*(\d{1,5}))?$/i.exec(text.trim());
  if (match?.[1] === undefined) {
    return undefined;
  }
  const bracketed = match[1].startsWith('[');
  const host = bracketed ? match[1].slice(1, -1) : match[1].trim();
  if (bracketed ? isIP(host) !== 6 : !HOST.test(host)) {
    return undefined;
  }
  const port = match[2] === undefined ? undefined : Number(match[2]);
  return port !== undefined && (port < 1 || port > 65_535) ? undefined : { host, port };
}

/** `host` or `host:port`, IPv6 in brackets. */
export function formatHostPort(host: string, port?: number): string {
  const shown = host.includes(':') ? `[${host}]` : host;
  return port === undefined ? shown : `${shown}:${port}`;
}

export function formatUri(uri: SipUri): string {
  if (uri.scheme === 'tel') {
    return `tel:${uri.user ?? ''}${formatParams(uri.params)}`;
  }
  const user = uri.user === undefined ? '' : `${uri.user}@`;
  const headers = uri.headers === undefined ? '' : `?${uri.headers}`;
  return `${uri.scheme}:${user}${formatHostPort(uri.host, uri.port)}${formatParams(uri.params)}${headers}`;
}

/**
 * Parses one From/To/Contact/Route value: `"Name" <uri>;params`, `<uri>`, or a bare URI whose parameters then belong to the
 * header (RFC 3261 20.10). The URI is not checked. Undefined if brackets or quotes do not close.
 */
export function parseNameAddr(value: string): NameAddr | undefined {
  const text = value.trim();
  let name: string | undefined;
  let from = 0;
  if (text.startsWith('"')) {
    const end = closingQuote(text);
    if (end === -1) {
      return undefined;
    }
    name = unquote(text.slice(0, end + 1));
    from = end + 1;
    if (!text.slice(from).trimStart().startsWith('<')) {
      return undefined;
    }
  }
  const open = text.indexOf('<', from);
  if (open === -1) {
    const semicolon = text.indexOf(';');
    const uri = (semicolon === -1 ? text : text.slice(0, semicolon)).trim();
    const params = semicolon === -1 ? new Map<string, string | undefined>() : parseParams(text.slice(semicolon));
    return uri === '' || /[\s>"]/.test(uri) ? undefined : { name: undefined, uri, params };
  }
  const close = text.indexOf('>', open);
  if (close === -1) {
    return undefined;
  }
  if (name === undefined) {
    const before = text.slice(0, open).trim();
    name = before === '' ? undefined : before;
  }
  const tail = text.slice(close + 1).trim();
  if (tail !== '' && !tail.startsWith(';')) {
    return undefined;
  }
  return { name, uri: text.slice(open + 1, close).trim(), params: parseParams(tail) };
}

function closingQuote(text: string): number {
  for (let i = 1; i < text.length; i++) {
    if (text[i] === '\\') {
      i++;
    } else if (text[i] === '"') {
      return i;
    }
  }
  return -1;
}

export function formatNameAddr(value: NameAddr): string {
  const name = value.name === undefined ? '' : `"${value.name.replace(/[\\"]/g, '\\$&')}" `;
  return `${name}<${value.uri}>${formatParams(value.params)}`;
}

/**
 * Where a request for `uri` goes without DNS (RFC 3263 4.1, 4.2): `maddr`, `transport`, `sips:` and default ports. A host
 * name is kept as the address. Undefined for tel and malformed URIs and for transports that do not exist here.
 */
export function peerOfUri(text: string): Peer | undefined {
  const uri = parseUri(text);
  if (uri === undefined || uri.scheme === 'tel') {
    return undefined;
  }
  const wanted = (uri.params.get('transport') ?? (uri.scheme === 'sips' ? 'tls' : 'udp')).toLowerCase();
  const protocol = uri.scheme === 'sips' && wanted === 'tcp' ? 'tls' : wanted;
  if (!isProtocol(protocol)) {
    return undefined;
  }
  return { protocol, address: uri.params.get('maddr') ?? uri.host, port: uri.port ?? defaultPort(protocol) };
}

export function isProtocol(text: string): text is Protocol {
  return text === 'udp' || text === 'tcp' || text === 'tls' || text === 'ws';
}

export function defaultPort(protocol: Protocol): number {
  return protocol === 'tls' ? 5061 : protocol === 'ws' ? 80 : 5060;
}

/** `proto:address:port`, the key of a peer in maps and logs. */
export function peerKey(peer: Peer): string {
  return `${peer.protocol}:${peer.address}:${peer.port}`;
}
