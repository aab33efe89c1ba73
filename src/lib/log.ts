import pino from 'pino';

export type Log = pino.Logger;

/** Shortens a number for logs: `+49301234567` becomes `+4930…567`. Never log a caller's number any other way. */
export function shortNumber(number: string | null | undefined): string {
  if (!number) {
    return 'anonymous';
  }
  return number.length <= 8 ? `${number.slice(0, 2)}…` : `${number.slice(0, 5)}…${number.slice(-3)}`;
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
      serializers: { err: pino.stdSerializers.errWithCause },
    },
    destination,
  );
}

/** A logger that drops everything, for tests and tools. */
export function silentLog(): Log {
  return pino({ level: 'silent' });
}
