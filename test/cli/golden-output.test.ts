import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { OUTPUT_FORMATS } from '../../src/cli/output/list';
import { buildProgram } from '../../src/cli/program';
import { runCli } from '../../src/cli/run';
import { applyDocument } from '../../src/config/documents/apply-document';
import { readDocument } from '../../src/config/documents/parse-document';
import { store } from '../../src/store';
import { commandEntries } from '../support/command-tree';
import { testDatabase, type TestDatabase } from '../support/database';
import { testIo } from '../support/test-io';

const GOLDEN = path.join(__dirname, 'golden');
const UPDATE = process.env['SIDEKICK_UPDATE_GOLDEN'] === '1';
const KEY = '11'.repeat(32);

const CENTER = `
apiVersion: sidekick/v1
tenants:
  - { name: acme, country: DE, timeZone: Europe/Berlin, allowNumbers: ['+49', '+43'] }
  - { name: beta, country: AT, timeZone: Europe/Vienna }
trunks:
  - { name: carrier, kind: carrier, sources: [203.0.113.0/24, 198.51.100.7] }
  - { name: teams, kind: teams, sbcName: sbc.acme.example, tenant: acme }
  - { name: pbx, kind: pbx, host: pbx.acme.example, transport: tls, enabled: false }
prompts:
  - { name: hello, tenant: acme, file: 'hello, "new".wav' }
  - { name: music, tenant: acme, stream: moh }
hours:
  - { name: never, tenant: acme, weekly: {}, holidays: [{ date: 2026-01-01, name: 'New Year''s, 1st' }] }
skills:
  - { name: german, tenant: acme, description: 'Speaks "German", well' }
flows:
  - { name: welcome, tenant: acme, steps: [{ play: hello }, { enqueue: support }] }
queues:
  - name: support
    tenant: acme
    music: music
    weight: 7
    exits: { full: { announce: hello } }
    announcements: { firstAfterSeconds: 20, rules: [{ prompt: hello, place: { to: 3 }, onlyIfBetter: true }, { prompt: hello }] }
    maxWaiting: 5
    members: [{ agent: Anna }, { agent: 'Ben, the 2nd', level: 2 }]
  - { name: sales, tenant: acme, hours: never, members: [{ agent: Anna }] }
  - { name: desk, tenant: beta }
agents:
  - name: Anna
    tenant: acme
    displayName: Anna "A." Müller
    signedIn: true
    skills: { german: 9 }
    endpoints: [{ kind: teams, trunk: teams, number: '+49301000201', entraUserId: 6f1d2c3b-4a59-4e87-9c60-1b2a3c4d5e6f }]
  - { name: 'Ben, the 2nd', tenant: acme, endpoints: [{ kind: pbx, trunk: pbx, user: '2' }] }
numbers:
  - { number: '+49301000100', tenant: acme, queue: support, greeting: hello }
  - { number: '+49301000101', tenant: acme, flow: welcome }
  - { number: '+4311000100', tenant: beta, queue: desk }
`;
const [TALKING, WAITING] = ['aaaaaaaa-0000-4000-8000-000000000001', 'aaaaaaaa-0000-4000-8000-000000000002'];
const MESSAGE = 'aaaaaaaa-0000-4000-8000-000000000003';
const BACK = 'aaaaaaaa-0000-4000-8000-000000000004';

