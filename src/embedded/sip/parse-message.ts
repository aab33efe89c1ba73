/**
 * From bytes to a SipMessage. Whatever cannot be understood becomes a SipParseError with a reason and, where the sender can
 * be told, the status to answer with; nothing else is ever thrown. Headers that a reader does not need may be malformed
 * (RFC 3261 7.3, 16.3); those that identify a message may not.
 */
import { canonicalName, isToken } from './header-names';
import { parseCSeq, parseVia } from './header-values';
import { SipMessage } from './message';
import { splitOutsideQuotes } from './params';
import { parseNameAddr, parseUri } from './uri';

export class SipParseError extends Error {
  /** Status for an answer: 400, 505… */
  readonly status: number;
  /** What could be read of a request, if that is enough to answer it. */
  readonly partial: SipMessage | undefined;

  constructor(reason: string, status = 400, partial?: SipMessage) {
    super(reason);
    this.name = 'SipParseError';
    this.status = status;
    this.partial = partial;
  }
}

export interface ParseLimits {
  /** Header lines. Default 256. */
  readonly maxHeaders?: number;
}

const SINGLE = ['from', 'to', 'call-id', 'cseq'] as const;
const SPLIT = new Set(['via', 'route', 'record-route']);
// Control characters that no header may hold; a tab is white space.
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/**
 * Parses one whole message: a datagram, a WebSocket message, or what StreamFramer cut out of a stream.
 * @throws SipParseError, and only that.
 */
export function parseSipMessage(data: Buffer, limits: ParseLimits = {}): SipMessage {
  let start = 0;
  while (data[start] === 0x0d || data[start] === 0x0a) {
    start++;
  }
  const { headEnd, bodyStart } = findBody(data, start);
  const head = data.toString('utf8', start, headEnd);
  if (CONTROL.test(head)) {
    throw new SipParseError('control character in start line or headers');
  }
  const lines = unfold(head);
  const message = parseStartLine(lines[0] ?? '');
  if (lines.length - 1 > (limits.maxHeaders ?? 256)) {
    throw new SipParseError('too many headers', 413);
  }
  for (let i = 1; i < lines.length; i++) {
    addHeaderLine(message, lines[i] ?? '');
  }
  const partial = answerable(message) ? message : undefined;
  if (message.isRequest && message.reason !== '') {
    message.reason = '';
    throw new SipParseError('SIP version is not 2.0', 505, partial);
  }
  checkMandatory(message, partial);
  takeBody(message, data.subarray(bodyStart), partial);
  return message;
}

function findBody(data: Buffer, start: number): { headEnd: number; bodyStart: number } {
  const crlf = data.indexOf('\r\n\r\n', start, 'latin1');
  const lf = data.indexOf('\n\n', start, 'latin1');
  if (crlf === -1 && lf === -1) {
    throw new SipParseError('no empty line after the headers');
  }
  return crlf !== -1 && (lf === -1 || crlf < lf)
    ? { headEnd: crlf, bodyStart: crlf + 4 }
    : { headEnd: lf, bodyStart: lf + 2 };
}

/** Lines with continuation lines joined (RFC 3261 7.3.1). */
function unfold(head: string): string[] {
  const lines: string[] = [];
  for (const raw of head.split('\n')) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line.includes('\r')) {
      throw new SipParseError('bare carriage return in a header');
    }
    if ((line.startsWith(' ') || line.startsWith('\t')) && lines.length > 1) {
      lines[lines.length - 1] = `${lines[lines.length - 1] ?? ''} ${line.trim()}`;
    } else {
      lines.push(line);
    }
  }
  return lines;
}

