import { silentLog } from '../../src/lib/log';
import { openDatabase, store, type Database } from '../../src/store';
import { warmUp } from '../../src/store/warm-up';
import { testDatabase, type TestDatabase } from '../support/database';

let test: TestDatabase;
let db: Database;

beforeAll(async () => {
  test = await testDatabase();
  db = openDatabase({ url: test.url, log: silentLog(), max: 4, runsMatches: true });
});
afterAll(async () => {
  await db.close();
  await test.close();
});

it('every connection but two has planned what a call needs, before the first call, and nothing was written', async () => {
  await warmUp(store, db);
  const planned: string[][] = [];
  await db.onEach(async (q) => {
    const { rows: statements } = await q.query<{ name: string; plans: number }>(
      'select name, (generic_plans + custom_plans)::int as plans from pg_prepared_statements order by name',
    );
    planned.push(statements.filter(({ plans }) => plans > 0).map(({ name }) => name));
  }, 0);
  const names = [
    'end-connection',
    'end-offer',
    'end-call',
    'enqueue',
    'insert-call',
    'insert-offers',
    'leave-queue',
    'mark-answered-2',
    'mark-call-answered',
    'queues-waiting-for',
    'snapshot-queue',
    'update-call-012345',
  ].sort();
  const warm = planned.filter((statements) => names.every((name) => statements.includes(name)));
  expect(planned.length).toBe(4);
  expect(warm.length).toBe(2);
  expect(await store.openWork(test.db)).toEqual({ openOffers: 0, liveCalls: 0, waitingCalls: 0, reservedAgents: 0 });
});

it('a database that cannot be reached is said, and keeps nothing', async () => {
  const away = openDatabase({ url: 'postgres://nobody@127.0.0.1:1/none', log: silentLog(), max: 4, patienceMs: 50 });
  await expect(warmUp(store, away)).rejects.toThrow();
  await away.close();
});
