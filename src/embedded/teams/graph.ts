import type { Clock } from '../../lib/clock';
import type { Entra } from './entra';
import { GraphError, badRequest, forbidden, notFound, tooManyRequests, unauthorized } from './graph-errors';
import { MAX_SESSION_MS, MIN_SESSION_MS, durationMs, preferable, settable } from './presence-values';
import type { PresenceStore, ShownPresence } from './presence-store';
import { Throttle } from './throttle';
import type { GraphMood } from './graph-mood';
import { spelt } from './graph-mood';
import type { GraphRuleLog, GraphRuleName } from './graph-rules';
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

/** Everything of Graph for an application over all its tenants, per 10 s (3.1). */
const ALL_PER_10S = 130_000;
/** What was on its way when a 429 was sent is no breach of it. */
const ON_ITS_WAY_MS = 300;

const WINDOW_MS = 30_000;
const DAY_MS = 86_400_000;
const READ = 'Presence.Read.All';
const WRITE = 'Presence.ReadWrite.All';
const CONTEXT = 'https://graph.microsoft.com/v1.0/$metadata#';

export class Graph {
  readonly #batch: Throttle;
  readonly #all: Throttle;
  readonly #graph: Throttle;
  /** Until when the application was told to wait, and since when. */
  #told = { from: 0, until: 0 };
  #batches = 0;
  #forced: { left: number; seconds: number } = { left: 0, seconds: 0 };
  #failures: { left: number; status: number } = { left: 0, status: 503 };

  constructor(
    private readonly parts: {
      readonly entra: Entra;
      readonly presence: PresenceStore;
      readonly directory: Directory;
      readonly clock: Clock;
      readonly mood: GraphMood;
      readonly rules: GraphRuleLog;
      /** Chance, 0–1, for storms; a test gives its own. */
      readonly random: () => number;
    },
    limits: GraphLimits,
  ) {
    this.#batch = new Throttle(parts.clock, limits.batchPer30s, WINDOW_MS);
    this.#all = new Throttle(parts.clock, limits.presencePer30s, WINDOW_MS);
    this.#graph = new Throttle(parts.clock, ALL_PER_10S, 10_000);
  }

  /** Requests for presence that were let in, in all. */
  requests = 0;

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
    this.#throttle(this.#batch, 'limit-batch');
    const ids = isRecord(body) ? body.ids : undefined;
    if (!Array.isArray(ids) || ids.length === 0) {
      throw badRequest('The body must have a non-empty array "ids".');
    }
    if (ids.length > MAX_BATCH_IDS) {
      this.parts.rules.add('batch-ids', `${ids.length} ids`);
      throw badRequest(`The number of ids, ${ids.length}, is over the limit of ${MAX_BATCH_IDS} per request.`);
    }
    const wrong: unknown = ids.find((id) => !isGuid(id));
    if (wrong !== undefined) {
      throw badRequest(`Not a user id: ${JSON.stringify(wrong)}.`);
    }
    const wanted = [...new Set((ids as string[]).map((id) => id.toLowerCase()))];
    const { mood, presence } = this.parts;
    const stale = mood.stale.every > 0 && ++this.#batches % mood.stale.every === 0;

    return {
      '@odata.context': `${CONTEXT}Collection(microsoft.graph.presence)`,
      value: wanted.map((id) =>
        resource((stale ? presence.readBefore(id, mood.stale.ms) : presence.read(id)) ?? unknownUser(id), mood),
      ),
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

    return { '@odata.context': `${CONTEXT}users('${shown.id}')/presence/$entity`, ...resource(shown, this.parts.mood) };
  }

  setPresence(authorization: string | undefined, id: string, body: unknown): void {
    const { appId } = this.#admit(authorization, WRITE);
    this.#requireUser(id);
    const { sessionId, availability, activity, expirationDuration } = isRecord(body) ? body : {};
    this.#requireOwnSession(sessionId, appId);
    const pair = settable(availability, activity);
    if (!pair) {
      this.parts.rules.add('presence-pair', `${text(availability)}/${text(activity)}`);
      throw badRequest(`The pair ${text(availability)}/${text(activity)} cannot be set by an application.`);
    }
    if (pair.availability === 'DoNotDisturb') {
      this.parts.rules.add('dnd-by-application', id);
    }
    const duration = expirationDuration === undefined ? MIN_SESSION_MS : durationMs(expirationDuration);
    if (duration === undefined || duration < MIN_SESSION_MS || duration > MAX_SESSION_MS) {
      this.parts.rules.add('presence-duration', text(expirationDuration));
      throw badRequest(`expirationDuration ${text(expirationDuration)} is not between PT5M and PT4H.`);
    }
    this.parts.presence.setApplication(id, appId, pair, duration);
  }

  clearPresence(authorization: string | undefined, id: string, body: unknown): void {
    const { appId } = this.#admit(authorization, WRITE);
    this.#requireUser(id);
    this.#requireOwnSession(isRecord(body) ? body.sessionId : undefined, appId);
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
    this.requests++;
    const now = this.parts.clock.now();
    if (now < this.#told.until && now - this.#told.from > ON_ITS_WAY_MS) {
      this.parts.rules.add('retry-after-ignored', `${this.#told.until - now} ms too early`);
    }
    const { storm } = this.parts.mood;
    if (this.#forced.left > 0 || (storm.share > 0 && this.parts.random() < storm.share)) {
      const seconds = this.#forced.left > 0 ? this.#forced.seconds : storm.retryAfterSeconds;
      this.#forced.left = Math.max(0, this.#forced.left - 1);
      throw this.#wait(seconds);
    }
    this.#throttle(this.#graph, 'limit-graph');
    this.#throttle(this.#all, 'limit-presence');

    return { appId: token.appId };
  }

  #throttle(throttle: Throttle, rule: GraphRuleName): void {
    const wait = throttle.take();
    if (wait !== undefined) {
      this.parts.rules.add(rule, `${wait} s left`);
      throw this.#wait(wait);
    }
  }

  #wait(seconds: number): GraphError {
    const now = this.parts.clock.now();
    this.#told = { from: now < this.#told.until ? this.#told.from : now, until: now + seconds * 1000 };

    return tooManyRequests(seconds);
  }

  #requireOwnSession(sessionId: unknown, appId: string): void {
    if (!isGuid(sessionId) || sessionId.toLowerCase() !== appId.toLowerCase()) {
      this.parts.rules.add('session-id', text(sessionId));
      throw badRequest(`sessionId ${text(sessionId)} is not the id of the calling application.`);
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

function unknownUser(id: string): ShownPresence {
  return { id, availability: 'PresenceUnknown', activity: 'PresenceUnknown', sequenceNumber: '' };
}

/** A presence resource as Graph writes it. */
export function resource(shown: ShownPresence, mood: GraphMood): Record<string, unknown> {
  const numbered = shown.sequenceNumber !== '' && mood.sequence === 'right';

  return {
    id: shown.id,
    availability: spelt(shown.availability, mood),
    activity: spelt(shown.activity, mood),
    statusMessage: null,
    workLocation: null,
    outOfOfficeSettings: { message: null, isOutOfOffice: false },
    sequenceNumber: numbered ? shown.sequenceNumber : null,
  };
}

function text(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
