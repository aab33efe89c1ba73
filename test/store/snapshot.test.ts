import { store } from '../../src/store';
import { newId } from '../../src/lib/ids';
import { addAgent, arrivedCall, makeScenario, reserve, waitingCall } from '../support/scenario';
import { emptyDatabase, testDatabase, type TestDatabase } from '../support/database';

let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase();
});
afterAll(async () => {
  await test.close();
});
afterEach(async () => {
  await emptyDatabase(test.db);
});

describe('the snapshot of a queue', () => {
  it('holds the rules, the calls in order, and every member with all that is known', async () => {
    const scenario = await makeScenario(test.db, {
      agents: ['Anna', 'Ben'],
      queue: {
        presence_accept: ['Available', 'Busy'],
        stale_after_seconds: 7,
        presence_unknown: 'accept',
        presence_grace_seconds: 4,
      },
    });
    const { agents, queueId, trunks, tenantId } = scenario;
    const clara = await addAgent(test.db, {
      tenantId,
      trunkId: trunks.teams,
      queueId,
      name: 'Clara',
      position: 1,
      level: 2,
    });
    await test.db.query(
      `update agent_endpoints set kind = 'pbx', trunk_id = $2, number = null, entra_user_id = null, sip_user = '7' where agent_id = $1`,
      [clara, trunks.pbx],
    );
    const first = await waitingCall(test.db, scenario);
    const second = await waitingCall(test.db, scenario);
    const offerId = await reserve(test.db, scenario, first, agents['Ben']!);
    await store.pause(test.db, clara, 'lunch', 'Clara');
    await store.upsertPresences(test.db, [
      {
        agentId: agents['Anna']!,
        availability: 'Busy',
        activity: 'InACall',
        sequenceNumber: '5',
        readAt: Date.now() - 1500,
        source: 'graph-poll',
      },
    ]);

    const snapshot = (await store.snapshotQueue(test.db, queueId))!;
    expect(snapshot).toMatchObject({ queueId, seed: expect.any(Number) });
    expect(snapshot.queues).toMatchObject([
      {
        queueId,
        name: 'support',
        strategy: 'longest-idle',
        presence: { accept: ['Available', 'Busy'], staleAfterMs: 7000, unknown: 'accept', graceMs: 4000 },
      },
    ]);
    const waiting = {
      queueId,
      nodeId: scenario.nodeId,
      class: 0,
      headStartMs: 0,
      firstQueuedAt: expect.any(Number),
      queuedAt: expect.any(Number),
    };
    expect(snapshot.calls).toEqual([
      { ...waiting, callId: first, openOffers: [{ offerId, agentId: agents['Ben'] }] },
      { ...waiting, callId: second },
    ]);
    const [anna, ben, third] = snapshot.agents;
    expect(snapshot.agents.length).toBe(3);
    expect(anna).toMatchObject({
      name: 'Anna',
      memberships: [{ queueId, level: 1, position: 1, priority: 1 }],
      workState: { kind: 'ready' },
    });
    expect(anna).not.toHaveProperty('lastCallEndedAt');
    expect(anna).not.toHaveProperty('openOffer');
    expect(anna!.presence).toMatchObject({ availability: 'Busy', activity: 'InACall', source: 'graph-poll' });
    const age = snapshot.now - (anna!.presence as { readAt: number }).readAt;
    expect(age).toBeGreaterThanOrEqual(1500);
    expect(age).toBeLessThan(30_000);
    expect(ben).toMatchObject({
      name: 'Ben',
      presence: 'unknown',
      openOffer: { offerId, callId: first, connected: false },
    });
    expect(third).toMatchObject({
      name: 'Clara',
      memberships: [{ level: 2 }],
      presence: 'none',
      workState: { kind: 'paused', reason: 'lunch' },
      endpoint: { kind: 'pbx', up: true },
    });
  });

  it('orders calls by class, then waiting time with head start, then arrival', async () => {
    const scenario = await makeScenario(test.db, { queue: { priority_seconds: 5 } });
    const calls: string[] = [];
    for (const extra of [{}, { headStartMs: 60_000 }, { class: 3 }, { class: 3, headStartMs: 10 }, {}]) {
      const callId = await arrivedCall(test.db, scenario);
      calls.push(callId);
      await store.enqueue(test.db, { callId, queueId: scenario.queueId, ...extra });
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    await test.db.query(
      `update queue_visits set first_queued_at = first_queued_at - interval '1 hour' where call_id = $1`,
      [calls[4]],
    );
    const expected = [calls[2], calls[3], calls[4], calls[1], calls[0]];
    const snapshot = (await store.snapshotQueue(test.db, scenario.queueId))!;
    expect(snapshot.calls.map((call) => call.callId)).toEqual(expected);
    expect(snapshot.calls.map((call) => call.headStartMs)).toEqual([5000, 5010, 5000, 65_000, 5000]);
    const positions = await store.queuePositions(test.db, scenario.queueId);
    expect(positions.map(({ callId, position }) => [callId, position])).toEqual(
      expected.map((callId, i) => [callId, i + 1]),
    );
  });

  it('counts a wrap-up that is over as ready since its end', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'] });
    await test.db.query(
      `update agent_states set state = 'wrap-up', until = clock_timestamp() - interval '2 seconds', ready_since = clock_timestamp() - interval '1 hour'`,
    );
    const [anna] = (await store.snapshotQueue(test.db, scenario.queueId))!.agents;
    const { rows } = await test.db.query<{ until: number }>(
      'select round(extract(epoch from until) * 1000)::float8 as until from agent_states',
    );
    expect(anna).toMatchObject({ workState: { kind: 'ready' }, readySince: rows[0]!.until });
    const callId = await waitingCall(test.db, scenario);
    expect(await reserve(test.db, scenario, callId, scenario.agents['Anna']!)).toBeDefined();
    expect(await store.agentByName(test.db, 'Anna')).toMatchObject({
      state: 'ready',
      readySince: rows[0]!.until,
      changedAt: rows[0]!.until,
    });
  });

  it('shows an endpoint as down when every node that tried says so, or its trunk is off', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'] });
    const up = async (): Promise<boolean> =>
      (await store.snapshotQueue(test.db, scenario.queueId))!.agents[0]!.endpoint.up;
    const other = await store.registerNode(test.db, { name: 'other' });
    const trunkId = scenario.trunks.teams;
    expect(
      await store.reportTrunk(test.db, { nodeId: scenario.nodeId, trunkId, up: false, detail: 'no answer to OPTIONS' }),
    ).toBe(true);
    expect(await up()).toBe(false);
    expect(await store.reportTrunk(test.db, { nodeId: other.nodeId, trunkId, up: true })).toBe(false);
    expect(await up()).toBe(true);
    await store.stopNode(test.db, other.nodeId);
    expect(await up()).toBe(false);
    expect(await store.reportTrunk(test.db, { nodeId: scenario.nodeId, trunkId, up: true })).toBe(true);
    expect(await up()).toBe(true);
    await test.db.query('update trunks set enabled = false');
    expect(await up()).toBe(false);
  });

  it('is nothing for a queue that is not there', async () => {
    expect(await store.snapshotQueue(test.db, newId())).toBeUndefined();
    await expect(store.withQueueLock(test.db, `x'; drop table calls; --`, async () => undefined)).rejects.toMatchObject(
      { code: 'SK_NOT_FOUND' },
    );
  });
});

