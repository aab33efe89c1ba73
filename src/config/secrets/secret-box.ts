/**
 * Encryption of secrets at rest: AES-256-GCM with a random nonce for each value. The place where a value belongs (tenant and name)
 * is authenticated with it, so that whoever can write rows cannot pass one secret off as another. Pure but for randomness.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** One key; shows its id wherever it is printed, never itself. */
export class SecretKey {
  readonly id: string;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.id = createHash('sha256').update('sidekick secret key id').update(bytes).digest('hex').slice(0, 8);
  }

  seal(place: string, text: string): Sealed {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.#bytes, nonce, { authTagLength: TAG_BYTES }).setAAD(
      Buffer.from(place),
    );
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return { keyId: this.id, nonce, sealed };
  }

  /** undefined: it was made with another key, for another place, or was changed. */
  open(place: string, { keyId, nonce, sealed }: Sealed): string | undefined {
    if (keyId !== this.id || sealed.length < TAG_BYTES) {
      return undefined;
    }
    const decipher = createDecipheriv(ALGORITHM, this.#bytes, nonce, { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(place))
      .setAuthTag(sealed.subarray(-TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8');
    } catch {
      return undefined; // the tag does not fit: that is the whole meaning of the failure
    }
  }

  toString(): string {
    return `key ${this.id}`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

export interface Sealed {
  readonly keyId: string;
  readonly nonce: Buffer;
  /** Encrypted text, then the tag. */
  readonly sealed: Buffer;
}

/** Where a secret belongs. A tenant's id does not change with its name. */
export function secretPlace(tenantId: string | undefined, name: string): string {
  return `${tenantId ?? '*'}/${name}`;
}

/** Opens with whichever key fits. */
export function openWith(keys: readonly SecretKey[], place: string, sealed: Sealed): string | undefined {
  return keys.find((key) => key.id === sealed.keyId)?.open(place, sealed);
}

/**
 * Keys of 32 bytes, as base64 or hexadecimal digits, with commas or line ends between them. The first encrypts, the others only
 * open what was encrypted before a rotation. Lines that start with # are remarks.
 * @throws Error that says what was expected and never repeats the text
 */
export function readSecretKeys(text: string): SecretKey[] {
  const parts = text
    .split(/[\n,]/)
    .map((part) => part.trim())
    .filter((part) => part !== '' && !part.startsWith('#'));
  const keys = parts.map((part, index) => {
    const bytes = /^[0-9a-f]{64}$/i.test(part)
      ? Buffer.from(part, 'hex')
      : /^[A-Za-z0-9+/_-]{43}=?$/.test(part)
        ? Buffer.from(part, 'base64')
        : undefined;
    if (bytes?.length !== KEY_BYTES) {
      const which = parts.length > 1 ? ` (number ${index + 1})` : '';
      throw new Error(`holds a key${which} that is not 32 bytes, such as the output of \`openssl rand -base64 32\``);
    }
    return new SecretKey(bytes);
  });
  if (keys.length === 0) {
    throw new Error('holds no key; expected 32 bytes, such as the output of `openssl rand -base64 32`');
  }
  if (new Set(keys.map((key) => key.id)).size < keys.length) {
    throw new Error('holds the same key twice');
  }
  return keys;
}
