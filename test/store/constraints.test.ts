import { emptyDatabase, testDatabase, type TestDatabase } from '../support/database';
import { makeScenario, reserve, waitingCall, type Scenario } from '../support/scenario';

let test: TestDatabase;
let scenario: Scenario;

beforeAll(async () => {
  test = await testDatabase();
});
afterAll(async () => {
  await test.close();
});
beforeEach(async () => {
  await emptyDatabase(test.db);
  scenario = await makeScenario(test.db, { agents: ['Anna', 'Ben'] });
});

const UNIQUE = '23505';
const CHECK = '23514';
const FOREIGN = '23503';

/** Runs one statement that must be refused. */
async function refused(text: string, values: readonly unknown[], code: string): Promise<void> {
  await expect(test.db.query(text, values)).rejects.toMatchObject({ code });
}

describe('the database refuses', () => {
  it('a second open offer for an agent', async () => {
    const [first, second] = [await waitingCall(test.db, scenario), await waitingCall(test.db, scenario)];
    await reserve(test.db, scenario, first, scenario.agents['Anna']!);
    await refused(
      `insert into offers (tenant_id, call_id, visit_id, queue_id, agent_id, node_id, ring_timeout_ms)
       select v.tenant_id, v.call_id, v.id, v.queue_id, $2, $3, 1000 from queue_visits v where v.call_id = $1`,
      [second, scenario.agents['Anna'], scenario.nodeId],
      UNIQUE,
    );
  });

  it('a second winner of a call', async () => {
    const callId = await waitingCall(test.db, scenario);
    const insert = (agentId: string | undefined): Promise<unknown> =>
      test.db.query(
        `insert into offers (tenant_id, call_id, visit_id, queue_id, agent_id, node_id, ring_timeout_ms, state, answered_at)
         select v.tenant_id, v.call_id, v.id, v.queue_id, $2, $3, 1000, 'connected', now() from queue_visits v where v.call_id = $1`,
        [callId, agentId, scenario.nodeId],
      );
    await insert(scenario.agents['Anna']);
    await expect(insert(scenario.agents['Ben'])).rejects.toMatchObject({ code: UNIQUE });
  });

  it('a second stay of a call in queues', async () => {
    const callId = await waitingCall(test.db, scenario);
    await refused(
      'insert into queue_visits (tenant_id, call_id, queue_id, first_queued_at) values ($1, $2, $3, now())',
      [scenario.tenantId, callId, scenario.queueId],
      UNIQUE,
    );
  });

  it.each([
    ['a call that ended without a result', `update calls set state = 'ended', ended_at = now()`],
    ['a call with a result that goes on', `update calls set result = 'success', reason = 'x'`],
    ['a result of another word', `update calls set state = 'ended', ended_at = now(), result = 'fine', reason = 'x'`],
    ['a connected call without its offer', `update calls set state = 'connected'`],
    ['a stay that ended without an outcome', 'update queue_visits set ended_at = now()'],
    [
      'a stay that began before the waiting',
      `update queue_visits set first_queued_at = queued_at + interval '1 second'`,
    ],
    ['a class above 9', 'update queue_visits set class = 10'],
    ['an offer that ended without an outcome', `update offers set state = 'ended', ended_at = now()`],
    [
      'an answered offer that nobody answered',
      `update offers set state = 'ended', ended_at = now(), outcome = 'answered'`,
    ],
    ['a canceled offer without a reason', `update offers set state = 'ended', ended_at = now(), outcome = 'canceled'`],
    ['a connected offer without its answer', `update offers set state = 'connected'`],
    ['an offer that ends but stays open', `update offers set outcome = 'declined'`],
    ['a level of 0', 'update queue_members set level = 0'],
    ['a pause without a reason', `update agent_states set state = 'paused'`],
    ['a wrap-up without an end', `update agent_states set state = 'wrap-up'`],
    ['being not ready for another reason', `update agent_states set state = 'not-ready', reason = 'tired'`],
    ['a ready agent with an end of that', 'update agent_states set until = now()'],
    ['an unknown strategy', `update queues set strategy = 'random'`],
    ['a queue that rings nobody', 'update queues set ring_timeout_seconds = 0'],
    ['no accepted presence', `update queues set presence_accept = '{}'`],
    ['a Teams endpoint without a number', 'update agent_endpoints set number = null'],
    ['a number without a plus', `update agent_endpoints set number = '4930123456'`],
    ['a name with a space', `update queues set name = 'tech support'`],
    ['a country in small letters', `update tenants set country = 'de'`],
  ])('%s', async (_what, statement) => {
    const callId = await waitingCall(test.db, scenario);
    await reserve(test.db, scenario, callId, scenario.agents['Anna']!);
    await refused(statement, [], CHECK);
  });

  it.each(['4930', '0301234567', '+0301234567', '+49 30 1234567', '+4930123456789012', '+49', ''])(
    'the dialled number "%s"',
    async (e164) => {
      await refused(
        'insert into numbers (e164, tenant_id, queue_id) values ($1, $2, $3)',
        [e164, scenario.tenantId, scenario.queueId],
        CHECK,
      );
    },
  );

  it('a number of two tenants, and one that leads to the queue of another tenant', async () => {
    const other = await makeScenario(test.db);
    const insert = 'insert into numbers (e164, tenant_id, queue_id) values ($1, $2, $3)';
    await test.db.query(insert, ['+4930123456', scenario.tenantId, scenario.queueId]);
    await refused(insert, ['+4930123456', other.tenantId, other.queueId], UNIQUE);
    await refused(insert, ['+4930123457', other.tenantId, scenario.queueId], FOREIGN);
  });

  it('a member of another tenant, and an endpoint on a trunk of another kind', async () => {
    const other = await makeScenario(test.db);
    await refused(
      'insert into queue_members (queue_id, agent_id, tenant_id) values ($1, $2, $3)',
      [other.queueId, scenario.agents['Anna'], other.tenantId],
      FOREIGN,
    );
    await refused('update agent_endpoints set trunk_id = $1', [scenario.trunks.pbx], FOREIGN);
  });

  it('an overflow of a queue into itself, whatever the reason', async () => {
    for (const exits of ['{"full": {"queues": ["support"]}}', '{"keys": {"1": {"queues": ["support"]}}}']) {
      await refused('update queues set exits = $1', [exits], CHECK);
    }
  });

  it('announcements of another form, and such that name a prompt that is not there or take it away', async () => {
    const { db } = test;
    const said = (rules: string, every = 60): string =>
      `{"firstAfterSeconds": 0, "everySeconds": ${every}, "rules": ${rules}}`;
    for (const wrong of [
      said('[]'),
      said('[{"place": {"to": 1}}]'),
      said('[{"prompt": "hello"}]', 9),
      said('[{"prompt": "hello", "place": {"upTo": 1}}]'),
      said('[{"prompt": "hello", "place": {"to": 0}}]'),
      said('[{"prompt": "hello", "estimatedWaitSeconds": {"from": "1"}}]'),
      '{"rules": [{"prompt": "hello"}]}',
      '[]',
    ]) {
      await refused('update queues set announcements = $1', [wrong], CHECK);
    }
    const right = said('[{"prompt": "hello", "place": {"from": 1, "to": 2}}, {"prompt": "hello"}]');
    await refused('update queues set announcements = $1', [right], FOREIGN);
    await db.query(`insert into prompts (tenant_id, name, kind, source) values ($1, 'hello', 'file', 'hello.wav')`, [
      scenario.tenantId,
    ]);
    await db.query('update queues set announcements = $1 where tenant_id = $2', [right, scenario.tenantId]);
    await refused('delete from prompts where name = $1', ['hello'], FOREIGN);
    await db.query('update queues set announcements = null');
    await db.query(`delete from prompts where name = 'hello'`);
  });

  it.each([
    [
      'queues that overflow into each other',
      `{"full": {"queues": ["sales"]}}`,
      `{"maxWait": {"queues": ["support"]}}`,
      `[{"hangUp": {}}]`,
    ],
    [
      'a queue and a flow',
      `{"closed": {"flow": "welcome"}}`,
      `{}`,
      `[{"hours": "office", "closed": [{"enqueue": "support"}]}, {"hangUp": {}}]`,
    ],
    [
      'a flow after silence in its menu, over two queues',
      `{"noAgents": {"queues": ["sales"]}}`,
      `{"full": {"flow": "welcome"}}`,
      `[{"menu": {"prompt": "hello", "keys": {"1": [{"hangUp": {}}]}, "noInput": [{"enqueue": "support"}]}}]`,
    ],
  ])('%s, when each alone would be right', async (_what, support, sales, steps) => {
    const { db } = test;
    await db.query(`insert into prompts (tenant_id, name, kind, source) values ($1, 'hello', 'file', 'hello.wav')`, [
      scenario.tenantId,
    ]);
    await db.query(`insert into hours (tenant_id, name, weekly) values ($1, 'office', $2)`, [
      scenario.tenantId,
      JSON.stringify(Object.fromEntries(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'].map((day) => [day, []]))),
    ]);
    await db.query(`insert into queues (tenant_id, name) values ($1, 'sales')`, [scenario.tenantId]);
    await db.query(`insert into flows (tenant_id, name, steps) values ($1, 'welcome', $2)`, [scenario.tenantId, steps]);
    await db.query(`update queues set exits = $1 where name = 'sales'`, [sales]);
    // The last one closes the round; both in one transaction do too.
    await refused(`update queues set exits = $1 where name = 'support'`, [support], CHECK);
    await refused(
      `update queues set exits = case name when 'support' then $1::jsonb else $2::jsonb end`,
      [support, sales],
      CHECK,
    );
    // What the caller chooses is no round.
    const chosen = `[{"menu": {"prompt": "hello", "keys": {"1": [{"enqueue": "support"}]}}}]`;
    await db.query(`update queues set exits = '{}' where name = 'sales'`);
    await db.query('update flows set steps = $1', [chosen]);
    await db.query(`update queues set exits = '{"full": {"flow": "welcome"}}' where name = 'support'`);
    // Any other column of a queue may change.
    await db.query('update queues set wrap_up_seconds = 3');
  });
});

describe('voicemail in the database', () => {
  const db = (): TestDatabase['db'] => test.db;
  const support = (set: string): Promise<unknown> => db().query(`update queues set ${set} where name = 'support'`);
  const RULES = `'{"maxSeconds": 60, "silenceSeconds": 5, "minSeconds": 2, "keepDays": 7}'`;

  it('is an action of an exit and of a key, with the name of a queue that is there', async () => {
    await support(`exits = '{"closed": {"voicemail": "support"}, "keys": {"1": {"voicemail": "support"}}}'`);
    for (const exits of [
      '{"closed": {"voicemail": 5}}',
      '{"closed": {"voicemail": true}}',
      '{"keys": {"1": {"voicemail": "support", "hangUp": true}}}',
    ]) {
      await refused(`update queues set exits = $1 where name = 'support'`, [exits], CHECK);
    }
    await refused(
      `update queues set exits = '{"closed": {"voicemail": "nobody"}}' where name = 'support'`,
      [],
      FOREIGN,
    );
    await refused(
      `insert into flows (tenant_id, name, steps) values ($1, 'late', '[{"voicemail": "nobody"}]')`,
      [scenario.tenantId],
      FOREIGN,
    );
  });

  it('has limits, and prompts that are there as long as it names them', async () => {
    await support(`voicemail = ${RULES}`);
    for (const change of [
      `'{"maxSeconds": 2}'`,
      `'{"keepDays": 0}'`,
      `'{"minSeconds": -1}'`,
      `'{"silenceSeconds": "5"}'`,
    ]) {
      await refused(`update queues set voicemail = voicemail || ${change} where name = 'support'`, [], CHECK);
    }
    await refused(
      `update queues set voicemail = voicemail || '{"greeting": "leave"}' where name = 'support'`,
      [],
      FOREIGN,
    );
    await db().query(`insert into prompts (tenant_id, name, kind, source) values ($1, 'leave', 'tone', '%(1,0,1)')`, [
      scenario.tenantId,
    ]);
    await support(`voicemail = voicemail || '{"greeting": "leave", "thanks": "leave"}'`);
    await refused(`delete from prompts where name = 'leave'`, [], FOREIGN);
    await support('voicemail = null');
    await db().query(`delete from prompts where name = 'leave'`);
  });
});
