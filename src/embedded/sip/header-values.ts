/** Values of single headers: Via, CSeq, RAck, Session-Expires, and parameters inside a value. */
import { formatParams, parseParams, splitOutsideQuotes, type Params } from './params';
import { formatHostPort, parseHostPort, parseNameAddr } from './uri';

export interface Via {
  /** Upper case: UDP, TCP, TLS, WS, WSS, SCTP… */
  transport: string;
  host: string;
  port: number | undefined;
  params: Params;
}

export interface CSeq {
  readonly number: number;
  readonly method: string;
}

/** RFC 3261 20.42. Undefined if malformed. */
export function parseVia(value: string): Via | undefined {
  const match = /^SIP\s*\/\s*2\.0\s*\/\s*([A-Za-z0-9-]+)\s+([^;\s]+(?:\s*:\s*\d+)?)\s*(;.*)?$/i.exec(value.trim());
  const hostPort = match?.[2] === undefined ? undefined : parseHostPort(match[2]);
  if (match?.[1] === undefined || hostPort === undefined) {
    return undefined;
  }
  return { transport: match[1].toUpperCase(), ...hostPort, params: parseParams(match[3] ?? '') };
}

export function formatVia(via: Via): string {
  return `SIP/2.0/${via.transport} ${formatHostPort(via.host, via.port)}${formatParams(via.params)}`;
}

/** RFC 3261 20.16: a number below 2**31 and a method. Undefined if malformed. */
export function parseCSeq(value: string): CSeq | undefined {
  const match = /^(\d{1,10})\s+([A-Za-z0-9\-.!%*_+`'~]+)$/.exec(value.trim());
  if (match?.[1] === undefined || match[2] === undefined) {
    return undefined;
  }
  const number = Number(match[1]);
  return number < 2 ** 31 ? { number, method: match[2] } : undefined;
}

/** RFC 3262 7.2: `<rseq> <cseq> <method>`. Undefined if malformed. */
export function parseRAck(value: string | undefined): { rseq: number; cseq: number; method: string } | undefined {
  const match = /^(\d{1,10})\s+(\d{1,10})\s+(\S+)$/.exec(value?.trim() ?? '');
  return match?.[1] === undefined || match[2] === undefined || match[3] === undefined
    ? undefined
    : { rseq: Number(match[1]), cseq: Number(match[2]), method: match[3] };
}

export interface SessionExpires {
  readonly seconds: number;
  readonly refresher: 'uac' | 'uas' | undefined;
}

/** RFC 4028 4. Undefined if absent or malformed. */
export function parseSessionExpires(value: string | undefined): SessionExpires | undefined {
  const match = /^\s*(\d{1,9})\s*(;.*)?$/.exec(value ?? '');
  if (match?.[1] === undefined) {
    return undefined;
  }
  const refresher = parseParams(match[2] ?? '')
    .get('refresher')
    ?.toLowerCase();
  return {
    seconds: Number(match[1]),
    refresher: refresher === 'uac' || refresher === 'uas' ? refresher : undefined,
  };
}

/** Whole seconds of a header such as Min-SE or Retry-After; undefined if absent or malformed. */
export function parseSeconds(value: string | undefined): number | undefined {
  const match = /^\s*(\d{1,9})/.exec(value ?? '');
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** True if the comma list `value` (Supported, Require, Allow…) holds `token`, case-insensitively. */
export function listHas(value: string | undefined, token: string): boolean {
  if (value === undefined) {
    return false;
  }
  const wanted = token.toLowerCase();
  return splitOutsideQuotes(value, ',').some((item) => item.toLowerCase() === wanted);
}

/** The tag of a From or To value. */
export function tagOf(value: string | undefined): string | undefined {
  return value === undefined ? undefined : parseNameAddr(value)?.params.get('tag');
}

/** The value with `;tag=…` added; a bare URI gets brackets so that its own parameters stay inside. */
export function withTag(value: string, tag: string): string {
  return `${bracketed(value)};tag=${tag}`;
}

/** From and To without their header parameters, as a dialog keeps them. */
export function withoutParams(value: string): string {
  const parsed = parseNameAddr(value);
  if (parsed === undefined) {
    return value;
  }
  const close = value.lastIndexOf('>');
  return close === -1 ? `<${parsed.uri}>` : value.slice(0, close + 1).trim();
}

function bracketed(value: string): string {
  return value.includes('<') || !value.includes(';') ? value : `<${value}>`;
}
