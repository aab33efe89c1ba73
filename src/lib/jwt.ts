/** Tokens that an identity provider signed (RFC 7519, RS256 alone): reading them, and the keys of their issuer (RFC 7517). */
import { createPublicKey, verify } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { toError } from './errors';

export type Claims = Readonly<Record<string, unknown>>;

export interface SignedToken {
  /** Names the key that it was signed with. */
  readonly keyId: string;
  /** Not to be trusted before `isSignedBy`. */
  readonly claims: Claims;
  isSignedBy(key: KeyObject): boolean;
}

/** undefined: it is no token of that kind. `alg: none` and shared secrets are none. */
export function readToken(text: string): SignedToken | undefined {
  const [head = '', body = '', signature = '', ...rest] = text.split('.');
  const header = segment(head);
  const claims = segment(body);
  const keyId = header?.['kid'];
  if (rest.length > 0 || header?.['alg'] !== 'RS256' || typeof keyId !== 'string' || claims === undefined) {
    return undefined;
  }
  return {
    keyId,
    claims,
    isSignedBy: (key) =>
      key.asymmetricKeyType === 'rsa' &&
      verify('RSA-SHA256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url')),
  };
}

function segment(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}

/** Keys are asked for again after a day, or when a token names one that is not known, but not more often than each minute. */
const KEEP_MS = 86_400_000;
const ASK_AGAIN_MS = 60_000;
const TIMEOUT_MS = 5_000;

/** The signing keys that an issuer publishes. */
export class IssuerKeys {
  readonly #url: string;
  readonly #now: () => number;
  #keys: ReadonlyMap<string, KeyObject> = new Map();
  #askedAt = -Infinity;
  #asking: Promise<void> | undefined;
  #failure: Error | undefined;

  constructor(url: string, now: () => number) {
    this.#url = url;
    this.#now = now;
  }

  /** undefined: the issuer has no such key. @throws whatever kept the keys from being read, where none are known */
  async find(keyId: string): Promise<KeyObject | undefined> {
    const age = this.#now() - this.#askedAt;
    if (age > KEEP_MS || (!this.#keys.has(keyId) && age > ASK_AGAIN_MS)) {
      this.#asking ??= this.#ask().finally(() => {
        this.#asking = undefined;
      });
    }
    await this.#asking;
    const found = this.#keys.get(keyId);
    if (found === undefined && this.#failure !== undefined) {
      throw this.#failure;
    }
    return found;
  }

  async #ask(): Promise<void> {
    this.#askedAt = this.#now();
    try {
      const answer = await fetch(this.#url, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (!answer.ok) {
        throw new Error(`status ${answer.status}`);
      }
      const { keys } = (await answer.json()) as { readonly keys: readonly (JsonWebKey & { readonly kid?: string })[] };
      const rsa = keys.filter((key) => key.kty === 'RSA');
      this.#keys = new Map(rsa.map((key) => [key.kid ?? '', createPublicKey({ key, format: 'jwk' })]));
      this.#failure = undefined;
    } catch (error) {
      this.#failure = toError(error);
    }
  }
}
