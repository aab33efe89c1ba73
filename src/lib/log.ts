import { types } from 'node:util';
import pino from 'pino';

export type Log = pino.Logger;

/** Shortens a number for logs: `+49301234567` becomes `+4930…567`. Never log a caller's number any other way. */
export function shortNumber(number: string | null | undefined): string {
  if (!number) {
    return 'anonymous';
  }
  return number.length <= 8 ? `${number.slice(0, 2)}…` : `${number.slice(0, 5)}…${number.slice(-3)}`;
}

/** Properties of an error that are objects and may be told: the chain of causes, and what SidekickError adds. */
const TOLD_OF_ERRORS: ReadonlySet<string> = new Set(['cause', 'context', 'aggregateErrors']);

/** What an error says of itself. Libraries hang whole objects on errors (pg its client, with the key of the connection): those are cut. */
function errorForLog(error: unknown): unknown {
  return error instanceof Error || types.isNativeError(error)
    ? withoutObjects(pino.stdSerializers.errWithCause(error))
    : error;
}

function withoutObjects(told: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept = Object.entries(told).flatMap(([name, value]): [string, unknown][] => {
    if (typeof value !== 'object' || value === null) {
      return [[name, value]];
    }
    if (!TOLD_OF_ERRORS.has(name)) {
      return [];
    }
    return [[name, name === 'cause' ? withoutObjects(value as Record<string, unknown>) : value]];
  });
  return Object.fromEntries(kept);
}

/** The product's logger: JSON lines on stderr. Each record has a constant `event` key; secrets are cut by path. */
export function createLog(
  level: string,
  destination: pino.DestinationStream = pino.destination({ dest: 2, sync: false }),
): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: ['secret', '*.secret', 'password', '*.password', 'token', '*.token', 'clientSecret', '*.clientSecret'],
        censor: '***',
      },
      serializers: { err: errorForLog },
    },
    destination,
  );
}

/** A logger that drops everything, for tests and tools. */
export function silentLog(): Log {
  return pino({ level: 'silent' });
}
