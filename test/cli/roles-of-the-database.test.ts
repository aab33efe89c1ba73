import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { runCli } from '../../src/cli/run';
import { applyDocument } from '../../src/config/documents/apply-document';
import { readDocument } from '../../src/config/documents/parse-document';
import { newId, newToken } from '../../src/lib/ids';
import { silentLog } from '../../src/lib/log';
import { migrations } from '../../migrations';
import { migrate, openDatabase, store } from '../../src/store';
import { GRANT_LEVELS } from '../../src/store/grants';
import type { GrantLevel } from '../../src/store/grants';
import { testDatabase } from '../support/database';
import type { TestDatabase } from '../support/database';
import { testIo } from '../support/test-io';

const CENTER = `
apiVersion: sidekick/v1
tenants:
  - { name: demo, country: DE, timeZone: Europe/Berlin }
trunks:
  - { name: carrier, kind: carrier, sources: [127.0.0.0/8] }
  - { name: pbx, kind: pbx, host: 127.0.0.1 }
queues:
  - { name: support, members: [{ agent: Anna }] }
agents:
  - { name: Anna, signedIn: true, endpoints: [{ kind: pbx, trunk: pbx, user: '1' }] }
numbers:
  - { number: '+49301000100', queue: support }
`;
const MORE = CENTER.replace('agent: Anna }]', 'agent: Anna }, { agent: Ben }]').replace(
  'numbers:',
  "  - { name: Ben, endpoints: [{ kind: pbx, trunk: pbx, user: '2' }] }\nnumbers:",
);
const KEY = randomBytes(32).toString('hex');

const runtime = {
  startNode: () => Promise.reject(new Error('none')),
  startEmbedded: () => Promise.reject(new Error('none')),
};

