import type { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { describeError } from '../../lib/errors';
import type { Log } from '../../lib/log';
import type { Metrics } from '../../lib/metrics';
import { Newest } from '../../lib/newest';

export interface CertificateWatchDeps {
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'certificateDays' | 'certificateGone'>;
  /** Where our SIP server takes TLS; undefined while it does not. */
  readonly address: () => { readonly host: string; readonly port: number } | undefined;
  readonly now: () => number;
  /** Gives the certificate that is shown at an address. Default: a TLS handshake without a certificate of ours. */
  readonly fetch?: (
    address: { readonly host: string; readonly port: number },
    name: string,
  ) => Promise<X509Certificate>;
}

/** Days before the end at which an alarm is logged. */
export const ALARM_DAYS = [30, 14, 3] as const;

const DAY_MS = 86_400_000;
const LOOK_MS = 3_600_000;
const HANDSHAKE_MS = 5_000;

/** The alarm that is due for a certificate with so many days left: 30, 14, 3, or 0 once it has expired. Undefined: none yet. */
export function dueAlarm(daysLeft: number): number | undefined {
  if (daysLeft <= 0) {
    return 0;
  }
  return [...ALARM_DAYS].reverse().find((days) => daysLeft <= days);
}

/**
 * Watches the certificate that our own SIP server shows, for each SBC name: what is served counts, not what lies in the file,
 * because drachtio-server reads the file at its start alone. Days left go to the metrics; each alarm is logged once.
 */
export class CertificateWatch {
  readonly #deps: CertificateWatchDeps;
  readonly #alarmed = new Map<string, number>();
  #names: readonly string[] = [];
  readonly #looks = new Newest(() => this.#lookAtAll());
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: CertificateWatchDeps) {
    this.#deps = deps;
  }

  /** Looks at once for names that are new, and each hour for all. */
  load(names: readonly string[]): void {
    const fresh = names.filter((name) => !this.#names.includes(name));
    for (const name of this.#names.filter((watched) => !names.includes(watched))) {
      this.#alarmed.delete(name);
      this.#deps.metrics.certificateGone(name);
    }
    this.#names = [...new Set(names)];
    if (fresh.length > 0) {
      void this.look();
    }
    this.#timer ??= setInterval(() => void this.look(), LOOK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#names = [];
  }

  /** Looks at the certificate of each name that is watched now. */
  look(): Promise<void> {
    return this.#looks.run();
  }

  async #lookAtAll(): Promise<void> {
    const address = this.#deps.address();
    if (!address) {
      return;
    }
    for (const name of this.#names) {
      try {
        const certificate = await (this.#deps.fetch ?? shownCertificate)(address, name);
        // The trunk may be gone since: nobody renews the certificate of a name that is not used.
        if (this.#names.includes(name)) {
          this.#judge(name, certificate);
        }
      } catch (error) {
        this.#deps.log.debug({ event: 'certificate_not_read', name, reason: describeError(error) });
      }
    }
  }

  #judge(name: string, certificate: X509Certificate): void {
    const { log, metrics, now } = this.#deps;
    const daysLeft = (Date.parse(certificate.validTo) - now()) / DAY_MS;
    metrics.certificateDays(name, Math.floor(daysLeft * 10) / 10);
    if (certificate.checkHost(name) === undefined) {
      log.error({
        event: 'certificate_name_missing',
        name,
        text: 'Teams refuses a trunk whose name is not in the certificate',
      });
    }
    const due = dueAlarm(daysLeft);
    if (due === undefined) {
      this.#alarmed.delete(name);
      return;
    }
    if (this.#alarmed.get(name) !== due) {
      this.#alarmed.set(name, due);
      const level = due <= 3 ? log.error : log.warn;
      level.call(log, {
        event: 'certificate_expires',
        name,
        daysLeft: Math.floor(daysLeft),
        validTo: certificate.validTo,
      });
    }
  }
}

/** The certificate that a TLS server shows; it need not let us in. */
function shownCertificate(
  address: { readonly host: string; readonly port: number },
  name: string,
): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    // TLS 1.3 shows the certificate before it asks for ours, so that a server that demands one can be read as well.
    const socket = connect({ ...address, servername: name, rejectUnauthorized: false, minVersion: 'TLSv1.3' });
    socket.setTimeout(HANDSHAKE_MS, () => socket.destroy(new Error('no TLS handshake in time')));
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate();
      socket.destroy();
      if (certificate) {
        resolve(certificate);
      } else {
        reject(new Error('no certificate was shown'));
      }
    });
  });
}
