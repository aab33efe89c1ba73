import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Seconds for which a nonce is good. A later answer gets a new challenge marked stale. */
const NONCE_SECONDS = 60;

export type DigestCheck = 'ok' | 'missing' | 'stale' | 'wrong';

/**
 * Server side of SIP digest authentication (RFC 3261 22.4, RFC 7616 with MD5 and qop=auth). Stateless: the nonce carries its
 * time and is signed, so that any node can check what another one asked.
 */
export class DigestChallenger {
  readonly #key: Buffer;
  readonly realm: string;

  constructor(realm: string, key: Buffer = randomBytes(32)) {
    this.realm = realm;
    this.#key = key;
  }

  /** Value of a WWW-Authenticate header. `now` in milliseconds. */
  challenge(now: number, stale = false): string {
    const stamp = Math.floor(now / 1000).toString(16);
    return `Digest realm="${this.realm}", nonce="${stamp}.${this.#sign(stamp)}", algorithm=MD5, qop="auth"${stale ? ', stale=true' : ''}`;
  }

  check(
    header: string | undefined,
    method: string,
    credentials: { readonly username: string; readonly password: string },
    now: number,
  ): DigestCheck {
    if (!header) {
      return 'missing';
    }
    const given = parseDigest(header);
    const [stamp = '', signature = ''] = (given.get('nonce') ?? '').split('.');
    if (!/^[0-9a-f]{1,12}$/.test(stamp) || !equalText(signature, this.#sign(stamp))) {
      return 'stale';
    }
    const response = this.#expected(given, method, credentials);
    if (
      given.get('username') !== credentials.username ||
      given.get('realm') !== this.realm ||
      !equalText(given.get('response') ?? '', response)
    ) {
      return 'wrong';
    }
    return now / 1000 - Number.parseInt(stamp, 16) > NONCE_SECONDS ? 'stale' : 'ok';
  }

  #expected(
    given: ReadonlyMap<string, string>,
    method: string,
    credentials: { readonly username: string; readonly password: string },
  ): string {
    const ha1 = md5(`${credentials.username}:${this.realm}:${credentials.password}`);
    const ha2 = md5(`${method}:${given.get('uri') ?? ''}`);
    const nonce = given.get('nonce') ?? '';
    return given.get('qop') === 'auth'
      ? md5(`${ha1}:${nonce}:${given.get('nc') ?? ''}:${given.get('cnonce') ?? ''}:auth:${ha2}`)
      : md5(`${ha1}:${nonce}:${ha2}`);
  }

  #sign(stamp: string): string {
    return createHmac('sha256', this.#key).update(stamp).digest('hex').slice(0, 32);
  }
}

/** Parameters of an `Authorization: Digest` header; unknown ones are kept, malformed ones left out. */
export function parseDigest(header: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const match of header.replace(/^\s*digest\s+/i, '').matchAll(/([a-z]+)\s*=\s*(?:"([^"]*)"|([^\s,]+))/gi)) {
    found.set((match[1] ?? '').toLowerCase(), match[2] ?? match[3] ?? '');
  }
  return found;
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

function equalText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
