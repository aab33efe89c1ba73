import { newId } from '../../src/lib/ids';
import { decide } from '../../src/routing/decide';
import { explain } from '../../src/routing/explain';
import { store } from '../../src/store';
import { emptyDatabase, testDatabase, type TestDatabase } from '../support/database';
import { addAgent, arrivedCall, makeScenario, reserve, waitingCall, type Scenario } from '../support/scenario';

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

async function addQueue(
  scenario: Scenario,
  name: string,
  members: readonly string[],
  more: object = {},
): Promise<string> {
  const { rows } = await test.db.query<{ id: string }>(
    `insert into queues (tenant_id, name, exits) values ($1, $2, $3) returning id`,
    [scenario.tenantId, name, JSON.stringify(more)],
  );
  const queueId = rows[0]!.id;
  for (const agentId of members) {
    await test.db.query('insert into queue_members (queue_id, agent_id, tenant_id) values ($1, $2, $3)', [
      queueId,
      agentId,
      scenario.tenantId,
    ]);
  }
  return queueId;
}

async function callIn(scenario: Scenario, queueId: string, callerNumber = '+4930555'): Promise<string> {
  const callId = newId();
  await store.insertCall(test.db, {
    id: callId,
    tenantId: scenario.tenantId,
    nodeId: scenario.nodeId,
    callerNumber,
    dialledNumber: '+49301000100',
    sipCallId: callId,
  });
  await store.enqueue(test.db, { callId, queueId });
  return callId;
}

describe('the scope of a snapshot', () => {
  it('is the queue, and every queue with waiting calls that shares a free member with it', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna', 'Ben'] });
    const { Anna, Ben } = scenario.agents as { Anna: string; Ben: string };
    const sales = await addQueue(scenario, 'sales', [Anna]);
    const idle = await addQueue(scenario, 'idle', [Anna]);
    const apart = await addQueue(scenario, 'apart', []);
    const busy = await addQueue(scenario, 'busy', [Ben]);
    for (const queueId of [sales, apart, busy]) {
      await callIn(scenario, queueId);
    }
    await store.pause(test.db, Ben, 'lunch', 'Ben');
    await waitingCall(test.db, scenario);
    const snapshot = (await store.snapshotQueue(test.db, scenario.queueId))!;
    expect(snapshot.queues.map((q) => q.queueId).sort()).toEqual([scenario.queueId, sales].sort());
    expect(snapshot.calls.map((c) => c.queueId).sort()).toEqual([scenario.queueId, sales].sort());
    const anna = snapshot.agents.find((a) => a.agentId === Anna)!;
    expect(anna.memberships.map((m) => m.queueId).sort()).toEqual([scenario.queueId, sales].sort());
    expect(idle).toBeDefined();
    expect(snapshot).not.toHaveProperty('elsewhere');
  });

  it('knows of queues beyond it, to which exits lead, how many wait, serve and are free there', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'] });
    const third = await addQueue(scenario, 'third', []);
    const clara = await addAgent(test.db, {
      tenantId: scenario.tenantId,
      trunkId: scenario.trunks.teams,
      queueId: third,
      name: 'Clara',
      position: 1,
    });
    await addQueue(scenario, 'second', [clara], { full: { queues: ['third'] } });
    await test.db.query(`update queues set exits = '{"maxWait": {"queues": ["second"]}}' where id = $1`, [
      scenario.queueId,
    ]);
    await callIn(scenario, third);
    await waitingCall(test.db, scenario);
    const snapshot = (await store.snapshotQueue(test.db, scenario.queueId))!;
    expect(snapshot.elsewhere?.map(({ name, waiting, signedIn }) => ({ name, waiting, signedIn }))).toEqual(
      expect.arrayContaining([
        { name: 'second', waiting: 0, signedIn: 1 },
        { name: 'third', waiting: 1, signedIn: 1 },
      ]),
    );
    expect(snapshot.agents.map((a) => a.name)).toEqual(['Anna']);
  });

  it('leaves out calls of a node that does not answer: nobody is kept for them', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'] });
    await waitingCall(test.db, scenario);
    await test.db.query(`update nodes set heartbeat_at = clock_timestamp() - interval '11 seconds'`);
    expect((await store.snapshotQueue(test.db, scenario.queueId))!.calls).toEqual([]);
    await store.heartbeat(test.db, scenario.nodeId);
    expect((await store.snapshotQueue(test.db, scenario.queueId))!.calls.length).toBe(1);
  });
});

