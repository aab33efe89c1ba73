import pg from 'pg';

/** Lets nobody into a database, and throws out who is in, until the returned function is called. */
export async function takeDatabaseAway(url: string): Promise<() => Promise<void>> {
  const name = new URL(url).pathname.slice(1);
  const admin = new URL(url);
  admin.pathname = '/postgres';
  const client = new pg.Client({ connectionString: admin.href });
  await client.connect();
  await client.query(`alter database ${name} with allow_connections false`);
  await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
  return async () => {
    await client.query(`alter database ${name} with allow_connections true`);
    await client.end();
  };
}

/** Runs something while the database is away. */
export async function withoutDatabase(url: string, meanwhile: () => Promise<void>): Promise<void> {
  const giveBack = await takeDatabaseAway(url);
  try {
    await meanwhile();
  } finally {
    await giveBack();
  }
}
