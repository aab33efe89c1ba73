/** Errors of Graph and of its token service in our terms. */
import { GraphError } from '@microsoft/microsoft-graph-client';
import { describeError, isSidekickError, SidekickError } from '../lib/errors';
import { retryAfterMs } from './retry-after';

export const REQUEST_TIMEOUT_MS = 10_000;

export function unreachable(what: string, error: unknown): SidekickError {
  return new SidekickError('SK_GRAPH_UNREACHABLE', what, {
    why: describeError(error),
    next: 'check the network from this machine to SIDEKICK_GRAPH_AUTHORITY and SIDEKICK_GRAPH_BASE_URL',
    cause: error,
  });
}

/** An error of the Graph client in our terms, with `status` and `retryAfterMs` in its context. */
export function graphFailure(error: unknown, now: number): SidekickError {
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

/** The HTTP status that Graph refused with; undefined where there was no answer. */
export function statusOf(error: unknown): number | undefined {
  const status = isSidekickError(error) ? error.context['status'] : undefined;
  return typeof status === 'number' ? status : undefined;
}

/** The wait that Graph asked for, milliseconds. */
export function askedWaitOf(error: unknown): number | undefined {
  const wait = isSidekickError(error) ? error.context['retryAfterMs'] : undefined;
  return typeof wait === 'number' ? wait : undefined;
}
