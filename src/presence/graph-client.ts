/**
 * Microsoft Graph, reduced to what Sidekick asks of it: presence of users, read and written by app-only permission. Retries are
 * the business of those who ask: here a request is made once, except that a token which Graph no longer takes is replaced once.
 */
import type { GraphSettings } from '../config/settings';
import type { Clock } from '../lib/clock';
import { isSidekickError, SidekickError } from '../lib/errors';
import type { Log } from '../lib/log';
import { statusOf } from './graph-errors';
import { graphRequest } from './graph-request';
import type { GraphCall } from './graph-request';
import { AppTokens } from './graph-tokens';
import type { TokenProvider, TokenState } from './graph-tokens';
import { MAX_IDS_PER_READ } from './ports';
import type { GraphPresence, PresenceReader, PresenceWriter } from './ports';

export type { TokenState } from './graph-tokens';

export interface GraphClient extends PresenceReader, PresenceWriter {
  tokenState(): TokenState;
  /** Sends with a token of somebody else, such as a signed-in account. */
  send(call: GraphCall, tokens: TokenProvider): Promise<unknown>;
  /** Ends what is under way; later requests fail. Idempotent. */
  close(): void;
}

export interface GraphClientDeps {
  readonly log: Log;
  readonly clock: Clock;
  /** Called before each request is sent. @throws to hold it back. */
  readonly admit?: (kind: 'read' | 'write') => void;
}

/**
 * A client for one registration. Nothing is sent before the first request.
 * @throws SidekickError SK_SETTINGS_INVALID if the certificate file holds no usable key and certificate.
 */
export function createGraphClient(graph: GraphSettings, deps: GraphClientDeps): GraphClient {
  const closing = new AbortController();
  const tokens = new AppTokens(graph, deps, closing.signal);
  const send = (call: GraphCall, by: TokenProvider): Promise<unknown> =>
    graphRequest(call, { baseUrl: graph.baseUrl, tokens: by, clock: deps.clock, closing: closing.signal });
  return {
    tokenState: () => tokens.state,
    send,
    close: () => closing.abort(new SidekickError('SK_STOPPING', 'the Graph client is closed')),
    async readPresences(entraUserIds) {
      if (entraUserIds.length > MAX_IDS_PER_READ) {
        throw new SidekickError('SK_INTERNAL', 'too many users in one presence request', {
          why: `${entraUserIds.length} ids, Graph takes ${MAX_IDS_PER_READ}`,
        });
      }
      deps.admit?.('read');
      const path = '/communications/getPresencesByUserId';
      return presencesOf(await send({ method: 'POST', path, body: { ids: entraUserIds } }, tokens));
    },
    async setPresence(entraUserId, pair, forMs) {
      deps.admit?.('write');
      const path = `/users/${entraUserId}/presence/setPresence`;
      // The session is our application's: it never touches what the user or another application has set.
      const body = { sessionId: graph.clientId, ...pair, expirationDuration: `PT${Math.round(forMs / 60_000)}M` };
      await send({ method: 'POST', path, body }, tokens);
    },
    async clearPresence(entraUserId) {
      deps.admit?.('write');
      const path = `/users/${entraUserId}/presence/clearPresence`;
      try {
        await send({ method: 'POST', path, body: { sessionId: graph.clientId } }, tokens);
      } catch (error) {
        // The session has ended by itself, or the user is gone: there is nothing to take back.
        if (!(isSidekickError(error) && statusOf(error) === 404)) {
          throw error;
        }
      }
    },
  };
}

/** What the answer holds; an entry without an id says nothing about anyone and is left out. */
function presencesOf(body: unknown): GraphPresence[] {
  const value = isRecord(body) ? body['value'] : undefined;
  if (!Array.isArray(value)) {
    throw new SidekickError('SK_GRAPH_REFUSED', 'Graph sent something that is not a list of presences', {
      why: 'the answer has no "value" list',
      next: 'check SIDEKICK_GRAPH_BASE_URL: a proxy or another service may answer there',
    });
  }
  return value.flatMap((entry) => presenceOf(entry) ?? []);
}

/** A presence resource; undefined for one that says nothing about anyone. */
export function presenceOf(entry: unknown): GraphPresence | undefined {
  if (!isRecord(entry)) {
    return undefined;
  }
  const { id, availability, activity, sequenceNumber } = entry;
  if (typeof id !== 'string' || id === '') {
    return undefined;
  }
  return {
    entraUserId: id,
    availability: typeof availability === 'string' ? availability : '',
    activity: typeof activity === 'string' ? activity : '',
    sequenceNumber: typeof sequenceNumber === 'string' && sequenceNumber !== '' ? sequenceNumber : undefined,
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
