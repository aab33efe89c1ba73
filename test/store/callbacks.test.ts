import { newId } from '../../src/lib/ids';
import { store } from '../../src/store';
import type { CallbackRow } from '../../src/store';
import { emptyDatabase, testDatabase, type TestDatabase } from '../support/database';
import { arrivedCall, makeScenario, reserve, waitingCall, type Scenario } from '../support/scenario';

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
  scenario = await makeScenario(test.db, {
    agents: ['Anna', 'Ben'],
    queue: { resume_within_seconds: 60, wrap_up_seconds: 0 },
  });
});

const NUMBER = '+4930555';

/** A caller waited, chose it, and hung up. */
async function book(from?: string): Promise<{ readonly id: string; readonly known: boolean; readonly from: string }> {
  const callId = from ?? (await waitingCall(test.db, scenario));
  await store.leaveQueue(test.db, callId, 'moved');
  const { queueId, nodeId } = scenario;
  const { callbackId, known } = await store.bookCallback(test.db, {
    id: newId(),
    callId,
    queueId,
    nodeId,
    number: NUMBER,
  });
  await store.endCall(test.db, callId, 'success', 'callback-booked');
  return { id: callbackId, known, from: callId };
}

async function find(id: string): Promise<CallbackRow> {
  return (await store.findCallback(test.db, id))!;
}

const die = async (nodeId: string): Promise<void> => {
  await test.db.query(`update nodes set heartbeat_at = clock_timestamp() - interval '1 minute' where id = $1`, [
    nodeId,
  ]);
  await store.releaseDeadNode(test.db, nodeId, 10_000);
};

