/** One request to Graph. The only file that knows @microsoft/microsoft-graph-client. */
import { Client } from '@microsoft/microsoft-graph-client';
import type { Context, Middleware } from '@microsoft/microsoft-graph-client';
import type { Clock } from '../lib/clock';
import { isSidekickError } from '../lib/errors';
import type { SidekickError } from '../lib/errors';
import { graphFailure, REQUEST_TIMEOUT_MS, unreachable } from './graph-errors';
import type { TokenProvider } from './graph-tokens';

export interface GraphCall {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below `/v1.0`. */
  readonly path: string;
  readonly body?: unknown;
}

export interface GraphTarget {
  readonly baseUrl: string;
  readonly tokens: TokenProvider;
  readonly clock: Clock;
  readonly closing: AbortSignal;
}

/**
 * Sends and gives the parsed answer; undefined for an empty one.
 * @throws SidekickError SK_GRAPH_UNREACHABLE, SK_GRAPH_REFUSED, with `status` and `retryAfterMs` in the context
 */
export async function graphRequest(call: GraphCall, target: GraphTarget): Promise<unknown> {
  const transport = new AuthorizedFetch(target.tokens, target.closing);
  const client = Client.initWithMiddleware({
    middleware: transport,
    baseUrl: `${target.baseUrl}/`,
    defaultVersion: 'v1.0',
  });
  const request = client.api(call.path);
  try {
    switch (call.method) {
      case 'GET': {
        return (await request.get()) as unknown;
      }
      case 'POST': {
        return (await request.post(call.body)) as unknown;
      }
      case 'PATCH': {
        return (await request.patch(call.body)) as unknown;
      }
      case 'DELETE': {
        return (await request.delete()) as unknown;
      }
    }
  } catch (error) {
    throw transport.failure ?? graphFailure(error, target.clock.now());
  }
}

/**
 * The only member of the client's chain, made for one request: adds the token, sends, and tries once more with a fresh token
 * after a 401. The Graph client wraps what is thrown here and loses its code, so that the original is kept in `failure`.
 */
class AuthorizedFetch implements Middleware {
  readonly #tokens: TokenProvider;
  readonly #closing: AbortSignal;
  failure: SidekickError | undefined;

  constructor(tokens: TokenProvider, closing: AbortSignal) {
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
