import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../lib/clock';
import { toError } from '../../lib/errors';
import type { Entra } from './entra';
import type { Graph } from './graph';
import { GraphError, badRequest } from './graph-errors';

/** Puts Entra's token endpoint and Graph's presence endpoints onto an HTTP server. */
export function registerGraphRoutes(
  http: FastifyInstance,
  parts: { readonly entra: Entra; readonly graph: Graph; readonly clock: Clock; readonly tenantId: string },
): void {
  registerLogin(http, parts.entra, parts.tenantId);
  const { graph } = parts;
  const auth = (request: FastifyRequest): string | undefined => request.headers.authorization;
  void http.register(
    (v1, _options, done) => {
      v1.setErrorHandler((error, _request, reply) => answerGraphError(error, reply, parts.clock));
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

function registerLogin(http: FastifyInstance, entra: Entra, tenantId: string): void {
  http.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, new URLSearchParams(String(body)));
  });
  http.post<{ Params: { tenant: string } }>('/:tenant/oauth2/v2.0/token', async (request, reply) => {
    const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
    const answer = entra.token(request.params.tenant, form, originOf(request));

    return reply.status(answer.status).header('cache-control', 'no-store').send(answer.body);
  });
  for (const path of ['/:tenant/v2.0/.well-known/openid-configuration', '/:tenant/.well-known/openid-configuration']) {
    http.get<{ Params: { tenant: string } }>(path, (request, reply) =>
      reply.send(openIdConfiguration(originOf(request), request.params.tenant, tenantId)),
    );
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
