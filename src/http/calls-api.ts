import type { FastifyPluginCallback } from 'fastify';
import { SidekickError } from '../lib/errors';
import { shortNumber } from '../lib/log';
import { callView, eventView } from '../store/call-view';
import type { CallRow } from '../store/types';
import { answer, flag, limitOf } from './api-parts';
import type { Query } from './api-parts';
import type { Guard } from './guard';
import { covers } from './identity';
import type { Identity } from './identity';
import type { CallReader } from './ports';

export interface CallsApiOptions {
  readonly calls: CallReader;
  readonly guard: Guard;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Of so many calls, newest first, a user sees those in the places of that user. */
const SCOPED_LIMIT = 10_000;

/**
 * `GET /api/v1/calls?all=true&limit=N`: running calls, with `all` also ended ones, newest first.
 * `GET /api/v1/calls/:id`: one call with its events in order.
 */
export const callsApi: FastifyPluginCallback<CallsApiOptions> = (app, { calls, guard }, done) => {
  app.get<{ Querystring: Query }>('/api/v1/calls', { config: { needs: 'viewer' } }, async (request, reply) => {
    const who = guard.who(request);
    const { all, limit: text } = request.query;
    const limit = limitOf(text);
    const rows = await calls.listCalls({
      includeEnded: flag('all', all),
      limit: who.everywhere ? limit : SCOPED_LIMIT,
    });
    const seen = rows.filter((call) => covers(who, call.tenant, call.queue)).slice(0, limit);
    return answer(reply, { calls: seen.map((call) => shownCall(who, call)) });
  });
  app.get<{ Params: { id: string } }>('/api/v1/calls/:id', { config: { needs: 'viewer' } }, async (request, reply) => {
    const who = guard.who(request);
    const call = await callFor(who, calls, request.params.id);
    const events = await calls.callEvents(call.id);
    return answer(reply, {
      call: shownCall(who, call),
      events: events.map(eventView).map((event) => (who.role === 'viewer' ? { ...event, data: {} } : event)),
    });
  });
  done();
};

/** A viewer sees that somebody calls, not who. */
function shownCall({ role }: Identity, call: CallRow): Record<string, unknown> {
  return role === 'viewer'
    ? { ...callView(call), callerNumber: shortNumber(call.callerNumber), callerName: null }
    : callView(call);
}

/** @throws SidekickError SK_NOT_FOUND */
export async function callFor(who: Identity, calls: Pick<CallReader, 'findCall'>, id: string): Promise<CallRow> {
  const call = UUID.test(id) ? await calls.findCall(id) : undefined;
  if (call === undefined || !covers(who, call.tenant, call.queue)) {
    throw new SidekickError('SK_NOT_FOUND', 'no such call', {
      why: UUID.test(id) ? `no call has the id ${id}` : 'the id of a call is a UUID',
      next: 'GET /api/v1/calls?all=true lists the ids',
    });
  }
  return call;
}
