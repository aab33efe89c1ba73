/**
 * Who may use the API: whoever has the admin token, a token of a user, or one of Entra; without an admin token also programs on this
 * machine.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { isLoopback } from '../config/settings-values';
import { isUserToken, tokenDigest } from '../config/user-tokens';
import { SidekickError } from '../lib/errors';
import type { UserRow } from '../store/types';
import { identityOf } from './identity';
import type { Identity } from './identity';

export interface AccessRule {
  readonly adminToken: string | undefined;
  /** The host that the server is bound to. */
  readonly boundTo: string;
  /** By the SHA-256 of a token; undefined: there are no users. */
  readonly userByToken?: ((digest: Buffer) => Promise<UserRow | undefined>) | undefined;
  /** undefined: nobody signs in at Entra. */
  readonly signIn?: ((token: string) => Promise<Identity>) | undefined;
}

export interface Asker {
  readonly authorization: string | undefined;
  readonly hostHeader: string | undefined;
}

const ADMIN: Identity = { by: 'api:admin', role: 'admin', everywhere: true, scopes: [] };
const LOCAL: Identity = { by: 'api:local', role: 'admin', everywhere: true, scopes: [] };

/**
 * Who asks.
 * @throws SidekickError SK_NOT_ALLOWED, SK_UNAUTHENTICATED, SK_SIGN_IN_UNREACHABLE
 */
export async function identify(rule: AccessRule, asker: Asker): Promise<Identity> {
  if (rule.adminToken === undefined && asker.authorization === undefined) {
    checkLocal(rule, asker);
    return LOCAL;
  }
  const given = /^Bearer +(\S+)$/i.exec(asker.authorization ?? '')?.[1];
  if (given === undefined) {
    throw unauthenticated('the request has no bearer token');
  }
  if (rule.adminToken !== undefined && same(given, rule.adminToken)) {
    return ADMIN;
  }
  if (isUserToken(given)) {
    const user = await rule.userByToken?.(tokenDigest(given));
    if (user !== undefined) {
      return identityOf(user, 'api');
    }
  } else if (rule.signIn !== undefined && given.split('.').length === 3) {
    return rule.signIn(given);
  }
  throw unauthenticated('the bearer token is not the right one, or it is over');
}

function unauthenticated(why: string): SidekickError {
  return new SidekickError('SK_UNAUTHENTICATED', 'the API needs a token', {
    why,
    next: 'send "Authorization: Bearer …" with the admin token or one that `sidekick users token NAME` made',
  });
}

/**
 * The Host header must name this machine too, so that a web page which points its own name at 127.0.0.1 cannot read the API
 * through a browser.
 */
function checkLocal(rule: AccessRule, asker: Asker): void {
  if (!isLoopback(rule.boundTo)) {
    throw new SidekickError('SK_NOT_ALLOWED', 'the API is closed', {
      why: 'HTTP is bound to an address that others can reach, and no admin token is set',
      next: 'set SIDEKICK_ADMIN_TOKEN and send it as a bearer token, or make a user with `sidekick users create`',
    });
  }
  if (!namesThisMachine(asker.hostHeader)) {
    throw new SidekickError('SK_NOT_ALLOWED', 'the API is closed for this host name', {
      why: 'without a token only requests to localhost are answered',
      next: 'use http://127.0.0.1, or set SIDEKICK_ADMIN_TOKEN and send it as a bearer token',
    });
  }
}

function namesThisMachine(hostHeader: string | undefined): boolean {
  const host = hostHeader?.replace(/:\d+$/, '').replace(/^\[|\]$/g, '') ?? '';
  return host.toLowerCase() === 'localhost' || (isIP(host) !== 0 && isLoopback(host));
}

function same(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
