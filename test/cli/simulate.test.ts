import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCli } from '../../src/cli/run';
import { applyDocument } from '../../src/config/documents/apply-document';
import { readDocument } from '../../src/config/documents/parse-document';
import { newId } from '../../src/lib/ids';
import { scenarioSchema } from '../../src/simulation/scenario/schema';
import { testDatabase } from '../support/database';
import type { TestDatabase } from '../support/database';
import { testIo } from '../support/test-io';

const PAGE = readFileSync(path.join(__dirname, '../../docs/simulation.md'), 'utf8');
const EXAMPLE = /```yaml\n(apiVersion[\s\S]*?)```/.exec(PAGE)![1]!;

const runtime = {
  startNode: () => Promise.reject(new Error('none')),
  startEmbedded: () => Promise.reject(new Error('none')),
};

const CENTER = `
apiVersion: sidekick/v1
tenants:
  - { name: demo, country: DE, timeZone: Europe/Berlin }
trunks:
  - { name: pbx, kind: pbx, host: 127.0.0.1 }
queues:
  - { name: support, wrapUpSeconds: 0, members: [{ agent: Anna }, { agent: Ben }] }
  - { name: sales, wrapUpSeconds: 0, members: [{ agent: Ben }] }
  - { name: apart, members: [{ agent: Cleo }] }
agents:
  - { name: Anna, signedIn: true, endpoints: [{ kind: pbx, trunk: pbx, user: '1' }] }
  - { name: Ben, signedIn: true, endpoints: [{ kind: pbx, trunk: pbx, user: '2' }] }
  - { name: Cleo, endpoints: [{ kind: pbx, trunk: pbx, user: '3' }] }
`;

describe('sidekick simulate', () => {
  let dir: string;
  let database: TestDatabase;

  const cli = async (...args: string[]) => {
    const io = testIo({ cwd: dir, env: { SIDEKICK_DATABASE_URL: database.url } });
    return { exitCode: await runCli(args, { io, runtime }), out: io.out(), err: io.err() };
  };
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(dir, name), text);
    return name;
  };

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'simulate-'));
    database = await testDatabase({ max: 2 });
    await applyDocument(database.db, readDocument(CENTER, 'center.yaml'), { by: 'test' });
  });

  afterAll(async () => {
    await database.close();
    rmSync(dir, { recursive: true });
  });

  it('runs the example of the documentation, and the same seed gives the same result', async () => {
    const name = file('monday.yaml', EXAMPLE);
    const first = await cli('simulate', name, '--runs', '3', '-o', 'json', '--html', 'monday.html');
    expect(first.exitCode).toBe(0);
    const report = JSON.parse(first.out);
    expect(report.apiVersion).toBe('sidekick/v1');
    expect(report.simulation).toMatchObject({ name: 'as it is', runs: 3 });
    const [support] = report.simulation.queues;
    expect(support.queue).toBe('support');
    expect(support.arrived.mean).toBeGreaterThan(1400);
    expect(support.serviceLevel.mean).toBeGreaterThan(0.4);
    expect(support.serviceLevel.halfWidth).toBeGreaterThan(0);
    const [comparison] = report.comparisons;
    expect(comparison.variant.name).toBe('two of them also take sales');
    const sales = comparison.difference.queues.find((q: { queue: string }) => q.queue === 'sales');
    expect(sales.arrived).toEqual({ mean: 0, halfWidth: 0 });
    expect(sales.serviceLevel.mean).toBeGreaterThan(0);
    expect((await cli('simulate', name, '--runs', '3', '-o', 'json')).out).toBe(first.out);
    expect((await cli('simulate', name, '--runs', '3', '--seed', '9', '-o', 'json')).out).not.toBe(first.out);
    const page = readFileSync(path.join(dir, 'monday.html'), 'utf8');
    expect(page).toContain('<svg');
    expect(page).toContain('two of them also take sales');
    expect(page).not.toMatch(/NaN|undefined|https?:/);
  });

  it('compares two configurations with the same callers', async () => {
    file('center.yaml', CENTER);
    file(
      'bigger.yaml',
      CENTER.replace('{ agent: Ben }] }\n  - { name: sales', '{ agent: Ben }, { agent: Cleo }] }\n  - { name: sales'),
    );
    const name = file(
      'traffic.yaml',
      `apiVersion: sidekick/v1
kind: simulation
hours: 5
configuration: center.yaml
traffic:
  - { queue: support, perHour: 40, patience: { meanSeconds: 120 }, handling: { meanSeconds: 150 } }
`,
    );
    const { exitCode, out } = await cli('simulate', name, '--compare', 'bigger.yaml', '-o', 'json');
    expect(exitCode).toBe(0);
    const [comparison] = JSON.parse(out).comparisons;
    const support = comparison.difference.queues.find((q: { queue: string }) => q.queue === 'support');
    expect(support.abandoned.mean).toBeLessThan(-support.abandoned.halfWidth);
  });

  it('tells every mistake with line and column', async () => {
    const name = file('bad.yaml', EXAMPLE.replace('perHour: 30', 'perHuor: 30').replace('refuse: 0.03', 'refuse: 3'));
    const { exitCode, err } = await cli('simulate', name);
    expect(exitCode).toBe(2);
    expect(err).toMatch(/bad\.yaml:\d+:\d+: agents\.refuse: 3 is too large/);
    expect(err).toContain('did you mean perHour?');
    const unknown = await cli('simulate', file('unknown.yaml', EXAMPLE.replaceAll('queue: sales', 'queue: salse')));
    expect(unknown.exitCode).toBe(2);
    expect(unknown.err).toContain('there is no queue "salse"');
    expect((await cli('simulate')).exitCode).toBe(2);
    expect((await cli('simulate', 'nowhere.yaml')).err).toContain('there is no such file');
  });

  it('takes the last week of a queue from the facts', async () => {
    const tooLittle = await cli('simulate', '--last-week', 'support');
    expect(tooLittle.exitCode).toBe(5);
    expect(tooLittle.err).toContain('too little was recorded');
    await recordAWeek(database);
    const { exitCode, out, err } = await cli('simulate', '--last-week', 'support', '--runs', '4', '-o', 'json');
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
    const report = JSON.parse(out);
    const queues = report.simulation.queues.map((q: { queue: string; arrived: { mean: number } }) => [
      q.queue,
      q.arrived.mean,
    ]);
    // Sales shares Ben with support; nobody of support serves the third queue, whose callers are not in it.
    expect(queues).toEqual([
      ['apart', 0],
      ['sales', 6],
      ['support', 30],
    ]);
  });

  it('docs/simulation.md names every key of the file', () => {
    const keys = (schema: unknown): string[] => {
      const shape = (schema as { shape?: Record<string, unknown> }).shape ?? {};
      return Object.keys(shape);
    };
    const shape = scenarioSchema.shape;
    const expected = [
      ...keys(scenarioSchema),
      ...keys(shape.staff.unwrap().element),
      ...keys(shape.agents.unwrap()),
      ...keys(shape.traffic.element),
      ...keys(shape.traffic.element.shape.handling),
    ];
    expect(expected.length).toBeGreaterThan(30);
    for (const key of expected) {
      expect(PAGE).toMatch(new RegExp(`\\| \`${key}\` `));
    }
  });
});

