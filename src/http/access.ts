/** Who may use the API: whoever has the admin token; without one configured, whoever is on this machine. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { isLoopback } from '../config/settings-values';
import { SidekickError } from '../lib/errors';

export interface AccessRule {
  readonly adminToken: string | undefined;
  /** The host that the server is bound to. */
  readonly boundTo: string;
}

export interface Asker {
  readonly authorization: string | undefined;
  readonly hostHeader: string | undefined;
}

/**
 * Passes or throws.
 * Without a token the Host header must name this machine too, so that a web page which points its own name at 127.0.0.1
 * cannot read the API through a browser.
 * @throws SidekickError SK_NOT_ALLOWED, SK_UNAUTHENTICATED
 */
export function checkAccess(rule: AccessRule, asker: Asker): void {
  if (rule.adminToken === undefined) {
    if (!isLoopback(rule.boundTo)) {
      throw new SidekickError('SK_NOT_ALLOWED', 'the API is closed', {
        why: 'HTTP is bound to an address that others can reach, and no admin token is set',
        next: 'set SIDEKICK_ADMIN_TOKEN and send it as a bearer token',
      });
    }
    if (!namesThisMachine(asker.hostHeader)) {
      throw new SidekickError('SK_NOT_ALLOWED', 'the API is closed for this host name', {
        why: 'without an admin token only requests to localhost are answered',
        next: 'use http://127.0.0.1, or set SIDEKICK_ADMIN_TOKEN and send it as a bearer token',
      });
    }
    return;
  }
  const given = /^Bearer +(\S+)$/i.exec(asker.authorization ?? '')?.[1];
  if (given === undefined || !same(given, rule.adminToken)) {
    throw new SidekickError('SK_UNAUTHENTICATED', 'the API needs the admin token', {
      why: given === undefined ? 'the request has no bearer token' : 'the bearer token is not the right one',
      next: 'send "Authorization: Bearer …" with the value of SIDEKICK_ADMIN_TOKEN',
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