describe('a place in a queue', () => {
  it('is kept when the call moves to another queue', async () => {
    const scenario = await makeScenario(test.db, { queue: { max_wait_seconds: 90 } });
    const other = await test.db.query<{ id: string }>(
      `insert into queues (tenant_id, name) values ($1, 'sales') returning id`,
      [scenario.tenantId],
    );
    const callId = await arrivedCall(test.db, scenario);
    const first = (await store.enqueue(test.db, { callId, queueId: scenario.queueId }))!;
    expect(first).toMatchObject({ position: 1, maxWaitAt: first.queuedAt + 90_000 });
    expect(await store.enqueue(test.db, { callId, queueId: scenario.queueId })).toEqual(first);
    const moved = (await store.enqueue(test.db, { callId, queueId: other.rows[0]!.id }))!;
    expect(moved).toMatchObject({ firstQueuedAt: first.firstQueuedAt, maxWaitAt: undefined });
    expect(moved.visitId).not.toBe(first.visitId);
    const back = (await store.enqueue(test.db, { callId, queueId: scenario.queueId }))!;
    expect(back.firstQueuedAt).toBe(first.firstQueuedAt);
    const { rows } = await test.db.query('select outcome from queue_visits order by queued_at');
    expect(rows).toEqual([{ outcome: 'moved' }, { outcome: 'moved' }, { outcome: null }]);
  });

  it('is found by the sweep as long as it waits, and by the agents who serve it', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'] });
    expect(await store.queuesWithWaitingCalls(test.db)).toEqual([]);
    const callId = await waitingCall(test.db, scenario);
    expect(await store.queuesWithWaitingCalls(test.db)).toEqual([scenario.queueId]);
    expect(await store.queuesWaitingFor(test.db, [scenario.agents['Anna']!])).toEqual([
      { queues: [scenario.queueId], able: true },
    ]);
    expect(await store.queuesWaitingFor(test.db, [newId()])).toEqual([]);
    expect(await store.queuesWithWaitingCalls(test.db, newId())).toEqual([]);
    expect(await store.queuesWithWaitingCalls(test.db, scenario.nodeId, 0)).toEqual([scenario.queueId]);
    expect(await store.queuesWithWaitingCalls(test.db, scenario.nodeId, 60_000)).toEqual([]);
    await reserve(test.db, scenario, callId, scenario.agents['Anna']!);
    expect(await store.queuesWithWaitingCalls(test.db, scenario.nodeId)).toEqual([scenario.queueId]);
    expect(await store.queuesWithWaitingCalls(test.db, scenario.nodeId, 0)).toEqual([]);
    const left = await store.leaveQueue(test.db, callId, 'timed-out');
    expect(left).toMatchObject({ left: true, openOffers: [{ agentId: scenario.agents['Anna'] }] });
    expect(await store.leaveQueue(test.db, callId, 'abandoned')).toMatchObject({ left: false });
    expect((await store.findCall(test.db, callId))!.state).toBe('answered');
  });

  it('cannot be taken in a queue of another tenant', async () => {
    const scenario = await makeScenario(test.db);
    const other = await makeScenario(test.db);
    const callId = await arrivedCall(test.db, scenario);
    await expect(store.enqueue(test.db, { callId, queueId: other.queueId })).rejects.toMatchObject({
      code: 'SK_NOT_FOUND',
    });
    expect((await store.findCall(test.db, callId))!.state).toBe('arrived');
  });
});