/** 30 callers of support and 6 of sales: every fifth gives up, the others talk for three minutes. */
async function recordAWeek({ db }: TestDatabase): Promise<void> {
  const queue = `(select q.id from queues q where q.name = n.queue)`;
  await db.query(`insert into nodes (name) values ('recorder')`, []);
  for (const [name, count] of [
    ['support', 30],
    ['sales', 6],
  ] as const) {
    for (let i = 0; i < count; i++) {
      const [callId, visitId, offerId] = [newId(), newId(), newId()];
      const at = `clock_timestamp() - interval '5 days' + interval '${i * 20} minutes'`;
      const answered = i % 5 !== 0;
      await db.query(
        `with n as (select $1::uuid as call_id, $2::uuid as visit_id, $3::uuid as offer_id, $4::text as queue, ${at} as at
         ), c as (
           insert into calls (id, tenant_id, node_id, dialled_number, sip_call_id, state, created_at, ended_at, result, reason)
           select n.call_id, t.id, nd.id, '+49301000100', n.call_id::text, 'ended', n.at, n.at + interval '4 minutes', 'success', 'caller-hung-up'
           from n, tenants t, nodes nd where nd.name = 'recorder' returning *
         ), v as (
           insert into queue_visits (id, tenant_id, call_id, queue_id, first_queued_at, queued_at, ended_at, outcome)
           select n.visit_id, c.tenant_id, c.id, ${queue}, n.at, n.at, n.at + interval '20 seconds', $5 from n, c returning *
         ), o as (
           insert into offers (id, tenant_id, call_id, visit_id, queue_id, agent_id, node_id, state, reserved_at, ringing_at, answered_at,
             ended_at, outcome, ring_timeout_ms)
           select n.offer_id, v.tenant_id, v.call_id, v.id, v.queue_id, a.id, nd.id, 'ended', n.at, n.at + interval '15 seconds',
             n.at + interval '20 seconds', n.at + interval '200 seconds', 'answered', 20000
           from n, v, agents a, nodes nd where a.name = 'Ben' and nd.name = 'recorder' and $5 = 'answered' returning *
         )
         insert into connections (tenant_id, call_id, offer_id, queue_id, agent_id, started_at, ended_at, ended_by)
         select o.tenant_id, o.call_id, o.id, o.queue_id, o.agent_id, o.answered_at, o.ended_at, 'caller' from o`,
        [callId, visitId, offerId, name, answered ? 'answered' : 'abandoned'],
      );
    }
  }
}
