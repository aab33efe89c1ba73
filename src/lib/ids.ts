import { randomBytes, randomUUID } from 'node:crypto';

/** A random UUID (version 4), the id of every call, offer and channel. */
export function newId(): string {
  return randomUUID();
}

/** `bytes` random bytes in hexadecimal, for SIP tags, branches and tokens. */
export function newToken(bytes = 8): string {
  return randomBytes(bytes).toString('hex');
}
