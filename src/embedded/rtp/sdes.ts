/** Keys for SRTP in SDP: `a=crypto` lines (RFC 4568), for the one suite that Teams and we speak. */
import { randomBytes } from 'node:crypto';

export const SDES_SUITE = 'AES_CM_128_HMAC_SHA1_80';
const KEY_BYTES = 16;
const SALT_BYTES = 14;

export interface SdesMki {
  readonly value: number;
  /** Bytes that it takes in each packet. */
  readonly length: number;
}

export interface SdesCrypto {
  readonly tag: number;
  readonly suite: typeof SDES_SUITE;
  /** Master key, 16 bytes. */
  readonly key: Buffer;
  /** Master salt, 14 bytes. */
  readonly salt: Buffer;
  /** As written, for example `2^31`. */
  readonly lifetime?: string;
  readonly mki?: SdesMki;
}

/** A new random master key and salt. */
export function newSdesKey(tag = 1): SdesCrypto {
  return { tag, suite: SDES_SUITE, key: randomBytes(KEY_BYTES), salt: randomBytes(SALT_BYTES) };
}

/** The same keys, whatever tag, lifetime or MKI stands beside them. */
export function sameSdesKey(a: SdesCrypto | undefined, b: SdesCrypto | undefined): boolean {
  return a !== undefined && b !== undefined && a.key.equals(b.key) && a.salt.equals(b.salt);
}

/**
 * Reads what stands after `a=crypto:`, or the whole line. `undefined`: another suite, session parameters that would change
 * the protection, or not an `a=crypto` value at all.
 */
export function parseCrypto(line: string): SdesCrypto | undefined {
  const match = /^(?:a=)?(?:crypto:)?(\d{1,9})\s+(\S+)\s+inline:([A-Za-z0-9+/=]+)((?:\|[^|;\s]+)*)(?:\s+(.*))?$/.exec(
    line.trim(),
  );
  const [, tag, suite, base64, extras = '', session = ''] = match ?? [];
  if (
    tag === undefined ||
    suite !== SDES_SUITE ||
    base64 === undefined ||
    /UNENCRYPTED|UNAUTHENTICATED|KDR|FEC/.test(session)
  ) {
    return undefined;
  }
  const secret = Buffer.from(base64, 'base64');
  if (secret.length !== KEY_BYTES + SALT_BYTES) {
    return undefined;
  }
  let lifetime: string | undefined;
  let mki: SdesMki | undefined;
  for (const part of extras.split('|').filter((p) => p !== '')) {
    const [, value, length] = /^(\d{1,15}):(\d{1,3})$/.exec(part) ?? [];
    if (value !== undefined && length !== undefined) {
      mki = { value: Number(value), length: Number(length) };
    } else if (/^(2\^)?\d{1,15}$/.test(part)) {
      lifetime = part;
    } else {
      return undefined;
    }
  }
  if (mki !== undefined && (mki.length < 1 || mki.length > 128)) {
    return undefined;
  }
  return {
    tag: Number(tag),
    suite: SDES_SUITE,
    key: secret.subarray(0, KEY_BYTES),
    salt: secret.subarray(KEY_BYTES),
    ...(lifetime === undefined ? {} : { lifetime }),
    ...(mki === undefined ? {} : { mki }),
  };
}

/** `inline:…` with lifetime and MKI, as it stands in the line after the suite. */
export function formatCryptoKey(crypto: SdesCrypto): string {
  const lifetime = crypto.lifetime === undefined ? '' : `|${crypto.lifetime}`;
  const mki = crypto.mki === undefined ? '' : `|${crypto.mki.value}:${crypto.mki.length}`;
  return `inline:${Buffer.concat([crypto.key, crypto.salt]).toString('base64')}${lifetime}${mki}`;
}

/** The value of the line: `1 AES_CM_128_HMAC_SHA1_80 inline:…`, to be put after `a=crypto:`. */
export function formatCrypto(crypto: SdesCrypto): string {
  return `${crypto.tag} ${crypto.suite} ${formatCryptoKey(crypto)}`;
}
