import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

export interface CertificateOptions {
  readonly names: readonly string[];
  /** Default: rsa-2048. */
  readonly key?: 'rsa-2048' | 'rsa-1024' | 'ec';
  /** Names of extended key usages; without them the certificate names none. */
  readonly uses?: readonly string[];
}

const USES: Readonly<Record<string, x509.ExtendedKeyUsageType>> = {
  serverAuth: x509.ExtendedKeyUsage.serverAuth,
  clientAuth: x509.ExtendedKeyUsage.clientAuth,
};

/** A certificate that signs itself, with what a certificate of the test authority never has. PEM. */
export async function makeCertificate({ names, key = 'rsa-2048', uses }: CertificateOptions): Promise<string> {
  const algorithm =
    key === 'ec'
      ? { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
      : {
          name: 'RSASSA-PKCS1-v1_5',
          hash: 'SHA-256',
          publicExponent: new Uint8Array([1, 0, 1]),
          modulusLength: key === 'rsa-1024' ? 1024 : 2048,
        };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${names[0] ?? ''}`,
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 200 * 86_400_000),
    signingAlgorithm: algorithm,
    keys: keys as never,
    extensions: [
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
      ...(uses === undefined ? [] : [new x509.ExtendedKeyUsageExtension(uses.map((use) => USES[use] ?? use))]),
    ],
  });
  return certificate.toString('pem');
}
