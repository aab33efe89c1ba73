import pg from 'pg';
import { migrations } from '../../migrations';
import { run, type Migration } from '../../migrations/sql';
import { migrate, migrationStatus } from '../../src/store/migrate';
import { testDatabase, type TestDatabase } from '../support/database';

let test: TestDatabase;

beforeEach(async () => {
  test = await testDatabase({ empty: true });
});
afterEach(async () => {
  await test.close();
});

const names = migrations.map((step) => step.name);

describe('migrations', () => {
  it('are numbered in the order in which they run, each number once', () => {
    const numbers = names.map((name) => Number(name.slice(0, 4)));
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect(names.every((name) => /^\d{4}-[a-z]+(-[a-z]+)*$/.test(name))).toBe(true);
  });

  it('run once when two nodes start at once, and not again', async () => {
    const results = await Promise.all([migrate(test.url), migrate(test.url), migrate(test.url)]);
    expect(results.flatMap((result) => result.applied)).toEqual(names);
    expect(await migrate(test.url)).toEqual({ applied: [] });
    expect(await migrationStatus(test.url)).toEqual({ applied: names, pending: [], unknown: [] });
  });

  it('tell what is pending without changing anything', async () => {
    expect(await migrationStatus(test.url)).toEqual({ applied: [], pending: names, unknown: [] });
    expect((await test.db.query(`select from pg_tables where schemaname = 'public'`)).rowCount).toBe(0);
  });

  it('that fail leave nothing of themselves, and work after the cause is gone', async () => {
    const broken: Migration = {
      name: '0003-broken',
      up: (knex) => run(knex, 'create table half (id int); select no_such_function()'),
    };
    await migrate(test.url, migrations.slice(0, 1));
    const steps = [...migrations.slice(0, 2), broken];
    await expect(migrate(test.url, steps)).rejects.toMatchObject({ code: 'SK_MIGRATIONS_PENDING' });
    expect((await migrationStatus(test.url)).applied).toEqual(names.slice(0, 1));
    expect((await test.db.query(`select to_regclass('half') as found`)).rows).toEqual([{ found: null }]);
    expect((await migrate(test.url)).applied).toEqual(names.slice(1));
  });

  it('go on after a process that was killed in the middle', async () => {
    await migrate(test.url, migrations.slice(0, 5));
    await test.db.query('update schema_migrations_lock set is_locked = 1');
    expect((await migrate(test.url)).applied).toEqual(names.slice(5));
  });

  it('of a newer version are named, and do not hinder an older node', async () => {
    const newer: Migration = { name: '9999-newer', up: (knex) => run(knex, 'create table newer (id int)') };
    await migrate(test.url, [...migrations, newer]);
    expect((await migrationStatus(test.url)).unknown).toEqual(['9999-newer']);
    expect(await migrate(test.url)).toEqual({ applied: [] });
  });

  it('say so when there is no database', async () => {
    await expect(migrate('postgres://nobody@127.0.0.1:1/none')).rejects.toMatchObject({
      code: 'SK_POSTGRES_UNREACHABLE',
    });
  });
});

describe('the schema', () => {
  it('says in which unit every time and duration is, and what every table is', async () => {
    await migrate(test.url);
    const { rows: columns } = await test.db.query<{ name: string }>(
      `select c.relname || '.' || a.attname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
       where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname not like 'schema\\_%'
         and (a.attname like '%\\_seconds' or a.attname like '%\\_ms' or a.attname like '%\\_at' or a.attname in ('at', 'until'))
         and col_description(c.oid, a.attnum) is null order by 1`,
    );
    expect(columns.map((row) => row.name)).toEqual([]);
    const { rows: tables } = await test.db.query<{ name: string }>(
      `select c.relname as name from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
         and c.relname not like 'schema\\_%' and obj_description(c.oid) is null`,
    );
    expect(tables).toEqual([]);
  });

  it('keeps every time with its zone and to the millisecond', async () => {
    await migrate(test.url);
    const { rows } = await test.db.query(
      `select table_name, column_name from information_schema.columns
       where table_schema = 'public' and table_name not like 'schema\\_%' and data_type like 'timestamp%'
         and not (data_type = 'timestamp with time zone' and datetime_precision = 3)`,
    );
    expect(rows).toEqual([]);
  });

  it('has the tenant on every row that belongs to one', async () => {
    await migrate(test.url);
    const { rows } = await test.db.query<{ name: string }>(
      `select t.table_name as name from information_schema.tables t
       where t.table_schema = 'public' and t.table_name not like 'schema\\_%' and not exists (
         select from information_schema.columns c where c.table_name = t.table_name and c.column_name = 'tenant_id') order by 1`,
    );
    // Tables of the whole installation.
    expect(rows.map((row) => row.name)).toEqual([
      'config_versions',
      'granted_roles',
      'graph_subscriptions',
      'leases',
      'nodes',
      'presence_scopes',
      'tenants',
      'trunk_status',
      'user_tokens',
      'users',
    ]);
  });

  it('lets nobody rewrite a fact', async () => {
    await migrate(test.url);
    const client = new pg.Client({ connectionString: test.url });
    await client.connect();
    for (const table of ['call_events', 'connections', 'agent_state_log']) {
      await expect(client.query(`update ${table} set tenant_id = tenant_id`)).rejects.toMatchObject({ code: '23001' });
    }
    await client.end();
  });
});
