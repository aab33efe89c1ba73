/**
 * `npm run bench:config`: how long a document takes to be checked, compared and applied, and how soon after its commit a change
 * is what a running node works by. See docs/benchmarks.md.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { applyDocument } from '../src/config/documents/apply-document';
import { canonical } from '../src/config/documents/canonical';
import { changeConfiguration } from '../src/config/documents/change-configuration';
import { documentChanges } from '../src/config/documents/changes';
import { readConfiguration } from '../src/config/documents/export-document';
import { readDocument } from '../src/config/documents/parse-document';
import { documentYaml } from '../src/config/documents/write-yaml';
import { startEmbeddedPostgres } from '../src/embedded/postgres';
import { createLog } from '../src/lib/log';
import { NodeConfig } from '../src/node-config';
import { Listener, migrate, openDatabase, store, type Database } from '../src/store';
import { center } from './center';

const SIZES = [100, 1000, 5000];
const CHANGES = 30;

async function timed<T>(work: () => T | Promise<T>): Promise<readonly [T, number]> {
  const started = performance.now();
  const result = await work();
  return [result, performance.now() - started];
}

async function measureApply(db: Database, agents: number): Promise<readonly string[]> {
  await db.query('truncate tenants, nodes, config_versions restart identity cascade');
  const text = documentYaml(canonical(center(agents)));
  const [document, readMs] = await timed(() => readDocument(text, 'bench.yaml'));
  const [, applyMs] = await timed(() => applyDocument(db, document, { by: 'bench' }));
  const [current, exportMs] = await timed(() => readConfiguration(db));
  const [, diffMs] = await timed(() => documentChanges(current, canonical(document)));
  const [again, againMs] = await timed(() => applyDocument(db, document, { by: 'bench', prune: true }));
  if (again.changed) {
    throw new Error('the document was applied twice, and the second time something changed');
  }
  const [, oneMs] = await timed(() => changeOne(db, 7));
  const shown = (ms: number): string => ms.toFixed(0).padStart(7);
  const size = `${(Buffer.byteLength(text) / 1024).toFixed(0)} kB`.padStart(8);
  return [String(agents).padStart(7), size, ...[readMs, diffMs, exportMs, applyMs, againMs, oneMs].map(shown)];
}

const changeOne = (db: Database, seconds: number): Promise<unknown> =>
  changeConfiguration(db, { by: 'bench', what: 'queues set queue-1' }, (tx) =>
    tx.query(`update queues set wrap_up_seconds = $1 where name = 'queue-1'`, [seconds]),
  );

/** From the commit of a change until the rules by which a node works are the new ones, milliseconds. */
async function measureLive(db: Database, url: string): Promise<readonly number[]> {
  const log = createLog('error');
  let heard: () => void = () => undefined;
  const config = new NodeConfig({ store, db, promptsDir: undefined, log, secrets: { load: () => Promise.resolve() } });
  await config.start(() => {
    heard();
  });
  const listener = new Listener({ url, log });
  listener.on('notification', ({ k }) => {
    if (k === 'config') {
      void config.reload();
    }
  });
  await listener.start();
  const times: number[] = [];
  for (let i = 0; i < CHANGES; i++) {
    const wrapUpMs = (1000 + i) * 1000;
    const live = new Promise<number>((resolve) => {
      heard = () => {
        if (config.queues.some((queue) => queue.name === 'queue-1' && queue.wrapUpMs === wrapUpMs)) {
          resolve(performance.now());
        }
      };
    });
    await changeOne(db, wrapUpMs / 1000);
    const committed = performance.now();
    times.push(Math.max(0, (await live) - committed));
  }
  await listener.close();
  config.close();
  return times.sort((a, b) => a - b);
}

async function run(): Promise<void> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'sidekick-bench-config-'));
  const postgres = await startEmbeddedPostgres({ dataDir: path.join(dataDir, 'postgres'), log: createLog('error') });
  try {
    await migrate(postgres.url);
    const db = openDatabase({ url: postgres.url, log: createLog('error') });
    const say = (text: string): unknown => process.stdout.write(`${text}\n`);
    say('milliseconds; queues: a tenth of the agents, ten members each');
    say(' agents     file   check    diff  export   apply   again  one change');
    for (const agents of SIZES) {
      say((await measureApply(db, agents)).join(' '));
      const times = await measureLive(db, postgres.url);
      const at = (part: number): string =>
        (times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0).toFixed(1);
      say(
        `        change → live in a node, ${times.length} changes: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, most ${at(1)} ms`,
      );
    }
    await db.close();
  } finally {
    await postgres.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

run().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