describe('the clock and the place of a caller', () => {
  const drop = async (callId: string): Promise<void> => {
    await store.endCall(test.db, callId, 'abandoned', 'caller-gave-up-waiting');
  };

  it('resumeWithinSeconds: a caller who drops and calls back in time keeps the place, once, and nobody else does', async () => {
    const scenario = await makeScenario(test.db, { queue: { resume_within_seconds: 60 } });
    const first = await callIn(scenario, scenario.queueId, '+49301');
    const { rows } = await test.db.query<{ at: number }>(
      `update queue_visits set first_queued_at = first_queued_at - interval '5 minutes' where call_id = $1
       returning round(extract(epoch from first_queued_at) * 1000)::float8 as at`,
      [first],
    );
    await drop(first);
    const enqueue = async (callerNumber: string) => {
      const callId = newId();
      await store.insertCall(test.db, {
        id: callId,
        tenantId: scenario.tenantId,
        nodeId: scenario.nodeId,
        callerNumber,
        dialledNumber: '+49301000100',
        sipCallId: callId,
      });
      return (await store.enqueue(test.db, { callId, queueId: scenario.queueId }))!;
    };
    expect(await enqueue('+49302')).toMatchObject({ resumed: false });
    const twins = await Promise.all([enqueue('+49301'), enqueue('+49301')]);
    expect(twins.filter((place) => place.resumed).length).toBe(1);
    expect(twins.find((place) => place.resumed)).toMatchObject({ firstQueuedAt: rows[0]!.at, position: 1 });
  });

  it('resumeWithinSeconds: a place is not kept where the queue does not say so, except for a caller whose node died', async () => {
    const scenario = await makeScenario(test.db, {});
    await drop(await callIn(scenario, scenario.queueId, '+49301'));
    const callId = await callIn(scenario, scenario.queueId, '+49301');
    const before = (await store.queuePositions(test.db, scenario.queueId))[0]!;
    expect(before).toMatchObject({ callId, position: 1 });
    const taken = await test.db.query('select from queue_visits where call_id = $1 and resumed_visit_id is not null', [
      callId,
    ]);
    expect(taken.rowCount).toBe(0);
    await store.releaseDeadNode(test.db, scenario.nodeId, 0);
    const other = await store.registerNode(test.db, { name: 'other' });
    const back = await callIn({ ...scenario, nodeId: other.nodeId }, scenario.queueId, '+49301');
    const { rows } = await test.db.query(
      `select v.resumed_visit_id is not null as resumed from queue_visits v where v.call_id = $1`,
      [back],
    );
    expect(rows).toEqual([{ resumed: true }]);
  });

  it('moving a call never sets the clock back, and what was given to the call itself goes with it', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'] });
    const sales = await addQueue(scenario, 'sales', []);
    const callId = await arrivedCall(test.db, scenario);
    const traits = { class: 7, headStartMs: 9_000, needs: [{ skill: 'german', atLeast: 3 }], preferAgents: ['Anna'] };
    const first = (await store.enqueue(test.db, { callId, queueId: scenario.queueId, ...traits }))!;
    const moved = (await store.enqueue(test.db, { callId, queueId: sales }))!;
    expect(moved.firstQueuedAt).toBe(first.firstQueuedAt);
    const [call] = (await store.snapshotQueue(test.db, sales))!.calls;
    expect(call).toMatchObject({ ...traits, queueId: sales, firstQueuedAt: first.firstQueuedAt });
  });

  it('whoever sent the caller on is not asked for a while, unless nobody else is there', async () => {
    const scenario = await makeScenario(test.db, {
      agents: ['Anna', 'Ben'],
      queue: { wrap_up_seconds: 0, no_answer_retry_seconds: 40 },
    });
    const { queueId, agents } = scenario;
    const sentOn = async (endedBy: 'agent' | 'caller'): Promise<{ ms: number | undefined; agentId?: string }> => {
      const callId = await callIn(scenario, queueId, '+49301');
      const offerId = (await reserve(test.db, scenario, callId, agents['Anna']!))!;
      await store.markAnswered(test.db, offerId);
      await store.endConnection(test.db, offerId, endedBy);
      const place = (await store.enqueue(test.db, { callId, queueId }))!;
      const call = (await store.snapshotQueue(test.db, queueId))!.calls.find((one) => one.callId === callId)!;
      const [one] = call.excluded ?? [];
      return one ? { ms: one.until - place.queuedAt, agentId: one.agentId } : { ms: undefined };
    };
    expect(await sentOn('agent')).toEqual({ ms: 40_000, agentId: agents['Anna'] });
    expect(await sentOn('caller')).toEqual({ ms: undefined });
    await store.signOut(test.db, agents['Ben']!, 'Ben');
    expect(await sentOn('agent')).toEqual({ ms: undefined });
  });

  it('knows the agent who spoke with this caller last, where the queue prefers that one', async () => {
    const scenario = await makeScenario(test.db, {
      agents: ['Anna', 'Ben'],
      queue: { prefer_last_agent: JSON.stringify({ withinDays: 7, waitSeconds: 60 }), wrap_up_seconds: 0 },
    });
    const before = await callIn(scenario, scenario.queueId, '+49301');
    const offerId = (await reserve(test.db, scenario, before, scenario.agents['Ben']!))!;
    await store.markAnswered(test.db, offerId);
    await store.endConnection(test.db, offerId, 'caller');
    await store.endCall(test.db, before, 'success', 'caller-hung-up');
    await callIn(scenario, scenario.queueId, '+49301');
    await callIn(scenario, scenario.queueId, '+49302');
    const { calls } = (await store.snapshotQueue(test.db, scenario.queueId))!;
    expect(calls.map((c) => c.lastAgent?.agentId)).toEqual([scenario.agents['Ben'], undefined]);
  });
});

