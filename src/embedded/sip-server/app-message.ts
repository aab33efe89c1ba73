/**
 * The SIP text inside a frame of an application: a start line, some headers, a body. Nothing in it is trusted: lengths are
 * counted anew, headers that belong to the server are dropped, names that are no names are skipped.
 */
import { canonicalName, isToken } from '../sip/header-names';

export interface AppMessage {
  readonly startLine: string;
  /** Request only. */
  readonly method: string | undefined;
  readonly uri: string;
  /** Response only. */
  readonly status: number | undefined;
  readonly reason: string;
  readonly headers: readonly { readonly name: string; readonly key: string; readonly value: string }[];
  readonly body: string;
}

const SERVERS_OWN = new Set(['via', 'route', 'record-route', 'rseq', 'content-length']);

export function parseAppMessage(text: string): AppMessage {
  const end = text.indexOf('\r\n\r\n');
  const head = end === -1 ? text : text.slice(0, end);
  const body = end === -1 ? '' : text.slice(end + 4);
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  const startLine = lines[0] ?? '';
  const response = /^SIP\/2\.0\s+(\d{3})\s*(.*)$/.exec(startLine);
  const request = /^(\S+)\s+(\S+)\s+SIP\/2\.0\s*$/.exec(startLine);
  const headers = [];
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    const name = colon === -1 ? '' : line.slice(0, colon).trim();
    const key = canonicalName(name).key;
    if (isToken(name) && !SERVERS_OWN.has(key)) {
      headers.push({ name, key, value: line.slice(colon + 1).trim() });
    }
  }
  return {
    startLine,
    method: response === null ? request?.[1] : undefined,
    uri: request?.[2] ?? '',
    status: response?.[1] === undefined ? undefined : Number(response[1]),
    reason: response?.[2] ?? '',
    headers,
    body,
  };
}

export function headerOf(message: AppMessage, key: string): string | undefined {
  return message.headers.find((header) => header.key === key)?.value;
}
