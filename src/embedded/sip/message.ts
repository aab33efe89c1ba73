/**
 * One SIP message. Headers keep their order and their lines; names are compared without case and compact forms are
 * expanded (RFC 3261 7.3). Values can never smuggle a line break onto the wire.
 */
import { parseCSeq, parseVia, tagOf, type CSeq, type Via } from './header-values';
import { canonicalName } from './header-names';
import { splitOutsideQuotes } from './params';

export { parseSipMessage, SipParseError } from './parse-message';

export interface Header {
  /** As it goes over the wire. */
  readonly name: string;
  /** Lower case, compact form expanded. */
  readonly key: string;
  readonly value: string;
}

interface Derived {
  cseq?: CSeq | undefined;
  via?: Via | undefined;
  fromTag?: string | undefined;
  toTag?: string | undefined;
}

const UNSAFE = /[\r\n\0]/;

export class SipMessage {
  readonly isRequest: boolean;
  /** Request only, else ''. */
  method: string;
  /** Request only, else ''. */
  uri: string;
  /** Response only, else 0. */
  status: number;
  /** Response only, else ''. */
  reason: string;
  #headers: Header[] = [];
  #body: Buffer = Buffer.alloc(0);
  #derived: Derived = {};

  private constructor(isRequest: boolean, method: string, uri: string, status: number, reason: string) {
    this.isRequest = isRequest;
    this.method = method;
    this.uri = clean(uri);
    this.status = status;
    this.reason = clean(reason);
  }

  static request(method: string, uri: string): SipMessage {
    return new SipMessage(true, method, uri, 0, '');
  }

  static response(status: number, reason: string = reasonPhrase(status)): SipMessage {
    return new SipMessage(false, '', '', status, reason);
  }

  get headers(): readonly Header[] {
    return this.#headers;
  }

  /** Replaces all headers, for reordering. */
  setHeaders(headers: readonly Header[]): this {
    this.#headers = [...headers];
    this.#derived = {};
    return this;
  }

  /** Value of the first header of that name. */
  get(name: string): string | undefined {
    const key = canonicalName(name).key;
    return this.#headers.find((header) => header.key === key)?.value;
  }

  /** Values of all headers of that name, one per line on the wire. */
  getAll(name: string): string[] {
    const key = canonicalName(name).key;
    return this.#headers.filter((header) => header.key === key).map((header) => header.value);
  }

