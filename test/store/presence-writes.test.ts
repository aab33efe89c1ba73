import { store } from '../../src/store';
import { testDatabase } from '../support/database';
import type { TestDatabase } from '../support/database';
import { makeScenario, reserve, waitingCall } from '../support/scenario';
import type { Scenario } from '../support/scenario';

let test: TestDatabase;
let scenario: Scenario;

beforeAll(async () => {
  test = await testDatabase();
});
beforeEach(async () => {
  await test.db.query('truncate tenants, nodes, presence_scopes restart identity cascade');
  scenario = await makeScenario(test.db, { agents: ['Anna', 'Ben'] });
});
afterAll(() => test.close());

const due = (on = true, scope = {}) => store.duePresenceWrites(test.db, { scope, on, renewMs: 300_000, limit: 100 });

/** Makes Anna an agent on the PBX who has a user at Entra too. */
async function onThePbx(): Promise<string> {
  const anna = scenario.agents['Anna']!;
  await test.db.query(
    `update agent_endpoints set kind = 'pbx', trunk_id = $2, sip_user = '4711', number = null where agent_id = $1`,
    [anna, scenario.trunks.pbx],
  );
  return anna;
}

async function connect(agentId: string): Promise<string> {
  const callId = await waitingCall(test.db, scenario);
  const offer = (await reserve(test.db, scenario, callId, agentId))!;
  await store.markRinging(test.db, offer);
  await store.markAnswered(test.db, offer);
  return offer;
}

describe('what has to be written to Teams', () => {
  it('is busy for an agent in a call on the PBX, once, until it is taken back', async () => {
    const anna = await onThePbx();
    expect(await due()).toEqual([]);
    const offer = await connect(anna);
    expect(await due()).toMatchObject([{ agentId: anna, reason: 'call', failures: 0 }]);
    await store.presenceWritten(test.db, anna, 600_000);
    expect(await due()).toEqual([]);
    expect(await store.countPresenceWrites(test.db, {})).toBe(1);
    await test.db.query('update queues set wrap_up_seconds = 0');
    await store.endConnection(test.db, offer, 'caller');
    expect(await due()).toMatchObject([{ agentId: anna, reason: undefined }]);
    await store.presenceWritten(test.db, anna, undefined);
    expect(await due()).toEqual([]);
    expect(await store.countPresenceWrites(test.db, {})).toBe(0);
  });

  it('is nothing for a call in Teams, which Teams shows itself, and busy for the rest after it', async () => {
    const ben = scenario.agents['Ben']!;
    const offer = await connect(ben);
    expect(await due()).toEqual([]);
    await store.endConnection(test.db, offer, 'caller');
    expect(await due()).toMatchObject([{ agentId: ben, reason: 'wrap-up' }]);
    await store.endWrapUp(test.db, ben, 'Ben');
    expect(await due()).toMatchObject([{ agentId: ben, reason: undefined }]);
  });

  it('is renewed before the session ends, and noted before Graph is asked', async () => {
    const anna = await onThePbx();
    await connect(anna);
    await due();
    expect((await test.db.query('select from presence_writes')).rowCount).toBe(1);
    await store.presenceWritten(test.db, anna, 299_000);
    expect(await due()).toMatchObject([{ agentId: anna, reason: 'call' }]);
  });

  it('is left alone for a while after Graph did not take it', async () => {
    const anna = await onThePbx();
    await connect(anna);
    await due();
    await store.presenceNotWritten(test.db, anna, 60_000, 'status 500');
    expect(await due()).toEqual([]);
    await test.db.query(`update presence_writes set retry_at = clock_timestamp() - interval '1 second'`);
    expect(await due()).toMatchObject([{ agentId: anna, failures: 1 }]);
  });

  it('never speaks against do not disturb', async () => {
    const anna = await onThePbx();
    await store.upsertPresences(test.db, [
      {
        agentId: anna,
        availability: 'DoNotDisturb',
        activity: 'DoNotDisturb',
        readAt: Date.now(),
        source: 'graph-poll',
      },
    ]);
    await connect(anna);
    expect(await due()).toEqual([]);
  });

  it('is only taken back while it is switched off, and only within the own tenants', async () => {
    const anna = await onThePbx();
    await connect(anna);
    await due();
    await store.presenceWritten(test.db, anna, 600_000);
    const { tenant } = (await store.agentByName(test.db, 'Anna'))!;
    expect(await due(false, { except: [tenant] })).toEqual([]);
    expect(await due(false, { only: [tenant] })).toMatchObject([{ agentId: anna, reason: undefined }]);
  });

  it('leaves an agent free although Graph still shows what was taken back', async () => {
    const anna = await onThePbx();
    await connect(anna);
    await due();
    await store.presenceWritten(test.db, anna, undefined);
    const { rows } = await test.db.query<{ cleared: boolean }>(
      'select presence_cleared_at is not null as cleared from agent_states where agent_id = $1',
      [anna],
    );
    expect(rows[0]?.cleared).toBe(true);
  });
});

