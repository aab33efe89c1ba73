import { estimatedWaitMs } from '../../src/routing/estimated-wait';
import { store } from '../../src/store';
import { newId } from '../../src/lib/ids';
import { emptyDatabase, testDatabase, type TestDatabase } from '../support/database';
import { arrivedCall, makeScenario, reserve, waitingCall, type Scenario } from '../support/scenario';

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

const DESK_PRESENCE = { presence_unknown: 'accept', wrap_up_seconds: 10 };

/** A talk of this agent that ended so many seconds ago and took so many. */
async function talked(scenario: Scenario, agentId: string, ago: number, seconds: number): Promise<void> {
  const callId = await waitingCall(test.db, scenario);
  const offerId = await reserve(test.db, scenario, callId, agentId);
  await store.markAnswered(test.db, offerId!, { agentDialogId: 'd' });
  await store.endConnection(test.db, offerId!, 'caller');
  await store.endCall(test.db, callId, 'success', 'caller-hung-up');
  await test.db.query(`update agent_states set state = 'ready', reason = null, until = null where agent_id = $1`, [
    agentId,
  ]);
  await test.db.transaction(async (tx) => {
    // A fact is never changed, but a test cannot wait for an hour.
    await tx.query('set local session_replication_role = replica');
    await tx.query(
      `update connections set started_at = now() - make_interval(secs => $2::float8 + $3::float8), ended_at = now() - make_interval(secs => $2::float8)
       where offer_id = $1`,
      [offerId, ago, seconds],
    );
  });
}

describe('where a call stands', () => {
  it('is the place that is shown to operators, for every call, whatever their classes and head starts', async () => {
    const scenario = await makeScenario(test.db, { queue: { priority_seconds: 5 } });
    for (let i = 0; i < 12; i++) {
      const callId = await arrivedCall(test.db, scenario);
      await store.enqueue(test.db, {
        callId,
        queueId: scenario.queueId,
        class: i % 3,
        headStartMs: ((i * 7) % 5) * 1_000,
      });
    }
    const shown = await store.queueCallers(test.db, scenario.queueId);
    expect(shown).toHaveLength(12);
    for (const { callId, position } of shown) {
      expect(await store.standing(test.db, callId, scenario.queueId, false)).toEqual({ place: position });
      expect(await store.standing(test.db, callId, scenario.queueId, true)).toEqual({
        place: position,
        estimatedWaitMs: undefined,
      });
    }
  });

  it('is nothing for a call that does not wait there', async () => {
    const scenario = await makeScenario(test.db);
    const callId = await waitingCall(test.db, scenario);
    for (const estimate of [true, false]) {
      expect(await store.standing(test.db, newId(), scenario.queueId, estimate)).toBeUndefined();
      expect(await store.standing(test.db, callId, newId(), estimate)).toBeUndefined();
    }
    await store.leaveQueue(test.db, callId, 'abandoned');
    expect(await store.standing(test.db, callId, scenario.queueId, false)).toBeUndefined();
  });
});

describe('the estimated wait of a call', () => {
  it('is of the talks of the last hour and of those who work, and counts nobody who is being rung for', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna', 'Ben', 'Clara'], queue: DESK_PRESENCE });
    const { Anna, Ben, Clara } = scenario.agents as Record<string, string>;
    await talked(scenario, Anna!, 60, 100);
    await talked(scenario, Ben!, 120, 200);
    await talked(scenario, Ben!, 4_000, 900);
    await store.pause(test.db, Clara!, 'lunch', 'Clara');
    const rung = await waitingCall(test.db, scenario);
    const second = await waitingCall(test.db, scenario);
    const third = await waitingCall(test.db, scenario);
    await reserve(test.db, scenario, rung, Anna!);
    // Of the last hour 150 s on average, and 10 s of wrap-up; Anna is reserved, Ben is free, Clara is at lunch.
    const status = { meanHandlingMs: 160_000, working: 2, free: 0 };
    for (const [callId, place, ahead] of [
      [rung, 1, 0],
      [second, 2, 0],
      [third, 3, 1],
    ] as const) {
      expect(await store.standing(test.db, callId, scenario.queueId, true)).toEqual({
        place,
        estimatedWaitMs: estimatedWaitMs(status, ahead),
      });
    }
  });

  it('is not known without a talk within the hour, or while nobody works', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'], queue: DESK_PRESENCE });
    const anna = scenario.agents['Anna']!;
    await talked(scenario, anna, 3_700, 100);
    const callId = await waitingCall(test.db, scenario);
    expect(await store.standing(test.db, callId, scenario.queueId, true)).toEqual({ place: 1 });
    await talked(scenario, anna, 10, 100);
    expect((await store.standing(test.db, callId, scenario.queueId, true))?.estimatedWaitMs).toBe(110_000);
    await store.pause(test.db, anna, 'lunch', 'Anna');
    expect(await store.standing(test.db, callId, scenario.queueId, true)).toEqual({ place: 1 });
  });
});