  /** Values of all headers of that name with comma lists taken apart (Contact, Route, Supported…). */
  list(name: string): string[] {
    return this.getAll(name).flatMap((value) => splitOutsideQuotes(value, ','));
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Replaces all headers of that name, at the place of the first; several values make several lines. */
  set(name: string, value: string | number | readonly string[]): this {
    const { key, shown } = canonicalName(name);
    const values = typeof value === 'object' ? value : [String(value)];
    const fresh = values.map((v) => ({ name: shown, key, value: clean(v) }));
    const at = this.#headers.findIndex((header) => header.key === key);
    if (at === -1) {
      this.#headers.push(...fresh);
    } else {
      const rest = this.#headers.filter((header) => header.key !== key);
      rest.splice(at, 0, ...fresh);
      this.#headers = rest;
    }
    this.#derived = {};
    return this;
  }

  /** Adds one more line after all others. */
  add(name: string, value: string | number): this {
    const { key, shown } = canonicalName(name);
    this.#headers.push({ name: shown, key, value: clean(String(value)) });
    this.#derived = {};
    return this;
  }

  /** Adds one line before all others of that name (Via, Record-Route), else first of all. */
  prepend(name: string, value: string): this {
    const { key, shown } = canonicalName(name);
    const at = this.#headers.findIndex((header) => header.key === key);
    this.#headers.splice(Math.max(at, 0), 0, { name: shown, key, value: clean(value) });
    this.#derived = {};
    return this;
  }

  /** Changes the first header of that name and leaves the others. */
  replaceFirst(name: string, value: string): this {
    const { key, shown } = canonicalName(name);
    const at = this.#headers.findIndex((header) => header.key === key);
    if (at !== -1) {
      this.#headers[at] = { name: shown, key, value: clean(value) };
      this.#derived = {};
    }
    return this;
  }

  remove(name: string): this {
    const key = canonicalName(name).key;
    this.#headers = this.#headers.filter((header) => header.key !== key);
    this.#derived = {};
    return this;
  }

  /** Body as text (UTF-8). `bodyBytes` has it unchanged. */
  get body(): string {
    return this.#body.toString('utf8');
  }

  set body(value: string | Buffer) {
    this.#body = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  }

  get bodyBytes(): Buffer {
    return this.#body;
  }

  get callId(): string {
    return this.get('call-id') ?? '';
  }

  get cseq(): CSeq {
    if (!('cseq' in this.#derived)) {
      this.#derived.cseq = parseCSeq(this.get('cseq') ?? '');
    }
    return this.#derived.cseq ?? { number: 0, method: '' };
  }

  /** Topmost Via. */
  get via(): Via | undefined {
    if (!('via' in this.#derived)) {
      this.#derived.via = parseVia(this.get('via') ?? '');
    }
    return this.#derived.via;
  }

  get branch(): string {
    return this.via?.params.get('branch') ?? '';
  }

  get fromTag(): string | undefined {
    if (!('fromTag' in this.#derived)) {
      this.#derived.fromTag = tagOf(this.get('from'));
    }
    return this.#derived.fromTag;
  }

  get toTag(): string | undefined {
    if (!('toTag' in this.#derived)) {
      this.#derived.toTag = tagOf(this.get('to'));
    }
    return this.#derived.toTag;
  }

  /** Start line and headers, the body's length recomputed. The wire image is `serialise()`. */
  head(): string {
    const length = String(this.#body.length);
    let text = this.isRequest ? `${this.method} ${this.uri} SIP/2.0\r\n` : `SIP/2.0 ${this.status} ${this.reason}\r\n`;
    let counted = false;
    for (const header of this.#headers) {
      if (header.key !== 'content-length') {
        text += `${header.name}: ${header.value}\r\n`;
      } else if (!counted) {
        text += `Content-Length: ${length}\r\n`;
        counted = true;
      }
    }
    return counted ? `${text}\r\n` : `${text}Content-Length: ${length}\r\n\r\n`;
  }

  serialise(): Buffer {
    const head = Buffer.from(this.head(), 'utf8');
    return this.#body.length === 0 ? head : Buffer.concat([head, this.#body]);
  }

  toString(): string {
    return this.head() + this.body;
  }

  clone(): SipMessage {
    const copy = new SipMessage(this.isRequest, this.method, this.uri, this.status, this.reason);
    copy.#headers = [...this.#headers];
    copy.#body = this.#body;
    return copy;
  }
}

function clean(value: string): string {
  return UNSAFE.test(value) ? value.replace(/[\r\n\0]+/g, ' ').trim() : value;
}

const REASONS: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  181: 'Call Is Being Forwarded',
  182: 'Queued',
  183: 'Session Progress',
  199: 'Early Dialog Terminated',
  200: 'OK',
  202: 'Accepted',
  204: 'No Notification',
  300: 'Multiple Choices',
  301: 'Moved Permanently',
  302: 'Moved Temporarily',
  305: 'Use Proxy',
  380: 'Alternative Service',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  410: 'Gone',
  412: 'Conditional Request Failed',
  413: 'Request Entity Too Large',
  414: 'Request-URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Unsupported URI Scheme',
  420: 'Bad Extension',
  421: 'Extension Required',
  422: 'Session Interval Too Small',
  423: 'Interval Too Brief',
  429: 'Provide Referrer Identity',
  430: 'Flow Failed',
  433: 'Anonymity Disallowed',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  482: 'Loop Detected',
  483: 'Too Many Hops',
  484: 'Address Incomplete',
  485: 'Ambiguous',
  486: 'Busy Here',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
  489: 'Bad Event',
  491: 'Request Pending',
  493: 'Undecipherable',
  494: 'Security Agreement Required',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Server Time-out',
  505: 'Version Not Supported',
  513: 'Message Too Large',
  580: 'Precondition Failure',
  600: 'Busy Everywhere',
  603: 'Decline',
  604: 'Does Not Exist Anywhere',
  606: 'Not Acceptable',
};

/** The standard's phrase for a status (RFC 3261 21 and extensions). */
export function reasonPhrase(status: number): string {
  return REASONS[status] ?? (status < 200 ? 'Progress' : status < 300 ? 'OK' : 'Failure');
}
