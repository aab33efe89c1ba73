import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCli } from '../../src/cli/run';
import type { Runtime } from '../../src/cli/ports';
import { SidekickError } from '../../src/lib/errors';
import { testIo } from '../support/test-io';

const nothing: Runtime = {
  startNode: () => Promise.reject(new Error('no node in this test')),
  startEmbedded: () => Promise.reject(new Error('no parts in this test')),
};

async function cli(args: string[], options: Parameters<typeof testIo>[0] = {}, runtime: Runtime = nothing) {
  const io = testIo(options);
  const exitCode = await runCli(args, { io, runtime });
  return { exitCode, out: io.out(), err: io.err() };
}

describe('the sidekick command', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'cli-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it.each([['--help'], ['demo', '--help'], ['demo', 'call', '--help'], ['help']])(
    'shows help with exit code 0: %p',
    async (...args) => {
      const { exitCode, out, err } = await cli(args.flat());
      expect(exitCode).toBe(0);
      expect(out).toContain('Usage: sidekick');
      expect(out).toContain('Examples:');
      expect(err).toBe('');
    },
  );

  it('shows the exit codes in its help', async () => {
    const { out } = await cli(['--help']);
    for (const code of ['0', '1', '2', '3', '4', '5', '6', '70', '130']) {
      expect(out).toMatch(new RegExp(`^ +${code}  \\S`, 'm'));
    }
  });

  it('calls it a usage error to say nothing, or half a command', async () => {
    for (const args of [[], ['config'], ['agents']]) {
      const { exitCode, err, out } = await cli(args);
      expect([args, exitCode, out]).toEqual([args, 2, '']);
      expect(err).toContain('Usage: sidekick');
    }
  });

  it.each([
    [['demoo'], 'unknown command', 'Did you mean demo?', 'sidekick --help'],
    [['agents', 'lst'], 'unknown command', 'Did you mean list?', 'sidekick agents --help'],
    [['calls', 'get'], 'missing required argument', '', 'sidekick calls get --help'],
    [['demo', 'call', '--seconds', 'long'], 'a number from 0', '', 'sidekick demo call --help'],
    [['demo', 'call', '--count', '1.5'], 'whole number', '', 'sidekick demo call --help'],
    [['demo', '--spi', '1'], "unknown option '--spi'", 'Did you mean --sip?', 'sidekick demo --help'],
    [
      ['serve', '--embed', 'sip,medai'],
      'no embedded part "medai"',
      'postgres, sip, media, teams',
      'did you mean media?',
    ],
    [['demo', '--sip', '5060'], '--sip cannot be understood', 'host:port', '--sip 127.0.0.1:5060'],
    [['demo', '--sip', 'off'], '--sip cannot be off', '', '--sip 127.0.0.1:5060'],
    [['config', 'validate', '-f', 'missing.yaml'], 'missing.yaml cannot be read', 'no such file', '-f'],
    [['version', '-o', 'xml'], 'unknown option', '', 'sidekick version --help'],
    [['migrate', 'status', '-o', 'xml'], 'no output format "xml"', 'table, wide, json, yaml, csv, name, tsv', '-o'],
  ])('%p is a usage error that says what, why and what next', async (args, what, why, next) => {
    const { exitCode, out, err } = await cli(args, { cwd: dir });
    expect([exitCode, out]).toEqual([2, '']);
    expect(err).toMatch(/^error: .*\(SK_USAGE\)\n/);
    expect(err).toContain(what);
    expect(err).toContain(why);
    expect(err).toContain(next);
    expect(err).not.toContain(' at ');
  });

  it.each([
    [['demo', 'call'], 'no demo is running'],
    [['agents', 'list'], 'no sidekick is running'],
    [['calls', 'list'], 'no sidekick is running'],
    [['queues', 'list'], 'no sidekick is running'],
    [['migrate', 'up'], 'no sidekick is running'],
  ])('%p says with exit code 3 that nothing runs, and how to start it', async (args, what) => {
    const { exitCode, err } = await cli(args, { cwd: dir });
    expect(exitCode).toBe(3);
    expect(err).toContain(what);
    expect(err).toContain(path.join(dir, '.sidekick'));
    expect(err).toMatch(/next: start (it|one)/);
  });

  it('says with exit code 3 that the database cannot be reached', async () => {
    const env = { SIDEKICK_DATABASE_URL: 'postgres://u:hush@127.0.0.1:1/sidekick' };
    const { exitCode, err } = await cli(['agents', 'list'], { cwd: dir, env });
    expect(exitCode).toBe(3);
    expect(err).toContain('SK_POSTGRES_UNREACHABLE');
    expect(err).not.toContain('hush');
  });

  it('says with exit code 2 which settings serve lacks, before anything is started', async () => {
    const { exitCode, err } = await cli(['serve'], { cwd: dir });
    expect(exitCode).toBe(2);
    expect(err).toMatch(/SIDEKICK_DATABASE_URL .*SIDEKICK_DRACHTIO .*SIDEKICK_FREESWITCH /);
  });

  it('lists every mistake of a document with its line', async () => {
    writeFileSync(path.join(dir, 'center.yaml'), 'apiVersion: sidekick/v1\ntenants: []\nqueus: []\n');
    const { exitCode, err } = await cli(['config', 'validate', '-f', 'center.yaml'], { cwd: dir });
    expect(exitCode).toBe(2);
    expect(err).toContain('center.yaml:2:');
    expect(err).toContain('center.yaml:3:');
    expect(err).toContain('queues');
  });

  it('takes a document from standard input', async () => {
    const stdin = 'apiVersion: sidekick/v1\ntenants:\n  - {name: demo, country: DE, timeZone: Europe/Berlin}\n';
    const { exitCode, out } = await cli(['config', 'validate', '-f', '-'], { cwd: dir, stdin });
    expect([exitCode, out]).toEqual([0, expect.stringContaining('standard input is valid: 1 tenants')]);
  });

  it('prints its version for people and for programs', async () => {
    expect((await cli(['version'])).out).toMatch(/^sidekick \d+\.\d+\.\d+ \(Node v\d+/);
    expect(JSON.parse((await cli(['version', '--json'])).out)).toMatchObject({
      apiVersion: 'sidekick/v1',
      node: process.version,
    });
  });

  it('shows where a fault of its own came from with --debug only, and ends with 70', async () => {
    const broken: Runtime = { ...nothing, startEmbedded: () => Promise.reject(new TypeError('x is undefined')) };
    const args = ['demo', '--sip', '127.0.0.1:0', '--http', 'off', '--data', dir];
    const plain = await cli(args, { cwd: dir }, broken);
    expect(plain.exitCode).toBe(70);
    expect(plain.err).toContain('SK_INTERNAL');
    expect(plain.err).not.toContain('    at ');
    const debug = await cli([...args, '--debug'], { cwd: dir }, broken);
    expect(debug.exitCode).toBe(70);
    expect(debug.err).toContain('    at ');
  });

  it.each([
    ['SK_NOT_FOUND', 4],
    ['SK_CONFLICT', 5],
    ['SK_DRACHTIO_REFUSED', 6],
    ['SK_FREESWITCH_UNREACHABLE', 3],
  ] as const)('ends with the exit code of %s', async (code, exit) => {
    const failing: Runtime = {
      ...nothing,
      startEmbedded: () => Promise.reject(new SidekickError(code, 'no', { why: 'because', next: 'do' })),
    };
    const { exitCode, err } = await cli(
      ['demo', '--sip', '127.0.0.1:0', '--http', 'off', '--data', dir],
      { cwd: dir },
      failing,
    );
    expect(exitCode).toBe(exit);
    expect(err).toContain(`error: no (${code})\n  why:  because\n  next: do\n`);
  });
});