describe('the lag of Graph', () => {
  const reading = (agentId: string, activity: string, agoMs = 0) => ({
    agentId,
    availability: activity === 'InACall' ? 'Busy' : activity,
    activity,
    readAt: Date.now() - agoMs,
    source: 'graph-poll' as const,
  });

  it('is measured from the answer of an agent in Teams until Graph shows the call, once', async () => {
    const ben = scenario.agents['Ben']!;
    await store.upsertPresences(test.db, [reading(ben, 'Available', 60_000)]);
    await connect(ben);
    await test.db.query(`update offers set answered_at = clock_timestamp() - interval '4 seconds'`);
    expect(await store.upsertPresences(test.db, [reading(ben, 'Available')])).toEqual([]);
    const [change] = await store.upsertPresences(test.db, [reading(ben, 'InACall')]);
    expect(change?.lagMs).toBeGreaterThan(3900);
    expect(change?.lagMs).toBeLessThan(6000);
    await store.upsertPresences(test.db, [reading(ben, 'Away')]);
    const [again] = await store.upsertPresences(test.db, [reading(ben, 'InACall')]);
    expect(again?.lagMs).toBeUndefined();
  });

  it('is none where the agent was in another call already', async () => {
    const ben = scenario.agents['Ben']!;
    await connect(ben);
    await test.db.query(`update offers set answered_at = clock_timestamp() + interval '1 hour'`);
    const [change] = await store.upsertPresences(test.db, [reading(ben, 'InACall')]);
    expect(change?.lagMs).toBeUndefined();
  });
});

describe('the task of reading presence', () => {
  it('is one node’s for each registration, with the pause that Graph asked for', async () => {
    const other = (await store.registerNode(test.db, { name: 'other' })).nodeId;
    const hold = (scope: string, node: string) => store.holdPresenceLease(test.db, scope, node, 10_000);
    expect(await hold('*', scenario.nodeId)).toEqual({ held: true, nodes: 2, pauseMs: 0 });
    expect(await hold('*', other)).toMatchObject({ held: false });
    expect(await hold('contoso', other)).toMatchObject({ held: true });
    await store.pausePresenceScope(test.db, '*', 30_000);
    await store.pausePresenceScope(test.db, '*', 5_000);
    const { pauseMs } = await hold('*', other);
    expect(pauseMs).toBeGreaterThan(29_000);
    expect((await hold('contoso', other)).pauseMs).toBe(0);
  });

  it('tells how it goes', async () => {
    await store.reportPresenceScope(test.db, '*', scenario.nodeId, {
      agents: 2,
      readAt: 1_000,
      error: undefined,
      requestsPerMinute: 30,
      lagMs: 1_500,
      lagAt: 2_000,
      push: 'live',
      pushDetail: undefined,
      notifiedAt: undefined,
      written: 1,
    });
    expect(await store.presenceScopes(test.db)).toMatchObject([
      { scope: '*', node: 'test', agents: 2, readAt: 1_000, lagMs: 1_500, push: 'live', written: 1, error: undefined },
    ]);
  });
});
