import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { parseSetting, withSettings } from '../../src/cli/configured/settings';
import { runCli } from '../../src/cli/run';
import { applyDocument } from '../../src/config/documents/apply-document';
import { latestVersion } from '../../src/config/documents/change-configuration';
import { readConfiguration } from '../../src/config/documents/export-document';
import { readDocument } from '../../src/config/documents/parse-document';
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
prompts:
  - { name: hello, file: hello.wav }
hours:
  - { name: office, weekly: { mon: ['08:00-18:00'], tue: ['08:00-18:00'] } }
flows:
  - name: welcome
    steps:
      - play: hello
      - { hours: office, closed: [{ play: hello }, { hangUp: {} }] }
      - menu: { prompt: hello, keys: { '1': [{ enqueue: sales }], '2': [{ flow: welcome }] } }
queues:
  - { name: support, members: [{ agent: Anna }, { agent: Ben, level: 2 }] }
  - { name: sales, hours: office, members: [{ agent: Ben }], exits: { closed: { hangUp: true } } }
agents:
  - { name: Anna, signedIn: true, endpoints: [{ kind: pbx, trunk: pbx, user: '1' }] }
  - { name: Ben, endpoints: [{ kind: pbx, trunk: pbx, user: '2' }] }
numbers:
  - { number: '+49301000100', queue: support, greeting: hello }
  - { number: '+49301000101', flow: welcome }
