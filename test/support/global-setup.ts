import { TestPostgres } from './test-postgres';

/** Offers one Postgres to all test files of this run; see database.ts. */
export default async function globalSetup(): Promise<void> {
  const postgres = new TestPostgres();
  process.env['SIDEKICK_TEST_POSTGRES_SOCKET'] = await postgres.listen();
  (globalThis as { testPostgres?: TestPostgres }).testPostgres = postgres;
}