function parseStartLine(line: string): SipMessage {
  const response = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/i.exec(line);
  if (response?.[1] !== undefined) {
    return SipMessage.response(Number(response[1]), response[2] ?? '');
  }
  const request = /^(\S+) (\S+) (SIP\/\d+\.\d+)$/i.exec(line);
  if (request?.[1] === undefined || request[2] === undefined || request[3] === undefined || !isToken(request[1])) {
    throw new SipParseError('start line is neither a request nor a response');
  }
  const message = SipMessage.request(request[1], request[2]);
  if (request[3].toUpperCase() !== 'SIP/2.0') {
    // Marks the wrong version until the headers are read, so that the sender can be told.
    message.reason = request[3];
  }
  return message;
}

function addHeaderLine(message: SipMessage, line: string): void {
  const colon = line.indexOf(':');
  const name = colon === -1 ? '' : line.slice(0, colon).trim();
  if (!isToken(name)) {
    return;
  }
  const value = line.slice(colon + 1).trim();
  if (SPLIT.has(canonicalName(name).key) && value.includes(',')) {
    for (const part of splitOutsideQuotes(value, ',')) {
      message.add(name, part);
    }
  } else {
    message.add(name, value);
  }
}

/** True if a response to the request could be addressed and matched. */
function answerable(message: SipMessage): boolean {
  return (
    message.isRequest &&
    message.method !== 'ACK' &&
    message.via !== undefined &&
    SINGLE.every((name) => message.has(name)) &&
    parseNameAddr(message.get('to') ?? '') !== undefined
  );
}

function checkMandatory(message: SipMessage, partial: SipMessage | undefined): void {
  for (const name of SINGLE) {
    const count = message.getAll(name).length;
    if (count !== 1) {
      throw new SipParseError(count === 0 ? `missing ${name} header` : `more than one ${name} header`, 400, partial);
    }
  }
  if (parseVia(message.get('via') ?? '') === undefined) {
    throw new SipParseError('missing or malformed Via header');
  }
  if (message.callId === '' || /\s/.test(message.callId)) {
    throw new SipParseError('malformed Call-ID header', 400, partial);
  }
  const cseq = parseCSeq(message.get('cseq') ?? '');
  if (cseq === undefined || (message.isRequest && cseq.method !== message.method)) {
    throw new SipParseError('malformed CSeq header or method that differs from the start line', 400, partial);
  }
  for (const name of ['from', 'to']) {
    if (parseNameAddr(message.get(name) ?? '') === undefined) {
      throw new SipParseError(`malformed ${name} header`, 400, name === 'to' ? undefined : partial);
    }
  }
  if (message.isRequest) {
    checkRequest(message, partial);
  }
}

function checkRequest(message: SipMessage, partial: SipMessage | undefined): void {
  if (message.fromTag === undefined || message.fromTag === '') {
    throw new SipParseError('From header without a tag', 400, partial);
  }
  const hops = message.get('max-forwards');
  if (hops !== undefined && (!/^\d{1,3}$/.test(hops) || Number(hops) > 255)) {
    throw new SipParseError('Max-Forwards is not a number from 0 to 255', 400, partial);
  }
  if (!/^[a-z][a-z0-9+.-]*:./i.test(message.uri)) {
    throw new SipParseError('malformed request URI', 400, partial);
  }
  if (!/^(sips?|tel):/i.test(message.uri)) {
    throw new SipParseError('unsupported URI scheme', 416, partial);
  }
  if (parseUri(message.uri) === undefined) {
    throw new SipParseError('malformed request URI', 400, partial);
  }
}

/** RFC 3261 18.3: Content-Length cuts a longer datagram; a shorter one is an error. */
function takeBody(message: SipMessage, rest: Buffer, partial: SipMessage | undefined): void {
  const lengths = message.getAll('content-length');
  if (lengths.length === 0) {
    message.body = Buffer.from(rest);
    return;
  }
  const length = lengths[0] ?? '';
  if (!/^\d{1,9}$/.test(length) || lengths.some((other) => other !== length)) {
    throw new SipParseError('malformed or contradictory Content-Length', 400, partial);
  }
  if (Number(length) > rest.length) {
    throw new SipParseError('Content-Length is larger than the message', 400, partial);
  }
  message.body = Buffer.from(rest.subarray(0, Number(length)));
}
