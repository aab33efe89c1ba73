/** Presence subscriptions of Graph (3.2): what may be asked for, how long they live, and whom they tell of what. */
import { X509Certificate } from 'node:crypto';
import type { Clock } from '../../lib/clock';
import { newId } from '../../lib/ids';
import type { Delegated } from './accounts';
import { badRequest, GraphError, notFound } from './graph-errors';
import type { GraphRuleLog, GraphRuleName } from './graph-rules';
import { GRAPH_RULES } from './graph-rules';
import type { NotificationTarget, Notifier } from './notifier';
import { isGuid } from './users';

const MAX_MS = 60 * 60_000;
/** Shorter asks are raised to it. */
const MIN_MS = 45 * 60_000;
const APART_MS = 10 * 60_000;
/** A clock that is a little ahead is forgiven. */
const SLACK_MS = 60_000;

interface Subscription extends NotificationTarget {
  readonly resource: string;
  readonly owner: Delegated;
  readonly users: ReadonlySet<string>;
  expiresAt: number;
  patchedAt: number | undefined;
  reauthorizedAt: number | undefined;
}

export class Subscriptions {
  readonly #all = new Map<string, Subscription>();
  readonly #clock: Clock;
  readonly #rules: GraphRuleLog;
  readonly #notifier: Notifier;
  #renewable = true;

  constructor(deps: { readonly clock: Clock; readonly rules: GraphRuleLog; readonly notifier: Notifier }) {
    this.#clock = deps.clock;
    this.#rules = deps.rules;
    this.#notifier = deps.notifier;
  }

  /** False: PATCH is refused, as older documents had it. */
  setRenewable(renewable: boolean): void {
    this.#renewable = renewable;
  }

  list(): readonly { readonly id: string; readonly users: number; readonly expiresAt: number }[] {
    this.#expire();
    return [...this.#all.values()].map(({ id, users, expiresAt }) => ({ id, users: users.size, expiresAt }));
  }

  /** Graph forgets all of them without a word. */
  forget(): void {
    this.#all.clear();
  }

  askForReauthorization(): void {
    this.#expire();
    for (const subscription of this.#all.values()) {
      this.#notifier.reauthorizationRequired(subscription);
    }
  }

  /** A user's presence changed. */
  changed(userId: string, resource: Record<string, unknown>): void {
    this.#expire();
    for (const subscription of this.#all.values()) {
      if (subscription.users.has(userId)) {
        this.#notifier.changed(subscription, resource);
      }
    }
  }

  async create(owner: Delegated | undefined, body: unknown): Promise<unknown> {
    const given = isRecord(body) ? body : {};
    if (!owner) {
      throw this.#refuse('subscription-delegated', 'an application token');
    }
    this.#expire();
    const users = this.#usersOf(given['resource']);
    const subscription: Subscription = {
      id: newId(),
      resource: text(given['resource']),
      owner,
      users,
      notificationUrl: this.#urlOf(given['notificationUrl'], 'notificationUrl'),
      lifecycleNotificationUrl:
        given['lifecycleNotificationUrl'] === undefined
          ? undefined
          : this.#urlOf(given['lifecycleNotificationUrl'], 'lifecycleNotificationUrl'),
      clientState: this.#clientStateOf(given['clientState']),
      ...this.#keyOf(given),
      expiresAt: this.#expiryOf(given['expirationDateTime']),
      patchedAt: undefined,
      reauthorizedAt: undefined,
    };
    if (given['changeType'] !== 'updated') {
      throw this.#refuse('subscription-change-type', text(given['changeType']));
    }
    if ([...this.#all.values()].some((other) => other.owner.userId === owner.userId)) {
      throw this.#refuse('subscription-one', owner.userId);
    }
    for (const url of new Set([subscription.notificationUrl, subscription.lifecycleNotificationUrl])) {
      const problem = url === undefined ? undefined : await this.#notifier.validate(url);
      if (problem !== undefined) {
        throw this.#refuse('validation-echo', problem);
      }
    }
    this.#all.set(subscription.id, subscription);
    return view(subscription);
  }

  renew(owner: Delegated | undefined, id: string, body: unknown): unknown {
    const subscription = this.#own(owner, id);
    if (!this.#renewable) {
      throw new GraphError(405, 'MethodNotAllowed', 'Presence subscriptions cannot be renewed.');
    }
    this.#apart(subscription.reauthorizedAt, 'PATCH soon after reauthorize');
    subscription.expiresAt = this.#expiryOf(isRecord(body) ? body['expirationDateTime'] : undefined);
    subscription.patchedAt = this.#clock.now();
    return view(subscription);
  }

  reauthorize(owner: Delegated | undefined, id: string): void {
    const subscription = this.#own(owner, id);
    this.#apart(subscription.patchedAt, 'reauthorize soon after PATCH');
    subscription.reauthorizedAt = this.#clock.now();
  }

  remove(owner: Delegated | undefined, id: string): void {
    this.#own(owner, id);
    this.#all.delete(id);
  }

  #apart(at: number | undefined, what: string): void {
    if (at !== undefined && this.#clock.now() - at < APART_MS) {
      this.#rules.add('reauthorize-apart', what);
    }
  }

  #own(owner: Delegated | undefined, id: string): Subscription {
    this.#expire();
    if (!owner) {
      throw this.#refuse('subscription-delegated', 'an application token');
    }
    const subscription = this.#all.get(id);
    if (subscription?.owner.userId !== owner.userId) {
      throw notFound(`Subscription ${id} not found.`);
    }
    return subscription;
  }

