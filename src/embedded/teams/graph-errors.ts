import { newId } from '../../lib/ids';

/** An answer of Graph that is not a success, in Graph's shape. */
export class GraphError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }

  body(now: number): unknown {
    const id = newId();

    return {
      error: {
        code: this.code,
        message: this.message,
        innerError: { date: new Date(now).toISOString().slice(0, 19), 'request-id': id, 'client-request-id': id },
      },
    };
  }
}

export const unauthorized = (message: string): GraphError =>
  new GraphError(401, 'InvalidAuthenticationToken', message, {
    'www-authenticate':
      'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"',
  });

export const forbidden = (role: string): GraphError =>
  new GraphError(
    403,
    'Forbidden',
    `Insufficient privileges to complete the operation: the token lacks the role ${role}.`,
  );

export const badRequest = (message: string): GraphError => new GraphError(400, 'BadRequest', message);

export const notFound = (message: string): GraphError => new GraphError(404, 'NotFound', message);

export const tooManyRequests = (seconds: number): GraphError =>
  new GraphError(429, 'TooManyRequests', 'Too many requests. Retry after the time in the Retry-After header.', {
    'retry-after': String(seconds),
  });
