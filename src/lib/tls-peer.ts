import type { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { toError } from './errors';
import { greetServer } from './tls-hello';
import { TEAMS_HELLO } from './tls-suites';

export interface TlsPeer {
  readonly host: string;
  readonly port: number;
  /** Sent as SNI. */
  readonly serverName?: string;
}

/**
 * The certificates that a server shows, its own first, whether or not they can be trusted. Servers that want to see a certificate
 * of ours show theirs before they refuse us; with TLS 1.2, which Microsoft's proxies speak, that is seen in the greeting alone.
 * @throws Error where nobody answers or no handshake comes about
 */
export async function certificatesOf(peer: TlsPeer, timeoutMs: number): Promise<X509Certificate[]> {
  try {
    return await certificatesAfterHandshake(peer, timeoutMs);
  } catch (error) {
    const greeting = await greetServer(peer, TEAMS_HELLO, timeoutMs).catch(() => undefined);
    if (greeting === undefined || greeting.certificates.length === 0) {
      throw error;
    }
    return [...greeting.certificates];
  }
}

function certificatesAfterHandshake(
  { host, port, serverName }: TlsPeer,
  timeoutMs: number,
): Promise<X509Certificate[]> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      rejectUnauthorized: false,
      timeout: timeoutMs,
      ...(serverName === undefined ? {} : { servername: serverName }),
    });
    const timer = setTimeout(() => socket.destroy(new Error(`no TLS handshake within ${timeoutMs} ms`)), timeoutMs);
    socket.once('secureConnect', () => {
      const certificates: X509Certificate[] = [];
      let next = socket.getPeerX509Certificate();
      // A root that issued itself stands at the end of the chain again and again.
      while (next !== undefined && !certificates.some((one) => one.fingerprint256 === next?.fingerprint256)) {
        certificates.push(next);
        next = next.issuerCertificate;
      }
      clearTimeout(timer);
      socket.destroy();
      resolve(certificates);
    });
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(toError(error));
    });
  });
}