/** What is kept for each command: its name, and its arguments after it. */
const SHOWN: Readonly<Record<string, readonly string[]>> = {
  'config history': [],
  'callbacks list': [],
  'callbacks get': [BACK],
  'calls list': [],
  'calls get': [WAITING],
  'calls explain': [WAITING],
  'voicemails list': [],
  'voicemails get': [MESSAGE],
  'agents list': [],
  'agents show': ['Anna'],
  'agents why': ['Ben, the 2nd'],
  'agents get': ['Anna'],
  'agents move': ['Ben, the 2nd', '--from', 'support', '--to', 'sales', '--dry-run'],
  'queues list': [],
  'queues show': ['support'],
  'queues get': ['support'],
  'queues create': ['new', 'wrapUpSeconds=20', '--tenant', 'acme', '--dry-run'],
  'queues set': ['sales', 'wrapUpSeconds=20', 'hours=', '--dry-run'],
  'queues delete': ['desk', '--dry-run'],
  'queues members add': ['sales', 'Ben, the 2nd', '--dry-run'],
  'queues members remove': ['support', 'Anna', '--dry-run'],
  'queues members set': ['support', 'Anna', '--level', '3', '--dry-run'],
  'tenants list': [],
  'tenants get': ['acme'],
  'trunks list': [],
  'trunks get': ['carrier'],
  'flows list': [],
  'flows get': ['welcome'],
  'skills list': [],
  'skills get': ['german'],
  'prompts list': [],
  'prompts get': ['hello'],
  'numbers list': [],
  'numbers get': ['+49301000100'],
  'numbers test': ['+49301000101', '--at', '2026-11-24T10:00Z'],
  'hours list': [],
  'hours get': ['never'],
  'hours check': ['never', '--at', '2026-11-24T10:00Z'],
  'hours close': ['never', '2026-12-24', '--dry-run'],
  'hours reopen': ['never', '2026-01-01', '--dry-run'],
  'presence show': [],
  'events list': ['--since', '30d'],
  'nodes list': [],
  'users list': [],
  'secrets list': [],
  'context list': [],
};

/** What takes a form of output and is kept elsewhere, with the reason. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'config validate': 'text or json: config-commands.test.ts',
  'config diff': 'unified or json: config-commands.test.ts',
  'config export': 'yaml or json: config-commands.test.ts',
  'migrate status': 'its rows are the migrations: commands-on-a-database.test.ts',
  'calls trace': 'a drawing: queues-agents-and-events.test.ts',
  'queues watch': 'queues list and queues show, again and again: queues-agents-and-events.test.ts',
  'events tail': 'events list as they come: queues-agents-and-events.test.ts',
  'presence status': 'how reading of a running node goes: teams-commands.test.ts',
  'teams check-policies': 'of files, without a database: teams-commands.test.ts',
  replay: 'explain-why-replay.test.ts',
  simulate: 'simulate.test.ts',
  doctor: 'of servers: doctor-on-servers.test.ts',
  'tls check': 'of servers: doctor-on-servers.test.ts',
  status: 'of a running node: the-demo-from-start-to-ctrl-c.test.ts',
  ...Object.fromEntries(
    ['tenants', 'trunks', 'flows', 'skills', 'prompts', 'numbers', 'hours', 'agents'].flatMap((noun) =>
      ['create', 'set', 'delete'].map((verb) => [`${noun} ${verb}`, `the same function as queues ${verb}`]),
    ),
  ),
};

const entries = commandEntries(buildProgram({} as never, () => undefined));
const withFormats = entries
  .filter(({ options }) => options.some(({ flags }) => flags === '-o, --output <format>'))
  .map((entry) => entry.path.replace('sidekick ', ''));

/** Equal widths, so that columns stay where they are. */
function withPlaceholders(text: string): string {
  const ids = new Map<string, string>();
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) => {
      if (id === TALKING || id === WAITING || id === MESSAGE || id === BACK || id.startsWith('6f1d2c3b')) {
        return id;
      }
      ids.set(id, ids.get(id) ?? `00000000-0000-4000-8000-${String(ids.size + 1).padStart(12, '0')}`);
      return ids.get(id) ?? id;
    })
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '0000-00-00T00:00:00.000Z')
    .replaceAll(/\w+day, \d+ \w+ \d{4}/g, 'Thursday, 1 January 1970')
    .replaceAll(/\d\d:\d\d:\d\d\.\d\b/g, '00:00:00.0')
    .replaceAll(/\b0\.\d{3} s/g, '0.000 s')
    .replaceAll(/wait: \d+:\d\d/g, 'wait: 7200:00')
    .replaceAll(/closed on \w{3}/g, 'closed on day')
    .replaceAll(/(?<=: )\d{9,}(\.\d+)?/g, '432000000')
    .replaceAll(/(?<=^|[\t,])43[23]\d{3}(?=[\t,\r\n])/gm, '432000');
}

