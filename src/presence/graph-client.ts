/**
 * Microsoft Graph, reduced to what Sidekick asks of it: the presence of users, by app-only permission (Presence.Read.All).
 * The only file that knows @azure/msal-node and @microsoft/microsoft-graph-client. Retries are the poller's business: here a
 * request is made once, except that a token which Graph no longer takes is replaced once.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfidentialClientApplication, LogLevel } from '@azure/msal-node';
import type { Configuration, INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node';
import { Client, GraphError } from '@microsoft/microsoft-graph-client';
import type { Context, Middleware } from '@microsoft/microsoft-graph-client';
import type { GraphSettings } from '../config/settings';
import type { Clock } from '../lib/clock';
import { describeError, isSidekickError, SidekickError } from '../lib/errors';
import type { Log } from '../lib/log';
import { MAX_IDS_PER_READ } from './ports';
import type { GraphPresence, PresenceReader } from './ports';
import { retryAfterMs } from './retry-after';

const REQUEST_TIMEOUT_MS = 10_000;

export interface TokenState {
  /** undefined until the first attempt. */
  readonly ok: boolean | undefined;
  /** When the last attempt to get a token ended. */
  readonly at: number | undefined;
  readonly error: string | undefined;
}

export interface GraphClient extends PresenceReader {
  tokenState(): TokenState;
  /** Ends what is under way; later reads fail. Idempotent. */
  close(): void;
}

