/**
 * What Graph sends by itself is encrypted for us: a fresh AES key under our RSA key (OAEP with SHA-1), the resource under that
 * key (AES-CBC, PKCS#7, the first 16 bytes of the key as IV), and an HMAC-SHA256 of the encrypted data under the same key
 * (Microsoft's page on rich notifications, April 2026).
 */
import {
  constants,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  privateDecrypt,
  timingSafeEqual,
  X509Certificate,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describeError, SidekickError } from '../lib/errors';

/** The field `encryptedContent` of a notification. */
export interface EncryptedContent {
  readonly data: string;
  readonly dataKey: string;
  readonly dataSignature: string;
  readonly encryptionCertificateId: string;
}

interface Pair {
  readonly id: string;
  /** DER in base64, as Graph wants it. */
  readonly certificate: string;
  readonly key: KeyObject;
}

export class NotificationKeys {
  readonly #pairs: readonly Pair[];

  private constructor(pairs: readonly Pair[]) {
    this.#pairs = pairs;
  }

  /**
   * Reads private keys and certificates from PEM text: the first certificate is the one that Graph is given, further ones stay
   * readable while a new one takes over.
   * @throws SidekickError SK_SETTINGS_INVALID
   */
  static fromPem(pem: string, file = 'the key file'): NotificationKeys {
    try {
      const blocks = (kind: RegExp): string[] =>
        [...pem.matchAll(/-----BEGIN ([A-Z ]+)-----[\s\S]+?-----END \1-----/g)]
          .filter((match) => kind.test(match[1] ?? ''))
          .map((match) => match[0]);
      const keys = blocks(/PRIVATE KEY$/).map((text) => createPrivateKey(text));
      const pairs = blocks(/^CERTIFICATE$/).flatMap((text): Pair[] => {
        const certificate = new X509Certificate(text);
        const key = keys.find((candidate) => certificate.checkPrivateKey(candidate));
        return key === undefined
          ? []
          : [
              {
                id: certificate.fingerprint256.replaceAll(':', ''),
                certificate: certificate.raw.toString('base64'),
                key,
              },
            ];
      });
      const bits = pairs[0]?.key.asymmetricKeyDetails?.modulusLength ?? 0;
      if (pairs.length === 0 || bits < 2048 || bits > 4096) {
        throw new Error('it must hold an RSA key of 2048 to 4096 bits and its certificate');
      }
      return new NotificationKeys(pairs);
    } catch (error) {
      throw new SidekickError('SK_SETTINGS_INVALID', 'the key for notifications is not usable', {
        why: `${file}: ${describeError(error)}`,
        next: 'make one with openssl as docs/presence.md shows',
        cause: error,
      });
    }
  }

  static fromFile(file: string): NotificationKeys {
    let pem: string;
    try {
      pem = readFileSync(file, 'utf8');
    } catch (error) {
      throw new SidekickError('SK_SETTINGS_INVALID', 'the key for notifications cannot be read', {
        why: describeError(error),
        cause: error,
      });
    }
    return NotificationKeys.fromPem(pem, file);
  }

  /** What a subscription tells Graph. */
  get current(): { readonly encryptionCertificate: string; readonly encryptionCertificateId: string } {
    const [first] = this.#pairs;
    if (first === undefined) {
      throw new SidekickError('SK_INTERNAL', 'no key for notifications');
    }
    return { encryptionCertificate: first.certificate, encryptionCertificateId: first.id };
  }

  /** The decrypted resource. @throws Error that says which step failed, without a secret */
  decrypt(content: EncryptedContent): unknown {
    const pair = this.#pairs.find(({ id }) => id === content.encryptionCertificateId);
    if (pair === undefined) {
      throw new Error('it is encrypted for a certificate that is not ours');
    }
    const data = Buffer.from(content.data, 'base64');
    const key = openKey(pair.key, content.dataKey);
    const expected = createHmac('sha256', key).update(data).digest();
    const given = Buffer.from(content.dataSignature, 'base64');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new Error('its signature is not that of its data');
    }
    const decipher = createDecipheriv(`aes-${key.length * 8}-cbc`, key, key.subarray(0, 16));
    return JSON.parse(Buffer.concat([decipher.update(data), decipher.final()]).toString('utf8')) as unknown;
  }
}

function openKey(privateKey: KeyObject, dataKey: string): Buffer {
  let key: Buffer;
  try {
    key = privateDecrypt(
      { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
      Buffer.from(dataKey, 'base64'),
    );
  } catch (error) {
    throw new Error('its key cannot be opened with ours', { cause: error });
  }
  if (![16, 24, 32].includes(key.length)) {
    throw new Error(`its key has ${key.length} bytes`);
  }
  return key;
}
