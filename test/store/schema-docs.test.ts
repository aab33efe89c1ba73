import { readFileSync } from 'node:fs';
import path from 'node:path';
import { schemaPage } from '../../src/tools/schema-page';
import { testDatabase, type TestDatabase } from '../support/database';

let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase({ max: 2 });
});
afterAll(async () => {
  await test.close();
});

describe('the schema', () => {
  it('is in docs/schema.md as the migrations make it; `npm run docs:schema` writes it', async () => {
    const page = readFileSync(path.join(__dirname, '../../docs/schema.md'), 'utf8');
    expect(page).toBe(await schemaPage(test.db));
  });

  it('says of every table what it holds', async () => {
    const { rows } = await test.db.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
         and relname not like 'schema_migrations%' and obj_description(oid, 'pg_class') is null`,
    );
    expect(rows.map(({ name }) => name)).toEqual([]);
  });

  it('says in a comment the unit of every column whose name has none', async () => {
    const { rows } = await test.db.query<{ name: string }>(
      `select c.relname || '.' || a.attname as name from pg_attribute a join pg_class c on c.oid = a.attrelid
       where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname not like 'schema_migrations%'
         and a.attnum > 0 and not a.attisdropped and (a.attname ~ '_(ms|seconds)$') and col_description(c.oid, a.attnum) is null`,
    );
    expect(rows.map(({ name }) => name)).toEqual([]);
  });
});
