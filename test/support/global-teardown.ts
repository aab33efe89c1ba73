import type { TestPostgres } from './test-postgres';

export default async function globalTeardown(): Promise<void> {
  await (globalThis as { testPostgres?: TestPostgres }).testPostgres?.close();
}
