import { connect } from 'node:net';
import { newToken } from '../../src/lib/ids';
import { silentLog } from '../../src/lib/log';
import { openDatabase, type Database } from '../../src/store/pool';
import { runAsAdmin, withDatabase, type TestServer } from './test-postgres';

export interface TestDatabase {
  readonly url: string;
  readonly db: Database;
  /** Ends the connections and drops the database. */
  close(): Promise<void>;
}

/** Asks the process that runs jest where Postgres is; the first to ask waits until it is up (under two seconds). */
function findServer(): Promise<TestServer> {
  const address = process.env['SIDEKICK_TEST_POSTGRES_SOCKET'];
  if (address === undefined) {
    throw new Error('no Postgres for tests: jest.config.js must name test/support/global-setup.ts as globalSetup');
  }
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', reject);
    socket.on('end', () => {
      const answer = JSON.parse(text) as TestServer & { error?: string };
      if (answer.error === undefined) {
        resolve(answer);
      } else {
        reject(new Error(`no Postgres for tests: ${answer.error}`));
      }
    });
  });
}

async function createCopy(server: TestServer, name: string, template: string | undefined): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await runAsAdmin(
        server.adminUrl,
        `create database ${name}${template === undefined ? '' : ` template ${template}`}`,
      );
      return;
    } catch (error) {
      // 55006: another worker copies the template at this moment.
      if ((error as { code?: string }).code !== '55006' || attempt === 50) {
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/**
 * A fresh database with the product's schema and nothing in it: one per test file, closed in afterAll. `empty`: without the
 * schema too. Uses the embedded Postgres, or the server that SIDEKICK_TEST_DATABASE_URL names.
 */
export async function testDatabase(
  options: { readonly empty?: boolean; readonly max?: number } = {},
): Promise<TestDatabase> {
  const server = await findServer();
  const name = `sk_test_${newToken(6)}`;
  await createCopy(server, name, options.empty ? undefined : server.template);
  const url = withDatabase(server.adminUrl, name);
  const db = openDatabase({ url, log: silentLog(), max: options.max ?? 12 });
  let closed: Promise<void> | undefined;
  return {
    url,
    db,
    close: () =>
      (closed ??= db.close().then(() => runAsAdmin(server.adminUrl, `drop database if exists ${name} with (force)`))),
  };
}

/** Empties every table of calls, agents and configuration, for tests that share a database. */
export async function emptyDatabase(db: Database): Promise<void> {
  await db.query('truncate tenants, nodes, config_versions restart identity cascade');
}
