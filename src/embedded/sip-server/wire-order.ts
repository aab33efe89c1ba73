/** Order and spelling of headers as the real server puts them on the wire: known ones in a fixed order, then the others. */
import { isKnownHeader } from '../sip/header-names';
import type { Header, SipMessage } from '../sip/message';

const ORDER = [
  'via route record-route max-forwards proxy-require from to call-id cseq contact rseq rack request-disposition',
  'accept-contact reject-contact expires date retry-after timestamp min-expires subject priority call-info organization',
  'server user-agent in-reply-to accept accept-encoding accept-language allow require supported unsupported event',
  'allow-events subscription-state proxy-authenticate proxy-authorization authorization www-authenticate',
  'authentication-info error-info warning refer-to referred-by replaces session-expires min-se path service-route reason',
  'privacy sip-etag sip-if-match mime-version content-type content-encoding content-language content-disposition',
  'content-length',
]
  .join(' ')
  .split(' ');

/** These follow even the unknown ones. */
const LAST = ['alert-info', 'reply-to', 'remote-party-id', 'p-asserted-identity'];

const RANK: ReadonlyMap<string, number> = new Map([
  ...ORDER.map((key, i) => [key, i] as const),
  ...LAST.map((key, i) => [key, ORDER.length + 1 + i] as const),
]);

/** Sorts the headers in place and gives Content-Length its place before the unknown ones. */
export function orderForWire(message: SipMessage): SipMessage {
  if (!message.has('content-length')) {
    message.add('Content-Length', 0);
  }
  const ranked = message.headers.map((header) => ({
    header: spelled(header),
    rank: RANK.get(header.key) ?? ORDER.length,
  }));
  ranked.sort((a, b) => a.rank - b.rank);
  return message.setHeaders(ranked.map(({ header }) => header));
}

/** Each dash separated part gets a capital, except in `X-…` names, which stay as the application wrote them. */
function spelled(header: Header): Header {
  if (isKnownHeader(header.key) || header.key.startsWith('x-')) {
    return header;
  }
  const name = header.name.replace(
    /(^|-)([a-z])/g,
    (_all, dash: string, letter: string) => dash + letter.toUpperCase(),
  );
  return { ...header, name };
}
