import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { SidekickError, isSidekickError, toError } from '../../lib/errors';
import type { CallView } from './call-record';
import { misbehaviourSchema, type Misbehaviour } from './misbehaviour';
import { ACTIVITIES, AVAILABILITIES, type Presence } from './presence-values';
import { GRAPH_RULES, type BrokenGraphRule } from './graph-rules';
import type { BrokenRecord } from './rules';
import { RULES } from './rules';
import { parseScript, type MissedCall } from './users';
import type { AgentScript } from './scripts';

export interface UserView {
  readonly name: string;
  readonly displayName: string;
  readonly number: string;
  readonly entraUserId: string;
  readonly toneHz: number;
  readonly script: AgentScript;
  /** As Graph shows it. */
  readonly presence: Presence;
  readonly calls: number;
  readonly missedCalls: readonly MissedCall[];
}

export interface CallFilter {
  /** Only calls from this number. */
  readonly from?: string;
  /** Only calls to this user's name. */
  readonly agent?: string;
  /** Only calls that have not ended. */
  readonly active?: boolean;
}

export type CallAction = 'hang-up' | 'hold' | 'unhold' | 'refresh';

/** A trunk as the tenant's administrator sees it. */
export interface TrunkView {
  readonly name: string;
  /** When its OPTIONS came last; milliseconds since the epoch. */
  readonly lastOptionsAt: number;
  /** What it answered to our OPTIONS last; null = nothing yet. 408 and 503 also stand for no answer and no connection. */
  readonly ownOptionsStatus: number | null;
  readonly ownOptionsAt: number | null;
  /** OPTIONS both ways within the last five minutes (1.4). */
  readonly active: boolean;
}

/** Graph as it looks from outside. */
export interface GraphView {
  /** Requests for presence that were let in, in all. */
  readonly requests: number;
  readonly subscriptions: readonly { readonly id: string; readonly users: number; readonly expiresAt: number }[];
  /** Notifications that were taken, in all. */
  readonly notifications: number;
}

/** What can be seen and done from outside; the same for the control API and for TypeScript. */
export interface TenantControl {
  /** Newest last. Ended calls are kept up to a limit. */
  calls(filter?: CallFilter): CallView[];
  call(id: string): CallView | undefined;
  users(): UserView[];
  trunks(): TrunkView[];
  rulesBroken(): readonly BrokenRecord[];
  /** Rules of Graph that were broken, newest last. */
  graphRulesBroken(): readonly BrokenGraphRule[];
  graph(): GraphView;
  /** Signs an account in, as a person does in the browser. @throws SidekickError SK_NOT_FOUND */
  approve(userCode: string, account: string): void;
  /** @throws SidekickError SK_NOT_FOUND */
  setScript(name: string, script: AgentScript): void;
  /** What the user's own Teams client shows. @throws SidekickError SK_NOT_FOUND */
  setPresence(name: string, presence: Presence): void;
  /** Makes the agent do something now. @throws SidekickError SK_NOT_FOUND, SK_CONFLICT */
  act(callId: string, action: CallAction): Promise<void>;
  misbehave(command: Misbehaviour): void;
  /** Forgets ended calls, missed calls and broken rules. */
  forget(): void;
}

const presenceSchema = z.strictObject({ availability: z.enum(AVAILABILITIES), activity: z.enum(ACTIVITIES) });
const filterSchema = z.object({
  from: z.string().optional(),
  agent: z.string().optional(),
  active: z.enum(['true', 'false']).optional(),
});
const signInSchema = z.strictObject({ userCode: z.string().max(20), account: z.string().max(100) });
const actionSchema = z.enum(['hang-up', 'hold', 'unhold', 'refresh']);

/** The control and observation API. It has no authentication: the server that carries it listens on loopback only. */
export function registerControlRoutes(http: FastifyInstance, control: TenantControl): void {
  void http.register(
    (sim, _options, done) => {
      sim.setErrorHandler((error, _request, reply) => answerError(error, reply));
      sim.get('/calls', (request, reply) => {
        const { from, agent, active } = read(filterSchema, request.query, 'query');

        return reply.send(
          control.calls({
            ...(from === undefined ? {} : { from: from.replace(/^ /, '+') }),
            ...(agent === undefined ? {} : { agent }),
            active: active === 'true',
          }),
        );
      });
      sim.get<{ Params: { id: string } }>('/calls/:id', (request, reply) => {
        const call = control.call(request.params.id);
        if (!call) {
          throw new SidekickError('SK_NOT_FOUND', `No call ${request.params.id}`);
        }

        return reply.send(call);
      });
      sim.post<{ Params: { id: string; action: string } }>('/calls/:id/:action', async (request, reply) => {
        await control.act(request.params.id, read(actionSchema, request.params.action, 'action'));

        return reply.send(control.call(request.params.id));
      });
      sim.delete('/calls', (_request, reply) => {
        control.forget();

        return reply.status(204).send();
      });
      sim.get('/users', (_request, reply) => reply.send(control.users()));
      sim.get('/trunks', (_request, reply) => reply.send(control.trunks()));
      sim.put<{ Params: { name: string } }>('/users/:name/script', (request, reply) => {
        control.setScript(request.params.name, parseScript(request.body));

        return reply.send(userOf(control, request.params.name));
      });
      sim.put<{ Params: { name: string } }>('/users/:name/presence', (request, reply) => {
        control.setPresence(request.params.name, read(presenceSchema, request.body, 'presence'));

        return reply.send(userOf(control, request.params.name));
      });
      sim.get('/rules', (_request, reply) => reply.send({ broken: control.rulesBroken(), rules: RULES }));
      sim.get('/graph', (_request, reply) =>
        reply.send({ ...control.graph(), broken: control.graphRulesBroken(), rules: GRAPH_RULES }),
      );
      sim.post('/sign-in', (request, reply) => {
        const { userCode, account } = read(signInSchema, request.body, 'sign-in');
        control.approve(userCode, account);

        return reply.status(204).send();
      });
      sim.post('/misbehave', (request, reply) => {
        control.misbehave(read(misbehaviourSchema, request.body, 'misbehaviour'));

        return reply.status(204).send();
      });
      done();
    },
    { prefix: '/_sim' },
  );
}

function userOf(control: TenantControl, name: string): UserView | undefined {
  return control.users().find((user) => user.name === name.toLowerCase());
}

function read<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    throw new SidekickError('SK_USAGE', `Not a ${what} for the simulated tenant`, {
      why: parsed.error.issues.map((issue) => `${issue.path.join('.') || what}: ${issue.message}`).join('; '),
      next: 'docs/simulated-teams.md describes the control API.',
    });
  }

  return parsed.data;
}

function answerError(thrown: unknown, reply: FastifyReply): FastifyReply {
  if (isSidekickError(thrown)) {
    const { code, message, why, next } = thrown;

    return reply.status(thrown.kind.http).send({ error: { code, message, why, next } });
  }
  const status = (thrown as { statusCode?: unknown }).statusCode;

  return reply
    .status(typeof status === 'number' ? status : 500)
    .send({ error: { code: 'SK_INTERNAL', message: toError(thrown).message } });
}
