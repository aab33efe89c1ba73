/** What supervisors see of queues, agents and events; `GET` alone. */
import type { FastifyPluginCallback } from 'fastify';
import { shortNumber } from '../lib/log';
import type { Store } from '../store/api';
import type { AgentRow, Queryable } from '../store/types';
import type { QueueSummary } from '../store';
import { answer, limitOf, MAX_LIMIT, notFound, usage } from './api-parts';
import type { Query } from './api-parts';
import type { Guard } from './guard';
import { covers, coversAgent } from './identity';
import type { Identity } from './identity';

export interface Center {
  readonly db: Queryable;
  readonly store: Store;
}

export interface CenterApiOptions extends Center {
  readonly guard: Guard;
}

const DEFAULT_SINCE_SECONDS = 600;
const VIEWER = { config: { needs: 'viewer' } } as const;

export const centerApi: FastifyPluginCallback<CenterApiOptions> = (app, { db, store, guard }, done) => {
  app.get('/api/v1/me', VIEWER, (request, reply) => {
    const { by, role, everywhere, scopes } = guard.who(request);
    return answer(reply, { by, role, everywhere, scopes });
  });
  app.get('/api/v1/queues', VIEWER, async (request, reply) => {
    const who = guard.who(request);
    const queues = (await store.queueSummaries(db)).filter((queue) => covers(who, queue.tenant, queue.name));
    return answer(reply, { queues });
  });
  app.get<{ Params: QueueParams }>('/api/v1/queues/:tenant/:queue', VIEWER, async (request, reply) => {
    const who = guard.who(request);
    const queue = await queueFor(who, { db, store }, request.params);
    const [members, callers] = await Promise.all([store.queueMembers(db, queue.id), store.queueCallers(db, queue.id)]);
    return answer(reply, {
      queue,
      members,
      callers: callers.map((caller) =>
        who.role === 'viewer' ? { ...caller, callerNumber: shortNumber(caller.callerNumber) } : caller,
      ),
    });
  });
  app.get('/api/v1/agents', VIEWER, async (request, reply) => {
    const who = guard.who(request);
    const agents = (await store.listAgents(db)).filter((agent) => coversAgent(who, agent, 'some'));
    return answer(reply, { agents });
  });
  app.get<{ Querystring: Query }>('/api/v1/events', VIEWER, async (request, reply) => {
    const who = guard.who(request);
    const { since, limit, queue, agent, tenant } = request.query;
    const seconds = since === undefined ? DEFAULT_SINCE_SECONDS : /^\d{1,6}$/.test(since) ? Number(since) : NaN;
    if (Number.isNaN(seconds)) {
      throw usage('since is a number of seconds');
    }
    const { events } = await store.listEvents(db, {
      sinceMs: seconds * 1000,
      limit: who.everywhere ? limitOf(limit) : MAX_LIMIT,
      ...(queue === undefined ? {} : { queue }),
      ...(agent === undefined ? {} : { agent }),
      ...(tenant === undefined ? {} : { tenant }),
    });
    const seen = events.filter((event) => covers(who, event.tenant, event.queue)).slice(-limitOf(limit));
    return answer(reply, { events: who.role === 'viewer' ? seen.map((event) => ({ ...event, data: {} })) : seen });
  });
  app.get<{ Querystring: Query }>('/api/v1/audit', { config: { needs: 'ops' } }, async (request, reply) => {
    const who = guard.who(request);
    const rows = await store.auditTrail(db, { limit: who.everywhere ? limitOf(request.query['limit']) : MAX_LIMIT });
    // What belongs to no tenant is for those who are for everywhere.
    const seen = rows.filter(({ tenant }) => (tenant === undefined ? who.everywhere : covers(who, tenant)));
    return answer(reply, { audit: seen.slice(0, limitOf(request.query['limit'])) });
  });
  app.get('/api/v1/users', { config: { needs: 'admin' } }, async (request, reply) => {
    const who = guard.who(request);
    const users = await store.listUsers(db);
    return answer(reply, {
      users: users.filter(({ scopes, everywhere }) =>
        who.everywhere ? true : !everywhere && scopes.every(({ tenant, queue }) => covers(who, tenant, queue)),
      ),
    });
  });
  done();
};

export interface QueueParams {
  readonly tenant: string;
  readonly queue: string;
}

/** @throws SidekickError SK_NOT_FOUND */
export async function queueFor(
  who: Identity,
  { db, store }: Center,
  { tenant, queue }: QueueParams,
): Promise<QueueSummary> {
  const found = covers(who, tenant, queue)
    ? (await store.queueSummaries(db)).find((one) => one.tenant === tenant && one.name === queue)
    : undefined;
  if (found === undefined) {
    throw notFound('queue');
  }
  return found;
}

/** @throws SidekickError SK_NOT_FOUND */
export async function agentFor(
  who: Identity,
  { db, store }: Center,
  { tenant, agent }: { readonly tenant: string; readonly agent: string },
): Promise<AgentRow> {
  const found = await store.agentByName(db, agent, tenant);
  if (found === undefined || !coversAgent(who, found, 'some')) {
    throw notFound('agent');
  }
  return found;
}
