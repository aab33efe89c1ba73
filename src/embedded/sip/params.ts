/**
 * Parameters (`;name=value`) and comma lists as SIP headers use them (RFC 3261 7.3.1, 25.1). Names are kept in lower
 * case, values as written; quoted strings protect separators.
 */
export type Params = Map<string, string | undefined>;

/** Splits `value` at `separator` where it stands outside quotes and angle brackets. Parts are trimmed, empty ones dropped. */
export function splitOutsideQuotes(value: string, separator: ',' | ';'): string[] {
  if (!value.includes(separator)) {
    const only = value.trim();
    return only === '' ? [] : [only];
  }
  const parts: string[] = [];
  let quoted = false;
  let angle = false;
  let start = 0;
  for (let i = 0; i < value.length; i++) {
    const c = value[i];
    if (quoted) {
      if (c === '\\') {
        i++;
      } else if (c === '"') {
        quoted = false;
      }
    } else if (c === '"') {
      quoted = true;
    } else if (c === '<') {
      angle = true;
    } else if (c === '>') {
      angle = false;
    } else if (c === separator && !angle) {
      parts.push(value.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(value.slice(start));
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

/** Reads `;a=b;c;d="e;f"` (the leading semicolon is optional). The first of equal names counts. */
export function parseParams(text: string): Params {
  const params: Params = new Map();
  for (const part of splitOutsideQuotes(text, ';')) {
    const eq = part.indexOf('=');
    const name = (eq === -1 ? part : part.slice(0, eq)).trim().toLowerCase();
    if (name !== '' && !params.has(name)) {
      params.set(name, eq === -1 ? undefined : part.slice(eq + 1).trim());
    }
  }
  return params;
}

/** Writes parameters back as `;a=b;c`. */
export function formatParams(params: Params): string {
  let text = '';
  for (const [name, value] of params) {
    text += value === undefined ? `;${name}` : `;${name}=${value}`;
  }
  return text;
}

/** The content of a quoted string without its quotes and escapes; anything else as it is. */
export function unquote(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"')
    ? value.slice(1, -1).replace(/\\(.)/g, '$1')
    : value;
}