describe('a callback', () => {
  it('waits with the clock and everything else of the call that it comes from', async () => {
    const callId = await arrivedCall(test.db, scenario);
    const traits = { class: 7, headStartMs: 9_000, needs: [{ skill: 'german', atLeast: 3 }], preferAgents: ['Anna'] };
    const first = (await store.enqueue(test.db, { callId, queueId: scenario.queueId, ...traits }))!;
    const { id } = await book(callId);
    const [call] = (await store.snapshotQueue(test.db, scenario.queueId))!.calls;
    expect(call).toMatchObject({ ...traits, callId: id, firstQueuedAt: first.firstQueuedAt, callback: true });
    expect(await find(id)).toMatchObject({ callId, placed: true, tries: 0, state: 'waiting', number: NUMBER });
  });

  it('is one for each number and queue, though two ask at the same moment; the next may be booked when it is over', async () => {
    const calls = await Promise.all([waitingCall(test.db, scenario), waitingCall(test.db, scenario)]);
    const [one, two] = await Promise.all(calls.map((callId) => book(callId)));
    expect(one!.id).toBe(two!.id);
    expect([one!.known, two!.known].filter((known) => !known)).toHaveLength(1);
    await store.endCall(test.db, one!.id, 'success', 'callback-canceled');
    expect((await find(one!.id)).endedAt).toBeDefined();
    expect((await book()).known).toBe(false);
  });

  it('gives its place to its customer who calls in within resumeWithinSeconds, and is matched no more', async () => {
    const { id } = await book();
    const before = await find(id);
    const callId = await waitingCall(test.db, scenario);
    expect(await find(id)).toMatchObject({ calledInBy: callId });
    const { calls } = (await store.snapshotQueue(test.db, scenario.queueId))!;
    expect(calls).toMatchObject([{ callId, firstQueuedAt: before.firstQueuedAt }]);
  });

  it('keeps its place from a customer who calls in later, and from somebody else', async () => {
    const { id } = await book();
    await test.db.query(`update callbacks set created_at = created_at - interval '61 seconds'`);
    await waitingCall(test.db, scenario);
    expect((await find(id)).calledInBy).toBeUndefined();
    expect((await store.snapshotQueue(test.db, scenario.queueId))!.calls).toHaveLength(2);
  });

  it('outlives a node that dies: its agent is free, and exactly one other node goes on with it at the old place', async () => {
    const { id } = await book();
    const before = await find(id);
    const offerId = (await reserve(test.db, scenario, id, scenario.agents['Anna']!))!;
    await store.markAnswered(test.db, offerId);
    const others = await Promise.all(['b', 'c'].map((name) => store.registerNode(test.db, { name })));
    expect(await store.adoptCallbacks(test.db, others[0]!.nodeId)).toEqual([]);
    await die(scenario.nodeId);
    expect(await store.openWork(test.db)).toMatchObject({ openOffers: 0, liveCalls: 1 });
    const adopted = await Promise.all(others.map(({ nodeId }) => store.adoptCallbacks(test.db, nodeId)));
    expect(adopted.flat()).toEqual([id]);
    expect(await find(id)).toMatchObject({ placed: false, endedAt: undefined });
    await store.enqueue(test.db, { callId: id, queueId: scenario.queueId });
    expect(await find(id)).toMatchObject({ placed: true, firstQueuedAt: before.firstQueuedAt });
  });

  it('an offer that another node reserved for a node that has stopped meanwhile is given back when it is adopted', async () => {
    const { id } = await book();
    await store.stopNode(test.db, scenario.nodeId);
    const { nodeId } = await store.registerNode(test.db, { name: 'b' });
    await test.db.query(`update nodes set stopped_at = null, stop_reason = null where id = $1`, [scenario.nodeId]);
    const offerId = await reserve(test.db, scenario, id, scenario.agents['Anna']!);
    expect(offerId).toBeDefined();
    await store.stopNode(test.db, scenario.nodeId);
    expect(await store.adoptCallbacks(test.db, nodeId)).toEqual([id]);
    expect(await store.openWork(test.db)).toMatchObject({ openOffers: 0, waitingCalls: 1 });
    expect(await store.openCallbacks(test.db, nodeId)).toMatchObject([{ id, placed: true }]);
  });

  it('whose customer talks when the node dies ends with it, as every talk', async () => {
    const { id } = await book();
    const offerId = (await reserve(test.db, scenario, id, scenario.agents['Anna']!))!;
    await store.markAnswered(test.db, offerId);
    await store.callbackReached(test.db, id, true);
    await die(scenario.nodeId);
    expect(await find(id)).toMatchObject({ result: 'indeterminate', reason: 'node-lost' });
    expect(await store.openWork(test.db)).toMatchObject({ openOffers: 0, liveCalls: 0 });
  });

  it('rests after a try that reached nobody, without a place, and comes back to the old one', async () => {
    const { id } = await book();
    const before = await find(id);
    const offerId = (await reserve(test.db, scenario, id, scenario.agents['Anna']!))!;
    await store.markAnswered(test.db, offerId);
    await store.endConnection(test.db, offerId, 'system');
    await store.restCallback(test.db, id, 1, 60_000);
    expect(await find(id)).toMatchObject({ tries: 1, placed: false });
    expect((await find(id)).restMs).toBeGreaterThan(50_000);
    await store.callbackDue(test.db, id);
    await store.enqueue(test.db, { callId: id, queueId: scenario.queueId });
    expect(await find(id)).toMatchObject({
      tries: 1,
      nextTryAt: undefined,
      placed: true,
      firstQueuedAt: before.firstQueuedAt,
    });
    // The agent who only heard music is not kept from it, as one would be who had sent a caller on.
    expect((await store.snapshotQueue(test.db, scenario.queueId))!.calls[0]).not.toHaveProperty('excluded');
  });

  it('is refused to a node that was given up: its caller keeps waiting', async () => {
    const callId = await waitingCall(test.db, scenario);
    const { queueId, nodeId } = scenario;
    await store.stopNode(test.db, nodeId);
    await expect(
      store.bookCallback(test.db, { id: newId(), callId, queueId, nodeId, number: NUMBER }),
    ).rejects.toMatchObject({ code: 'SK_STOPPING' });
    expect(await store.listCallbacks(test.db, { includeEnded: true, limit: 10 })).toEqual([]);
  });
});
