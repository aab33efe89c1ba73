/** How FreeSWITCH writes replies and events on an event socket (wire reference 5.1, 5.5). */
import type { MediaEvent } from './event-hub';

const PLAIN = /^[A-Za-z0-9/,.\-_()!*'$~]$/;

/** Percent-encoding with the set of characters that FreeSWITCH leaves alone, hexadecimal in upper case. */
export function urlEncode(value: string): string {
  if (/^[A-Za-z0-9/,.\-_()!*'$~]*$/.test(value)) {
    return value;
  }
  let out = '';
  for (const byte of Buffer.from(value, 'utf8')) {
    const char = String.fromCharCode(byte);
    out += byte < 128 && PLAIN.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

export type Headers = Readonly<Record<string, string>>;

/** Header lines with encoded values, without the empty line behind them. An empty value is `_undef_`. */
export function headerLines(headers: Headers): string {
  let out = '';
  for (const [name, value] of Object.entries(headers)) {
    out += `${name}: ${value === '' ? '_undef_' : urlEncode(value)}\n`;
  }
  return out;
}

export function commandReply(text: string, extra = ''): string {
  return `Content-Type: command/reply\nReply-Text: ${text}\n${extra}\n`;
}

export function apiResponse(text: string): string {
  const body = text === '' ? '-ERR no reply\n' : text;
  return `Content-Type: api/response\nContent-Length: ${Buffer.byteLength(body)}\n\n${body}`;
}

export type EventFormat = 'json' | 'plain';

export function encodeEvent(event: MediaEvent, format: EventFormat): string {
  const content = format === 'json' ? jsonEvent(event) : plainEvent(event);
  return `Content-Length: ${Buffer.byteLength(content)}\nContent-Type: text/event-${format}\n\n${content}`;
}

function jsonEvent(event: MediaEvent): string {
  const { headers, body } = event;
  if (body === undefined) {
    return JSON.stringify(headers);
  }
  return JSON.stringify({ ...headers, 'Content-Length': String(Buffer.byteLength(body)), _body: body });
}

function plainEvent(event: MediaEvent): string {
  const { headers, body } = event;
  if (body === undefined) {
    return `${headerLines(headers)}\n`;
  }
  return `${headerLines(headers)}Content-Length: ${Buffer.byteLength(body)}\n\n${body}`;
}

const GOODBYE = 'Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n';

/** The last words on a connection; `uuid` if it was a channel's own, `linger` if the socket stays a while. */
export function disconnectNotice(uuid?: string, linger?: number): string {
  const lines = ['Content-Type: text/disconnect-notice'];
  if (uuid !== undefined) {
    lines.push(`Controlled-Session-UUID: ${uuid}`);
    lines.push(`Content-Disposition: ${linger === undefined ? 'disconnect' : 'linger'}`);
  }
  if (linger !== undefined && uuid !== undefined) {
    lines.push(`Linger-Time: ${linger}`);
  }
  lines.push(`Content-Length: ${Buffer.byteLength(GOODBYE)}`);
  return `${lines.join('\n')}\n\n${GOODBYE}`;
}
