/** Channel variables and the ways in which lists of them are written. */

/** `a=b` cut at the first `=`; undefined without one. */
function pair(text: string): [string, string] | undefined {
  const at = text.indexOf('=');
  return at <= 0 ? undefined : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

function unquote(value: string): string {
  return value.replace(/^'/, '').replace(/'$/, '');
}

/** A value `^^:PCMA:PCMU` is a list whose separator stands behind the two carets. */
function expandList(value: string): string {
  return value.startsWith('^^') && value.length > 2 ? value.slice(3).split(value.charAt(2)).join(',') : value;
}

/**
 * The inside of the braces of `originate {…}`. Separator is the comma, or what `^^` names; `\,` is a comma inside a value.
 * Quotes do not protect a comma: the value ends there, as it does in FreeSWITCH (wire reference 8.9).
 */
export function parseBraces(text: string): Map<string, string> {
  const variables = new Map<string, string>();
  const own = text.startsWith('^^') && text.length > 2;
  const separator = own ? text.charAt(2) : ',';
  for (const part of splitEscaped(own ? text.slice(3) : text, separator)) {
    const found = pair(part);
    if (found !== undefined) {
      variables.set(found[0], expandList(unquote(found[1])));
    }
  }
  return variables;
}

/** Splits at `separator`; a backslash in front of it makes it part of the text. */
export function splitEscaped(text: string, separator: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === '\\' && text.charAt(i + 1) === separator) {
      part += separator;
      i++;
    } else if (char === separator) {
      parts.push(part);
      part = '';
    } else {
      part += char;
    }
  }
  parts.push(part);
  return parts;
}

/** `k=v` pairs of `multiset` (blank or `^^x` separated) and `uuid_setvar_multi` (semicolons). */
export function parsePairs(text: string, defaultSeparator: string): [string, string][] {
  const own = text.startsWith('^^') && text.length > 2;
  const separator = own ? text.charAt(2) : defaultSeparator;
  return splitEscaped(own ? text.slice(3) : text, separator)
    .map(pair)
    .filter((p) => p !== undefined);
}

export function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(true|yes|on|enable|enabled|active|allow|t|[1-9]\d*)$/i.test(value);
}

/** Replaces `${name}` by the variable, or by nothing if it is not set. */
export function expandVariables(text: string, get: (name: string) => string | undefined): string {
  return text.includes('${') ? text.replace(/\$\{([^}]+)\}/g, (_, name: string) => get(name) ?? '') : text;
}