  #expire(): void {
    const now = this.#clock.now();
    for (const [id, { expiresAt }] of this.#all) {
      if (expiresAt <= now) {
        this.#all.delete(id);
      }
    }
  }

  #usersOf(resource: unknown): ReadonlySet<string> {
    const one = /^\/?communications\/presences\/([0-9a-f-]{36})$/i.exec(text(resource));
    const many = /^\/?communications\/presences\?\$filter=id in \((.+)\)$/i.exec(text(resource));
    const ids =
      one?.[1] === undefined ? (many?.[1] ?? '').split(',').map((id) => id.trim().replace(/^'|'$/g, '')) : [one[1]];
    if (ids.length > 650 || !ids.every(isGuid)) {
      throw this.#refuse('subscription-users', `${ids.length} users`);
    }
    return new Set(ids.map((id) => id.toLowerCase()));
  }

  /** Real ones must be https; a test's own is on this machine. */
  #urlOf(value: unknown, name: string): string {
    const url = URL.canParse(text(value)) ? new URL(text(value)) : undefined;
    if (!url || (url.protocol !== 'https:' && !/^127\./.test(url.hostname))) {
      throw badRequest(`${name} must be an https URL.`);
    }
    return text(value);
  }

  #clientStateOf(value: unknown): string {
    if (typeof value !== 'string' || value.length > 128) {
      throw this.#refuse('subscription-state', `${text(value).length} characters`);
    }
    return value;
  }

  #keyOf(
    given: Record<string, unknown>,
  ): Pick<NotificationTarget, 'encryptionCertificate' | 'encryptionCertificateId'> {
    const { includeResourceData, encryptionCertificate, encryptionCertificateId } = given;
    try {
      const certificate = new X509Certificate(Buffer.from(text(encryptionCertificate), 'base64'));
      const bits = certificate.publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
      if (
        includeResourceData === true &&
        typeof encryptionCertificateId === 'string' &&
        encryptionCertificateId.length <= 128 &&
        bits >= 2048 &&
        bits <= 4096
      ) {
        return { encryptionCertificate: text(encryptionCertificate), encryptionCertificateId };
      }
    } catch (error) {
      throw this.#refuse('subscription-key', String(error));
    }
    throw this.#refuse('subscription-key', 'no usable key');
  }

  #expiryOf(value: unknown): number {
    const at = Date.parse(text(value));
    const now = this.#clock.now();
    if (Number.isNaN(at) || at <= now || at > now + MAX_MS + SLACK_MS) {
      throw this.#refuse('subscription-lifetime', text(value));
    }
    return Math.max(at, now + MIN_MS);
  }

  #refuse(name: GraphRuleName, offending: string): GraphError {
    this.#rules.add(name, offending);
    const { status, text: message } = GRAPH_RULES[name];
    return new GraphError(status, status === 403 ? 'Forbidden' : 'BadRequest', `${message}: ${offending}`);
  }
}

function view(subscription: Subscription): unknown {
  const { id, resource, notificationUrl, lifecycleNotificationUrl, expiresAt, owner } = subscription;
  return {
    '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#subscriptions/$entity',
    id,
    resource,
    applicationId: owner.appId,
    changeType: 'updated',
    clientState: null,
    notificationUrl,
    lifecycleNotificationUrl: lifecycleNotificationUrl ?? null,
    expirationDateTime: new Date(expiresAt).toISOString(),
    creatorId: owner.userId,
    includeResourceData: true,
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
