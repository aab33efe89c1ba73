/**
 * `npm run bench:cli`: how long the `sidekick` command takes from start to end, as the compiled program, beside a bare node. See
 * docs/benchmarks.md.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { applyDocument } from '../src/config/documents/apply-document';
import { documentSchema } from '../src/config/documents/schema';
import { startEmbeddedPostgres } from '../src/embedded/postgres';
import { createLog } from '../src/lib/log';
import { migrate, openDatabase } from '../src/store';
import { center } from './center';

const MAIN = path.join(__dirname, '../dist/src/main.js');
const MEMBERS = 1000;

interface Case {
  readonly name: string;
  /** Given how often it ran already, since a change must be another one each time. */
  readonly args: (run: number) => readonly string[];
  /** Most milliseconds more than a bare node. */
  readonly goalMs?: number;
}

const sidekick =
  (...args: readonly string[]) =>
  (): readonly string[] => [MAIN, ...args];

const CASES: readonly Case[] = [
  { name: 'bare node', args: () => ['-e', '0'] },
  { name: 'sidekick --help', args: sidekick('--help'), goalMs: 250 },
  { name: 'sidekick tenants list', args: sidekick('tenants', 'list'), goalMs: 250 },
  { name: 'sidekick skills list', args: sidekick('skills', 'list'), goalMs: 250 },
  { name: 'sidekick queues list', args: sidekick('queues', 'list'), goalMs: 250 },
  { name: 'sidekick nodes list -o json', args: sidekick('nodes', 'list', '-o', 'json'), goalMs: 250 },
  { name: `sidekick queues show big (${MEMBERS} members)`, args: sidekick('queues', 'show', 'big', '-o', 'wide') },
  { name: `sidekick agents list (${MEMBERS})`, args: sidekick('agents', 'list', '-o', 'table') },
  { name: 'sidekick __complete queues show', args: sidekick('__complete', 'queues', 'show', '') },
];

const LARGE = 5000;
const LARGE_CASES: readonly Case[] = [
  { name: 'sidekick tenants list', args: sidekick('tenants', 'list'), goalMs: 250 },
  { name: 'sidekick numbers list', args: sidekick('numbers', 'list'), goalMs: 250 },
  { name: 'sidekick agents get agent-77', args: sidekick('agents', 'get', 'agent-77') },
  {
    name: 'sidekick queues set queue-7',
    args: (run) => [MAIN, 'queues', 'set', 'queue-7', `wrapUpSeconds=${run + 1}`],
  },
  {
    name: 'sidekick agents set agent-77',
    args: (run) => [MAIN, 'agents', 'set', 'agent-77', `displayName=Anna ${run}`],
  },
  {
    name: 'sidekick queues members set queue-7 agent-61',
    args: (run) => [MAIN, 'queues', 'members', 'set', 'queue-7', 'agent-61', '--level', String(run + 3)],
  },
];

function oneBigQueue(): unknown {
  const names = Array.from({ length: MEMBERS }, (_, i) => `agent-${i + 1}`);
  return {
    apiVersion: 'sidekick/v1',
    tenants: [{ name: 'bench', country: 'DE', timeZone: 'Europe/Berlin' }],
    trunks: [{ name: 'pbx', kind: 'pbx', host: '127.0.0.1' }],
    queues: [{ name: 'big', members: names.map((agent) => ({ agent })) }, { name: 'small' }],
    agents: names.map((name, i) => ({
      name,
      signedIn: true,
      endpoints: [{ kind: 'pbx', trunk: 'pbx', user: String(1000 + i) }],
    })),
  };
}

function measure({ name, args }: Case, env: NodeJS.ProcessEnv, runs: number): number {
  const times: number[] = [];
  // The first is for the disk's cache and is not counted.
  for (let i = 0; i <= runs; i++) {
    const started = performance.now();
    const { status, stderr } = spawnSync(process.execPath, args(i), { env, encoding: 'utf8' });
    times.push(performance.now() - started);
    if (status !== 0) {
      throw new Error(`${name} ended with ${status}: ${stderr}`);
    }
  }
  const sorted = times.slice(1).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Prints the cases beside a bare node, which is the first of them if it is not given. Returns it, milliseconds. */
function report(cases: readonly Case[], env: NodeJS.ProcessEnv, runs: number, given = 0): number {
  let bare = given;
  for (const one of cases) {
    const ms = measure(one, env, runs);
    bare ||= ms;
    const more = Math.round(ms - bare);
    const met = one.goalMs !== undefined && more <= one.goalMs ? 'met' : 'MISSED';
    const verdict = one.goalMs === undefined ? '' : `  (goal ${one.goalMs}: ${met})`;
    process.stdout.write(
      `${one.name.padEnd(46)} ${String(Math.round(ms)).padStart(5)} ms  ${more > 0 ? `+${more}` : ''}${verdict}\n`,
    );
  }
  return bare;
}

async function applyLarge(url: string): Promise<void> {
  const db = openDatabase({ url, log: createLog('error') });
  await db.query('truncate tenants, nodes, config_versions restart identity cascade');
  const began = performance.now();
  await applyDocument(db, center(LARGE), { by: 'bench' });
  process.stdout.write(
    `\napply of ${LARGE} agents in ${LARGE / 10} queues: ${Math.round(performance.now() - began)} ms\n`,
  );
  await db.query('analyze');
  await db.close();
}

async function main(): Promise<void> {
  if (!existsSync(MAIN)) {
    throw new Error('build first: npm run build');
  }
  const runs = Number(process.argv[process.argv.indexOf('--runs') + 1]) || 11;
  const folder = mkdtempSync(path.join(tmpdir(), 'sidekick-bench-cli-'));
  const postgres = await startEmbeddedPostgres({
    dataDir: path.join(folder, 'pg'),
    log: createLog('error'),
    durable: false,
  });
  try {
    await migrate(postgres.url);
    const db = openDatabase({ url: postgres.url, log: createLog('error') });
    const began = performance.now();
    await applyDocument(db, documentSchema.parse(oneBigQueue()), { by: 'bench' });
    process.stdout.write(`apply of ${MEMBERS} agents: ${Math.round(performance.now() - began)} ms\n`);
    await db.query('analyze');
    await db.close();
    const env = { PATH: process.env['PATH'], HOME: folder, SIDEKICK_DATABASE_URL: postgres.url };
    process.stdout.write(`Node ${process.version}, load ${loadavg()[0]?.toFixed(1) ?? ''}, median of ${runs} runs\n\n`);
    const bare = report(CASES, env, runs);
    await applyLarge(postgres.url);
    report(LARGE_CASES, env, runs, bare);
  } finally {
    await postgres.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

void main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
