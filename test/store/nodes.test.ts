import { sleep } from '../../src/lib/clock';
import { newId } from '../../src/lib/ids';
import { store } from '../../src/store';
import { addAgent, makeScenario, reserve, waitingCall, type Scenario } from '../support/scenario';
import { emptyDatabase, testDatabase, type TestDatabase } from '../support/database';

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
  scenario = await makeScenario(test.db, { agents: ['Anna', 'Ben', 'Clara'] });
});

const silence = (nodeId: string): Promise<unknown> =>
  test.db.query(`update nodes set heartbeat_at = clock_timestamp() - interval '1 minute' where id = $1`, [nodeId]);

/** Resolves once some connection to the database of this test waits for a lock. */
async function waitsForLock(): Promise<void> {
  for (;;) {
    const { rowCount } = await test.db.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    if (rowCount > 0) {
      return;
    }
    await sleep(5);
  }
}

describe('a node', () => {
  it('that falls silent is seen by the others, and lives on when it speaks again', async () => {
    expect(await store.deadNodes(test.db, 10_000)).toEqual([]);
    await silence(scenario.nodeId);
    expect(await store.deadNodes(test.db, 10_000)).toMatchObject([{ id: scenario.nodeId, name: 'test' }]);
    expect(await store.heartbeat(test.db, scenario.nodeId)).toBe(true);
    expect(await store.deadNodes(test.db, 10_000)).toEqual([]);
    expect(await store.releaseDeadNode(test.db, scenario.nodeId, 10_000)).toBeUndefined();
  });

  it('that dies and comes back changes nothing about what agents said: every state survives', async () => {
    const { db } = test;
    const { Anna, Ben, Clara } = scenario.agents as Record<string, string>;
    await store.pause(db, Anna!, 'lunch', 'Anna');
    await store.forceState(db, Ben!, { kind: 'paused', reason: 'training' }, 'chief');
    const callId = await waitingCall(db, scenario);
    const offerId = (await reserve(db, scenario, callId, Clara!))!;
    await store.markAnswered(db, offerId);
    await store.endConnection(db, offerId, 'agent');
    await store.pauseInQueue(db, { agentId: Clara!, queueId: scenario.queueId, by: 'Clara' }, 'mail');
    const states = async (): Promise<readonly unknown[]> =>
      (
        await db.query(
          `select s.*, m.paused, m.pause_reason, m.signed_in from agent_states s join queue_members m on m.agent_id = s.agent_id order by 1`,
        )
      ).rows;
    const before = await states();
    expect(before.map((row) => (row as { state: string }).state).sort()).toEqual(['paused', 'paused', 'wrap-up']);
    await silence(scenario.nodeId);
    await store.releaseDeadNode(db, scenario.nodeId, 10_000);
    await store.registerNode(db, { name: 'test' });
    expect(await states()).toEqual(before);
  });

  it('that died leaves nothing behind: offers, connections, calls, places', async () => {
    const other = await store.registerNode(test.db, { name: 'other' });
    const [waiting, rung, talking] = [
      await waitingCall(test.db, scenario),
      await waitingCall(test.db, scenario),
      await waitingCall(test.db, scenario),
    ];
    const kept = await waitingCall(test.db, { ...scenario, nodeId: other.nodeId });
    await reserve(test.db, scenario, rung, scenario.agents['Anna']!);
    const connected = (await reserve(test.db, scenario, talking, scenario.agents['Ben']!))!;
    await store.markAnswered(test.db, connected);
    await reserve(test.db, scenario, kept, scenario.agents['Clara']!);
    await silence(scenario.nodeId);

    const released = await Promise.all([1, 2, 3].map(() => store.releaseDeadNode(test.db, scenario.nodeId, 10_000)));
    expect(released.filter((result) => result !== undefined)).toEqual([{ calls: 3, offers: 2, visits: 2 }]);
    for (const callId of [waiting, rung, talking]) {
      expect(await store.findCall(test.db, callId)).toMatchObject({
        state: 'ended',
        result: 'indeterminate',
        reason: 'node-lost',
      });
    }
    const facts = await test.db.query('select ended_by from connections');
    expect(facts.rows).toEqual([{ ended_by: 'node-lost' }]);
    expect(await store.agentByName(test.db, 'Anna')).toMatchObject({
      state: 'ready',
      offer: undefined,
      missedInRow: 0,
    });
    expect(await store.agentByName(test.db, 'Ben')).toMatchObject({ state: 'wrap-up', offer: undefined });
    expect(await store.agentByName(test.db, 'Clara')).toMatchObject({ offer: { callId: kept } });
    expect(await store.openWork(test.db)).toEqual({ openOffers: 1, liveCalls: 1, waitingCalls: 1, reservedAgents: 1 });
  });

  it('that died or stopped leaves no order open: whoever gave it hears what came of it', async () => {
    const order = async (nodeId: string): Promise<string> => {
      const callId = await waitingCall(test.db, { ...scenario, nodeId });
      const command = { callId, kind: 'hangup', args: {}, by: 'test' } as const;
      return (await store.addCallCommand(test.db, command)).commandId;
    };
    const { nodeId: stopping } = await store.registerNode(test.db, { name: 'stopping' });
    const [lost, stopped] = [await order(scenario.nodeId), await order(stopping)];
    await silence(scenario.nodeId);
    await store.releaseDeadNode(test.db, scenario.nodeId, 10_000);
    await store.stopNode(test.db, stopping);
    expect([await store.findCallCommand(test.db, lost), await store.findCallCommand(test.db, stopped)]).toMatchObject([
      { doneAt: expect.any(Number), outcome: 'the node that carried the call is lost' },
      { doneAt: expect.any(Number), outcome: 'the node that carried the call has stopped' },
    ]);
  });

  it('is released beside matches that want its callers or its agents, without a deadlock', async () => {
    const other = await store.registerNode(test.db, { name: 'other' });
    const [Anna, Ben] = ['Anna', 'Ben'].map((name) => scenario.agents[name]!) as [string, string];
    const [dead, rung] = [await waitingCall(test.db, scenario), await waitingCall(test.db, scenario)];
    const offerId = (await reserve(test.db, scenario, rung, Ben))!;
    const living = await waitingCall(test.db, { ...scenario, nodeId: other.nodeId });
    await silence(scenario.nodeId);
    let runs = 0;
    let released: Promise<unknown> = Promise.resolve();
    const { queueId } = scenario;
    const match = test.db.transaction(async (tx) => {
      runs++;
      // As a match does: the stays first. By now the release has what it can get of the calls and waits for a stay.
      await tx.query('select from queue_visits where call_id = any($1) order by call_id for no key update', [
        [dead, living],
      ]);
      released = store.releaseDeadNode(test.db, scenario.nodeId, 10_000);
      await waitsForLock();
      return await store.insertOffers(tx, [
        { callId: dead, queueId, agentId: Anna },
        { callId: living, queueId, agentId: Ben },
      ]);
    });
    const offers = await match;
    expect(offers.map((offer) => offer.callId)).toEqual([dead]);
    // Of the caller whom the match still reached, and of the one who was rung.
    expect(await released).toEqual({ calls: 2, offers: 2, visits: 2 });
    expect(runs).toBe(1);
    expect(await test.db.query('select id, cancel_reason from offers where ended_at is null')).toMatchObject({
      rows: [],
    });
    expect((await test.db.query('select cancel_reason from offers where id = $1', [offerId])).rows).toEqual([
      { cancel_reason: 'withdrawn' },
    ]);
    expect(await store.openWork(test.db)).toEqual({ openOffers: 0, liveCalls: 1, waitingCalls: 1, reservedAgents: 0 });
    const { rows } = await test.db.query<{ deadlocks: number }>(
      'select deadlocks::int from pg_stat_database where datname = current_database()',
    );
    expect(rows).toEqual([{ deadlocks: 0 }]);
  });

  it('that was given up hears of it, and may not take calls', async () => {
    await silence(scenario.nodeId);
    await store.releaseDeadNode(test.db, scenario.nodeId, 10_000);
    expect(await store.heartbeat(test.db, scenario.nodeId)).toBe(false);
    await expect(waitingCall(test.db, scenario)).rejects.toMatchObject({ code: 'SK_STOPPING' });
    expect(await store.holdLease(test.db, 'presence', scenario.nodeId, 1000)).toBe(false);
  });

  it('that stops is not dead', async () => {
    await store.stopNode(test.db, scenario.nodeId);
    await silence(scenario.nodeId);
    expect(await store.deadNodes(test.db, 10_000)).toEqual([]);
  });

  it('holds a task alone, until it stops renewing or stops', async () => {
    const other = await store.registerNode(test.db, { name: 'other' });
    const hold = (nodeId: string, forMs = 60_000): Promise<boolean> =>
      store.holdLease(test.db, 'presence', nodeId, forMs);
    const first = await Promise.all([hold(scenario.nodeId), hold(other.nodeId)]);
    expect(first.filter(Boolean).length).toBe(1);
    const [holder, rival] = first[0] ? [scenario.nodeId, other.nodeId] : [other.nodeId, scenario.nodeId];
    expect(await hold(holder)).toBe(true);
    expect(await hold(rival)).toBe(false);
    await test.db.query(`update leases set until = clock_timestamp() - interval '1 millisecond'`);
    expect(await hold(rival)).toBe(true);
    await store.stopNode(test.db, rival);
    expect(await hold(holder)).toBe(true);
  });
});

