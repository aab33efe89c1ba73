import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ensureDemoConfiguration } from '../../src/cli/demo-configuration';
import { runCli } from '../../src/cli/run';
import type { SimulatedTenant } from '../../src/cli/ports';
import { newId } from '../../src/lib/ids';
import { store } from '../../src/store';
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
  - { name: support, members: [{ agent: Anna }, { agent: Ben }] }
agents:
  - { name: Anna, signedIn: true, endpoints: [{ kind: pbx, trunk: pbx, user: '1' }] }
  - { name: Ben, endpoints: [{ kind: pbx, trunk: pbx, user: '2' }] }
numbers:
  - { number: '+49301000100', queue: support }
`;

const runtime = {
  startNode: () => Promise.reject(new Error('none')),
  startEmbedded: () => Promise.reject(new Error('none')),
};

describe('commands on a database', () => {
  let dir: string;
  let database: TestDatabase;
  const cli = async (...args: string[]) => {
    const io = testIo({ cwd: dir, env: { SIDEKICK_DATABASE_URL: database.url } });
    const exitCode = await runCli(args, { io, runtime });
    return { exitCode, out: io.out(), err: io.err() };
  };
  const json = async (...args: string[]) => JSON.parse((await cli(...args, '-o', 'json')).out);

  beforeAll(async () => {
    database = await testDatabase({ max: 4 });
    dir = mkdtempSync(path.join(tmpdir(), 'cli-db-'));
    writeFileSync(path.join(dir, 'center.yaml'), CENTER);
  });
  afterAll(async () => {
    await database.close();
    rmSync(dir, { recursive: true });
  });

  it('config apply tells what it changed, and that a second time changes nothing', async () => {
    const first = await cli('config', 'apply', '-f', 'center.yaml', '--yes');
    expect([first.exitCode, first.err]).toEqual([0, '']);
    expect(first.out).toMatch(/^version 1 is in force; changed: .*2 agents new/);
    const second = await cli('config', 'apply', '-f', 'center.yaml');
    expect([second.exitCode, second.out]).toEqual([0, 'nothing to change; version 1 is in force\n']);
  });

  it('migrate says that the database is up to date', async () => {
    const status = await cli('migrate', 'status');
    expect(status.exitCode).toBe(0);
    expect(status.out).toMatch(/^0001-\S+\tapplied\n/);
    expect(await cli('migrate', 'up')).toMatchObject({ exitCode: 0, out: '', err: 'the database is up to date\n' });
  });

  it('migrate status ends with 1 on an empty database, other commands with 5, and migrate up mends both', async () => {
    const empty = await testDatabase({ empty: true, max: 2 });
    const on = async (...args: string[]) => {
      const io = testIo({ cwd: dir, env: { SIDEKICK_DATABASE_URL: empty.url } });
      return { exitCode: await runCli(args, { io, runtime }), out: io.out(), err: io.err() };
    };
    try {
      expect(await on('migrate', 'status')).toMatchObject({
        exitCode: 1,
        err: expect.stringContaining('sidekick migrate up'),
      });
      expect(await on('agents', 'list')).toMatchObject({
        exitCode: 5,
        err: expect.stringContaining('SK_MIGRATIONS_PENDING'),
      });
      const up = await on('migrate', 'up');
      expect([up.exitCode, up.out]).toEqual([0, expect.stringMatching(/^0001-/)]);
      expect((await on('agents', 'list')).exitCode).toBe(0);
      await empty.db.query(
        "insert into schema_migrations (name, batch, migration_time) values ('9999-future', 9, now())",
      );
      expect(await on('migrate', 'status')).toMatchObject({
        exitCode: 1,
        err: expect.stringContaining('newer version'),
      });
    } finally {
      await empty.close();
    }
  });

  it('agents go through their states, and a wish that cannot be met is a conflict', async () => {
    expect(await cli('agents', 'ready', 'Ben')).toMatchObject({
      exitCode: 5,
      err: expect.stringContaining('agents sign-in Ben'),
    });
    expect(await cli('agents', 'sign-in', 'Ben')).toMatchObject({ exitCode: 0, out: 'Ben is ready\n' });
    expect(await cli('agents', 'sign-in', 'Ben')).toMatchObject({ exitCode: 0, out: 'Ben is ready already\n' });
    expect(await cli('agents', 'pause', 'Ben', '--reason', 'lunch')).toMatchObject({ out: 'Ben is paused (lunch)\n' });
    expect((await json('agents', 'list')).agents).toMatchObject([
      { name: 'Anna', state: 'ready', call: null, queues: ['support'], presence: 'none' },
      { name: 'Ben', state: 'paused', reason: 'lunch' },
    ]);
    expect(await cli('agents', 'ready', 'Ben')).toMatchObject({ exitCode: 0, out: 'Ben is ready\n' });
    expect(await cli('agents', 'sign-out', 'Ben')).toMatchObject({ exitCode: 0, out: 'Ben is signed-out\n' });
  });

  it('an agent who is not there is not found, with the name that was probably meant', async () => {
    expect(await cli('agents', 'pause', 'Anne')).toMatchObject({
      exitCode: 4,
      err: expect.stringContaining('did you mean Anna?'),
    });
    expect(await cli('agents', 'pause', 'Anna', '--tenant', 'other')).toMatchObject({ exitCode: 4 });
  });

  it('calls and queues show a waiting call, an agent in it is signed out only on --yes, and its story can be read', async () => {
    const { db } = database;
    const [tenant] = await store.loadTenants(db);
    const [queue] = await store.loadQueues(db);
    const { nodeId } = await store.registerNode(db, { name: 'test-node' });
    const callId = newId();
    await store.insertCall(db, {
      id: callId,
      tenantId: tenant!.id,
      nodeId,
      callerNumber: '+4917612345678',
      dialledNumber: '+49301000100',
      sipCallId: 'a@b',
    });
    await store.enqueue(db, { callId, queueId: queue!.id });
    await store.appendCallEvents(db, [{ callId, kind: 'call:waiting', data: { queue: 'support', position: 1 } }]);
    expect((await json('queues', 'list')).queues).toMatchObject([
      { name: 'support', waiting: 1, members: 2, signedIn: 1, ready: 1, inCall: 0 },
    ]);

    const anna = await store.agentByName(db, 'Anna');
    const offers = await store.insertOffers(db, [{ callId, queueId: queue!.id, agentId: anna!.id }]);
    expect(offers).toHaveLength(1);
    expect((await json('queues', 'list')).queues).toMatchObject([{ ready: 0, inCall: 1 }]);
    expect(await cli('agents', 'sign-out', 'Anna')).toMatchObject({
      exitCode: 5,
      err: expect.stringContaining(callId),
    });
    expect(await cli('agents', 'sign-out', 'Anna', '--yes')).toMatchObject({ exitCode: 0 });

    expect((await cli('calls', 'list')).out).toMatch(
      new RegExp(`^${callId}\twaiting\t\\+4917612345678\t\\+49301000100\tsupport\t`),
    );
    const got = await json('calls', 'get', callId);
    expect(got).toMatchObject({
      call: { id: callId, state: 'waiting' },
      events: [{ kind: 'call:waiting', data: { position: 1 } }],
    });
    await store.endOffer(db, offers[0]!.offerId, { outcome: 'canceled', reason: 'caller-gone' });
    await store.endCall(db, callId, 'abandoned', 'caller-gave-up-waiting');
    expect((await cli('calls', 'list')).out).toBe('');
    expect((await cli('calls', 'list', '--all', '-o', 'name')).out).toBe(`${callId}\n`);
    expect(await cli('calls', 'get', newId())).toMatchObject({ exitCode: 4 });
    expect(await cli('calls', 'get', '17')).toMatchObject({ exitCode: 4, err: expect.stringContaining('UUID') });
  });
});

describe('the configuration of the demo', () => {
  const tenant: SimulatedTenant = {
    baseUrl: 'http://127.0.0.1:1',
    proxyAddress: '127.0.0.1:5071',
    sbcName: 'sbc.sidekick.example',
    play: () => undefined,
    agents: [{ name: 'anna', displayName: 'Anna Albrecht', number: '+49301000201', entraUserId: newId() }],
  };
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase({ max: 2 });
  });
  afterAll(() => database.close());

  const address = async () => {
    const trunk = (await store.loadTrunks(database.db)).find((t) => t.name === 'teams');
    return trunk?.kind === 'teams' ? trunk.settings.proxies?.[0]?.address : undefined;
  };

  it('is made once, is kept as the user changed it, and follows the simulated tenant to another port', async () => {
    const { db } = database;
    expect(await ensureDemoConfiguration(db, tenant)).toBe('made');
    expect((await store.listAgents(db)).map((a) => [a.name, a.state])).toEqual([['Anna', 'ready']]);
    const anna = (await store.agentByName(db, 'Anna'))!;
    await store.pause(db, anna.id, 'lunch', 'test');
    await db.query("update queues set wrap_up_seconds = 77 where name = 'support'");
    expect(await ensureDemoConfiguration(db, tenant)).toBe('kept');
    expect(await address()).toBe('127.0.0.1:5071');
    expect(await ensureDemoConfiguration(db, { ...tenant, proxyAddress: '127.0.0.1:6071' })).toBe('address-corrected');
    expect(await address()).toBe('127.0.0.1:6071');
    expect((await store.listAgents(db))[0]).toMatchObject({ name: 'Anna', state: 'paused', reason: 'lunch' });
    expect((await store.loadQueues(db)).map((q) => [q.name, q.wrapUpMs]).sort()).toEqual([
      ['sales', 3000],
      ['support', 77_000],
    ]);
  });

  it('leaves somebody else’s trunk alone', async () => {
    expect(
      await ensureDemoConfiguration(database.db, {
        ...tenant,
        sbcName: 'other.example',
        proxyAddress: '127.0.0.1:7071',
      }),
    ).toBe('kept');
    expect(await address()).toBe('127.0.0.1:6071');
  });
});
