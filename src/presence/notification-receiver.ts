/**
 * Takes what Graph sends by itself, on whichever node it arrives. An answer must be given within three seconds, so a delivery is
 * put into a short line and looked at afterwards; what is not genuine is counted and dropped. Nothing here is relied upon:
 * polling finds every change as well.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../lib/clock';
import { describeError } from '../lib/errors';
import type { Log } from '../lib/log';
import type { GraphSubscription } from '../store/types';
import { isRecord, presenceOf } from './graph-client';
import type { EncryptedContent, NotificationKeys } from './notification-keys';
import type { GraphPresence, PresenceReading } from './ports';
import { activityOf, availabilityOf } from './presence-values';
import { checkToken } from './validation-tokens';
import type { SigningKeys, TokenExpectation } from './validation-tokens';

const MAX_LINE = 500;
const MAX_PER_DELIVERY = 1_000;

export type NotificationOutcome =
  'taken' | 'lifecycle' | 'unknown-subscription' | 'not-genuine' | 'unreadable' | 'dropped';

/** One registration that takes notifications. */
export interface ReceivingScope extends TokenExpectation {
  readonly keys: NotificationKeys;
  readonly signingKeys: Pick<SigningKeys, 'find'>;
  agentsOfUsers(
    users: readonly string[],
  ): Promise<readonly { readonly agentId: string; readonly entraUserId: string }[]>;
}

export interface ReceiverDeps {
  readonly scope: (name: string) => ReceivingScope | undefined;
  readonly findSubscription: (id: string) => Promise<GraphSubscription | undefined>;
  readonly heard: (id: string, what: 'notified' | 'reauthorize') => Promise<void>;
  readonly upsert: (scope: string, readings: readonly PresenceReading[]) => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Log;
  readonly onNotification?: (outcome: NotificationOutcome) => void;
}

interface Delivery {
  readonly body: unknown;
  readonly receivedAt: number;
}

export class NotificationReceiver {
  readonly #deps: ReceiverDeps;
  #line: Delivery[] = [];
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(deps: ReceiverDeps) {
    this.#deps = deps;
  }

  /** False: the line is full, and Graph should send it again later. */
  take(body: unknown): boolean {
    if (this.#closed || this.#line.length >= MAX_LINE) {
      this.#deps.onNotification?.('dropped');
      return false;
    }
    this.#line.push({ body, receivedAt: this.#deps.clock.now() });
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined;
    });
    return true;
  }

  /** Resolves when everything that was taken has been looked at. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#line = [];
    await this.#running;
  }

  async #work(): Promise<void> {
    for (let next = this.#line.shift(); next !== undefined; next = this.#line.shift()) {
      try {
        await this.#look(next);
      } catch (error) {
        this.#deps.log.warn({ event: 'presence:notification-failed', error: describeError(error) });
      }
    }
  }

  async #look({ body, receivedAt }: Delivery): Promise<void> {
    const entries = isRecord(body) && Array.isArray(body['value']) ? body['value'].slice(0, MAX_PER_DELIVERY) : [];
    const tokens = isRecord(body) && Array.isArray(body['validationTokens']) ? body['validationTokens'] : [];
    const verdicts = new Map<string, Promise<readonly string[]>>();
    for (const entry of entries.filter(isRecord)) {
      const outcome = await this.#one(entry, receivedAt, (scope) => {
        const key = `${scope.authority} ${scope.clientId}`;
        const known = verdicts.get(key) ?? this.#genuineTenants(tokens, scope);
        verdicts.set(key, known);
        return known;
      });
      this.#deps.onNotification?.(outcome);
    }
  }

  async #genuineTenants(tokens: readonly unknown[], scope: ReceivingScope): Promise<readonly string[]> {
    const tenants: string[] = [];
    for (const token of tokens.slice(0, 20)) {
      const verdict =
        typeof token === 'string'
          ? await checkToken(token, scope, scope.signingKeys, this.#deps.clock.now())
          : ({ ok: false, why: 'it is no text' } as const);
      if (verdict.ok) {
        tenants.push(verdict.tenantId);
      } else {
        this.#deps.log.warn({ event: 'presence:token-refused', why: verdict.why }, 'a validation token was refused');
      }
    }
    return tenants;
  }

  async #one(
    entry: Record<string, unknown>,
    receivedAt: number,
    genuine: (scope: ReceivingScope) => Promise<readonly string[]>,
  ): Promise<NotificationOutcome> {
    const { subscriptionId, clientState, tenantId, lifecycleEvent, encryptedContent } = entry;
    const subscription =
      typeof subscriptionId === 'string' ? await this.#deps.findSubscription(subscriptionId) : undefined;
    const scope = subscription && this.#deps.scope(subscription.scope);
    if (!subscription || !scope) {
      return 'unknown-subscription';
    }
    if (typeof clientState !== 'string' || !same(clientState, subscription.clientState)) {
      return 'not-genuine';
    }
    if (lifecycleEvent !== undefined) {
      if (lifecycleEvent === 'reauthorizationRequired') {
        await this.#deps.heard(subscription.id, 'reauthorize');
      }
      return 'lifecycle';
    }
    if (typeof tenantId !== 'string' || !(await genuine(scope)).includes(tenantId.toLowerCase())) {
      return 'not-genuine';
    }
    let presence: GraphPresence | undefined;
    try {
      presence = presenceOf(scope.keys.decrypt(contentOf(encryptedContent)));
    } catch (error) {
      this.#deps.log.warn({ event: 'presence:notification-unreadable', why: describeError(error) });
      return 'unreadable';
    }
    if (presence === undefined || !subscription.users.includes(presence.entraUserId.toLowerCase())) {
      return 'unreadable';
    }
    await this.#store(subscription.scope, scope, presence, receivedAt);
    await this.#deps.heard(subscription.id, 'notified');
    return 'taken';
  }

  async #store(name: string, scope: ReceivingScope, presence: GraphPresence, receivedAt: number): Promise<void> {
    const agents = await scope.agentsOfUsers([presence.entraUserId.toLowerCase()]);
    await this.#deps.upsert(
      name,
      agents.map(({ agentId }) => ({
        agentId,
        availability: availabilityOf(presence.availability),
        activity: activityOf(presence.activity),
        sequenceNumber: presence.sequenceNumber,
        readAt: receivedAt,
        source: 'graph-subscription' as const,
      })),
    );
  }
}

function contentOf(value: unknown): EncryptedContent {
  const content = isRecord(value) ? value : {};
  const text = (name: string): string => {
    const field = content[name];
    if (typeof field !== 'string' || field === '') {
      throw new Error(`it has no ${name}`);
    }
    return field;
  };
  return {
    data: text('data'),
    dataKey: text('dataKey'),
    dataSignature: text('dataSignature'),
    encryptionCertificateId: text('encryptionCertificateId'),
  };
}

function same(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
