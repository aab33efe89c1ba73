import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/embedded/postgres';
import { newToken } from '../../src/lib/ids';
import { createLog } from '../../src/lib/log';
import { migrate } from '../../src/store/migrate';

/** Where test files find the server, and the database with the schema that theirs are copied from. */
export interface TestServer {
  readonly adminUrl: string;
  readonly template: string;
}

export function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

export async function runAsAdmin(adminUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/**
 * Lives in the process that runs jest and hands out one Postgres to all its workers. Nothing is started before the first
 * test file asks, so a run of pure unit tests pays nothing.
 */
export class TestPostgres {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'sidekick-test-'));
  readonly #server: Server;
  #started: Promise<TestServer> | undefined;
  #embedded: EmbeddedPostgres | undefined;

  constructor() {
    this.#server = createServer((socket) => {
      socket.on('error', () => undefined);
      this.#ask().then(
        (answer) => socket.end(JSON.stringify(answer)),
        (error: unknown) => socket.end(JSON.stringify({ error: String(error) })),
      );
    });
  }

  async listen(): Promise<string> {
    const address = path.join(this.#folder, 'socket');
    await new Promise<void>((resolve) => this.#server.listen(address, resolve));
    // A run must end when its tests have, also if the teardown is never called.
    this.#server.unref();
    return address;
  }

  #ask(): Promise<TestServer> {
    return (this.#started ??= this.#start());
  }

  async #start(): Promise<TestServer> {
    const given = process.env['SIDEKICK_TEST_DATABASE_URL'];
    if (given === undefined || given === '') {
      this.#embedded = await startEmbeddedPostgres({
        dataDir: path.join(this.#folder, 'postgres'),
        log: createLog('error'),
        durable: false,
      });
    }
    const adminUrl = given ? given : withDatabase(this.#embedded?.url ?? '', 'postgres');
    const template = `sk_template_${newToken(6)}`;
    await runAsAdmin(adminUrl, `create database ${template}`);
    await migrate(withDatabase(adminUrl, template));
    return { adminUrl, template };
  }

  async close(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
    const server = await this.#started?.catch(() => undefined);
    if (server && !this.#embedded) {
      await runAsAdmin(server.adminUrl, `drop database if exists ${server.template} with (force)`);
    }
    await this.#embedded?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
