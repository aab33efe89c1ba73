import type { FastifyPluginCallback } from 'fastify';
import type { GraphNotifications } from './ports';

export interface GraphWebhookOptions {
  readonly notifications: GraphNotifications;
}

/** Microsoft's own text is shorter; more is nobody's token. */
const MAX_TOKEN = 4_096;

/**
 * `POST /graph/notifications` and `/graph/lifecycle`: what Microsoft Graph sends by itself. When a subscription is made, Graph
 * asks for its `validationToken` back as plain text. A delivery is answered 202 at once, since three seconds are all it waits,
 * and 503 when it should come again later. Anybody can reach these: what is not genuine is dropped afterwards.
 */
export const graphWebhook: FastifyPluginCallback<GraphWebhookOptions> = (app, { notifications }, done) => {
  for (const path of ['/graph/notifications', '/graph/lifecycle']) {
    app.post<{ Querystring: { validationToken?: unknown } }>(path, async (request, reply) => {
      const { validationToken } = request.query;
      if (typeof validationToken === 'string') {
        const text = validationToken.slice(0, MAX_TOKEN);
        return reply.code(200).header('x-content-type-options', 'nosniff').type('text/plain; charset=utf-8').send(text);
      }
      return reply.code(notifications.take(request.body) ? 202 : 503).send();
    });
  }
  // Graph asks for the token with an empty body of type text/plain.
  app.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, _body, parsed) => {
    parsed(null, undefined);
  });
  done();
};
