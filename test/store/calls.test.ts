import { newId } from '../../src/lib/ids';
import { store } from '../../src/store';
import { testDatabase, type TestDatabase } from '../support/database';
import { arrivedCall, makeScenario, reserve, waitingCall, type Scenario } from '../support/scenario';

let test: TestDatabase;
let scenario: Scenario;

beforeAll(async () => {
  test = await testDatabase();
  scenario = await makeScenario(test.db, { agents: ['Anna', 'Ben'] });
});
afterAll(async () => {
  await test.close();
});
afterEach(async () => {
  await test.db
    .query(`update offers set state = 'ended', ended_at = clock_timestamp(), outcome = 'canceled', cancel_reason = 'withdrawn'
    where ended_at is null and answered_at is null`);
});

describe('calls', () => {
  it('go from arrival to their end once', async () => {
    const id = await arrivedCall(test.db, scenario);
    expect(await store.updateCall(test.db, id, { callerChannelUuid: 'uuid-1', carrierDialogId: 'd;from-tag=1' })).toBe(
      true,
    );
    expect(await store.markCallAnswered(test.db, id)).toBe(true);
    const live = await store.findCallBySipCallId(test.db, `${id}@carrier`);
    expect(live).toMatchObject({
      id,
      state: 'answered',
      callerChannelUuid: 'uuid-1',
      endedAt: undefined,
      queue: undefined,
    });
    expect(live!.answeredAt).toBeGreaterThanOrEqual(live!.createdAt);

    expect(await store.endCall(test.db, id, 'success', 'caller-hung-up')).toEqual({ ended: true, openOffers: [] });
    expect(await store.endCall(test.db, id, 'server-error', 'media-lost')).toEqual({ ended: false, openOffers: [] });
    expect(await store.findCall(test.db, id)).toMatchObject({
      state: 'ended',
      result: 'success',
      reason: 'caller-hung-up',
    });
    expect(await store.updateCall(test.db, id, { callerChannelUuid: 'late' })).toBe(false);
    expect(await store.markCallAnswered(test.db, id)).toBe(false);
    expect(await store.enqueue(test.db, { callId: id, queueId: scenario.queueId })).toBeUndefined();
  });

  it('keep an anonymous caller anonymous', async () => {
    const id = newId();
    await store.insertCall(test.db, {
      id,
      tenantId: scenario.tenantId,
      nodeId: scenario.nodeId,
      dialledNumber: '+49301000100',
      sipCallId: 'x',
    });
    expect((await store.findCall(test.db, id))!.callerNumber).toBeUndefined();
    await expect(
      store.insertCall(test.db, {
        id,
        tenantId: scenario.tenantId,
        nodeId: scenario.nodeId,
        dialledNumber: '+49301000100',
        sipCallId: 'x',
      }),
    ).rejects.toMatchObject({ code: 'SK_CONFLICT' });
    await store.endCall(test.db, id, 'abandoned', 'caller-gave-up-before-answer');
  });

  it('leave the queue and name the offers that are still open when they end', async () => {
    const id = await waitingCall(test.db, scenario);
    const offerId = await reserve(test.db, scenario, id, scenario.agents['Anna']!);
    const end = await store.endCall(test.db, id, 'abandoned', 'caller-gave-up-ringing');
    expect(end).toEqual({
      ended: true,
      openOffers: [{ offerId, agentId: scenario.agents['Anna'], state: 'reserved' }],
    });
    const visits = await test.db.query<{ outcome: string }>('select outcome from queue_visits where call_id = $1', [
      id,
    ]);
    expect(visits.rows).toEqual([{ outcome: 'abandoned' }]);
  });

  it('keep their events in order, with their own times, and drop those of unknown calls', async () => {
    const id = await arrivedCall(test.db, scenario);
    const written = await store.appendCallEvents(test.db, [
      { callId: id, kind: 'call:arrived', at: 1_700_000_000_123 },
      { callId: newId(), kind: 'call:arrived' },
      { callId: id, kind: 'flow:greeting', data: { prompt: 'hello' }, at: 1_700_000_000_124 },
      { callId: id, kind: 'queue:entered' },
    ]);
    expect(written).toBe(3);
    const events = await store.callEvents(test.db, id);
    expect(events.map((event) => event.kind)).toEqual(['call:arrived', 'flow:greeting', 'queue:entered']);
    expect(events[0]!.at).toBe(1_700_000_000_123);
    expect(events[1]!.data).toEqual({ prompt: 'hello' });
    expect(Math.abs(events[2]!.at - Date.now())).toBeLessThan(60_000);
    await store.endCall(test.db, id, 'success', 'caller-hung-up');
  });

  it('are listed with their queue and the agent who is rung', async () => {
    const id = await waitingCall(test.db, scenario);
    await reserve(test.db, scenario, id, scenario.agents['Ben']!);
    expect(await store.listCalls(test.db)).toMatchObject([{ id, queue: 'support', agent: 'Ben', state: 'waiting' }]);
    expect((await store.listCalls(test.db, { includeEnded: true })).length).toBeGreaterThan(1);
    expect(await store.listCalls(test.db, { nodeId: newId() })).toEqual([]);
    await store.endCall(test.db, id, 'abandoned', 'caller-gave-up-waiting');
    expect(await store.listCalls(test.db)).toEqual([]);
  });
});
