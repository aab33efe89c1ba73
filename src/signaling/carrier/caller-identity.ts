import type { CountryCode } from 'libphonenumber-js/min';
import { getCountryCallingCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/min';
import type { CallerIdentity } from '../../calls/ports';

/** What of an INVITE tells who calls. Header values as received; several P-Asserted-Identity values joined by commas. */
export interface IdentityHeaders {
  readonly from: string | undefined;
  readonly assertedIdentity: string | undefined;
  readonly privacy: string | undefined;
}

const ANONYMOUS: CallerIdentity = { number: undefined, name: undefined };

/**
 * Who calls: P-Asserted-Identity (RFC 3325) before From. A caller who asks for privacy (`Privacy: id|user|header`, or an
 * anonymous From) stays anonymous, even though the trusted carrier tells us the number.
 */
export function callerIdentity(headers: IdentityHeaders, country: string): CallerIdentity {
  if (wantsPrivacy(headers)) {
    return ANONYMOUS;
  }
  const addresses = [...splitAddresses(headers.assertedIdentity), ...splitAddresses(headers.from)];
  for (const address of addresses) {
    const user = userOf(address);
    const number = user === undefined ? undefined : toE164(user, country);
    if (number !== undefined) {
      return { number, name: displayName(address) };
    }
  }
  return { number: undefined, name: addresses.map(displayName).find((name) => name !== undefined) };
}

/** A dialled or calling number in E.164 (`+49301000100`), read with the trunk's country; undefined if it is none. */
export function toE164(user: string, country: string): string | undefined {
  const digits = user.replace(/[\s().-]/g, '');
  if (!/^\+?\d{2,20}$/.test(digits)) {
    return undefined;
  }
  for (const text of readings(digits, country)) {
    const parsed = parsePhoneNumberFromString(text, country as CountryCode);
    if (parsed?.isPossible()) {
      return parsed.number;
    }
  }
  return undefined;
}

/** Carriers often send the international form without its plus; digits that begin with the own calling code are read so first. */
function readings(digits: string, country: string): string[] {
  if (digits.startsWith('+')) {
    return [digits];
  }
  const withPlus = `+${digits}`;
  const own = isSupportedCountry(country) ? getCountryCallingCode(country) : '';
  return own !== '' && digits.startsWith(own) ? [withPlus, digits] : [digits, withPlus];
}

function wantsPrivacy(headers: IdentityHeaders): boolean {
  const values = (headers.privacy ?? '').toLowerCase().split(/[;,\s]+/);
  if (values.some((v) => v === 'id' || v === 'user' || v === 'header')) {
    return true;
  }
  const from = headers.from ?? '';
  return /sips?:anonymous@/i.test(from) || /@anonymous\.invalid/i.test(from);
}

/** Splits a comma list of addresses, leaving commas inside quotes and angle brackets alone. */
function splitAddresses(text: string | undefined): string[] {
  if (!text) {
    return [];
  }
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  let angle = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
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
    } else if (c === ',' && !angle) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts.map((p) => p.trim()).filter((p) => p !== '');
}

/** User part of a SIP or SIPS URI, or the number of a tel URI, without parameters. */
export function userOf(address: string): string | undefined {
  const uri = /<([^>]*)>/.exec(address)?.[1] ?? address;
  const match = /^(?:sips?:([^@;]+)(?:;[^@]*)?@|tel:([^;]+))/i.exec(uri.trim());
  const user = match?.[1] ?? match?.[2];
  if (user === undefined) {
    return undefined;
  }
  try {
    return decodeURIComponent(user.split(':', 1)[0] ?? '');
  } catch (error) {
    if (error instanceof URIError) {
      return undefined;
    }
    throw error;
  }
}

const MAX_NAME_LENGTH = 80;

/** Display name of an address, free of control characters and quotes, so that it can be put into another header. */
function displayName(address: string): string | undefined {
  const raw = /^\s*(?:"((?:[^"\\]|\\.)*)"|([^"<]*?))\s*</.exec(address);
  const name = (raw?.[1]?.replace(/\\(.)/g, '$1') ?? raw?.[2] ?? '')

    .replace(/[\u0000-\u001f\u007f"\\<>]/g, '')
    .trim()
    .slice(0, MAX_NAME_LENGTH);
  return name === '' || /^anonymous$/i.test(name) ? undefined : name;
}
