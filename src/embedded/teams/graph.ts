import type { Clock } from '../../lib/clock';
import type { Entra } from './entra';
import { GraphError, badRequest, forbidden, notFound, tooManyRequests, unauthorized } from './graph-errors';
import { MAX_SESSION_MS, MIN_SESSION_MS, durationMs, preferable, settable } from './presence-values';
import type { PresenceStore, ShownPresence } from './presence-store';
import { Throttle } from './throttle';
import type { Directory } from './users';
import { isGuid } from './users';

/**
 * The presence part of Graph v1.0 (teams-direct-routing-and-graph.md 3), free of HTTP: each method takes the Authorization
 * header and the parsed body, and answers or throws a GraphError.
 */
export interface GraphLimits {
  /** getPresencesByUserId, per 30 s (3.1). */
  readonly batchPer30s: number;
  /** Everything of presence, per 30 s (3.1). */
  readonly presencePer30s: number;
}

export const PUBLISHED_LIMITS: GraphLimits = { batchPer30s: 1500, presencePer30s: 10_000 };
export const MAX_BATCH_IDS = 650;

const WINDOW_MS = 30_000;
const DAY_MS = 86_400_000;
const READ = 'Presence.Read.All';
const WRITE = 'Presence.ReadWrite.All';
const CONTEXT = 'https://graph.microsoft.com/v1.0/$metadata#';

export class Graph {
  readonly #batch: Throttle;
  readonly #all: Throttle;
  #forced: { left: number; seconds: number } = { left: 0, seconds: 0 };
  #failures: { left: number; status: number } = { left: 0, status: 503 };

  constructor(
    private readonly parts: {
      readonly entra: Entra;
      readonly presence: PresenceStore;
      readonly directory: Directory;
      readonly clock: Clock;
    },
    limits: GraphLimits,
  ) {
    this.#batch = new Throttle(parts.clock, limits.batchPer30s, WINDOW_MS);
    this.#all = new Throttle(parts.clock, limits.presencePer30s, WINDOW_MS);
  }

  /** The next `count` requests are answered 429 with this Retry-After. */
  throttleNext(count: number, retryAfterSeconds: number): void {
    this.#forced = { left: count, seconds: retryAfterSeconds };
  }

  /** The next `count` requests fail with this status (500, 502, 503, 504). */
  failNext(count: number, status: number): void {
    this.#failures = { left: count, status };
  }

  setLimits(limits: GraphLimits): void {
    this.#batch.setLimit(limits.batchPer30s);
    this.#all.setLimit(limits.presencePer30s);
  }

  /** `POST /communications/getPresencesByUserId`. Unknown ids come back as PresenceUnknown. */
  getPresencesByUserId(authorization: string | undefined, body: unknown): unknown {
    this.#admit(authorization, READ);
    this.#throttle(this.#batch);
    const ids = isRecord(body) ? body.ids : undefined;
    if (!Array.isArray(ids) || ids.length === 0) {
      throw badRequest('The body must have a non-empty array "ids".');
    }
    if (ids.length > MAX_BATCH_IDS) {
      throw badRequest(`The number of ids, ${ids.length}, is over the limit of ${MAX_BATCH_IDS} per request.`);
    }
    const wrong: unknown = ids.find((id) => !isGuid(id));
    if (wrong !== undefined) {
      throw badRequest(`Not a user id: ${JSON.stringify(wrong)}.`);
    }
    const wanted = [...new Set((ids as string[]).map((id) => id.toLowerCase()))];

    return {
      '@odata.context': `${CONTEXT}Collection(microsoft.graph.presence)`,
      value: wanted.map((id) => resource(this.parts.presence.read(id) ?? unknownUser(id))),
    };
  }

  /** `GET /users/{id}/presence` and `GET /communications/presences/{id}`. */
  getPresence(authorization: string | undefined, id: string): unknown {
    this.#admit(authorization, READ);
    this.#requireUser(id);
    const shown = this.parts.presence.read(id);
    if (!shown) {
      throw notFound(`User ${id} not found.`);
    }

    return { '@odata.context': `${CONTEXT}users('${shown.id}')/presence/$entity`, ...resource(shown) };
  }

