/**
 * Sends change notifications as Graph does: encrypted for the certificate of the subscription, with a validation token, to the
 * address that the subscription names, in order, again when they are not taken. `Retry` times are shorter than Graph's four hours.
 */
import { constants, createCipheriv, createHmac, publicEncrypt, randomBytes, X509Certificate } from 'node:crypto';
import type { Clock, TimerHandle } from '../../lib/clock';
import { describeError } from '../../lib/errors';
import type { Log } from '../../lib/log';
import type { GraphRuleLog } from './graph-rules';

export interface NotificationTarget {
  readonly id: string;
  readonly notificationUrl: string;
  readonly lifecycleNotificationUrl: string | undefined;
  readonly clientState: string;
  /** DER in base64. */
  readonly encryptionCertificate: string;
  readonly encryptionCertificateId: string;
  readonly expiresAt: number;
}

/** Ways in which notifications can go wrong. */
export interface PushMood {
  /** Nothing is sent although subscriptions live (3.2, loss seen). */
  silent: boolean;
  /** How late a change is told, 0–60,000 (average below 10 s at Microsoft). */
  delayMs: number;
  /** Every change is told twice. */
  twice: boolean;
  /** What is wrong with the next notifications. */
  forge: 'audience' | 'issuer' | 'signature' | 'expired' | 'sender' | 'client-state' | 'data' | 'no-token' | undefined;
}

export const goodPush = (): PushMood => ({ silent: false, delayMs: 0, twice: false, forge: undefined });

const SLOW_MS = 3_000;
const RETRY_MS = [1_000, 5_000, 15_000];

export interface NotifierDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly rules: GraphRuleLog;
  readonly tenantId: string;
  readonly mood: PushMood;
  readonly validationToken: (wrong?: 'audience' | 'issuer' | 'signature' | 'expired' | 'sender') => string;
}

export class Notifier {
  readonly #deps: NotifierDeps;
  readonly #timers = new Set<TimerHandle>();
  readonly #sending = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  #sent = 0;

  constructor(deps: NotifierDeps) {
    this.#deps = deps;
  }

  /** Deliveries that were taken. */
  get sent(): number {
    return this.#sent;
  }

  changed(target: NotificationTarget, resource: Record<string, unknown>): void {
    const { mood } = this.#deps;
    if (mood.silent) {
      return;
    }
    const send = (): void => this.#deliver(target.notificationUrl, this.#notification(target, resource), 0);
    for (let copies = mood.twice ? 2 : 1; copies > 0; copies--) {
      this.#later(mood.delayMs, send);
    }
  }

  reauthorizationRequired(target: NotificationTarget): void {
    const entry = {
      subscriptionId: target.id,
      subscriptionExpirationDateTime: new Date(target.expiresAt).toISOString(),
      tenantId: this.#deps.tenantId,
      clientState: target.clientState,
      lifecycleEvent: 'reauthorizationRequired',
    };
    this.#deliver(target.lifecycleNotificationUrl ?? target.notificationUrl, { value: [entry] }, 0);
  }

  /** @returns what is wrong with the answer, or undefined */
  async validate(url: string): Promise<string | undefined> {
    const token = `Validation: Testing client application reachability for subscription Request-Id: ${randomBytes(8).toString('hex')}`;
    const target = `${url}${url.includes('?') ? '&' : '?'}validationToken=${encodeURIComponent(token)}`;
    try {
      const response = await fetch(target, {
        method: 'POST',
        headers: { 'content-type': 'text/plain; charset=utf-8' },
        body: '',
        redirect: 'error',
        signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(10_000)]),
      });
      const text = await response.text();
      if (response.status !== 200 || !(response.headers.get('content-type') ?? '').startsWith('text/plain')) {
        return `status ${response.status}, ${response.headers.get('content-type') ?? 'no content type'}`;
      }
      return text === token ? undefined : 'another text came back';
    } catch (error) {
      return describeError(error);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const timer of this.#timers) {
      timer.clear();
    }
    await Promise.all(this.#sending);
  }

  #later(ms: number, fn: () => void): void {
    const timer = this.#deps.clock.setTimeout(() => {
      this.#timers.delete(timer);
      fn();
    }, ms);
    this.#timers.add(timer);
  }

  #notification(target: NotificationTarget, resource: Record<string, unknown>): unknown {
    const { forge } = this.#deps.mood;
    const wrongToken =
      forge === 'client-state' || forge === 'data' || forge === 'no-token' || forge === undefined ? undefined : forge;
    return {
      value: [
        {
          subscriptionId: target.id,
          subscriptionExpirationDateTime: new Date(target.expiresAt).toISOString(),
          tenantId: this.#deps.tenantId,
          clientState: forge === 'client-state' ? 'something else' : target.clientState,
          changeType: 'updated',
          resource: `communications/presences('${String(resource['id'])}')`,
          resourceData: { '@odata.type': '#microsoft.graph.presence', id: resource['id'] },
          encryptedContent: encrypt(target, resource, forge === 'data'),
        },
      ],
      validationTokens: forge === 'no-token' ? null : [this.#deps.validationToken(wrongToken)],
    };
  }

  #deliver(url: string, body: unknown, attempt: number): void {
    const sending = this.#send(url, body).then((taken) => {
      this.#sending.delete(sending);
      const wait = RETRY_MS[attempt];
      if (!taken && wait !== undefined && !this.#closing.signal.aborted) {
        this.#later(wait, () => this.#deliver(url, body, attempt + 1));
      }
    });
    this.#sending.add(sending);
  }

  async #send(url: string, body: unknown): Promise<boolean> {
    const { clock, rules } = this.#deps;
    const began = clock.now();
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        redirect: 'error',
        signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(10_000)]),
      });
      await response.arrayBuffer();
      const took = clock.now() - began;
      if (took > SLOW_MS) {
        rules.add('notification-slow', `${took} ms`);
      }
      if (!response.ok) {
        rules.add('notification-refused', `status ${response.status}`);
      }
      this.#sent += response.ok ? 1 : 0;
      return response.ok;
    } catch (error) {
      if (!this.#closing.signal.aborted) {
        rules.add('notification-refused', describeError(error));
      }
      return false;
    }
  }
}

function encrypt(target: NotificationTarget, resource: unknown, damaged: boolean): Record<string, string> {
  const key = randomBytes(32);
  const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16));
  const data = Buffer.concat([cipher.update(JSON.stringify(resource), 'utf8'), cipher.final()]);
  const dataSignature = createHmac('sha256', key).update(data).digest('base64');
  const { publicKey } = new X509Certificate(Buffer.from(target.encryptionCertificate, 'base64'));
  const dataKey = publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }, key);
  if (damaged) {
    data[0] = (data[0] ?? 0) ^ 1;
  }
  return {
    data: data.toString('base64'),
    dataKey: dataKey.toString('base64'),
    dataSignature,
    encryptionCertificateId: target.encryptionCertificateId,
    encryptionCertificateThumbprint: new X509Certificate(
      Buffer.from(target.encryptionCertificate, 'base64'),
    ).fingerprint.replaceAll(':', ''),
  };
}
