/** What supervisors do: agents' states, pauses of queues and members, calls ended and sent on. Every change says who made it. */
import type { FastifyPluginCallback } from 'fastify';
import { sleep } from '../lib/clock';
import { SidekickError } from '../lib/errors';
import { actingAs } from '../store/acting-as';
import type { AgentRow, AgentStateChange, CallCommand, CallRow, Queryable } from '../store/types';
import { answer, notFound, textIn, usage } from './api-parts';
import { callFor } from './calls-api';
import { agentFor, queueFor } from './center-api';
import type { Center, CenterApiOptions, QueueParams } from './center-api';
import { covers, coversAgent } from './identity';
import type { Identity } from './identity';

const SUPERVISOR = { config: { needs: 'supervisor' } } as const;
/** How long a request waits for what came of a command, milliseconds; then it is told that the command stands. */
const COMMAND_WAIT_MS = 5_000;
const LOOK_MS = 100;

export const controlApi: FastifyPluginCallback<CenterApiOptions> = (app, { guard, ...center }, done) => {
  const { db, store } = center;
  app.post<{ Params: QueueParams }>('/api/v1/queues/:tenant/:queue/pause', SUPERVISOR, async (request, reply) => {
    const who = guard.who(request);
    const queue = await queueFor(who, center, request.params);
    const reason = textIn(request.body, 'reason');
    const changed = await actingAs(db, who.by, (tx) =>
      store.pauseQueue(tx, queue.id, { by: who.by, ...(reason === undefined ? {} : { reason }) }),
    );
    return answer(reply, { changed, queue: await queueFor(who, center, request.params) });
  });
  app.post<{ Params: QueueParams }>('/api/v1/queues/:tenant/:queue/resume', SUPERVISOR, async (request, reply) => {
    const who = guard.who(request);
    const queue = await queueFor(who, center, request.params);
    const changed = await actingAs(db, who.by, (tx) => store.resumeQueue(tx, queue.id, who.by));
    return answer(reply, { changed, queue: await queueFor(who, center, request.params) });
  });
  app.post<{ Params: QueueParams & { agent: string } }>(
    '/api/v1/queues/:tenant/:queue/members/:agent',
    SUPERVISOR,
    async (request, reply) => {
      const who = guard.who(request);
      const queue = await queueFor(who, center, request.params);
      const agent = await store.agentByName(db, request.params.agent, request.params.tenant);
      if (agent === undefined || !agent.queues.includes(queue.name)) {
        throw notFound('member');
      }
      const member = { agentId: agent.id, queueId: queue.id, by: who.by };
      const change = await actingAs(db, who.by, (tx) => changeMember(center, tx, member, request.body));
      return answer(reply, { ...change });
    },
  );
  app.post<{ Params: { tenant: string; agent: string } }>(
    '/api/v1/agents/:tenant/:agent/state',
    SUPERVISOR,
    async (request, reply) => {
      const who = guard.who(request);
      const agent = await agentFor(who, center, request.params);
      requireWholeAgent(who, agent);
      const change = await actingAs(db, who.by, (tx) => changeAgent(center, tx, agent, who.by, request.body));
      return answer(reply, { agent: agent.name, ...change });
    },
  );
  app.post<{ Params: { id: string } }>('/api/v1/calls/:id/hang-up', SUPERVISOR, async (request, reply) => {
    const who = guard.who(request);
    const call = await ownCall(who, center, request.params.id);
    const outcome = await command(center, { callId: call.id, kind: 'hangup', args: {}, by: who.by });
    return answer(reply.code(outcome.status), outcome.body);
  });
  app.post<{ Params: { id: string } }>('/api/v1/calls/:id/transfer', SUPERVISOR, async (request, reply) => {
    const who = guard.who(request);
    const call = await ownCall(who, center, request.params.id);
    const args = await targetOf(who, center, call, request.body);
    const outcome = await command(center, { callId: call.id, kind: 'transfer', args, by: who.by });
    return answer(reply.code(outcome.status), outcome.body);
  });
  done();
};

