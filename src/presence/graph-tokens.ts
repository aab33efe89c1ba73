/**
 * Tokens for Graph by app-only permission, with a secret, a certificate or a federated credential. The only file that knows
 * @azure/msal-node, which keeps tokens until they are about to expire.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { ConfidentialClientApplication, LogLevel } from '@azure/msal-node';
import type { Configuration, INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node';
import type { GraphSettings } from '../config/settings';
import type { Clock } from '../lib/clock';
import { describeError, isSidekickError, SidekickError } from '../lib/errors';
import type { Log } from '../lib/log';
import { REQUEST_TIMEOUT_MS, unreachable } from './graph-errors';

export interface TokenState {
  /** undefined until the first attempt. */
  readonly ok: boolean | undefined;
  /** When the last attempt to get a token ended. */
  readonly at: number | undefined;
  readonly error: string | undefined;
}

/** Where a request gets its token from. */
export interface TokenProvider {
  /** `fresh`: Graph did not take the last one. @throws SidekickError SK_GRAPH_UNREACHABLE, SK_GRAPH_REFUSED */
  get(options?: { readonly fresh?: boolean }): Promise<string>;
}

export interface TokenDeps {
  readonly log: Log;
  readonly clock: Clock;
}

/** Tokens by client credentials. */
export class AppTokens implements TokenProvider {
  readonly #app: ConfidentialClientApplication;
  readonly #transport: TokenTransport;
  readonly #scope: string;
  readonly #clock: Clock;
  #state: TokenState = { ok: undefined, at: undefined, error: undefined };

  constructor(graph: GraphSettings, { log, clock }: TokenDeps, closing: AbortSignal) {
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
  const { assertionFile } = graph;
  const certificate = graph.certificate === undefined ? undefined : readCertificate(graph.certificate);
  return {
    auth: {
      clientId: graph.clientId,
      authority: authority.toString(),
      knownAuthorities: [authority.host],
      ...(graph.clientSecret === undefined ? {} : { clientSecret: graph.clientSecret }),
      ...(certificate === undefined ? {} : { clientCertificate: certificate }),
      // Read for every token: whoever issues it replaces the file before it expires.
      ...(assertionFile === undefined
        ? {}
        : { clientAssertion: async () => (await readFile(assertionFile, 'utf8')).trim() }),
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
