import type { FastifyPluginCallback } from 'fastify';
import { SidekickError } from '../lib/errors';
import { checkAccess } from './access';
import type { AccessRule } from './access';
import type { CallReader } from './ports';
import { callView, eventView } from '../store/call-view';

export interface CallsApiOptions {
  readonly calls: CallReader;
  readonly access: () => AccessRule;
}

const API_VERSION = 'sidekick/v1';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

/**
 * `GET /api/v1/calls?all=true&limit=N`: running calls, with `all` also ended ones, newest first.
 * `GET /api/v1/calls/:id`: one call with its events in order.
 */
export const callsApi: FastifyPluginCallback<CallsApiOptions> = (app, { calls, access }, done) => {
  app.addHook('onRequest', (request, _reply, next) => {
    checkAccess(access(), { authorization: request.headers.authorization, hostHeader: request.headers.host });
    next();
  });
  app.get<{ Querystring: Record<string, string | undefined> }>('/api/v1/calls', async (request, reply) => {
    const { all, limit } = request.query;
    const rows = await calls.listCalls({ includeEnded: flag('all', all), limit: limitOf(limit) });
    return reply.header('cache-control', 'no-store').send({ apiVersion: API_VERSION, calls: rows.map(callView) });
  });
  app.get<{ Params: { id: string } }>('/api/v1/calls/:id', async (request, reply) => {
    const { id } = request.params;
    const call = UUID.test(id) ? await calls.findCall(id) : undefined;
    if (call === undefined) {
      throw new SidekickError('SK_NOT_FOUND', 'no such call', {
        why: UUID.test(id) ? `no call has the id ${id}` : 'the id of a call is a UUID',
        next: 'GET /api/v1/calls?all=true lists the ids',
      });
    }
    const events = await calls.callEvents(id);
    return reply.header('cache-control', 'no-store').send({
      apiVersion: API_VERSION,
      call: callView(call),
      events: events.map(eventView),
    });
  });
  done();
};

function flag(name: string, text: string | undefined): boolean {
  if (text === undefined || text === 'false' || text === '0') {
    return false;
  }
  if (text === '' || text === 'true' || text === '1') {
    return true;
  }
  throw usage(`${name} is true or false`);
}

function limitOf(text: string | undefined): number {
  const limit = text === undefined ? DEFAULT_LIMIT : /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT) {
    throw usage(`limit is a number from 1 to ${MAX_LIMIT}`);
  }
  return limit;
}

function usage(why: string): SidekickError {
  return new SidekickError('SK_USAGE', 'the request cannot be understood', { why });
}
