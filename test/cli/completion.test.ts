import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { candidates } from '../../src/cli/completion/candidates';
import { buildProgram } from '../../src/cli/program';
import { runCli } from '../../src/cli/run';
import { applyDocument } from '../../src/config/documents/apply-document';
import { readDocument } from '../../src/config/documents/parse-document';
import { testDatabase } from '../support/database';
import type { TestDatabase } from '../support/database';
import { testIo } from '../support/test-io';

const runtime = {
  startNode: () => Promise.reject(new Error('none')),
  startEmbedded: () => Promise.reject(new Error('none')),
};
const CENTER = `
apiVersion: sidekick/v1
tenants: [{ name: demo, country: DE, timeZone: Europe/Berlin }]
trunks: [{ name: pbx, kind: pbx, host: 127.0.0.1 }]
queues: [{ name: sales }, { name: support }]
agents:
  - { name: Anna Albrecht, endpoints: [{ kind: pbx, trunk: pbx, user: '1' }] }
  - { name: Ben, endpoints: [{ kind: pbx, trunk: pbx, user: '2' }] }
numbers: [{ number: '+49301000100', queue: support }]
`;

describe('what may stand where the cursor is', () => {
  const program = buildProgram({ io: testIo(), runtime }, () => undefined);
  const at = (...words: string[]) => candidates(program, words, (kind) => Promise.resolve([`<${kind}>`]));

  it.each([
    [['qu'], ['queues']],
    [
      ['queues', 'members', ''],
      ['add', 'remove', 'set'],
    ],
    [['queue', 'sh'], ['show']],
    [['queues', 'show', ''], ['<queues>']],
    [['queues', 'show', 'sales', ''], []],
    [['queues', 'members', 'add', ''], ['<queues>']],
    [['queues', 'members', 'add', 'sales', ''], ['<agents>']],
    [['queues', 'members', 'add', 'sales', 'Anna', ''], ['<agents>']],
    [['queues', 'create', ''], []],
    [['queues', 'set', 'sales', ''], ['<settings/queues>']],
    [['agents', 'move', 'Anna', '--from', ''], ['<queues>']],
    [['agents', 'pause', '--queue', 'sales', ''], ['<agents>']],
    [
      ['agents', 'force', 'Anna', ''],
      ['ready', 'paused', 'signed-out'],
    ],
    [['calls', 'trace', ''], ['<calls>']],
    [['numbers', 'test', ''], ['<numbers>']],
    [['context', 'use', ''], ['<contexts>']],
    [['--context', ''], ['<contexts>']],
    [['queues', 'list', '-o', 'j'], ['json']],
    [['queues', 'show', '--wa'], ['--watch']],
    [['queues', 'show', '--qu'], ['--quiet']],
    [['config', 'apply', '-f', ''], [':files']],
    [['import', 'asterisk', ''], [':files']],
    [['completion', 'b'], ['bash']],
    [['nonsense', 'x', ''], []],
  ])('%p', async (words, expected) => {
    expect(await at(...words)).toEqual(expected);
  });
});

describe('completion', () => {
  let dir: string;
  let database: TestDatabase;
  const env = (): Record<string, string> => ({ SIDEKICK_DATABASE_URL: database.url, HOME: dir });
  const complete = async (...words: string[]) => {
    const io = testIo({ cwd: dir, env: env() });
    expect(await runCli(['__complete', ...words], { io, runtime })).toBe(0);
    expect(io.err()).toBe('');
    return io.out();
  };

  beforeAll(async () => {
    database = await testDatabase({ max: 2 });
    dir = mkdtempSync(path.join(tmpdir(), 'cli-completion-'));
    await applyDocument(database.db, readDocument(CENTER, 'x'), { by: 'test' });
  });
  afterAll(async () => {
    await database.close();
    rmSync(dir, { recursive: true });
  });

  it('knows the names of now, asks the database once in five seconds, and keeps no password where others read', async () => {
    expect(await complete('queues', 'show', '')).toBe('sales\nsupport\n');
    expect(await complete('queues', 'set', 'sales', 'wrap')).toBe('wrapUpSeconds=\n');
    await database.db.query("update queues set name = 'vertrieb' where name = 'sales'");
    expect(await complete('queues', 'show', '')).toBe('sales\nsupport\n');
    const [file] = readdirSync(path.join(dir, '.cache/sidekick'));
    const kept = path.join(dir, '.cache/sidekick', file!);
    expect(statSync(kept).mode & 0o077).toBe(0);
    rmSync(kept);
    expect(await complete('queues', 'show', '')).toBe('support\nvertrieb\n');
    await database.db.query("update queues set name = 'sales' where name = 'vertrieb'");
    rmSync(kept);
  });

  it('says nothing where nothing can be known', async () => {
    const io = testIo({ cwd: dir, env: { SIDEKICK_DATABASE_URL: 'postgres://127.0.0.1:1/none' } });
    expect(await runCli(['__complete', 'queues', 'show', ''], { io, runtime })).toBe(0);
    expect([io.out(), io.err()]).toEqual(['', '']);
  });

  it.each(['bash', 'zsh', 'fish'])('prints a script for %s', async (shell) => {
    const io = testIo({ cwd: dir });
    expect(await runCli(['completion', shell], { io, runtime })).toBe(0);
    expect(io.out()).toContain('__complete');
    const bad = testIo({ cwd: dir });
    expect(await runCli(['completion', `${shell}x`], { io: bad, runtime })).toBe(2);
  });

  const root = path.join(__dirname, '../..');
  const loader = path.join(root, 'node_modules/tsx/dist/loader.mjs');
  const bash = ['/bin/bash', '/usr/bin/bash'].find((file) => existsSync(file));
  const itInBash = bash === undefined ? it.skip : it;
  itInBash('a bash that has sourced the script completes words, names with blanks, and files', () => {
    const command = path.join(dir, 'sidekick');
    writeFileSync(
      command,
      `#!/bin/sh\nexec ${process.execPath} --import ${loader} ${path.join(root, 'src/main.ts')} "$@"\n`,
    );
    chmodSync(command, 0o755);
    writeFileSync(path.join(dir, 'center.yaml'), '');
    const completed = (...words: string[]): string[] => {
      const script = `
        source <(sidekick completion bash) || exit 9
        COMP_WORDS=(sidekick ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}
        _sidekick; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const out = execFileSync(bash!, ['--norc', '--noprofile', '-c', script], {
        cwd: dir,
        env: { ...env(), PATH: `${dir}:/usr/bin:/bin` },
        encoding: 'utf8',
      });
      return out.split('\n').filter((text) => text !== '');
    };
    expect(completed('queues', 'pa')).toEqual(['pause']);
    expect(completed('queues', 'show', 's')).toEqual(['sales', 'support']);
    expect(completed('agents', 'pause', 'An')).toEqual(['Anna\\ Albrecht']);
    expect(completed('numbers', 'test', '+49')).toEqual(['+49301000100']);
    expect(completed('config', 'apply', '-f', 'cen')).toEqual(['center.yaml']);
  });
});