describe('an agent', () => {
  it('goes from state to state, each change told once and kept as a fact', async () => {
    const id = scenario.agents['Anna']!;
    expect(await store.signOut(test.db, id, 'Anna')).toEqual({ changed: true, state: 'signed-out', reason: undefined });
    expect(await store.pause(test.db, id, 'lunch', 'Anna')).toEqual({
      changed: false,
      state: 'signed-out',
      reason: undefined,
    });
    expect(await store.ready(test.db, id, 'Anna')).toMatchObject({ changed: false, state: 'signed-out' });
    expect(await store.signIn(test.db, id, 'Anna')).toMatchObject({ changed: true, state: 'ready' });
    expect(await store.signIn(test.db, id, 'Anna')).toMatchObject({ changed: false, state: 'ready' });
    expect(await store.pause(test.db, id, 'lunch', 'Anna')).toEqual({
      changed: true,
      state: 'paused',
      reason: 'lunch',
    });
    expect(await store.pause(test.db, id, 'training', 'boss')).toEqual({
      changed: true,
      state: 'paused',
      reason: 'training',
    });
    expect(await store.ready(test.db, id, 'boss')).toMatchObject({ changed: true, state: 'ready', reason: undefined });
    const log = await test.db.query(
      'select from_state, to_state, reason, by from agent_state_log where agent_id = $1 order by id',
      [id],
    );
    expect(log.rows).toEqual([
      { from_state: null, to_state: 'ready', reason: null, by: 'configuration' },
      { from_state: 'ready', to_state: 'signed-out', reason: null, by: 'Anna' },
      { from_state: 'signed-out', to_state: 'ready', reason: null, by: 'Anna' },
      { from_state: 'ready', to_state: 'paused', reason: 'lunch', by: 'Anna' },
      { from_state: 'paused', to_state: 'paused', reason: 'training', by: 'boss' },
      { from_state: 'paused', to_state: 'ready', reason: null, by: 'boss' },
    ]);
    await expect(store.signIn(test.db, newId(), 'x')).rejects.toMatchObject({ code: 'SK_NOT_FOUND' });
  });

  it('is found by name and by id, and asks for the tenant where two have that name', async () => {
    const anna = await store.agentByName(test.db, 'Anna');
    expect(anna).toMatchObject({ name: 'Anna', queues: ['support'], endpoint: { kind: 'teams' } });
    expect(await store.agentByName(test.db, anna!.id)).toEqual(anna);
    expect(await store.agentByName(test.db, 'Nobody')).toBeUndefined();
    const other = await makeScenario(test.db);
    await addAgent(test.db, {
      tenantId: other.tenantId,
      trunkId: other.trunks.teams,
      queueId: other.queueId,
      name: 'Anna',
      position: 1,
    });
    await expect(store.agentByName(test.db, 'Anna')).rejects.toMatchObject({ code: 'SK_CONFLICT' });
    expect(await store.agentByName(test.db, 'Anna', anna!.tenant)).toEqual(anna);
  });
});

