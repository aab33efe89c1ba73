/** Writes docs/schema.md from a database that is made, migrated and thrown away (`npm run docs:schema`). */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startEmbeddedPostgres } from '../embedded/postgres';
import { silentLog } from '../lib/log';
import { migrate } from '../store/migrate';
import { openDatabase } from '../store/pool';
import { schemaPage } from './schema-page';

async function write(): Promise<void> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'sidekick-schema-'));
  const postgres = await startEmbeddedPostgres({
    dataDir: path.join(dataDir, 'postgres'),
    log: silentLog(),
    durable: false,
  });
  try {
    await migrate(postgres.url);
    const db = openDatabase({ url: postgres.url, log: silentLog() });
    writeFileSync(path.join(__dirname, '../../docs/schema.md'), await schemaPage(db));
    await db.close();
  } finally {
    await postgres.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

write().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