describe('what a queue remembers of an agent', () => {
  const talk = async (scenario: Scenario, agent: string): Promise<void> => {
    const callId = await waitingCall(test.db, scenario);
    const offerId = (await reserve(test.db, scenario, callId, scenario.agents[agent]!))!;
    await store.markAnswered(test.db, offerId);
    await store.endConnection(test.db, offerId, 'caller');
    await store.endCall(test.db, callId, 'success', 'caller-hung-up');
  };
  const handled = async (scenario: Scenario): Promise<Record<string, number>> => {
    const { agents } = (await store.snapshotQueue(test.db, scenario.queueId))!;
    return Object.fromEntries(agents.map((a) => [a.name, a.memberships[0]!.handledToday ?? 0]));
  };

  it('fewest-calls: counted by the day, a break resets nothing, and who comes late starts at the mean', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna', 'Ben', 'Carl'], queue: { wrap_up_seconds: 0 } });
    await store.signOut(test.db, scenario.agents['Carl']!, 'Carl');
    for (const agent of ['Anna', 'Anna', 'Anna', 'Ben']) {
      await talk(scenario, agent);
    }
    expect(await handled(scenario)).toEqual({ Anna: 3, Ben: 1, Carl: 0 });
    await store.pause(test.db, scenario.agents['Anna']!, 'lunch', 'Anna');
    await store.ready(test.db, scenario.agents['Anna']!, 'Anna');
    await store.signIn(test.db, scenario.agents['Carl']!, 'Carl');
    expect(await handled(scenario)).toEqual({ Anna: 3, Ben: 1, Carl: 2 });
    const { tenantId, trunks, queueId } = scenario;
    await addAgent(test.db, { tenantId, trunkId: trunks.teams, queueId, name: 'Dora', position: 4 });
    expect(await handled(scenario)).toMatchObject({ Dora: 2 });
    await test.db.query('update queue_members set day = day - 1');
    expect(await handled(scenario)).toEqual({ Anna: 0, Ben: 0, Carl: 0, Dora: 0 });
  });

  it('least-occupied: counts the time signed in and at work, wrap-up included, of this day alone', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'], queue: { wrap_up_seconds: 30 } });
    const back = (column: string, seconds: number) =>
      test.db.query(`update agent_states set ${column} = ${column} - interval '${seconds} seconds'`);
    await talk(scenario, 'Anna');
    await back('changed_at', 5);
    await store.endWrapUp(test.db, scenario.agents['Anna']!, 'Anna');
    await back('signed_in_at', 8);
    const [anna] = (await store.snapshotQueue(test.db, scenario.queueId))!.agents;
    expect(anna!.handlingMsToday).toBeGreaterThanOrEqual(5_000);
    expect(anna!.handlingMsToday).toBeLessThan(15_000);
    expect(anna!.signedInMsToday).toBeGreaterThanOrEqual(8_000);
    expect(anna!.signedInMsToday).toBeLessThan(60_000);
    await test.db.query('update agent_states set day = day - 1');
    expect((await store.snapshotQueue(test.db, scenario.queueId))!.agents[0]).not.toHaveProperty('handlingMsToday');
  });
});

describe('a decision', () => {
  it('is written down with what it was made from, and found by call, queue and time', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'] });
    const callId = await waitingCall(test.db, scenario);
    const snapshot = (await store.snapshotQueue(test.db, scenario.queueId))!;
    const decision = decide(snapshot);
    const id = newId();
    const record = {
      id,
      queueId: scenario.queueId,
      nodeId: scenario.nodeId,
      at: snapshot.now,
      trigger: 'event',
      snapshot,
      explanations: [explain(snapshot, decision, callId)],
      assignments: decision.assignments,
    };
    await store.recordDecisions(test.db, [record]);
    await store.recordDecisions(test.db, [record]);
    const stored = await store.decisions(test.db, { callId });
    expect(stored).toEqual([{ ...record, tenantId: scenario.tenantId, queue: 'support' }]);
    expect(decide(stored[0]!.snapshot)).toEqual(decision);
    expect(await store.decisions(test.db, { queueId: scenario.queueId, to: snapshot.now })).toEqual([]);
    expect((await store.decisions(test.db, { queueId: scenario.queueId, from: snapshot.now })).length).toBe(1);
    expect(await store.decisions(test.db, { after: { at: snapshot.now, id } })).toEqual([]);
    expect(await store.forgetDecisions(test.db, 60_000, 10)).toBe(0);
    await test.db.query(`update decisions set at = at - interval '2 minutes'`);
    expect(await store.forgetDecisions(test.db, 60_000, 10)).toBe(1);
  });
});
