import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCli } from '../../src/cli/run';
import { applyDocument } from '../../src/config/documents/apply-document';
import { readDocument } from '../../src/config/documents/parse-document';
import { testDatabase, type TestDatabase } from '../support/database';
import { testIo } from '../support/test-io';

const center = (queue: string): string => `
apiVersion: sidekick/v1
tenants:
  - { name: demo, country: DE, timeZone: Europe/Berlin }
queues:
  - { name: ${queue} }
`;
const runtime = {
  startNode: () => Promise.reject(new Error('none')),
  startEmbedded: () => Promise.reject(new Error('none')),
};

describe('contexts', () => {
  let home: string;
  let test: TestDatabase;
  let prod: TestDatabase;

  const run = async (
    args: string[],
    options: { env?: Record<string, string>; tty?: boolean; answers?: string[] } = {},
  ) => {
    const io = testIo({ cwd: home, ...options, env: { XDG_CONFIG_HOME: home, ...options.env } });
    const exitCode = await runCli(args, { io, runtime });
    return { exitCode, out: io.out(), err: io.err() };
  };
  const queues = async (...args: string[]): Promise<string> =>
    (await run(['queues', 'list', '-o', 'name', ...args])).out;

  beforeAll(async () => {
    home = mkdtempSync(path.join(tmpdir(), 'contexts-'));
    [test, prod] = [await testDatabase({ max: 2 }), await testDatabase({ max: 2 })];
    await applyDocument(test.db, readDocument(center('in-test'), 'x.yaml'), { by: 'test' });
    await applyDocument(prod.db, readDocument(center('in-prod'), 'x.yaml'), { by: 'test' });
  });
  afterAll(async () => {
    await test.close();
    await prod.close();
    rmSync(home, { recursive: true });
  });

  it('are made, the first is the usual one, and their file is for its owner alone', async () => {
    expect(await run(['context', 'list'], { tty: true })).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining('no contexts'),
    });
    expect(await run(['context', 'set', 'test', '--database', test.url])).toMatchObject({
      exitCode: 0,
      out: 'test is made\n',
    });
    expect(await run(['context', 'set', 'prod', '--database', prod.url])).toMatchObject({
      exitCode: 0,
      out: 'prod is made\n',
    });
    expect(statSync(path.join(home, 'sidekick/config.yaml')).mode & 0o777).toBe(0o600);
    const { out } = await run(['context', 'list', '-o', 'json']);
    expect(JSON.parse(out).contexts.map((c: { name: string; current: boolean }) => [c.name, c.current])).toEqual([
      ['test', true],
      ['prod', false],
    ]);
  });

  it('say which installation a command is for: the flag before the variable, and both before the usual one', async () => {
    expect(await queues()).toBe('in-test\n');
    expect(await queues('--context', 'prod')).toBe('in-prod\n');
    expect((await run(['queues', 'list', '-o', 'name'], { env: { SIDEKICK_CONTEXT: 'prod' } })).out).toBe('in-prod\n');
    expect(
      (await run(['queues', 'list', '-o', 'name', '--context', 'test'], { env: { SIDEKICK_CONTEXT: 'prod' } })).out,
    ).toBe('in-test\n');
    // A database in the environment wins over what is only usual, not over what is named.
    const env = { SIDEKICK_DATABASE_URL: prod.url };
    expect((await run(['queues', 'list', '-o', 'name'], { env })).out).toBe('in-prod\n');
    expect((await run(['queues', 'list', '-o', 'name', '--context', 'test'], { env })).out).toBe('in-test\n');
  });

  it('use makes another the usual one, and set changes one', async () => {
    expect(await run(['context', 'use', 'prod'])).toMatchObject({
      exitCode: 0,
      out: 'prod is the usual context now\n',
    });
    expect(await queues()).toBe('in-prod\n');
    expect(await run(['context', 'set', 'prod', '--url', 'https://sidekick.example.com'])).toMatchObject({
      exitCode: 0,
      out: 'prod is changed\n',
    });
    expect(await queues()).toBe('in-prod\n');
  });

  it('stand by their name before the question of what destroys', async () => {
    const asked = await run(['queues', 'delete', 'in-prod'], { tty: true, answers: ['n'] });
    expect(asked).toMatchObject({ exitCode: 5, err: expect.stringContaining('[prod] delete queue in-prod? [y/N] n') });
    const other = await run(['queues', 'delete', 'in-test', '--context', 'test'], { tty: true, answers: ['n'] });
    expect(other.err).toContain('[test] delete queue in-test? [y/N] n');
    expect([await queues('--context', 'prod'), await queues('--context', 'test')]).toEqual(['in-prod\n', 'in-test\n']);
  });

  it('that are not there, badly named, empty or unreadable are told with what to do', async () => {
    expect(await run(['queues', 'list', '--context', 'prd'])).toMatchObject({
      exitCode: 4,
      err: expect.stringContaining('did you mean prod?'),
    });
    expect((await run(['context', 'use', 'nothing'])).exitCode).toBe(4);
    expect((await run(['context', 'set', 'a b', '--database', test.url])).exitCode).toBe(2);
    expect((await run(['context', 'set', 'new'])).exitCode).toBe(2);
    expect((await run(['context', 'set', 'new', '--database', 'nonsense'])).exitCode).toBe(2);
    const file = path.join(home, 'sidekick/config.yaml');
    const kept = readFileSync(file, 'utf8');
    writeFileSync(file, 'contexts: [');
    expect(await run(['queues', 'list'])).toMatchObject({ exitCode: 2, err: expect.stringContaining(file) });
    writeFileSync(file, kept);
  });

  it('are forgotten after a question, and the usual one leaves none behind', async () => {
    expect((await run(['context', 'delete', 'prod'])).exitCode).toBe(5);
    expect(await run(['context', 'delete', 'prod', '--yes'])).toMatchObject({
      exitCode: 0,
      out: 'prod is forgotten\n',
    });
    expect((await run(['context', 'list', '-o', 'name'])).out).toBe('test\n');
    expect((await run(['queues', 'list'])).exitCode).toBe(3);
  });
});