describe('what commands print in each form', () => {
  let database: TestDatabase;
  let dir: string;

  async function run(args: readonly string[], tty = false): Promise<string> {
    const env = { SIDEKICK_DATABASE_URL: database.url, XDG_CONFIG_HOME: dir, SIDEKICK_SECRET_KEY: KEY, NO_COLOR: '1' };
    const io = testIo({ cwd: dir, env, tty });
    const runtime = {
      startNode: () => Promise.reject(new Error('none')),
      startEmbedded: () => Promise.reject(new Error('none')),
    };
    const exitCode = await runCli(args, { io, runtime });
    return withPlaceholders(`${io.out()}${exitCode > 1 ? `${io.err()}exit code ${exitCode}\n` : ''}`);
  }

  /** Every moment five days back, so that an age is the same words in each run. */
  async function age(): Promise<void> {
    const { db } = database;
    const { rows } = await db.query<{ table: string; columns: string[] }>(
      `select c.table_name as table, array_agg(c.column_name::text) as columns
       from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
       where c.table_schema = 'public' and c.data_type like 'timestamp%' and t.table_type = 'BASE TABLE'
         and c.table_name in ('nodes', 'calls', 'callbacks', 'queue_visits', 'offers', 'agent_states', 'presence', 'call_events', 'config_versions',
           'users', 'secrets', 'queue_members', 'voicemails')
       group by c.table_name`,
    );
    await db.transaction(async (tx) => {
      await tx.query(`set local session_replication_role = 'replica'`);
      for (const { table, columns } of rows) {
        await tx.query(`update ${table} set ${columns.map((c) => `${c} = ${c} - interval '5 days'`).join(', ')}`);
      }
    });
  }

  beforeAll(async () => {
    database = await testDatabase({ max: 4 });
    dir = mkdtempSync(path.join(tmpdir(), 'golden-'));
    mkdirSync(path.join(dir, 'sidekick'));
    writeFileSync(
      path.join(dir, 'sidekick/config.yaml'),
      'contexts:\n  test: { database: "postgres://ops:pw@db.example.com/sidekick" }\n  prod: { server: "https://sidekick.example.com" }\n',
    );
    const { db } = database;
    await applyDocument(db, readDocument(CENTER, 'center.yaml'), { by: 'test' });
    const tenant = (await store.loadTenants(db)).find(({ name }) => name === 'acme')!;
    const support = (await store.loadQueues(db)).find(({ name }) => name === 'support')!;
    const { nodeId } = await store.registerNode(db, { name: 'node-1', version: '9.9.9' });
    for (const [id, callerNumber] of [
      [TALKING, '+4917612345678'],
      [WAITING, undefined],
    ] as const) {
      const call = {
        id,
        tenantId: tenant.id,
        nodeId,
        callerNumber,
        dialledNumber: '+49301000100',
        sipCallId: `${id}@x`,
      };
      await store.insertCall(db, call);
      await store.enqueue(db, { callId: id, queueId: support.id });
      await store.appendCallEvents(db, [{ callId: id, kind: 'call:waiting', data: { queue: 'support', position: 1 } }]);
    }
    const anna = (await store.agentByName(db, 'Anna'))!;
    const [offer] = await store.insertOffers(db, [{ callId: TALKING, queueId: support.id, agentId: anna.id }]);
    await store.markRinging(db, offer!.offerId);
    await store.markAnswered(db, offer!.offerId);
    const sales = (await store.loadQueues(db)).find(({ name }) => name === 'sales')!;
    await store.bookCallback(db, { id: BACK, callId: TALKING, queueId: sales.id, nodeId, number: '+4917612345678' });
    await store.restCallback(db, BACK, 1, 0);
    await db.query(
      `insert into presence (agent_id, tenant_id, availability, activity, read_at, changed_at, source)
       values ($1, $2, 'Busy', 'InACall', now(), now(), 'graph-poll')`,
      [anna.id, tenant.id],
    );
    for (const [voicemailId, callId] of [
      [MESSAGE, TALKING],
      ['bbbbbbbb-0000-4000-8000-000000000004', WAITING],
    ] as const) {
      await store.beginVoicemail(db, {
        voicemailId,
        tenantId: tenant.id,
        queueId: support.id,
        callId,
        callerNumber: callId === TALKING ? '+4917612345678' : undefined,
        callerName: callId === TALKING ? 'Müller, "Mia"' : undefined,
        mediaServer: 'fs1.example.net:8021',
        file: `${voicemailId}.wav`,
        maxMs: 60_000,
        keepDays: 90,
      });
      await store.endVoicemail(db, voicemailId, { lengthMs: callId === TALKING ? 12_345 : undefined, kept: true });
    }
    await store.setVoicemailState(db, MESSAGE, 'heard', 'cli:eva');
    await run(['users', 'create', 'eva', '--role', 'ops', '--tenant', 'acme']);
    await db.query(
      `insert into secrets (name, key_id, nonce, sealed, updated_by) values ('carrier-password', '11111111', $1, $2, 'cli:eva')`,
      [Buffer.alloc(12), Buffer.alloc(32)],
    );
    await age();
  });
  afterAll(async () => {
    await database.close();
    rmSync(dir, { recursive: true });
  });

  it('is kept for every list, and for every other command that takes a form, or there is a reason', () => {
    expect(withFormats.filter((name) => !(name in SHOWN) && !(name in ELSEWHERE))).toEqual([]);
    expect([...Object.keys(SHOWN), ...Object.keys(ELSEWHERE)].filter((name) => !withFormats.includes(name))).toEqual(
      [],
    );
    const lists = entries.map((entry) => entry.path.replace('sidekick ', '')).filter((name) => / list$/.test(name));
    expect(lists.filter((name) => !(name in SHOWN))).toEqual([]);
    const files = Object.keys(SHOWN).map((name) => `${name.replaceAll(' ', '-')}.txt`);
    expect(readdirSync(GOLDEN).sort()).toEqual(files.sort());
  });

  it.each(Object.entries(SHOWN))('sidekick %s', async (name, args) => {
    const words = [...name.split(' '), ...args];
    const shown: string[] = [];
    for (const format of OUTPUT_FORMATS) {
      // CRLF of CSV would not survive everybody's git.
      const out = (await run([...words, '-o', format])).replaceAll('\r\n', '\\r\n');
      shown.push(
        `$ sidekick ${words.map((word) => (word.includes(' ') ? `"${word}"` : word)).join(' ')} -o ${format}\n${out}`,
      );
    }
    const file = path.join(GOLDEN, `${name.replaceAll(' ', '-')}.txt`);
    const text = shown.join('\n');
    if (UPDATE) {
      writeFileSync(file, text);
    }
    expect(text).toEqual(existsSync(file) ? readFileSync(file, 'utf8') : 'nothing kept: see docs/testing.md');
    // A terminal gets the table, a pipe the tab separated values, and --json is -o json.
    const table = OUTPUT_FORMATS.indexOf('table');
    const tsv = OUTPUT_FORMATS.indexOf('tsv');
    if (/ list$/.test(name)) {
      expect(shown[table]).toContain(await run(words, true));
      expect(shown[tsv]).toContain(await run(words));
      expect(shown[OUTPUT_FORMATS.indexOf('json')]).toContain(await run([...words, '--json']));
    }
  });
});
