/** Tokens by which users call the API. They are 32 random bytes, so a plain digest is enough to keep: nobody can guess one. */
import { createHash, randomBytes } from 'node:crypto';

const PREFIX = 'skt_';

export function newUserToken(): string {
  return `${PREFIX}${randomBytes(32).toString('base64url')}`;
}

export function isUserToken(text: string): boolean {
  return /^skt_[A-Za-z0-9_-]{43}$/.test(text);
}

export function tokenDigest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