export interface GraphClientDeps {
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * A client for one tenant. Nothing is sent before the first read.
 * @throws SidekickError SK_SETTINGS_INVALID if the certificate file holds no usable key and certificate.
 */
export function createGraphClient(graph: GraphSettings, deps: GraphClientDeps): GraphClient {
  const closing = new AbortController();
  const tokens = new TokenSource(graph, deps, closing.signal);
  return {
    tokenState: () => tokens.state,
    close: () => closing.abort(new SidekickError('SK_STOPPING', 'the Graph client is closed')),
    async readPresences(entraUserIds) {
      if (entraUserIds.length > MAX_IDS_PER_READ) {
        throw new SidekickError('SK_INTERNAL', 'too many users in one presence request', {
          why: `${entraUserIds.length} ids, Graph takes ${MAX_IDS_PER_READ}`,
        });
      }
      const transport = new AuthorizedFetch(tokens, closing.signal);
      const client = Client.initWithMiddleware({
        middleware: transport,
        baseUrl: `${graph.baseUrl}/`,
        defaultVersion: 'v1.0',
      });
      let body: unknown;
      try {
        body = await client.api('/communications/getPresencesByUserId').post({ ids: entraUserIds });
      } catch (error) {
        throw transport.failure ?? graphFailure(error, deps.clock.now());
      }
      return presencesOf(body);
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
  return value.filter(isRecord).flatMap((entry) => {
    const { id, availability, activity, sequenceNumber } = entry;
    if (typeof id !== 'string' || id === '') {
      return [];
    }
    return [
      {
        entraUserId: id,
        availability: typeof availability === 'string' ? availability : '',
        activity: typeof activity === 'string' ? activity : '',
        sequenceNumber: typeof sequenceNumber === 'string' && sequenceNumber !== '' ? sequenceNumber : undefined,
      },
    ];
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/**
 * The only member of the client's chain, made for one request: adds the token, sends, and tries once more with a fresh token
 * after a 401. The Graph client wraps what is thrown here and loses its code, so that the original is kept in `failure`.
 */
class AuthorizedFetch implements Middleware {
  readonly #tokens: TokenSource;
  readonly #closing: AbortSignal;
  failure: SidekickError | undefined;

  constructor(tokens: TokenSource, closing: AbortSignal) {
    this.#tokens = tokens;
    this.#closing = closing;
  }

  async execute(context: Context): Promise<void> {
    try {
      await this.#execute(context);
    } catch (error) {
      this.failure = isSidekickError(error) ? error : undefined;
      throw error;
    }
  }

  async #execute(context: Context): Promise<void> {
    let response = await this.#send(context, await this.#tokens.get());
    if (response.status === 401) {
      await response.body?.cancel();
      response = await this.#send(context, await this.#tokens.get({ fresh: true }));
    }
    context.response = response;
  }

  async #send(context: Context, token: string): Promise<Response> {
    const headers = new Headers(context.options?.headers);
    headers.set('Authorization', `Bearer ${token}`);
    const init: RequestInit = {
      method: context.options?.method ?? 'GET',
      headers,
      // A token must not follow a redirect to a host nobody configured.
      redirect: 'error',
      signal: AbortSignal.any([this.#closing, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    };
    if (typeof context.options?.body === 'string') {
      init.body = context.options.body;
    }
    try {
      return await fetch(String(context.request), init);
    } catch (error) {
      throw unreachable('Graph did not answer', error);
    }
  }
}

/** Tokens by client credentials; msal keeps them until they are about to expire. */
class TokenSource {
  readonly #app: ConfidentialClientApplication;
  readonly #transport: TokenTransport;
  readonly #scope: string;
  readonly #clock: Clock;
  #state: TokenState = { ok: undefined, at: undefined, error: undefined };

  constructor(graph: GraphSettings, { log, clock }: GraphClientDeps, closing: AbortSignal) {
    this.#transport = new TokenTransport(graph.authority, closing);
    this.#app = new ConfidentialClientApplication(msalConfiguration(graph, log, this.#transport));
    this.#scope = `${graph.baseUrl}/.default`;
    this.#clock = clock;
  }

  get state(): TokenState {
    return this.#state;
  }

  async get({ fresh = false } = {}): Promise<string> {
    this.#transport.failure = undefined;
    try {
      const result = await this.#app.acquireTokenByClientCredential({ scopes: [this.#scope], skipCache: fresh });
      if (!result?.accessToken) {
        throw new Error('the answer holds no access token');
      }
      this.#state = { ok: true, at: this.#clock.now(), error: undefined };
      return result.accessToken;
    } catch (error) {
      const failure = this.#transport.failure ?? tokenFailure(error);
      this.#state = { ok: false, at: this.#clock.now(), error: failure.why ?? failure.message };
      throw failure;
    }
  }
}

function msalConfiguration(graph: GraphSettings, log: Log, transport: TokenTransport): Configuration {
  const authority = new URL(`${graph.authority}/${graph.tenantId}`);
  // msal takes https authorities only. For a test tenant on this machine the transport turns it back into http.
  authority.protocol = 'https:';
  const certificate = graph.certificate === undefined ? undefined : readCertificate(graph.certificate);
  return {
    auth: {
      clientId: graph.clientId,
      authority: authority.toString(),
      knownAuthorities: [authority.host],
      ...(graph.clientSecret === undefined ? {} : { clientSecret: graph.clientSecret }),
      ...(certificate === undefined ? {} : { clientCertificate: certificate }),
    },
    system: {
      networkClient: transport,
      loggerOptions: {
        piiLoggingEnabled: false,
        logLevel: LogLevel.Warning,
        loggerCallback: (_level, message, containsPii) => {
          if (!containsPii) {
            log.debug({ event: 'graph:msal', message }, 'token library');
          }
        },
      },
    },
  };
}

/** The private key and the certificate of a PEM file, as msal wants them. */
function readCertificate(file: string): { thumbprintSha256: string; privateKey: string; x5c: string } {
  try {
    const pem = readFileSync(file, 'utf8');
    const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+?-----END [A-Z ]*PRIVATE KEY-----/.exec(pem)?.[0];
    const certificates = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g);
    if (privateKey === undefined || certificates === null) {
      throw new Error('it must hold a private key and its certificate');
    }
    const thumbprintSha256 = new X509Certificate(certificates[0]).fingerprint256.replaceAll(':', '');
    return { thumbprintSha256, privateKey, x5c: certificates.join('\n') };
  } catch (error) {
    throw new SidekickError('SK_SETTINGS_INVALID', 'the Graph certificate is not usable', {
      why: `${file}: ${describeError(error)}`,
      next: 'put the private key and the certificate of the app registration into this file, both as PEM',
      cause: error,
    });
  }
}

/** msal's way to the token service. msal wraps what is thrown here and loses its code: the original is kept in `failure`. */
class TokenTransport implements INetworkModule {
  failure: SidekickError | undefined;
  readonly #plainOrigin: string | undefined;
  readonly #tlsOrigin: string | undefined;
  readonly #closing: AbortSignal;

  constructor(authority: string, closing: AbortSignal) {
    const { protocol, origin } = new URL(authority);
    this.#closing = closing;
    this.#plainOrigin = protocol === 'http:' ? origin : undefined;
    this.#tlsOrigin = this.#plainOrigin?.replace(/^http:/, 'https:');
  }

  sendGetRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return this.#send<T>('GET', url, options);
  }

  sendPostRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return this.#send<T>('POST', url, options);
  }

  async #send<T>(method: string, url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    const init: RequestInit = {
      method,
      redirect: 'error',
      signal: AbortSignal.any([this.#closing, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    };
    if (options?.headers) {
      init.headers = options.headers;
    }
    if (method === 'POST') {
      init.body = options?.body ?? '';
    }
    let response: Response;
    try {
      response = await fetch(this.#target(url), init);
    } catch (error) {
      this.failure = unreachable('the token service did not answer', error);
      throw this.failure;
    }
    const text = await response.text();
    try {
      return { headers: Object.fromEntries(response.headers), body: JSON.parse(text) as T, status: response.status };
    } catch (error) {
      this.failure = new SidekickError('SK_GRAPH_REFUSED', 'the token service sent something that is not JSON', {
        why: `status ${response.status}, ${text.length} characters`,
        next: 'check SIDEKICK_GRAPH_AUTHORITY: a proxy or another service may answer there',
        cause: error,
      });
      throw this.failure;
    }
  }

  #target(url: string): string {
    return this.#plainOrigin !== undefined && this.#tlsOrigin !== undefined && url.startsWith(`${this.#tlsOrigin}/`)
      ? this.#plainOrigin + url.slice(this.#tlsOrigin.length)
      : url;
  }
}

function unreachable(what: string, error: unknown): SidekickError {
  return new SidekickError('SK_GRAPH_UNREACHABLE', what, {
    why: describeError(error),
    next: 'check the network from this machine to SIDEKICK_GRAPH_AUTHORITY and SIDEKICK_GRAPH_BASE_URL',
    cause: error,
  });
}

/** An error of msal in our terms. Entra's own text (AADSTS…) is kept: it names the cause and holds no secret. */
function tokenFailure(error: unknown): SidekickError {
  if (isSidekickError(error)) {
    return error;
  }
  const text = describeError(error).split(/\r?\n/)[0] ?? '';
  return new SidekickError('SK_GRAPH_REFUSED', 'no token for Graph', {
    why: text.slice(0, 300),
    next: 'check tenant id, client id and secret or certificate of the app registration (SIDEKICK_GRAPH_…)',
    cause: error,
  });
}

/** An error of the Graph client in our terms, with `status` and `retryAfterMs` in its context. */
function graphFailure(error: unknown, now: number): SidekickError {
  if (isSidekickError(error)) {
    return error;
  }
  if (!(error instanceof GraphError) || error.statusCode < 100) {
    return unreachable('Graph did not answer', error);
  }
  const status = error.statusCode;
  const wait = retryAfterMs(error.headers?.get('retry-after'), now);
  const context = { status, ...(wait === undefined ? {} : { retryAfterMs: wait }) };
  const why = `status ${status}${error.code ? ` ${error.code}` : ''}: ${error.message}`.slice(0, 300);
  if (status === 429 || status >= 500) {
    return new SidekickError('SK_GRAPH_UNREACHABLE', 'Graph is busy or out of order', {
      why,
      next: 'nothing to do if it passes: the read is repeated by itself',
      context,
      cause: error,
    });
  }
  return new SidekickError('SK_GRAPH_REFUSED', 'Graph refused to read presence', {
    why,
    next:
      status === 401 || status === 403
        ? 'give the app registration the application permission Presence.Read.All and admin consent'
        : "check the agents' entraUserId values in the configuration",
    context,
    cause: error,
  });
}
