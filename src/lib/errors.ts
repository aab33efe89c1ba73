import { types } from 'node:util';

/**
 * One error class for the whole product. Every code is registered here with what a SIP peer, an HTTP client and a shell
 * see of it, and whether trying again can help. docs/errors.md is the same table for readers; a test keeps both equal.
 */
export interface ErrorKind {
  /** SIP status sent to a caller when this error ends the call attempt. */
  readonly sip: number;
  readonly http: number;
  /** Exit code of the `sidekick` command: 2 usage or invalid file, 3 cannot reach, 4 not found, 5 conflict, 6 not allowed, 70 our bug. */
  readonly exit: number;
  readonly retry: boolean;
}

export const ERROR_KINDS = {
  SK_USAGE: { sip: 500, http: 400, exit: 2, retry: false },
  SK_CONFIG_INVALID: { sip: 500, http: 422, exit: 2, retry: false },
  SK_SETTINGS_INVALID: { sip: 500, http: 500, exit: 2, retry: false },
  SK_PORT_TAKEN: { sip: 500, http: 500, exit: 3, retry: true },
  SK_POSTGRES_UNREACHABLE: { sip: 503, http: 503, exit: 3, retry: true },
  SK_MIGRATIONS_PENDING: { sip: 503, http: 503, exit: 5, retry: false },
  SK_DRACHTIO_UNREACHABLE: { sip: 503, http: 503, exit: 3, retry: true },
  SK_DRACHTIO_REFUSED: { sip: 503, http: 503, exit: 6, retry: false },
  SK_FREESWITCH_UNREACHABLE: { sip: 503, http: 503, exit: 3, retry: true },
  SK_MEDIA_FAILED: { sip: 503, http: 503, exit: 3, retry: true },
  SK_MEDIA_OFFER_REFUSED: { sip: 488, http: 422, exit: 2, retry: false },
  SK_GRAPH_UNREACHABLE: { sip: 503, http: 503, exit: 3, retry: true },
  SK_GRAPH_REFUSED: { sip: 503, http: 502, exit: 6, retry: false },
  SK_SOURCE_NOT_ALLOWED: { sip: 403, http: 403, exit: 6, retry: false },
  SK_TRUNK_LIMIT: { sip: 503, http: 503, exit: 5, retry: true },
  SK_NUMBER_UNKNOWN: { sip: 404, http: 404, exit: 4, retry: false },
  SK_UNAUTHENTICATED: { sip: 403, http: 401, exit: 6, retry: false },
  SK_NOT_ALLOWED: { sip: 403, http: 403, exit: 6, retry: false },
  SK_SIGN_IN_UNREACHABLE: { sip: 503, http: 503, exit: 3, retry: true },
  SK_SECRET_KEY: { sip: 503, http: 503, exit: 5, retry: false },
  SK_NOT_FOUND: { sip: 404, http: 404, exit: 4, retry: false },
  SK_CONFLICT: { sip: 500, http: 409, exit: 5, retry: false },
  SK_NOT_CONFIRMED: { sip: 500, http: 409, exit: 5, retry: false },
  SK_LEG_GONE: { sip: 487, http: 409, exit: 5, retry: false },
  SK_STOPPING: { sip: 503, http: 503, exit: 5, retry: true },
  SK_NODE_UNREACHABLE: { sip: 503, http: 503, exit: 3, retry: true },
  SK_INTERNAL: { sip: 500, http: 500, exit: 70, retry: false },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERROR_KINDS;

export interface ErrorDetails {
  /** Why it happened, one line. */
  readonly why?: string;
  /** What the reader can do about it, one line. */
  readonly next?: string;
  readonly context?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

export class SidekickError extends Error {
  readonly code: ErrorCode;
  readonly why: string | undefined;
  readonly next: string | undefined;
  readonly context: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, what: string, details: ErrorDetails = {}) {
    super(`${what} (${code})`, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'SidekickError';
    this.code = code;
    this.why = details.why;
    this.next = details.next;
    this.context = details.context ?? {};
  }

  get kind(): ErrorKind {
    return ERROR_KINDS[this.code];
  }
}

export function isSidekickError(value: unknown, code?: ErrorCode): value is SidekickError {
  return value instanceof SidekickError && (code === undefined || value.code === code);
}

/** Makes an Error of whatever was thrown, keeping the original as the cause. */
export function toError(value: unknown): Error {
  // isNativeError also knows errors of another realm, such as those that Node's core makes under a test runner.
  return value instanceof Error || types.isNativeError(value) ? value : new Error(String(value), { cause: value });
}

/** One line for a log or a terminal: the message and the chain of causes. */
export function describeError(value: unknown): string {
  const parts: string[] = [];
  for (let e: unknown = value, depth = 0; e !== undefined && depth < 5; depth++) {
    const error = toError(e);
    parts.push(error.message);
    e = error.cause === value ? undefined : error.cause;
  }
  return parts.join(': ');
}
