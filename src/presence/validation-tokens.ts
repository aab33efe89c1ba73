/**
 * The tokens that come with encrypted notifications and prove that Graph sent them: a JWT signed by Entra, for our application,
 * made by Microsoft's change tracking service (page on rich notifications, April 2026).
 */
import type { KeyObject } from 'node:crypto';
import type { Clock } from '../lib/clock';
import { describeError } from '../lib/errors';
import { IssuerKeys, readToken } from '../lib/jwt';
import type { Claims } from '../lib/jwt';
import type { Log } from '../lib/log';

/** Application id of Microsoft Graph Change Tracking, the same in every tenant. */
export const CHANGE_TRACKING_APP = '0bf30f3b-4a52-48df-9a82-234910c4a086';
/** Clocks may differ by so much. */
const SKEW_SECONDS = 300;

export interface TokenExpectation {
  readonly clientId: string;
  /** Of the registration, without tenant; decides the issuer of tokens in format 2. */
  readonly authority: string;
}

export type TokenVerdict =
  { readonly ok: true; readonly tenantId: string } | { readonly ok: false; readonly why: string };

/** The signing keys of one authority. */
export class SigningKeys {
  readonly #keys: IssuerKeys;
  readonly #log: Log;

  constructor(authority: string, deps: { readonly clock: Clock; readonly log: Log }) {
    this.#keys = new IssuerKeys(`${authority}/common/discovery/v2.0/keys`, () => deps.clock.now());
    this.#log = deps.log;
  }

  /** Undefined: it has no such key, or cannot be read, which is told. */
  async find(kid: string): Promise<KeyObject | undefined> {
    try {
      return await this.#keys.find(kid);
    } catch (error) {
      this.#log.warn(
        { event: 'presence:signing-keys', error: describeError(error) },
        'the keys of Entra cannot be read',
      );
      return undefined;
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
  const signed = readToken(token);
  if (signed === undefined) {
    return no('it is no JWT that is signed with RS256 by a named key');
  }
  const key = await keys.find(signed.keyId);
  if (key === undefined) {
    return no('the key it names is none of Entra');
  }
  return signed.isSignedBy(key) ? checkClaims(signed.claims, expected, now / 1000) : no('its signature is wrong');
}

function checkClaims(claims: Claims, expected: TokenExpectation, now: number): TokenVerdict {
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
