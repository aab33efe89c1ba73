import { Writable } from 'node:stream';
import { SidekickError } from '../../../src/lib/errors';
import { createLog } from '../../../src/lib/log';

function logged(err: unknown): Record<string, unknown> {
  const lines: string[] = [];
  const out = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  createLog('info', out).warn({ event: 'test', err });
  return (JSON.parse(lines.join('')) as { err: Record<string, unknown> }).err;
}

test('of an error its words, code and causes are logged, and none of the objects that libraries hang on it', () => {
  const client = { connectionParameters: { host: 'db', user: 'sidekick' }, secretKey: 1_494_309_163 };
  const lost = Object.assign(new Error('terminating connection'), { code: '57P01', severity: 'FATAL', client });
  const told = logged(lost);
  expect(told).toEqual({ type: 'Error', message: lost.message, stack: lost.stack, code: '57P01', severity: 'FATAL' });

  const around = new SidekickError('SK_POSTGRES_UNREACHABLE', 'gone', {
    cause: lost,
    context: { outcomeUnknown: true },
  });
  const both = logged(around);
  expect(both).toMatchObject({
    code: 'SK_POSTGRES_UNREACHABLE',
    context: { outcomeUnknown: true },
    cause: { message: 'terminating connection', code: '57P01' },
  });
  expect(JSON.stringify(both)).not.toMatch(/secretKey|1494309163/);
});

test('what was thrown and is no error is logged as it is', () => {
  expect(logged('just words')).toBe('just words');
});