describe('presence', () => {
  const reading = (agent: string, availability: string, sequenceNumber?: string, agoMs = 0) => ({
    agentId: scenario.agents[agent]!,
    availability,
    activity: availability,
    sequenceNumber,
    readAt: Date.now() - agoMs,
    source: 'graph-poll' as const,
  });

  it('tells what changed, and drops what is older than what is known', async () => {
    expect(await store.upsertPresences(test.db, [])).toEqual([]);
    const first = await store.upsertPresences(test.db, [
      reading('Anna', 'Available', '99'),
      reading('Ben', 'Busy', '7'),
    ]);
    expect(first.map((change) => change.availability).sort()).toEqual(['Available', 'Busy']);
    expect(await store.upsertPresences(test.db, [reading('Anna', 'Available', '99')])).toEqual([]);
    expect(await store.upsertPresences(test.db, [reading('Anna', 'Away', '98')])).toEqual([]);
    expect(await store.agentByName(test.db, 'Anna')).toMatchObject({ presence: { availability: 'Available' } });
    // 100 is newer than 99, though not as text.
    expect(await store.upsertPresences(test.db, [reading('Anna', 'Away', '100')])).toMatchObject([
      { availability: 'Away' },
    ]);
    expect(await store.upsertPresences(test.db, [reading('Anna', 'Busy')])).toMatchObject([{ availability: 'Busy' }]);
  });

  it('keeps when a value was first seen apart from when it was last read', async () => {
    await store.upsertPresences(test.db, [reading('Anna', 'Busy', '1', 20_000)]);
    await store.upsertPresences(test.db, [reading('Anna', 'Busy', '1')]);
    const presence = (await store.agentByName(test.db, 'Anna'))!.presence as { readAt: number; changedAt: number };
    expect(presence.readAt - presence.changedAt).toBeGreaterThan(19_000);
  });

  it('accepts a new series of numbers once the old value is long unconfirmed', async () => {
    await store.upsertPresences(test.db, [reading('Anna', 'Busy', '500', 61_000)]);
    expect(await store.upsertPresences(test.db, [reading('Anna', 'Available', '1')])).toMatchObject([
      { availability: 'Available' },
    ]);
  });

  it('of unknown agents is left out, and an empty value is unknown', async () => {
    expect(
      await store.upsertPresences(test.db, [
        { ...reading('Anna', ''), activity: '' },
        { ...reading('Anna', 'Busy'), agentId: newId() },
      ]),
    ).toMatchObject([{ availability: 'PresenceUnknown' }]);
  });

  it('is wanted most for agents in whose queues callers wait', async () => {
    const before = await store.agentsToPoll(test.db);
    expect(before).toMatchObject([1, 2, 3].map(() => ({ need: 'soon', readAt: undefined, staleAfterMs: 30_000 })));
    await waitingCall(test.db, scenario);
    await store.signOut(test.db, scenario.agents['Ben']!, 'Ben');
    const after = await store.agentsToPoll(test.db);
    expect(after.map((agent) => agent.need).sort()).toEqual(['away', 'now', 'now']);
  });
});