  setPresence(authorization: string | undefined, id: string, body: unknown): void {
    const { appId } = this.#admit(authorization, WRITE);
    this.#requireUser(id);
    const { sessionId, availability, activity, expirationDuration } = isRecord(body) ? body : {};
    requireOwnSession(sessionId, appId);
    const pair = settable(availability, activity);
    if (!pair) {
      throw badRequest(`The pair ${text(availability)}/${text(activity)} cannot be set by an application.`);
    }
    const duration = expirationDuration === undefined ? MIN_SESSION_MS : durationMs(expirationDuration);
    if (duration === undefined || duration < MIN_SESSION_MS || duration > MAX_SESSION_MS) {
      throw badRequest(`expirationDuration ${text(expirationDuration)} is not between PT5M and PT4H.`);
    }
    this.parts.presence.setApplication(id, appId, pair, duration);
  }

  clearPresence(authorization: string | undefined, id: string, body: unknown): void {
    const { appId } = this.#admit(authorization, WRITE);
    this.#requireUser(id);
    requireOwnSession(isRecord(body) ? body.sessionId : undefined, appId);
    if (!this.parts.presence.clearApplication(id, appId)) {
      throw notFound('The presence session does not exist.');
    }
  }

  setUserPreferredPresence(authorization: string | undefined, id: string, body: unknown): void {
    this.#admit(authorization, WRITE);
    this.#requireUser(id);
    const { availability, activity, expirationDuration } = isRecord(body) ? body : {};
    const pair = preferable(availability, activity);
    if (!pair) {
      throw badRequest(`The pair ${text(availability)}/${text(activity)} cannot be preferred.`);
    }
    const short = pair.availability === 'Busy' || pair.availability === 'DoNotDisturb';
    const duration = expirationDuration === undefined ? (short ? 1 : 7) * DAY_MS : durationMs(expirationDuration);
    if (duration === undefined || duration <= 0) {
      throw badRequest(`expirationDuration ${text(expirationDuration)} is not an ISO 8601 duration.`);
    }
    this.parts.presence.setPreferred(id, pair, duration);
  }

  clearUserPreferredPresence(authorization: string | undefined, id: string): void {
    this.#admit(authorization, WRITE);
    this.#requireUser(id);
    this.parts.presence.clearPreferred(id);
  }

  #admit(authorization: string | undefined, role: string): { readonly appId: string } {
    if (this.#failures.left > 0) {
      this.#failures.left--;
      throw new GraphError(this.#failures.status, 'ServiceUnavailable', 'The service is temporarily unavailable.');
    }
    const token = this.parts.entra.check(authorization);
    if (!token.ok) {
      throw unauthorized(token.message);
    }
    // ReadWrite includes Read.
    if (!token.roles.includes(role) && !(role === READ && token.roles.includes(WRITE))) {
      throw forbidden(role);
    }
    if (this.#forced.left > 0) {
      this.#forced.left--;
      throw tooManyRequests(this.#forced.seconds);
    }
    this.#throttle(this.#all);

    return { appId: token.appId };
  }

  #throttle(throttle: Throttle): void {
    const wait = throttle.take();
    if (wait !== undefined) {
      throw tooManyRequests(wait);
    }
  }

  #requireUser(id: string): void {
    if (!isGuid(id)) {
      throw badRequest(`Not a user id: ${JSON.stringify(id)}.`);
    }
    if (!this.parts.directory.byId(id)) {
      throw notFound(`User ${id} not found.`);
    }
  }
}

function requireOwnSession(sessionId: unknown, appId: string): void {
  if (!isGuid(sessionId) || sessionId.toLowerCase() !== appId.toLowerCase()) {
    throw badRequest(`sessionId ${text(sessionId)} is not the id of the calling application.`);
  }
}

function unknownUser(id: string): ShownPresence {
  return { id, availability: 'PresenceUnknown', activity: 'PresenceUnknown', sequenceNumber: '' };
}

function resource(shown: ShownPresence): Record<string, unknown> {
  return {
    id: shown.id,
    availability: shown.availability,
    activity: shown.activity,
    statusMessage: null,
    workLocation: null,
    outOfOfficeSettings: { message: null, isOutOfOffice: false },
    ...(shown.sequenceNumber === '' ? { sequenceNumber: null } : { sequenceNumber: shown.sequenceNumber }),
  };
}

function text(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
