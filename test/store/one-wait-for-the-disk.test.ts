import { silentLog } from '../../src/lib/log';
import { openDatabase, type Database } from '../../src/store';
import type { Queryable } from '../../src/store/types';
import { testDatabase, type TestDatabase } from '../support/database';

let test: TestDatabase;
let db: Database;

beforeAll(async () => {
  test = await testDatabase();
  // Databases of tests do not wait for the disk; this one does, as in production.
  const { rows } = await test.db.query<{ name: string }>('select current_database() as name');
  await test.db.query(`alter database "${rows[0]!.name}" set synchronous_commit = on`);
  await test.db.query('create table marks (n int primary key)');
  db = openDatabase({ url: test.url, log: silentLog(), max: 1 });
});
afterAll(async () => {
  await db.close();
  await test.close();
});

/** Where the log of Postgres ended after the statement that travelled ahead. */
let writtenTo = '';

async function mark(q: Queryable, n: number): Promise<void> {
  await q.query('insert into marks values ($1)', [n]);
}

async function endOfLog(q: Queryable): Promise<void> {
  const { rows } = await q.query<{ at: string }>('select pg_current_wal_insert_lsn()::text as at');
  writtenTo = rows[0]!.at;
}

async function onDisk(): Promise<boolean> {
  const { rows } = await test.db.query<{ there: boolean }>('select pg_current_wal_flush_lsn() >= $1::pg_lsn as there', [
    writtenTo,
  ]);
  return rows[0]!.there;
}

async function ahead(n: number): Promise<(q: Queryable) => Promise<void>> {
  await db.query('select 1');
  return async (q) => {
    await Promise.all([mark(q, n), endOfLog(q)]);
  };
}

describe('a statement that travels ahead of a transaction', () => {
  it('does not wait for the disk itself', async () => {
    const there: boolean[] = [];
    for (let n = 0; n < 10; n++) {
      await db.transaction(
        async (tx) => {
          await tx.query('select 1');
          there.push(await onDisk());
        },
        { before: await ahead(n) },
      );
    }
    // Postgres writes by itself now and then.
    expect(there).toContain(false);
  });

  it('is on the disk when a transaction that writes nothing is over', async () => {
    for (let n = 10; n < 20; n++) {
      await db.transaction((tx) => tx.query('select 1'), { before: await ahead(n) });
      expect(await onDisk()).toBe(true);
    }
  });

  it('is on the disk when a transaction is over whose last statement found nothing to write', async () => {
    for (let n = 20; n < 30; n++) {
      await db.transaction((tx) => tx.query('update marks set n = n where n = -1 returning n', [], { last: true }), {
        before: await ahead(n),
      });
      expect(await onDisk()).toBe(true);
    }
  });

  it('is on the disk when a transaction is over whose last statement wrote', async () => {
    for (let n = 30; n < 40; n++) {
      await db.transaction((tx) => tx.query(`insert into marks values (${-n}) returning n`, [], { last: true }), {
        before: await ahead(n),
      });
      expect(await onDisk()).toBe(true);
    }
  });

  it('leaves the connection waiting for the disk again, whatever became of it', async () => {
    const shown = async (): Promise<unknown> =>
      (await db.query<{ synchronous_commit: string }>('show synchronous_commit')).rows[0]!.synchronous_commit;
    expect(await shown()).toBe('on');
    await db.transaction((tx) => tx.query('select 1'), { before: (q) => mark(q, 40) });
    expect(await shown()).toBe('on');
    await expect(db.transaction((tx) => tx.query('select 1'), { before: (q) => mark(q, 40) })).rejects.toMatchObject({
      code: '23505',
    });
    expect(await shown()).toBe('on');
    await expect(
      db.transaction((tx) => tx.query('select 1 / 0'), { before: (q) => mark(q, 41) }),
    ).rejects.toMatchObject({ code: '22012' });
    expect(await shown()).toBe('on');
    expect((await db.query('select n from marks where n in (40, 41)')).rowCount).toBe(2);
  });
});
