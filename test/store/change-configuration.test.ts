import { demoDocument } from '../../src/config/demo-document';
import { applyDocument } from '../../src/config/documents/apply-document';
import { canonical } from '../../src/config/documents/canonical';
import { changeConfiguration, latestVersion } from '../../src/config/documents/change-configuration';
import { documentChanges } from '../../src/config/documents/changes';
import { readConfiguration } from '../../src/config/documents/export-document';
import type { Document } from '../../src/config/documents/schema';
import { emptyDatabase, testDatabase, type TestDatabase } from '../support/database';

let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase();
});
afterAll(async () => {
  await test.close();
});
beforeEach(async () => {
  await emptyDatabase(test.db);
  await applyDocument(test.db, demo(), { by: 'tester' });
});

const demo = (): Document => demoDocument({ sbcName: 'sbc.demo.example.com', teamsProxyAddress: '127.0.0.1:5071' });
const request = { by: 'cli:eva', what: 'queues set sales' };

interface AuditRow {
  readonly by: string;
  readonly noun: string;
  readonly name: string;
  readonly what: string;
  readonly before: object | null;
  readonly after: object | null;
}

async function audit(): Promise<readonly AuditRow[]> {
  const { rows } = await test.db.query<AuditRow>(
    'select by, noun, name, what, before, after from audit_log order by id',
  );
  return rows;
}

const setWrapUp = (seconds: number) => (tx: { query: TestDatabase['db']['query'] }) =>
  tx.query(`update queues set wrap_up_seconds = $1 where name = 'sales'`, [seconds]);

describe('a change of the configuration', () => {
  it('shows in what is exported, in the history and in the audit log', async () => {
    const done = await changeConfiguration(test.db, request, setWrapUp(7));
    expect(done).toMatchObject({
      version: 2,
      changed: true,
      changes: [
        {
          noun: 'queue',
          name: 'sales',
          change: 'change',
          before: { wrapUpSeconds: 3 },
          after: { wrapUpSeconds: 7 },
        },
      ],
    });
    const document = await readConfiguration(test.db);
    expect(document.queues.map((queue) => [queue.name, queue.wrapUpSeconds])).toEqual([
      ['sales', 7],
      ['support', 3],
    ]);
    expect(await latestVersion(test.db)).toMatchObject({ version: 2, document });
    expect((await audit()).at(-1)).toEqual({
      by: 'cli:eva',
      noun: 'queue',
      name: 'sales',
      what: 'change',
      before: { wrap_up_seconds: 3 },
      after: { wrap_up_seconds: 7 },
    });
  });

  it('that changes nothing makes no version', async () => {
    expect(await changeConfiguration(test.db, request, setWrapUp(3))).toMatchObject({ version: 1, changed: false });
  });

  it('on another version than the expected one is refused', async () => {
    await changeConfiguration(test.db, request, setWrapUp(7));
    await expect(changeConfiguration(test.db, { ...request, expectedVersion: 1 }, setWrapUp(8))).rejects.toMatchObject({
      code: 'SK_CONFLICT',
    });
    expect((await latestVersion(test.db)).version).toBe(2);
  });

  it('after one by hand in SQL brings that into the history first, by its own name', async () => {
    await test.db.query(`update queues set weight = 5 where name = 'support'`);
    await changeConfiguration(test.db, request, setWrapUp(7));
    const { rows } = await test.db.query<{ what: string; by: string; changes: { name: string }[] }>(
      'select what, applied_by as by, changes from config_versions where version > 1 order by version',
    );
    expect(rows.map(({ what, by, changes }) => [what, by, changes.map(({ name }) => name)])).toEqual([
      ['changed in the database', 'database', ['support']],
      ['queues set sales', 'cli:eva', ['sales']],
    ]);
  });

  it('that somebody made by hand counts as a change of the base', async () => {
    await test.db.query(`update queues set weight = 5 where name = 'support'`);
    await expect(changeConfiguration(test.db, { ...request, expectedVersion: 1 }, setWrapUp(8))).rejects.toMatchObject({
      code: 'SK_CONFLICT',
    });
  });

  it('that makes calls go round is refused', async () => {
    await expect(
      changeConfiguration(test.db, request, (tx) =>
        tx.query(`update queues set exits = case name when 'sales' then '{"full": {"queues": ["support"]}}'::jsonb
          else '{"full": {"queues": ["sales"]}}' end, max_waiting = 5`),
      ),
    ).rejects.toMatchObject({
      code: 'SK_CONFIG_INVALID',
      why: expect.stringMatching(/queue "(sales|support)" would send calls round for ever/),
    });
    expect(documentChanges(canonical(demo()), await readConfiguration(test.db))).toEqual([]);
  });

  it('that names what is not there is refused, also in SQL alone', async () => {
    const statement = `update queues set exits = '{"closed": {"announce": "nothing"}}' where name = 'sales'`;
    await expect(test.db.query(statement)).rejects.toMatchObject({ code: '23503' });
    await expect(changeConfiguration(test.db, request, (tx) => tx.query(statement))).rejects.toMatchObject({
      code: 'SK_CONFLICT',
      why: expect.stringContaining('There is no prompt "nothing"'),
    });
  });

  it('that takes away what a flow names is refused', async () => {
    await test.db.query(
      `insert into flows (tenant_id, name, steps) select id, 'welcome', '[{"play": "greeting"}, {"enqueue": "sales"}]' from tenants`,
    );
    await test.db.query('update numbers set greeting_prompt_id = null');
    await expect(test.db.query(`delete from prompts where name = 'greeting'`)).rejects.toMatchObject({
      code: '23503',
      message: 'prompt "greeting" is still used',
      detail: 'The flow "welcome" names it.',
    });
    await expect(test.db.query(`update queues set removed_at = now() where name = 'sales'`)).rejects.toMatchObject({
      code: '23503',
    });
  });

  it('leaves a line in the audit log for every row, whoever writes it', async () => {
    const before = (await audit()).length;
    await test.db.query(`insert into skills (tenant_id, name) select id, 'french' from tenants`);
    await test.db.query(
      `insert into agent_skills (agent_id, tenant_id, skill, level) select id, tenant_id, 'french', 4 from agents where name = 'Anna'`,
    );
    await test.db.query(`delete from queue_members m using agents a where a.id = m.agent_id and a.name = 'Ben'`);
    const rows = (await audit()).slice(before);
    expect(rows.map(({ noun, name, what }) => `${what} ${noun} ${name}`).sort()).toEqual([
      'create agent skill Anna french',
      'create skill french',
      'remove member sales Ben',
      'remove member support Ben',
    ]);
    expect(new Set(rows.map(({ by }) => by)).size).toBe(1);
    expect(rows[0]!.by).not.toBe('tester');
  });
});