describe('roles of the database', () => {
  let database: TestDatabase;
  let dir: string;
  let callId: string;
  const roles = Object.fromEntries(GRANT_LEVELS.map((level) => [level, `sk_${level}_${newToken(4)}`])) as Record<
    GrantLevel,
    string
  >;
  const urlOf = (level: GrantLevel): string => {
    const url = new URL(database.url);
    url.username = roles[level];
    url.password = 'p';
    return url.href;
  };
  const cli = async (url: string, args: string[], stdin = '') => {
    const io = testIo({ cwd: dir, env: { SIDEKICK_DATABASE_URL: url, SIDEKICK_SECRET_KEY: KEY }, stdin });
    const exitCode = await runCli(args, { io, runtime });
    return { exitCode, out: io.out(), err: io.err() };
  };
  const as = (level: GrantLevel, args: string, stdin?: string) => cli(urlOf(level), args.split(' '), stdin);
  /** SQLSTATE of a statement that is refused; undefined: it is not. */
  const refusal = async (level: GrantLevel, statement: string): Promise<string | undefined> => {
    const client = new pg.Client({ connectionString: urlOf(level) });
    await client.connect();
    try {
      await client.query('begin');
      await client.query(statement);
      return undefined;
    } catch (error) {
      return (error as { code?: string }).code;
    } finally {
      await client.end();
    }
  };

  beforeAll(async () => {
    database = await testDatabase({ max: 4 });
    const { db } = database;
    dir = mkdtempSync(path.join(tmpdir(), 'roles-'));
    writeFileSync(path.join(dir, 'more.yaml'), MORE);
    await applyDocument(db, readDocument(CENTER, 'center.yaml'), { by: 'test' });
    const { nodeId } = await store.registerNode(db, { name: 'test-node' });
    callId = newId();
    const [tenant] = await store.loadTenants(db);
    await store.insertCall(db, {
      id: callId,
      tenantId: tenant!.id,
      nodeId,
      dialledNumber: '+49301000100',
      sipCallId: 'x',
    });
    for (const level of GRANT_LEVELS) {
      await db.query(`create role ${roles[level]} login password 'p'`);
      const { exitCode, out } = await cli(database.url, ['migrate', 'grant', roles[level], '--as', level]);
      expect([exitCode, out]).toEqual([0, expect.stringContaining(`has the rights of ${level} on`)]);
    }
  });
  afterAll(async () => {
    for (const role of Object.values(roles)) {
      await database.db.query(`drop owned by ${role}`);
      await database.db.query(`drop role ${role}`);
    }
    await database.close();
    rmSync(dir, { recursive: true });
  });

  const READ = [
    'queues list',
    'queues show support',
    'agents list',
    'calls list',
    'voicemails list',
    'nodes list',
    'events list',
    'migrate status',
    'secrets list',
    'users list',
    'config export',
    'config history',
  ];

  it.each(GRANT_LEVELS)('%s reads what every command shows', async (level) => {
    for (const command of READ) {
      const { exitCode, err } = await as(level, command);
      expect([level, command, exitCode, err.split('SK_')[1]]).toEqual([level, command, 0, undefined]);
    }
  });

  it('viewer changes nothing, and is told why', async () => {
    for (const command of [
      'agents pause Anna',
      'queues pause support --yes',
      'config apply -f more.yaml --yes',
      'secrets delete x --yes',
      'users create eve --role admin --everywhere',
    ]) {
      expect([command, await as('viewer', command)]).toMatchObject([
        command,
        { exitCode: 6, err: expect.stringContaining('SK_NOT_ALLOWED') },
      ]);
    }
    expect((await as('viewer', 'secrets set x', 'value')).exitCode).toBe(6);
  });

  it('ops do what ops do all day', async () => {
    for (const command of [
      'config apply -f more.yaml --yes',
      'agents pause Anna',
      'agents ready Anna',
      'agents sign-out Anna --yes',
      'agents sign-in Anna',
      'queues pause support --yes',
      'queues resume support',
      'config rollback 1 --yes',
    ]) {
      expect([command, await as('ops', command)]).toMatchObject([command, { exitCode: 0 }]);
    }
    for (const value of ['first', 'second']) {
      expect(await as('ops', 'secrets set carrier', value)).toMatchObject({ exitCode: 0 });
    }
    const ops = openDatabase({ url: urlOf('ops'), log: silentLog(), max: 1 });
    await store.addCallCommand(ops, { callId, kind: 'hangup', args: {}, by: 'test' });
    await ops.close();
    expect(await as('ops', 'secrets delete carrier --yes')).toMatchObject({ exitCode: 0 });
  });

  it('ops cannot read a secret, let anybody in, rewrite what was, or touch the tables themselves', async () => {
    const denied = '42501';
    for (const statement of [
      'select sealed from secrets',
      'select * from secrets',
      'select digest from user_tokens',
      'select client_state from graph_subscriptions',
      `insert into users (name, role, everywhere) values ('eve', 'admin', true)`,
      `update users set role = 'admin'`,
      'delete from user_tokens',
      'update audit_log set by = by',
      'delete from audit_log',
      'delete from config_versions',
      'delete from calls',
      'delete from call_events',
      'insert into schema_migrations (name) values (null)',
      'drop table queues',
      'alter table queues add column x int',
      'truncate queues',
      'create table mine (x int)',
      'create function mine() returns int language sql as $$ select 1 $$',
      'drop trigger audit_update on queues',
      'alter table queues disable trigger all',
      `set session_replication_role = 'replica'`,
    ]) {
      expect([statement, await refusal('ops', statement)]).toEqual([statement, denied]);
    }
    expect((await as('ops', 'users create eve --role admin --everywhere')).exitCode).toBe(6);
    expect((await as('ops', 'secrets rotate')).exitCode).toBe(6);
    expect((await as('ops', 'migrate up')).exitCode).toBe(0); // nothing to do
  });

  it('admin lets users in and rotates secrets, and rewrites no history', async () => {
    expect(await as('admin', 'users create eve --role viewer --everywhere')).toMatchObject({ exitCode: 0 });
    expect(await as('admin', 'users token eve')).toMatchObject({ exitCode: 0 });
    expect(await as('admin', 'secrets set x', 'value')).toMatchObject({ exitCode: 0 });
    expect(await as('admin', 'secrets rotate')).toMatchObject({ exitCode: 0 });
    expect(await as('admin', 'users delete eve --yes')).toMatchObject({ exitCode: 0 });
    expect([
      await refusal('admin', 'delete from audit_log'),
      await refusal('admin', 'update config_versions set applied_by = applied_by'),
      await refusal('admin', 'drop table queues'),
      await refusal('admin', 'create table mine (x int)'),
    ]).toEqual(['42501', '42501', '42501', '42501']);
  });

  it('node reads secrets and writes what happens, and lets nobody in', async () => {
    const node = openDatabase({ url: urlOf('node'), log: silentLog(), max: 2 });
    const { nodeId } = await store.registerNode(node, { name: 'of-role' });
    expect(await store.heartbeat(node, nodeId)).toBe(true);
    expect((await store.sealedSecrets(node)).length).toBeGreaterThan(0);
    const [tenant] = await store.loadTenants(node);
    const [queue] = await store.loadQueues(node);
    const id = newId();
    await store.insertCall(node, { id, tenantId: tenant!.id, nodeId, dialledNumber: '+49301000100', sipCallId: 'y' });
    await store.enqueue(node, { callId: id, queueId: queue!.id });
    await store.withQueueLock(node, queue!.id, async (tx) => store.snapshotQueue(tx, queue!.id));
    await store.appendCallEvents(node, [{ callId: id, kind: 'call:waiting', data: {} }]);
    await store.endCall(node, id, 'abandoned', 'caller-hung-up');
    await store.stopNode(node, nodeId);
    await node.close();
    expect([
      await refusal('node', `insert into users (name, role) values ('eve', 'admin')`),
      await refusal('node', 'delete from secrets'),
      await refusal('node', 'drop table calls'),
    ]).toEqual(['42501', '42501', '42501']);
  });

  it('a role that owns the tables, or is not there, is refused', async () => {
    const owner = new URL(database.url).username || 'postgres';
    expect(await cli(database.url, ['migrate', 'grant', owner, '--as', 'ops'])).toMatchObject({
      exitCode: 5,
      err: expect.stringContaining('cannot be limited'),
    });
    expect((await cli(database.url, ['migrate', 'grant', 'nobody-here', '--as', 'ops'])).exitCode).toBe(4);
    expect((await cli(database.url, ['migrate', 'grant', roles.ops, '--as', 'boss'])).exitCode).toBe(2);
  });

  it('a migration gives every role its rights again, on new tables too, and forgets roles that are gone', async () => {
    const older = await testDatabase({ empty: true, max: 2 });
    const kept = `sk_kept_${newToken(4)}`;
    const gone = `sk_gone_${newToken(4)}`;
    try {
      await migrate(older.url, migrations.slice(0, -1));
      for (const role of [kept, gone]) {
        await older.db.query(`create role ${role} login password 'p'`);
        expect((await cli(older.url, ['migrate', 'grant', role, '--as', 'viewer'])).exitCode).toBe(0);
      }
      await older.db.query(`drop owned by ${gone}`);
      await older.db.query(`drop role ${gone}`);
      // As a table that the migration makes: nobody was given anything on it.
      await older.db.query(`revoke all on queues from ${kept}`);
      const up = await cli(older.url, ['migrate', 'up']);
      expect([up.exitCode, up.err]).toEqual([
        0,
        expect.stringContaining(`${kept} has its rights on the new tables too`),
      ]);
      expect(up.err).not.toContain(gone);
      const { rows } = await older.db.query<{ may: boolean; more: boolean }>(
        `select has_table_privilege($1, 'queues', 'select') as may, has_table_privilege($1, 'queues', 'update') as more`,
        [kept],
      );
      expect(rows).toEqual([{ may: true, more: false }]);
      expect((await older.db.query('select role from granted_roles')).rows).toEqual([{ role: kept }]);
    } finally {
      await older.db.query(`drop owned by ${kept}`);
      await older.db.query(`drop role ${kept}`);
      await older.close();
    }
  });

  it('nobody but the owner says who has which rights', async () => {
    expect(await refusal('admin', `update granted_roles set level = 'admin'`)).toBe('42501');
  });

  it('a lower level takes back what a higher one gave', async () => {
    await cli(database.url, ['migrate', 'grant', roles.admin, '--as', 'viewer']);
    expect(await refusal('admin', 'select sealed from secrets')).toBe('42501');
    expect((await as('admin', 'agents pause Anna')).exitCode).toBe(6);
  });
});
