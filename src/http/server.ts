/** The HTTP server of a node: one plugin per concern, errors in one shape. */
import { fastify } from 'fastify';
import type { FastifyError, FastifyInstance } from 'fastify';
import type { HostPort } from '../config/settings-values';
import { formatHostPort } from '../config/settings-values';
import { errorCodeOf } from '../lib/errno';
import { describeError, isSidekickError, SidekickError } from '../lib/errors';
import type { Log } from '../lib/log';
import type { Metrics } from '../lib/metrics';
import type { UserRow } from '../store/types';
import { callsApi } from './calls-api';
import { centerApi } from './center-api';
import type { Center } from './center-api';
import { controlApi } from './control-api';
import { graphWebhook } from './graph-webhook';
import { apiRoute, Guard } from './guard';
import type { ApiRoute } from './guard';
import { health } from './health';
import { metricsPage } from './metrics-page';
import type { Identity } from './identity';
import type { CallReader, GraphNotifications, NodeView, SoundReader } from './ports';
import { voicemailsApi } from './voicemails-api';

export interface HttpOptions {
  readonly listen: HostPort;
  readonly adminToken: string | undefined;
  readonly node: NodeView;
  readonly calls: CallReader;
  /** By the SHA-256 of a token; undefined: there are no users. */
  readonly userByToken?: (digest: Buffer) => Promise<UserRow | undefined>;
  /** undefined: nobody signs in at Entra. */
  readonly signIn?: ((token: string) => Promise<Identity>) | undefined;
  /** What supervisors see and steer; undefined: calls can be read and nothing else. */
  readonly center?: Center;
  /** Undefined: no recordings can be fetched here. */
  readonly sounds?: SoundReader;
  /** Hears of every route of the API as it is made. */
  readonly onApiRoute?: (route: ApiRoute) => void;
  /** undefined: Graph sends nothing by itself. */
  readonly notifications?: GraphNotifications;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly version: string;
}

export interface HttpServer {
  /** Where it listens; the port is the one that was bound. */
  readonly address: HostPort;
  /** Idempotent; ends open connections. */
  close(): Promise<void>;
}

/** The server without a socket: for tests by `inject()`, and for startHttp. */
export function buildHttp(options: HttpOptions): FastifyInstance {
  const app = fastify({ logger: false, bodyLimit: 1_048_576, requestTimeout: 10_000, forceCloseConnections: true });
  app.setErrorHandler<FastifyError | SidekickError>((error, request, reply) => {
    const { status, body } = errorAnswer(error);
    if (status >= 500) {
      // The route, not the URL: a URL can hold a caller's number.
      const route = request.routeOptions.url;
      options.log.error({ event: 'http:error', route, error: describeError(error) }, 'request failed');
    }
    if (status === 401) {
      void reply.header('www-authenticate', 'Bearer realm="sidekick"');
    }
    return reply.code(status).send(body);
  });
  app.setNotFoundHandler((_request, reply) => {
    const error = new SidekickError('SK_NOT_FOUND', 'there is nothing here', {
      next: 'see /healthz, /readyz, /metrics and docs/api.md',
    });
    return reply.code(404).send(errorAnswer(error).body);
  });
  void app.register(health, { node: options.node, version: options.version });
  void app.register(metricsPage, { metrics: options.metrics, node: options.node });
  if (options.notifications) {
    void app.register(graphWebhook, { notifications: options.notifications });
  }
  registerApi(app, options);
  return app;
}

/** Everything under /api/ in one room with one door. */
function registerApi(app: FastifyInstance, options: HttpOptions): void {
  const guard = new Guard(() => ({
    adminToken: options.adminToken,
    boundTo: options.listen.host,
    userByToken: options.userByToken,
    signIn: options.signIn,
  }));
  void app.register((api, _options, done) => {
    api.addHook('onRequest', guard.check);
    api.addHook('onRoute', (route) => {
      const told = apiRoute(route);
      if (told !== undefined) {
        options.onApiRoute?.(told);
      }
    });
    void api.register(callsApi, { calls: options.calls, guard });
    if (options.center) {
      void api.register(centerApi, { ...options.center, guard });
      void api.register(controlApi, { ...options.center, guard });
      void api.register(voicemailsApi, { ...options.center, guard, sounds: options.sounds });
    }
    done();
  });
}

/**
 * Starts the server.
 * @throws SidekickError SK_PORT_TAKEN, or SK_SETTINGS_INVALID for an address that this machine does not have.
 */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const app = buildHttp(options);
  const { host, port } = options.listen;
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    throw listenFailure(error, options.listen);
  }
  const bound = app.server.address();
  const address = { host, port: typeof bound === 'object' && bound !== null ? bound.port : port };
  options.log.info({ event: 'http:listening', address: formatHostPort(address) }, 'HTTP is up');
  let closing: Promise<void> | undefined;
  return { address, close: () => (closing ??= app.close()) };
}

function listenFailure(error: unknown, listen: HostPort): Error {
  const code = errorCodeOf(error);
  if (code === 'EADDRINUSE' || code === 'EACCES') {
    return new SidekickError('SK_PORT_TAKEN', `HTTP cannot listen on ${formatHostPort(listen)}`, {
      why: code === 'EADDRINUSE' ? 'another program listens there' : 'this user may not use that port',
      next: 'stop that program, or choose another place with --http host:port or SIDEKICK_HTTP',
      context: { host: listen.host, port: listen.port, option: '--http' },
      cause: error,
    });
  }
  return new SidekickError('SK_SETTINGS_INVALID', `HTTP cannot listen on ${formatHostPort(listen)}`, {
    why: describeError(error),
    next: 'give --http or SIDEKICK_HTTP an address of this machine',
    cause: error,
  });
}

interface ErrorAnswer {
  readonly status: number;
  readonly body: { readonly error: { code: string; message: string; why: string | null; next: string | null } };
}

function errorAnswer(error: FastifyError | SidekickError): ErrorAnswer {
  if (isSidekickError(error)) {
    const { code, message, why, next, kind } = error;
    return { status: kind.http, body: { error: { code, message, why: why ?? null, next: next ?? null } } };
  }
  const status = error.statusCode ?? 500;
  if (status < 500) {
    return { status, body: { error: { code: 'SK_USAGE', message: error.message, why: null, next: null } } };
  }
  const message = 'something failed inside sidekick (SK_INTERNAL)';
  return { status: 500, body: { error: { code: 'SK_INTERNAL', message, why: null, next: 'see the log of the node' } } };
}
