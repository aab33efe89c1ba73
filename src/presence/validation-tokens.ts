/**
 * The tokens that come with encrypted notifications and prove that Graph sent them: a JWT signed by Entra, for our application,
 * made by Microsoft's change tracking service (page on rich notifications, April 2026).
 */
import { createPublicKey, verify } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import type { Clock } from '../lib/clock';
import { describeError } from '../lib/errors';
import type { Log } from '../lib/log';
import { isRecord } from './graph-client';
import { REQUEST_TIMEOUT_MS } from './graph-errors';

/** Application id of Microsoft Graph Change Tracking, the same in every tenant. */
export const CHANGE_TRACKING_APP = '0bf30f3b-4a52-48df-9a82-234910c4a086';
/** Keys are asked for again after a day, or when a token names one that is not known, but not more often than this. */
const KEYS_FOR_MS = 86_400_000;
const ASK_AGAIN_MS = 60_000;
/** Clocks may differ by so much. */
const SKEW_SECONDS = 300;

export interface TokenExpectation {
  readonly clientId: string;
  /** Of the registration, without tenant; decides the issuer of tokens in format 2. */
  readonly authority: string;
}

export type TokenVerdict =
  { readonly ok: true; readonly tenantId: string } | { readonly ok: false; readonly why: string };

/** The signing keys of one authority, kept for a day. */
export class SigningKeys {
  readonly #url: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #keys = new Map<string, KeyObject>();
  #askedAt = -Infinity;
  #asking: Promise<void> | undefined;

  constructor(authority: string, deps: { readonly clock: Clock; readonly log: Log }) {
    this.#url = `${authority}/common/discovery/v2.0/keys`;
    this.#clock = deps.clock;
    this.#log = deps.log;
  }

  async find(kid: string): Promise<KeyObject | undefined> {
    const age = this.#clock.now() - this.#askedAt;
    if (age > KEYS_FOR_MS || (!this.#keys.has(kid) && age > ASK_AGAIN_MS)) {
      this.#asking ??= this.#ask().finally(() => {
        this.#asking = undefined;
      });
    }
    await this.#asking;
    return this.#keys.get(kid);
  }

  async #ask(): Promise<void> {
    this.#askedAt = this.#clock.now();
    try {
      const response = await fetch(this.#url, { redirect: 'error', signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
      const body: unknown = await response.json();
      const keys = isRecord(body) && Array.isArray(body['keys']) ? body['keys'].filter(isRecord) : [];
      this.#keys = new Map(
        keys.flatMap((jwk): [string, KeyObject][] =>
          typeof jwk['kid'] === 'string' && jwk['kty'] === 'RSA'
            ? [[jwk['kid'], createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })]]
            : [],
        ),
      );
    } catch (error) {
      this.#log.warn(
        { event: 'presence:signing-keys', error: describeError(error) },
        'the keys of Entra cannot be read',
      );
    }
  }
}

/** Checks one validation token at `now` (milliseconds). */
export async function checkToken(
  token: string,
  expected: TokenExpectation,
  keys: Pick<SigningKeys, 'find'>,
  now: number,
): Promise<TokenVerdict> {
  const no = (why: string): TokenVerdict => ({ ok: false, why });
  const parts = token.split('.');
  const [head, claims] = parts.slice(0, 2).map(readSegment);
  if (parts.length !== 3 || head === undefined || claims === undefined) {
    return no('it is no JWT');
  }
  if (head['alg'] !== 'RS256' || typeof head['kid'] !== 'string') {
    return no('it is not signed with RS256 by a named key');
  }
  const key = await keys.find(head['kid']);
  if (key === undefined) {
    return no('the key it names is none of Entra');
  }
  const [signed, signature] = [`${parts[0] ?? ''}.${parts[1] ?? ''}`, Buffer.from(parts[2] ?? '', 'base64url')];
  if (!verify('RSA-SHA256', Buffer.from(signed), key, signature)) {
    return no('its signature is wrong');
  }
  return checkClaims(claims, expected, now / 1000);
}

function checkClaims(claims: Record<string, unknown>, expected: TokenExpectation, now: number): TokenVerdict {
  const no = (why: string): TokenVerdict => ({ ok: false, why });
  const { aud, iss, tid, exp, nbf } = claims;
  if (typeof exp !== 'number' || exp + SKEW_SECONDS < now || (typeof nbf === 'number' && nbf - SKEW_SECONDS > now)) {
    return no('it is not valid at this time');
  }
  if (typeof tid !== 'string' || !/^[0-9a-f-]{36}$/i.test(tid)) {
    return no('it names no tenant');
  }
  const v2 = `${expected.authority.replace(/^http:/, 'https:')}/${tid}/v2.0`;
  if (iss !== `https://sts.windows.net/${tid}/` && iss !== v2) {
    return no('its issuer is not Entra');
  }
  if (typeof aud !== 'string' || aud.toLowerCase() !== expected.clientId.toLowerCase()) {
    return no('it is for another application');
  }
  if ((claims['azp'] ?? claims['appid']) !== CHANGE_TRACKING_APP) {
    return no('it was not made for the change tracking service');
  }
  return { ok: true, tenantId: tid.toLowerCase() };
}

function readSegment(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return isRecord(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}
