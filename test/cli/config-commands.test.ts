import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCli } from '../../src/cli/run';
import { newId } from '../../src/lib/ids';
import { store } from '../../src/store';
import { emptyDatabase, testDatabase, type TestDatabase } from '../support/database';
import { testIo, type TestIo } from '../support/test-io';

const CENTER = `apiVersion: sidekick/v1
tenants:
  - { name: demo, country: DE, timeZone: Europe/Berlin }
trunks:
  - { name: carrier, kind: carrier, sources: [127.0.0.0/8] }
  - { name: pbx, kind: pbx, host: 127.0.0.1 }
queues:
  - { name: sales, members: [{ agent: Anna }] }
  - { name: support, members: [{ agent: Anna }, { agent: Ben }] }
agents:
  - { name: Anna, signedIn: true, endpoints: [{ kind: pbx, trunk: pbx, user: '1' }] }
  - { name: Ben, endpoints: [{ kind: pbx, trunk: pbx, user: '2' }] }
numbers:
  - { number: '+49301000100', queue: support }
  - { number: '+49301000101', queue: sales }
`;
/** Without the queue sales. */
const SMALLER = CENTER.replace(/.*name: sales.*\n/, '').replace('queue: sales', 'queue: support');
const CHANGED = CENTER.replace('name: sales,', 'name: sales, strategy: round-robin, wrapUpSeconds: 30,');

const runtime = {
  startNode: () => Promise.reject(new Error('none')),
  startEmbedded: () => Promise.reject(new Error('none')),
};

let dir: string;
let database: TestDatabase;

const start = (args: readonly string[], io: TestIo) => runCli(args, { io, runtime });
const cliWith = async (given: { answers?: string[]; tty?: boolean }, ...args: string[]) => {
  const io = testIo({ cwd: dir, env: { SIDEKICK_DATABASE_URL: database.url }, ...given });
  const exitCode = await start(args, io);
  return { exitCode, out: io.out(), err: io.err() };
};
const cli = (...args: string[]) => cliWith({}, ...args);

beforeAll(async () => {
  database = await testDatabase({ max: 4 });
  dir = mkdtempSync(path.join(tmpdir(), 'cli-config-'));
  for (const [name, text] of Object.entries({ center: CENTER, smaller: SMALLER, changed: CHANGED })) {
    writeFileSync(path.join(dir, `${name}.yaml`), text);
  }
});
afterAll(async () => {
  await database.close();
  rmSync(dir, { recursive: true });
});
beforeEach(async () => {
  await emptyDatabase(database.db);
  expect(await cli('config', 'apply', '-f', 'center.yaml', '--yes')).toMatchObject({ exitCode: 0 });
});

const DIFF = `--- in force (version 1)
+++ changed.yaml
@@ queue sales @@
 - name: sales
+  strategy: round-robin
+  wrapUpSeconds: 30
   members:
     - { agent: Anna }
`;

async function waitingCall(queue: string, number: string): Promise<string> {
  const { db } = database;
  const [tenant] = await store.loadTenants(db);
  const queues = await store.loadQueues(db);
  const { nodeId } = await store.registerNode(db, { name: 'test-node' });
  const id = newId();
  await store.insertCall(db, { id, tenantId: tenant!.id, nodeId, dialledNumber: number, sipCallId: 'a@b' });
  await store.enqueue(db, { callId: id, queueId: queues.find(({ name }) => name === queue)!.id });
  return id;
}

describe('config diff', () => {
  it('shows what would change as lines, and ends with 1', async () => {
    const { exitCode, out, err } = await cli('config', 'diff', '-f', 'changed.yaml');
    expect({ exitCode, err }).toEqual({ exitCode: 1, err: '' });
    expect(out).toBe(DIFF);
  });

  it('says nothing and ends with 0 when nothing differs', async () => {
    expect(await cli('config', 'diff', '-f', 'center.yaml')).toEqual({ exitCode: 0, out: '', err: '' });
  });

  it('is JSON for programs', async () => {
    const { exitCode, out } = await cli('config', 'diff', '-f', 'changed.yaml', '-o', 'json');
    expect(exitCode).toBe(1);
    expect(JSON.parse(out)).toEqual({
      apiVersion: 'sidekick/v1',
      version: 1,
      differs: true,
      changes: [
        {
          noun: 'queue',
          name: 'sales',
          tenant: 'demo',
          change: 'change',
          before: { strategy: 'longest-idle', wrapUpSeconds: 10 },
          after: { strategy: 'round-robin', wrapUpSeconds: 30 },
        },
      ],
    });
  });

  it('counts what a prune would remove only when asked', async () => {
    expect((await cli('config', 'diff', '-f', 'smaller.yaml')).out).not.toContain('@@ queue sales @@');
    expect((await cli('config', 'diff', '-f', 'smaller.yaml', '--prune')).out).toContain('@@ queue sales @@');
  });
});

