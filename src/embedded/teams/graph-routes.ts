import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../lib/clock';
import { toError } from '../../lib/errors';
import type { Entra } from './entra';
import type { Graph } from './graph';
import type { Accounts } from './accounts';
import { GraphError, badRequest } from './graph-errors';
import type { GraphMood } from './graph-mood';
import type { Subscriptions } from './subscriptions';

/** Puts Entra's token endpoint and Graph's presence endpoints onto an HTTP server. */
export function registerGraphRoutes(
  http: FastifyInstance,
  parts: {
    readonly entra: Entra;
    readonly graph: Graph;
    readonly clock: Clock;
    readonly tenantId: string;
    readonly accounts: Accounts;
    readonly subscriptions: Subscriptions;
    readonly graphMood: GraphMood;
  },
): void {
  registerLogin(http, parts.entra, parts.accounts, parts.tenantId);
  const { graph, graphMood } = parts;
  const auth = (request: FastifyRequest): string | undefined => request.headers.authorization;
  void http.register(
    (v1, _options, done) => {
      v1.setErrorHandler((error, _request, reply) => answerGraphError(error, reply, parts.clock));
      // Graph takes an empty body where none is needed, whatever its type says.
      v1.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, parsed) => {
        try {
          parsed(null, body === '' ? undefined : (JSON.parse(String(body)) as unknown));
        } catch {
          parsed(badRequest('The body is no JSON.'));
        }
      });
      v1.addHook('onRequest', (_request, reply, next) => {
        if (graphMood.outage === 'off') {
          return next();
        }
        reply.hijack();
        if (graphMood.outage === 'cut') {
          reply.raw.destroy();
        }
      });
      registerSubscriptions(v1, parts.accounts, parts.subscriptions);
      v1.post('/communications/getPresencesByUserId', (request) =>
        Promise.resolve(graph.getPresencesByUserId(auth(request), request.body)),
      );
      v1.get<{ Params: { id: string } }>('/communications/presences/:id', (request) =>
        Promise.resolve(graph.getPresence(auth(request), request.params.id)),
      );
      v1.get<{ Params: { id: string } }>('/users/:id/presence', (request) =>
        Promise.resolve(graph.getPresence(auth(request), request.params.id)),
      );
      type Action = 'setPresence' | 'clearPresence' | 'setUserPreferredPresence' | 'clearUserPreferredPresence';
      const actions: Action[] = [
        'setPresence',
        'clearPresence',
        'setUserPreferredPresence',
        'clearUserPreferredPresence',
      ];
      for (const action of actions) {
        v1.post<{ Params: { id: string } }>(`/users/:id/presence/${action}`, (request, reply) => {
          graph[action](auth(request), request.params.id, request.body);

          return reply.status(200).send();
        });
      }
      v1.setNotFoundHandler((request, reply) =>
        answerGraphError(badRequest(`Resource not found for the segment '${request.url}'.`), reply, parts.clock),
      );
      done();
    },
    { prefix: '/v1.0' },
  );
}

function registerSubscriptions(v1: FastifyInstance, accounts: Accounts, subscriptions: Subscriptions): void {
  const owner = (request: FastifyRequest): ReturnType<Accounts['check']> =>
    accounts.check(request.headers.authorization);
  v1.post('/subscriptions', async (request, reply) =>
    reply.status(201).send(await subscriptions.create(owner(request), request.body)),
  );
  type ById = { Params: { id: string } };
  v1.patch<ById>('/subscriptions/:id', (request, reply) =>
    reply.send(subscriptions.renew(owner(request), request.params.id, request.body)),
  );
  v1.post<ById>('/subscriptions/:id/reauthorize', (request, reply) => {
    subscriptions.reauthorize(owner(request), request.params.id);

    return reply.status(204).send();
  });
  v1.delete<ById>('/subscriptions/:id', (request, reply) => {
    subscriptions.remove(owner(request), request.params.id);

    return reply.status(204).send();
  });
}

function registerLogin(http: FastifyInstance, entra: Entra, accounts: Accounts, tenantId: string): void {
  http.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, new URLSearchParams(String(body)));
  });
  http.post<{ Params: { tenant: string } }>('/:tenant/oauth2/v2.0/token', async (request, reply) => {
    const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
    const answer = accounts.token(form) ?? entra.token(request.params.tenant, form, originOf(request));

    return reply.status(answer.status).header('cache-control', 'no-store').send(answer.body);
  });
  for (const path of ['/:tenant/v2.0/.well-known/openid-configuration', '/:tenant/.well-known/openid-configuration']) {
    http.get<{ Params: { tenant: string } }>(path, (request, reply) =>
      reply.send(openIdConfiguration(originOf(request), request.params.tenant, tenantId)),
    );
  }
  http.post('/:tenant/oauth2/v2.0/devicecode', (request, reply) => reply.send(accounts.deviceCode(originOf(request))));
  for (const path of ['/:tenant/discovery/v2.0/keys', '/:tenant/discovery/keys']) {
    http.get(path, (_request, reply) => reply.send(accounts.keys()));
  }
  http.get('/common/discovery/instance', (request, reply) =>
    reply.send({
      tenant_discovery_endpoint: `${originOf(request)}/${tenantId}/v2.0/.well-known/openid-configuration`,
      'api-version': '1.1',
      metadata: [{ preferred_network: request.host, preferred_cache: request.host, aliases: [request.host] }],
    }),
  );
}

/** What msal needs of the discovery document; the same text is given to it as `authorityMetadata`. */
export function openIdConfiguration(origin: string, tenant: string, tenantId: string): Record<string, unknown> {
  return {
    // Entra's issuer is https always, and msal takes no other.
    issuer: `${origin.replace(/^http:/, 'https:')}/${tenantId}/v2.0`,
    authorization_endpoint: `${origin}/${tenant}/oauth2/v2.0/authorize`,
    token_endpoint: `${origin}/${tenant}/oauth2/v2.0/token`,
    end_session_endpoint: `${origin}/${tenant}/oauth2/v2.0/logout`,
    jwks_uri: `${origin}/${tenant}/discovery/v2.0/keys`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt'],
    response_types_supported: ['token'],
  };
}

function originOf(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}`;
}

function answerGraphError(thrown: unknown, reply: FastifyReply, clock: Clock): FastifyReply {
  const error = thrown instanceof GraphError ? thrown : fromHttp(thrown);

  return reply.status(error.status).headers(error.headers).send(error.body(clock.now()));
}

/** fastify's own refusals (body that is no JSON, too large) in Graph's shape. */
function fromHttp(thrown: unknown): GraphError {
  const { message } = toError(thrown);
  const status = (thrown as { statusCode?: unknown }).statusCode;

  return typeof status === 'number' && status < 500
    ? new GraphError(status, 'BadRequest', message)
    : new GraphError(500, 'InternalServerError', message);
}
