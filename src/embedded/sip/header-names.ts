/** Header names as the wire shows them, and the compact forms of RFC 3261 20, 3265, 3515, 3841, 3892, 3903, 4028. */
const KNOWN = [
  'Via',
  'Route',
  'Record-Route',
  'Max-Forwards',
  'Proxy-Require',
  'From',
  'To',
  'Call-ID',
  'CSeq',
  'Contact',
  'User-Agent',
  'Server',
  'Subject',
  'Date',
  'Timestamp',
  'Priority',
  'Organization',
  'Expires',
  'Min-Expires',
  'Retry-After',
  'Accept',
  'Accept-Encoding',
  'Accept-Language',
  'Allow',
  'Supported',
  'Unsupported',
  'Require',
  'Path',
  'Service-Route',
  'RSeq',
  'RAck',
  'Session-Expires',
  'Min-SE',
  'Event',
  'Allow-Events',
  'Subscription-State',
  'Refer-To',
  'Referred-By',
  'Refer-Sub',
  'Replaces',
  'Join',
  'Request-Disposition',
  'Accept-Contact',
  'Reject-Contact',
  'Reason',
  'Warning',
  'In-Reply-To',
  'Reply-To',
  'Alert-Info',
  'Call-Info',
  'Error-Info',
  'Privacy',
  'P-Asserted-Identity',
  'P-Preferred-Identity',
  'P-Charging-Vector',
  'Remote-Party-ID',
  'Diversion',
  'History-Info',
  'Identity',
  'Authorization',
  'Proxy-Authorization',
  'WWW-Authenticate',
  'Proxy-Authenticate',
  'Authentication-Info',
  'SIP-ETag',
  'SIP-If-Match',
  'MIME-Version',
  'Content-Type',
  'Content-Encoding',
  'Content-Language',
  'Content-Disposition',
  'Content-Length',
] as const;

const COMPACT: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  n: 'identity-info',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
};

const SHOWN: ReadonlyMap<string, string> = new Map(KNOWN.map((name) => [name.toLowerCase(), name]));

const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;

export interface HeaderName {
  readonly key: string;
  readonly shown: string;
}

/** Lower-case key and wire spelling of a header name; unknown names stay as written. */
export function canonicalName(name: string): HeaderName {
  const direct = SHOWN.get(name);
  if (direct !== undefined) {
    return { key: name, shown: direct };
  }
  const lower = name.toLowerCase();
  const key = lower.length === 1 ? (COMPACT[lower] ?? lower) : lower;
  return { key, shown: SHOWN.get(key) ?? (key === lower ? name : key) };
}

export function isKnownHeader(key: string): boolean {
  return SHOWN.has(key);
}

/** RFC 3261 25.1 token. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}