function ownCall(who: Identity, { db, store }: Center, id: string): Promise<CallRow> {
  return callFor(who, { findCall: (callId) => store.findCall(db, callId) }, id);
}

/** @throws SidekickError SK_NOT_ALLOWED where the agent also works in queues of others */
function requireWholeAgent(who: Identity, agent: AgentRow): void {
  if (!coversAgent(who, agent, 'every')) {
    throw new SidekickError('SK_NOT_ALLOWED', `${agent.name} also works in queues that are not yours`, {
      why: agent.queues.filter((queue) => !covers(who, agent.tenant, queue)).join(', '),
      next: 'pause the agent in your queue alone: POST /api/v1/queues/TENANT/QUEUE/members/AGENT',
    });
  }
}

function changeAgent(
  { store }: Center,
  tx: Queryable,
  agent: AgentRow,
  by: string,
  body: unknown,
): Promise<AgentStateChange> {
  const state = textIn(body, 'state');
  switch (state) {
    case 'ready':
    case 'signed-out': {
      return store.forceState(tx, agent.id, { kind: state }, by);
    }
    case 'paused': {
      return store.forceState(tx, agent.id, { kind: state, reason: textIn(body, 'reason') ?? 'paused' }, by);
    }
    case 'signed-in': {
      return store.signIn(tx, agent.id, by);
    }
    default: {
      throw usage('state is ready, paused, signed-in or signed-out');
    }
  }
}

function changeMember(
  { store }: Center,
  tx: Queryable,
  member: { readonly agentId: string; readonly queueId: string; readonly by: string },
  body: unknown,
): Promise<object> {
  const state = textIn(body, 'state');
  switch (state) {
    case 'paused': {
      return store.pauseInQueue(tx, member, textIn(body, 'reason') ?? 'paused');
    }
    case 'resumed': {
      return store.resumeInQueue(tx, member);
    }
    case 'signed-in': {
      return store.signInQueue(tx, member);
    }
    case 'signed-out': {
      return store.signOutQueue(tx, member);
    }
    default: {
      throw usage('state is paused, resumed, signed-in or signed-out');
    }
  }
}

/** A target lies in the tenant of the call and in a place of the user; numbers are checked by the node. */
async function targetOf(
  who: Identity,
  center: Center,
  call: CallRow,
  body: unknown,
): Promise<Readonly<Record<string, unknown>>> {
  const given = { queue: textIn(body, 'queue'), agent: textIn(body, 'agent'), number: textIn(body, 'number') };
  if (Object.values(given).filter((target) => target !== undefined).length !== 1) {
    throw usage('one of queue, agent and number is the target');
  }
  if (given.queue !== undefined) {
    return { kind: 'queue', queueId: (await queueFor(who, center, { tenant: call.tenant, queue: given.queue })).id };
  }
  if (given.agent !== undefined) {
    return { kind: 'agent', agentId: (await agentFor(who, center, { tenant: call.tenant, agent: given.agent })).id };
  }
  if (!/^\+[1-9]\d{5,14}$/.test(given.number ?? '')) {
    throw usage('number is E.164, such as +49301234567');
  }
  return { kind: 'number', e164: given.number };
}

/** Gives the order to the node that carries the call. 202: it stands and is not carried out yet. */
async function command(
  { db, store }: Center,
  order: Pick<CallCommand, 'callId' | 'kind' | 'args' | 'by'>,
): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }> {
  const { commandId } = await store.addCallCommand(db, order);
  for (const end = Date.now() + COMMAND_WAIT_MS; Date.now() < end; await sleep(LOOK_MS)) {
    const { doneAt, outcome } = (await store.findCallCommand(db, commandId)) ?? {};
    if (doneAt !== undefined && outcome !== 'done') {
      throw new SidekickError(
        'SK_CONFLICT',
        `the call could not be ${order.kind === 'hangup' ? 'ended' : 'transferred'}`,
        {
          why: outcome ?? 'no reason was given',
        },
      );
    }
    if (doneAt !== undefined) {
      return { status: 200, body: { callId: order.callId, outcome: 'done' } };
    }
  }
  return { status: 202, body: { callId: order.callId, outcome: null } };
}