`;

const runtime = {
  startNode: () => Promise.reject(new Error('none')),
  startEmbedded: () => Promise.reject(new Error('none')),
};

describe('a setting on the command line', () => {
  it.each([
    ['wrapUpSeconds=20', { wrapUpSeconds: 20 }],
    ['presence.unknown=accept', { presence: { staleAfterSeconds: 30, unknown: 'accept' } }],
    ['members+={agent: Zoe}', { members: [{ agent: 'Anna' }, { agent: 'Ben' }, { agent: 'Zoe' }] }],
    ['members-=Anna', { members: [{ agent: 'Ben' }] }],
    ['members.Ben.level=3', { members: [{ agent: 'Anna' }, { agent: 'Ben', level: 3 }] }],
    ['members.0=', { members: [{ agent: 'Ben' }] }],
    ['music=', { music: undefined }],
    ['exits.full={number: +4930123456}', { exits: { full: { number: '+4930123456' } } }],
    ['allow=[+49, +4930]', { allow: ['+49', '+4930'] }],
    ['number=+49301000100', { number: '+49301000100' }],
    ['exits.keys.1={hangUp: true}', { exits: { keys: { '1': { hangUp: true } } } }],
    ['note=one=two', { note: 'one=two' }],
  ])('%s', (text, expected) => {
    const item = { presence: { staleAfterSeconds: 30 }, members: [{ agent: 'Anna' }, { agent: 'Ben' }], music: 'moh' };
    expect(withSettings(item, [parseSetting(text)])).toEqual({ ...item, ...expected });
  });

  it.each(['wrapUpSeconds', '=3', 'a b=3', 'weekly={mon: ['])('%s is a usage error', (text) => {
    expect(() => withSettings({}, [parseSetting(text)])).toThrow(expect.objectContaining({ code: 'SK_USAGE' }));
  });

  it('adds only to lists, and finds only what is there', () => {
    expect(() => withSettings({ a: 1 }, [parseSetting('a+=2')])).toThrow(expect.objectContaining({ code: 'SK_USAGE' }));
    expect(() => withSettings({ a: [] }, [parseSetting('a.Zoe.level=2')])).toThrow(
      expect.objectContaining({ code: 'SK_USAGE' }),
    );
  });
});

describe('nouns of the configuration', () => {
  let dir: string;
  let database: TestDatabase;
  const run = async (args: string[], options: { tty?: boolean; answers?: string[]; stdin?: string } = {}) => {
    const io = testIo({ cwd: dir, env: { SIDEKICK_DATABASE_URL: database.url }, ...options });
    const exitCode = await runCli(args, { io, runtime });
    return { exitCode, out: io.out(), err: io.err() };
  };
  const cli = (...args: string[]) => run(args);
  const json = async (...args: string[]) => JSON.parse((await cli(...args, '-o', 'json')).out);

  beforeAll(async () => {
    database = await testDatabase({ max: 4 });
    dir = mkdtempSync(path.join(tmpdir(), 'cli-nouns-'));
    await applyDocument(database.db, readDocument(CENTER, 'center.yaml'), { by: 'test' });
  });
  afterAll(async () => {
    await database.close();
    rmSync(dir, { recursive: true });
  });

  it.each([
    ['tenants', 'demo\tDE\tEurope/Berlin\t\n'],
    ['trunks', 'carrier\tcarrier\tyes\t127.0.0.0/8\t(shared)\npbx\tpbx\tyes\tudp:127.0.0.1\t(shared)\n'],
    ['numbers', '+49301000100\tqueue support\thello\tdemo\n+49301000101\tflow welcome\t\tdemo\n'],
    ['flows', 'welcome\tplay > hours > menu\t+49301000101\tdemo\n'],
    ['prompts', 'hello\tfile\thello.wav\tdemo\n'],
    ['skills', ''],
  ])('%s list', async (noun, out) => {
    expect(await cli(noun, 'list')).toMatchObject({ exitCode: 0, out, err: '' });
    expect((await json(noun, 'list'))[noun]).toHaveLength(out.split('\n').length - 1);
  });

  it('get shows an entry with every default, as YAML that set takes back unchanged', async () => {
    const got = await cli('queues', 'get', 'sales');
    const { queue } = parse(got.out);
    expect(queue).toMatchObject({ name: 'sales', strategy: 'longest-idle', wrapUpSeconds: 10, hours: 'office' });
    expect(
      await run(['queues', 'set', 'sales', '-f', '-'], {
        stdin: got.out.replace(/^.*\nqueue:\n/, '').replaceAll(/^ {2}/gm, ''),
      }),
    ).toMatchObject({
      exitCode: 0,
      out: 'nothing to change\n',
    });
    expect((await cli('numbers', 'get', '+49301000100', '-o', 'name')).out).toBe('+49301000100\n');
    expect(await cli('queues', 'get', 'sale')).toMatchObject({
      exitCode: 4,
      err: expect.stringContaining('did you mean sales?'),
    });
  });

  it('set changes one entry and nothing else, keeps who and what in the history, and says how to take it back', async () => {
    const before = await readConfiguration(database.db);
    const { exitCode, out, err } = await cli(
      'queues',
      'set',
      'sales',
      'strategy=round-robin',
      'presence.unknown=accept',
    );
    expect([exitCode, out]).toEqual([
      0,
      'queue sales: strategy longest-idle → round-robin\nqueue sales: presence {"accept":["Available","AvailableIdle"],"staleAfterSeconds":30,"unknown":"refuse","graceSeconds":15} → {"accept":["Available","AvailableIdle"],"staleAfterSeconds":30,"unknown":"accept","graceSeconds":15}\n',
    ]);
    expect(err).toMatch(/version 2 is in force; `sidekick config rollback 1` takes it back/);
    const after = await readConfiguration(database.db);
    expect({
      ...after,
      queues: after.queues.map((q) =>
        q.name === 'sales' ? { ...q, strategy: 'longest-idle', presence: { ...q.presence, unknown: 'refuse' } } : q,
      ),
    }).toEqual(before);
    const { rows } = await database.db.query<{ what: string; applied_by: string }>(
      'select what, applied_by from config_versions order by version desc limit 1',
    );
    expect(rows).toEqual([{ what: 'queues set sales', applied_by: expect.stringMatching(/^cli/) }]);
  });

  it('a dry run says what would change, and changes nothing', async () => {
    const { version } = await latestVersion(database.db);
    const { out, err } = await cli('queues', 'set', 'sales', 'wrapUpSeconds=33', '--dry-run');
    expect(out).toBe('queue sales: wrapUpSeconds 10 → 33\n');
    expect(err).toContain('nothing was changed');
    expect((await latestVersion(database.db)).version).toBe(version);
    expect(await json('queues', 'set', 'sales', 'wrapUpSeconds=33', '--dry-run')).toMatchObject({
      dryRun: true,
      changes: [{ noun: 'queue', name: 'sales', change: 'change', after: { wrapUpSeconds: 33 } }],
    });
  });

  it.each([
    [
      ['queues', 'set', 'sales', 'strategy=round-robbin'],
      2,
      ['strategy: "round-robbin" is not accepted', 'did you mean round-robin?'],
    ],
    [['queues', 'set', 'sales', 'wrapUp=3'], 2, ['wrapUp: is not a known key', 'did you mean wrapUpSeconds?']],
    [['queues', 'set', 'sales', 'wrapUpSeconds=-3'], 2, ['wrapUpSeconds: -3 is too small (at least 0)']],
    [
      ['queues', 'set', 'sales', 'hours=offfice'],
      2,
      ['queue "sales" hours: there are no opening hours "offfice"', 'did you mean office?'],
    ],
    [['queues', 'set', 'sales', 'exits.full={queues: [sales]}'], 2, ['sales']],
    [['queues', 'set', 'sales', 'name=verkauf'], 2, ['name is not a setting']],
    [['queues', 'set', 'sales'], 2, ['nothing is said about sales']],
    [['queues', 'set', 'sales', '-f', 'missing.yaml'], 2, ['no such file']],
    [['queues', 'create', 'sales'], 5, ['there is a queue sales already', 'queues set sales']],
    [['numbers', 'create', '030123'], 2, ['E.164']],
    [['numbers', 'create', '+4930123456'], 2, ['needs exactly one of queue, flow']],
    [['agents', 'create', 'Zoe'], 2, ['endpoints: is missing']],
    [['prompts', 'delete', 'hello', '--yes'], 2, ['hello']],
    [['queues', 'delete', 'sales', '--yes'], 2, ['there is no queue "sales"']],
    [['queues', 'delete', 'sales'], 5, ['SK_NOT_CONFIRMED', '0 calls are waiting in "sales", 1 member']],
    [['flows', 'set', 'welcome', 'steps.7.play=hello'], 2, ['there is no entry 7 in steps']],
  ])('%p is refused with exit code %d and says why', async (args, exitCode, texts) => {
    const { version } = await latestVersion(database.db);
    const refused = await cli(...args);
    expect([args, refused.exitCode, refused.out]).toEqual([args, exitCode, '']);
    texts.forEach((text) => expect(refused.err).toContain(text));
    expect((await latestVersion(database.db)).version).toBe(version);
  });

  it('create makes what delete removes', async () => {
    writeFileSync(path.join(dir, 'flow.yaml'), 'steps:\n  - play: hello\n  - enqueue: sales\n');
    const lines: string[][] = [
      ['tenants', 'create', 'acme', 'country=AT', 'timeZone=Europe/Vienna'],
      ['trunks', 'create', 'carrier2', 'kind=carrier', 'sources=[203.0.113.0/24]'],
      ['prompts', 'create', 'bye', 'tone=%(400,200,440)', '--tenant', 'demo'],
      ['hours', 'create', 'night', 'weekly.sat=[22:00-06:00]', '--tenant', 'demo'],
      ['skills', 'create', 'french', 'description=Speaks: French', '--tenant', 'demo'],
      ['flows', 'create', 'direct', '-f', 'flow.yaml', '--tenant', 'demo'],
      [
        'agents',
        'create',
        'Zoe',
        'endpoints=[{kind: pbx, trunk: pbx}]',
        'endpoints.0.user=4711',
        'skills.french=7',
        '--tenant',
        'demo',
      ],
      ['queues', 'create', 'vip', 'needs=[{skill: french, atLeast: 5}]', 'members=[{agent: Zoe}]', '--tenant', 'demo'],
      ['numbers', 'create', '+49301000102', 'queue=vip', '--tenant', 'demo'],
    ];
    for (const args of lines) {
      const { exitCode, err, out } = await cli(...args);
      const made = expect.stringContaining(`${args[2]} made`);
      expect([args[0], exitCode, err.includes('is in force'), out]).toEqual([args[0], 0, true, made]);
    }
    expect((await json('agents', 'get', 'Zoe')).agent.endpoints).toEqual([{ kind: 'pbx', trunk: 'pbx', user: '4711' }]);
    expect(await cli('queues', 'create', 'nobody')).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('tenant'),
    });
    const changes: string[][] = [
      ['tenants', 'set', 'acme', 'allowNumbers+=+43'],
      ['trunks', 'set', 'carrier2', 'maxCalls=7'],
      ['prompts', 'set', 'bye', 'tone=', 'file=bye.wav'],
      ['hours', 'set', 'night', 'weekly.sun=[22:00-06:00]'],
      ['flows', 'set', 'direct', 'steps.0.play=bye'],
      ['queues', 'set', 'vip', 'wrapUpSeconds=7'],
      ['agents', 'set', 'Zoe', 'skills.french=8'],
      ['numbers', 'set', '+49301000102', 'greeting=bye'],
    ];
    for (const args of changes) {
      const { exitCode, out } = await cli(...args);
      expect([args[0], exitCode, out.split(' ').slice(0, 2)]).toEqual([
        args[0],
        0,
        [args[0]!.replace(/s$/, args[0] === 'hours' ? 's' : ''), `${args[2]}:`],
      ]);
    }
    // What an agent knows is described in the list of skills, and stays so.
    expect((await json('skills', 'get', 'french')).skill.description).toBe('Speaks: French');
    expect(await cli('skills', 'set', 'french', 'description=Speaks French')).toMatchObject({ exitCode: 0 });
    const removals: string[][] = [
      ['numbers', 'delete', '+49301000102'],
      ['queues', 'delete', 'vip'],
      ['agents', 'delete', 'Zoe'],
      ['flows', 'delete', 'direct'],
      ['skills', 'delete', 'french'],
      ['hours', 'delete', 'night'],
      ['prompts', 'delete', 'bye'],
      ['trunks', 'delete', 'carrier2'],
      ['tenants', 'delete', 'acme'],
    ];
    for (const args of removals) {
      const removed = await run(args, { tty: true, answers: ['yes'] });
      expect([args, removed.exitCode, removed.out]).toEqual([args, 0, expect.stringContaining(`${args[2]} removed`)]);
    }
    expect((await readConfiguration(database.db)).agents.map((a) => a.name)).toEqual(['Anna', 'Ben']);
  });

  it('members come, move, change their level and go', async () => {
    const members = async (queue: string) =>
      (await json('queues', 'get', queue)).queue.members.map(
        (m: { agent: string; level: number }) => `${m.agent} ${m.level}`,
      );
    expect(await cli('queues', 'members', 'add', 'sales', 'Anna', '--level', '3')).toMatchObject({
      exitCode: 0,
      out: 'queue sales: members + {"agent":"Anna","level":3,"position":2,"priority":1,"weight":1}\n',
      err: expect.stringContaining('calls in progress go on'),
    });
    expect(await members('sales')).toEqual(['Ben 1', 'Anna 3']);
    expect(await cli('queues', 'members', 'set', 'sales', 'Anna', '--level', '1', '--position', '1')).toMatchObject({
      exitCode: 0,
    });
    expect(await members('sales')).toEqual(['Anna 1', 'Ben 1']);
    expect(await cli('queues', 'members', 'set', 'sales', 'Anna', '--weight', '3')).toMatchObject({ exitCode: 0 });
    expect((await json('queues', 'get', 'sales')).queue.members).toContainEqual(
      expect.objectContaining({ agent: 'Anna', weight: 3 }),
    );
    expect(await cli('queues', 'members', 'remove', 'sales', 'Anna', 'Ben')).toMatchObject({ exitCode: 0 });
    expect(await members('sales')).toEqual([]);
    expect(await cli('agents', 'move', 'Ben', 'Anna', '--from', 'support', '--to', 'sales')).toMatchObject({
      exitCode: 0,
    });
    expect([await members('support'), await members('sales')]).toEqual([[], ['Anna 1', 'Ben 2']]);
    expect(await cli('agents', 'move', 'Ben', '--from', 'support', '--to', 'sales')).toMatchObject({
      exitCode: 4,
      err: expect.stringContaining('Ben is no member of support'),
    });
    expect(await cli('agents', 'move', 'Ben', '--from', 'sales', '--to', 'sales')).toMatchObject({ exitCode: 2 });
    expect(await cli('queues', 'members', 'add', 'support', 'Ana')).toMatchObject({
      exitCode: 4,
      err: expect.stringContaining('Anna'),
    });
    expect(await cli('queues', 'members', 'set', 'sales', 'Anna')).toMatchObject({ exitCode: 2 });
    expect(await cli('agents', 'move', 'Anna', 'Ben', '--from', 'sales', '--to', 'support')).toMatchObject({
      exitCode: 0,
    });
  });

  it('hours are checked, closed for a day and reopened', async () => {
    const monday = '2026-12-21T10:00+01:00';
    expect(await cli('hours', 'check', 'office', '--at', monday)).toMatchObject({
      exitCode: 0,
      out: 'office is open at Mon 2026-12-21 10:00 (Europe/Berlin), until Mon 2026-12-21 18:00: mon 08:00-18:00\n',
    });
    expect(await cli('hours', 'close', 'office', '2026-12-21', '--name', 'Works outing')).toMatchObject({
      exitCode: 0,
    });
    expect(await cli('hours', 'check', 'office', '--at', monday)).toMatchObject({
      exitCode: 1,
      out: expect.stringContaining(
        'office is closed at Mon 2026-12-21 10:00 (Europe/Berlin), until Tue 2026-12-22 08:00: Works outing',
      ),
    });
    expect(await json('hours', 'check', 'office', '--at', monday)).toMatchObject({
      open: false,
      reason: 'Works outing',
      queues: ['sales'],
    });
    await cli('hours', 'close', 'office', '2026-12-21', '--open', '09:00-11:00,12:00-13:00');
    expect(await cli('hours', 'check', 'office', '--at', monday)).toMatchObject({ exitCode: 0 });
    expect(await cli('hours', 'close', 'office', '24.12.2026')).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('2026-12-24'),
    });
    expect(await cli('hours', 'reopen', 'office', '2026-12-21')).toMatchObject({ exitCode: 0 });
    expect(await cli('hours', 'reopen', 'office', '2026-12-21')).toMatchObject({ exitCode: 4 });
    expect(await cli('hours', 'check', 'office', '--at', 'noon')).toMatchObject({ exitCode: 2 });
  });

  it('numbers test walks every branch of a flow at a time, and says who would get the call now and who not, and why', async () => {
    const direct = (await cli('numbers', 'test', '0049 30 1000100')).out.split('\n').map((text) => text.trim());
    expect(direct).toEqual([
      expect.stringMatching(/^\+49301000100 of demo, \w{3} \d{4}-\d\d-\d\d \d\d:\d\d \(Europe\/Berlin\)$/),
      'plays hello (hello.wav)',
      'waits in queue support',
      'now: Anna would be rung',
      'not Ben: signed out',
      '',
    ]);
    await cli('queues', 'members', 'add', 'sales', 'Ben');
    const closed = (await cli('numbers', 'test', '+49301000101', '--at', '2026-12-27T10:00+01:00')).out;
    expect(closed).toMatch(
      /hours office: closed until Mon 2026-12-28 08:00 \(closed on sun\)\n +plays hello \(hello.wav\)\n +hangs up\n$/,
    );
    const open = (await cli('numbers', 'test', '+49301000101', '--at', '2026-12-21T10:00+01:00')).out;
    expect(open).toMatch(/menu hello \(hello.wav\), 3 times\n +key 1\n +waits in queue sales\n +hours office: open/);
    expect(open).toMatch(/now: nobody could take it; it would wait at position 1\n +not Ben: signed out\n/);
    expect(open).toMatch(/key 2\n +flow welcome: is gone through already, a loop\n +no key\n +hangs up\n/);
    await cli('queues', 'pause', 'sales', '--yes');
    expect(
      (await json('numbers', 'test', '+49301000101', '--at', '2026-12-21T10:00+01:00')).steps[0].below[2].below[0],
    ).toMatchObject({
      what: 'key 1',
      below: [
        { ends: 'sales', below: expect.arrayContaining([{ what: expect.stringMatching(/^paused for/), below: [] }]) },
      ],
    });
    await cli('queues', 'resume', 'sales');
    expect(await cli('numbers', 'test', '+49301000109')).toMatchObject({
      exitCode: 4,
      err: expect.stringContaining('a carrier gets 404'),
    });
  });

  it('a queue with waiting calls and an agent in a call are not deleted, whatever is said', async () => {
    const { db } = database;
    const [tenant] = await store.loadTenants(db);
    const support = (await store.loadQueues(db)).find((q) => q.name === 'support')!;
    const { nodeId } = await store.registerNode(db, { name: 'n' });
    const id = newId();
    await store.insertCall(db, { id, tenantId: tenant!.id, nodeId, dialledNumber: '+49301000100', sipCallId: id });
    await store.enqueue(db, { callId: id, queueId: support.id });
    await cli('numbers', 'set', '+49301000100', 'queue=sales');
    expect(await cli('queues', 'delete', 'support', '--yes')).toMatchObject({
      exitCode: 5,
      err: expect.stringContaining('1 call is waiting in queue "support"'),
    });
    expect((await run(['queues', 'delete', 'support'], { tty: true, answers: ['n'] })).err).toContain(
      '1 call is waiting in "support", 2 members',
    );
  });

  it('calls are hung up and transferred by an order that the node answers', async () => {
    const { db } = database;
    const call = (await store.listCalls(db))[0]!;
    const answering = async (outcome: string) => {
      for (;;) {
        const [command] = await store.openCallCommands(db, call.nodeId);
        if (command !== undefined) {
          await store.finishCallCommand(db, command.id, outcome);
          return command;
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const [sent, order] = await Promise.all([cli('calls', 'transfer', call.id, '--queue', 'sales'), answering('done')]);
    expect(sent).toMatchObject({ exitCode: 0, out: `call ${call.id} is transferred to sales\n` });
    expect(order).toMatchObject({
      kind: 'transfer',
      args: { kind: 'queue', queueId: expect.any(String) },
      by: expect.stringMatching(/^cli/),
    });
    const [refused] = await Promise.all([
      cli('calls', 'transfer', call.id, '--agent', 'Anna'),
      answering('refused (486): the agent is not free'),
    ]);
    expect(refused).toMatchObject({ exitCode: 5, err: expect.stringContaining('the agent is not free') });
    expect(await cli('calls', 'transfer', call.id)).toMatchObject({ exitCode: 2 });
    expect(await cli('calls', 'transfer', call.id, '--queue', 'a', '--agent', 'b')).toMatchObject({ exitCode: 2 });
    expect(await cli('calls', 'transfer', call.id, '--queue', 'sale')).toMatchObject({ exitCode: 4 });
    expect(await cli('--timeout', '0.3', 'calls', 'hangup', call.id, '--yes')).toMatchObject({
      exitCode: 3,
      err: expect.stringContaining('SK_NODE_UNREACHABLE'),
    });
    await answering('done');
    expect(await cli('calls', 'hangup', call.id)).toMatchObject({
      exitCode: 5,
      err: expect.stringContaining('1 call ends: anonymous to +49301000100, waiting'),
    });
    const { callbackId } = await store.bookCallback(db, {
      id: newId(),
      callId: call.id,
      queueId: (await store.loadQueues(db)).find((queue) => queue.name === 'sales')!.id,
      nodeId: call.nodeId,
      number: '+4930123456',
    });
    expect((await cli('callbacks', 'list', '-o', 'name')).out).toContain(callbackId);
    expect(await cli('callbacks', 'get', callbackId, '-o', 'json')).toMatchObject({
      out: expect.stringContaining('"number": "+4930123456"'),
    });
    expect(await cli('callbacks', 'get', 'nobody')).toMatchObject({ exitCode: 4 });
    expect(await cli('callbacks', 'cancel', callbackId)).toMatchObject({
      exitCode: 5,
      err: expect.stringContaining('1 callback ends: +4930123456 of queue sales, waiting'),
    });
    const [canceled] = await Promise.all([cli('callbacks', 'cancel', callbackId, '--yes'), answering('done')]);
    expect(canceled).toMatchObject({ exitCode: 0, out: `callback ${callbackId} is canceled\n` });
    await store.endCall(db, callbackId, 'success', 'callback-canceled');
    expect(await cli('callbacks', 'cancel', callbackId, '--yes')).toMatchObject({ exitCode: 4 });
    const [ended] = await Promise.all([cli('calls', 'hangup', call.id, '--yes'), answering('done')]);
    expect(ended).toMatchObject({ exitCode: 0, out: `call ${call.id} is ended\n` });
    await store.endCall(db, call.id, 'abandoned', 'test');
    expect(await cli('calls', 'hangup', call.id, '--yes')).toMatchObject({ exitCode: 4 });
  });
});