describe('config apply', () => {
  it('is refused without a terminal unless --yes is given', async () => {
    expect(await cli('config', 'apply', '-f', 'changed.yaml')).toMatchObject({
      exitCode: 5,
      err: expect.stringContaining('add --yes'),
    });
    expect((await cli('config', 'history', '-o', 'name')).out).toBe('1\n');
  });

  it('on a terminal shows the difference, asks, and takes no for an answer', async () => {
    const no = await cliWith({ tty: true, answers: ['n'] }, 'config', 'apply', '-f', 'changed.yaml');
    expect(no.exitCode).toBe(5);
    expect(no.err).toContain('+  strategy: round-robin');
    expect(no.err).toContain('apply changed.yaml: 1 queue changed? [y/N] n');
    const yes = await cliWith({ tty: true, answers: ['y'] }, 'config', 'apply', '-f', 'changed.yaml');
    expect(yes).toMatchObject({ exitCode: 0, out: 'version 2 is in force; changed: 1 queue changed\n' });
    expect(yes.err).toContain('applying 1/15: 1 tenants');
  });

  it('with --dry-run shows the difference and changes nothing', async () => {
    const { exitCode, out, err } = await cli('config', 'apply', '-f', 'changed.yaml', '--dry-run');
    expect(exitCode).toBe(0);
    expect(out).toBe((await cli('config', 'diff', '-f', 'changed.yaml')).out);
    expect(err).toBe('would change: 1 queue changed; nothing was changed\n');
    expect((await cli('config', 'history', '-o', 'name')).out).toBe('1\n');
  });

  it('is refused with 5 on another version than --base names', async () => {
    expect(await cli('config', 'apply', '-f', 'changed.yaml', '--base', '1', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await cli('config', 'apply', '-f', 'center.yaml', '--base', '1', '--yes')).toMatchObject({
      exitCode: 5,
      err: expect.stringContaining('version 2, not 1'),
    });
  });

  it('of a file with mistakes names each line, and ends with 2', async () => {
    writeFileSync(
      path.join(dir, 'wrong.yaml'),
      CENTER.replace('queue: sales', 'queue: sails').replace("user: '1'", 'user: 1'),
    );
    const { exitCode, out, err } = await cli('config', 'apply', '-f', 'wrong.yaml', '--yes');
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' });
    expect(err).toContain('wrong.yaml:11:');
  });

  it('says what is running in what it would remove, and --drain waits for it', async () => {
    const callId = await waitingCall('sales', '+49301000101');
    const refused = await cli('config', 'apply', '-f', 'smaller.yaml', '--prune', '--yes');
    expect(refused.exitCode).toBe(5);
    expect(refused.err).toContain('1 call is waiting in "sales"; --drain waits for them');
    const io = testIo({ cwd: dir, env: { SIDEKICK_DATABASE_URL: database.url } });
    const draining = start(['config', 'apply', '-f', 'smaller.yaml', '--prune', '--drain', '--yes'], io);
    for (let i = 0; i < 200 && !io.err().includes('waiting: 1 call is waiting in "sales"'); i++) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    // New calls are led elsewhere already, the old one keeps its queue.
    expect((await store.findNumber(database.db, '+49301000101'))!.queue).toBe('support');
    expect((await store.loadQueues(database.db)).map(({ name }) => name)).toEqual(['sales', 'support']);
    await store.endCall(database.db, callId, 'abandoned', 'caller-gave-up-waiting');
    expect(await draining).toBe(0);
    expect((await store.loadQueues(database.db)).map(({ name }) => name)).toEqual(['support']);
    expect((await cli('config', 'history')).out.split('\n').map((text) => text.split('\t')[3])).toEqual([
      'apply',
      'apply, waiting for calls',
      'apply',
      undefined,
    ]);
  });
});

describe('config export', () => {
  it('gives the document back, and applying it changes nothing', async () => {
    const { exitCode, out } = await cli('config', 'export');
    expect(exitCode).toBe(0);
    writeFileSync(path.join(dir, 'exported.yaml'), out);
    expect(await cli('config', 'diff', '-f', 'exported.yaml', '--prune')).toEqual({ exitCode: 0, out: '', err: '' });
    expect(out).toBe(`apiVersion: sidekick/v1
tenants:
  - { name: demo, country: DE, timeZone: Europe/Berlin }
trunks:
  - { name: carrier, kind: carrier, sources: [ 127.0.0.0/8 ] }
  - { name: pbx, kind: pbx, host: 127.0.0.1 }
queues:
  - name: sales
    members:
      - { agent: Anna }
  - name: support
    members:
      - { agent: Anna }
      - { agent: Ben }
agents:
  - name: Anna
    signedIn: true
    endpoints:
      - { kind: pbx, trunk: pbx, user: '1' }
  - name: Ben
    endpoints:
      - { kind: pbx, trunk: pbx, user: '2' }
numbers:
  - { number: '+49301000100', queue: support }
  - { number: '+49301000101', queue: sales }
`);
  });

  it('gives back an earlier version', async () => {
    await cli('config', 'apply', '-f', 'changed.yaml', '--yes');
    expect((await cli('config', 'export')).out).toContain('round-robin');
    expect((await cli('config', 'export', '--at', '1')).out).not.toContain('round-robin');
    expect((await cli('config', 'export', '--at', '9')).exitCode).toBe(4);
  });
});

describe('config history and rollback', () => {
  it('say who changed what, and bring an earlier version back as a new one', async () => {
    await cli('config', 'apply', '-f', 'changed.yaml', '--yes');
    await cli('config', 'apply', '-f', 'smaller.yaml', '--prune', '--yes');
    const rows = (await cli('config', 'history')).out
      .trim()
      .split('\n')
      .map((text) => text.split('\t'));
    expect(rows.map(([version, , , what, changed]) => [version, what, changed])).toEqual([
      ['3', 'apply', '1 queue removed, 1 number changed'],
      ['2', 'apply', '1 queue changed'],
      ['1', 'apply', '1 tenant new, 2 trunks new, 2 queues new, 2 agents new, 2 numbers new'],
    ]);
    expect(rows[0]![1]).toMatch(/^\d{4}-.*Z$/);
    expect(rows[0]![2]).toMatch(/^cli/);
    const back = await cli('config', 'rollback', '2', '--yes');
    expect(back).toMatchObject({ exitCode: 0, out: 'version 4 is in force; changed: 1 queue new, 1 number changed\n' });
    expect((await cli('config', 'export')).out).toBe((await cli('config', 'export', '--at', '2')).out);
    expect((await cli('config', 'history', '4')).out).toContain(
      'rollback to version 2\n@@ queue sales @@\n+- name: sales',
    );
    expect((await cli('config', 'rollback', '77', '--yes')).exitCode).toBe(4);
  });
});

describe('config validate and config schema', () => {
  it('need no database', async () => {
    const io = testIo({ cwd: dir });
    expect(await start(['config', 'validate', '-f', 'center.yaml'], io)).toBe(0);
    expect(io.out()).toBe('center.yaml is valid: 1 tenants, 2 trunks, 2 queues, 2 agents, 2 numbers\n');
    const schema = testIo({ cwd: dir });
    expect(await start(['config', 'schema'], schema)).toBe(0);
    expect(JSON.parse(schema.out())).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema' });
  });

  it('tell what is odd as a warning, which counts with --strict', async () => {
    writeFileSync(path.join(dir, 'odd.yaml'), CENTER.replace('members: [{ agent: Anna }] }', 'members: [] }'));
    expect(await cli('config', 'validate', '-f', 'odd.yaml')).toMatchObject({
      exitCode: 0,
      err: expect.stringMatching(/^warning: odd\.yaml:8:5: queues\[0\]: queue "sales" has no members/),
    });
    expect((await cli('config', 'validate', '-f', 'odd.yaml', '--strict')).exitCode).toBe(1);
  });
});
