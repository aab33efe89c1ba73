import { WRAP_UP_LIMIT_MS } from '../../src/agents/agent-state';
import { store } from '../../src/store';
import type { OfferEnd, OfferOutcome } from '../../src/store';
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

const QUEUE = {
  misses_before_not_ready: 2,
  wrap_up_seconds: 30,
  no_answer_retry_seconds: 61,
  declined_retry_seconds: 31,
  busy_retry_seconds: 32,
  unreachable_retry_seconds: 33,
  failed_retry_seconds: 7,
};

async function ringing(
  scenario: Scenario,
  agent: string,
): Promise<{ callId: string; offerId: string; agentId: string }> {
  const callId = await waitingCall(test.db, scenario);
  const agentId = scenario.agents[agent]!;
  const offerId = (await reserve(test.db, scenario, callId, agentId))!;
  expect(await store.markRinging(test.db, offerId)).toBe(true);
  return { callId, offerId, agentId };
}

const agentRow = async (name: string) => (await store.agentByName(test.db, name))!;

describe('an offer that is not answered', () => {
  it('missesBeforeNotReady: below it the offer keeps the agent from the same call only; let pass, it moves "ready since"', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'], queue: QUEUE });
    const { callId, offerId, agentId } = await ringing(scenario, 'Anna');
    const before = await agentRow('Anna');
    const end = await store.endOffer(test.db, offerId, { outcome: 'no-answer' }, 487);
    expect(end).toMatchObject({ ended: true, agentState: 'ready' });
    const after = await agentRow('Anna');
    expect(after).toMatchObject({ state: 'ready', missedInRow: 1, offer: undefined });
    expect(after.readySince).toBeGreaterThan(before.readySince);
    const snapshot = (await store.snapshotQueue(test.db, scenario.queueId))!;
    expect(snapshot.calls).toMatchObject([{ callId, excluded: [{ agentId, until: end.until }] }]);
    expect(end.until! - after.readySince).toBe(61_000);
    expect((await store.dueTimes(test.db, scenario.queueId)).nextAt).toBe(end.until);
  });

  it('missesBeforeNotReady: makes the agent not ready at the limit, until he says otherwise', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'], queue: QUEUE });
    const first = await ringing(scenario, 'Anna');
    await store.endOffer(test.db, first.offerId, { outcome: 'no-answer' });
    const second = await ringing(scenario, 'Anna');
    expect(await store.endOffer(test.db, second.offerId, { outcome: 'no-answer' })).toMatchObject({
      agentState: 'not-ready',
      until: undefined,
    });
    expect(await agentRow('Anna')).toMatchObject({ state: 'not-ready', reason: 'missed', missedInRow: 2 });
    expect(await store.expireDueStates(test.db)).toEqual([]);
    expect(await reserve(test.db, scenario, first.callId, scenario.agents['Anna']!)).toBeUndefined();
    expect(await store.ready(test.db, second.agentId, 'Anna')).toEqual({
      changed: true,
      state: 'ready',
      reason: undefined,
    });
    expect(await agentRow('Anna')).toMatchObject({ state: 'ready', missedInRow: 0 });
  });

  it.each<[OfferOutcome, number]>([
    ['declined', 31_000],
    ['busy', 32_000],
    ['unreachable', 33_000],
    ['failed', 7_000],
  ])(
    'because it was %s spares the agent for the delay of that outcome, and is none of missesBeforeNotReady',
    async (outcome, delayMs) => {
      const scenario = await makeScenario(test.db, { agents: ['Anna'], queue: QUEUE });
      const { offerId, agentId } = await ringing(scenario, 'Anna');
      const end = await store.endOffer(test.db, offerId, { outcome }, 486);
      const row = await agentRow('Anna');
      expect(row).toMatchObject({ state: 'not-ready', reason: outcome, until: end.until, missedInRow: 0 });
      expect(end.until! - row.readySince).toBe(delayMs);
      expect((await store.dueTimes(test.db, scenario.queueId)).nextAt).toBe(end.until);

      await test.db.query(
        `update agent_states set until = clock_timestamp() - interval '1 second' where agent_id = $1`,
        [agentId],
      );
      const { until } = await agentRow('Anna');
      expect((await store.snapshotQueue(test.db, scenario.queueId))!.agents[0]).toMatchObject({
        workState: { kind: 'ready' },
      });
      expect(await store.expireDueStates(test.db)).toEqual([agentId]);
      expect(await agentRow('Anna')).toMatchObject({ state: 'ready', changedAt: until });
    },
  );

  it.each(['elsewhere', 'caller-gone', 'withdrawn'] as const)(
    'because it was canceled (%s) costs the agent nothing',
    async (reason) => {
      const scenario = await makeScenario(test.db, { agents: ['Anna'], queue: QUEUE });
      const before = await agentRow('Anna');
      const { offerId } = await ringing(scenario, 'Anna');
      expect(await store.endOffer(test.db, offerId, { outcome: 'canceled', reason })).toMatchObject({
        ended: true,
        agentState: 'ready',
      });
      const memberships = [{ ...before.memberships[0], lastOfferedAt: expect.any(Number) }];
      expect(await agentRow('Anna')).toEqual({ ...before, memberships });
    },
  );

  it('ends once', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'], queue: QUEUE });
    const { offerId } = await ringing(scenario, 'Anna');
    const ends: OfferEnd[] = [
      { outcome: 'no-answer' },
      { outcome: 'declined' },
      { outcome: 'canceled', reason: 'withdrawn' },
    ];
    const results = await Promise.all(ends.map((end) => store.endOffer(test.db, offerId, end)));
    expect(results.filter((result) => result.ended).length).toBe(1);
    expect((await agentRow('Anna')).missedInRow).toBeLessThanOrEqual(1);
  });

  it('leaves an agent who paused meanwhile paused', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'], queue: { ...QUEUE, misses_before_not_ready: 1 } });
    const { offerId, agentId } = await ringing(scenario, 'Anna');
    await store.pause(test.db, agentId, 'lunch', 'Anna');
    await store.endOffer(test.db, offerId, { outcome: 'no-answer' });
    expect(await agentRow('Anna')).toMatchObject({ state: 'paused', reason: 'lunch' });
  });
});

describe('an answer', () => {
  it('wins the call, ends the waiting, and forgets the misses', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'], queue: QUEUE });
    const missed = await ringing(scenario, 'Anna');
    await store.endOffer(test.db, missed.offerId, { outcome: 'no-answer' });
    const { callId, offerId } = await ringing(scenario, 'Anna');
    expect(await store.markAnswered(test.db, offerId, { agentDialogId: 'd' })).toMatchObject({ won: true, others: [] });
    expect(await store.findCall(test.db, callId)).toMatchObject({ state: 'connected', agent: 'Anna' });
    expect(await agentRow('Anna')).toMatchObject({
      state: 'ready',
      missedInRow: 0,
      offer: { offerId, state: 'connected', callId },
    });
    expect(await store.markAnswered(test.db, offerId)).toEqual({ won: false, why: 'answered-elsewhere' });
    const stays = await test.db.query('select outcome from queue_visits where call_id = $1', [callId]);
    expect(stays.rows).toEqual([{ outcome: 'answered' }]);
    expect((await store.snapshotQueue(test.db, scenario.queueId))!.calls.map((call) => call.callId)).toEqual([
      missed.callId,
    ]);
  });

  it('comes too late when the caller is gone, or when the offer was taken back', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna', 'Ben'], queue: QUEUE });
    const gone = await ringing(scenario, 'Anna');
    await store.endCall(test.db, gone.callId, 'abandoned', 'caller-gave-up-ringing');
    expect(await store.markAnswered(test.db, gone.offerId)).toEqual({ won: false, why: 'call-gone' });
    const taken = await ringing(scenario, 'Ben');
    await store.endOffer(test.db, taken.offerId, { outcome: 'canceled', reason: 'withdrawn' });
    expect(await store.markAnswered(test.db, taken.offerId)).toEqual({ won: false, why: 'offer-ended' });
    expect((await store.findCall(test.db, taken.callId))!.state).toBe('waiting');
  });

  it('ring-all: exactly one winner however many agents answer at once', async () => {
    const names = Array.from({ length: 8 }, (_, i) => `Agent ${i}`);
    const queue = { ...QUEUE, strategy: 'ring-all', max_parallel: names.length };
    const scenario = await makeScenario(test.db, { agents: names, queue });
    for (let round = 0; round < 10; round++) {
      const callId = await waitingCall(test.db, scenario);
      const offers = await store.withQueueLock(test.db, scenario.queueId, (tx) =>
        store.insertOffers(
          tx,
          names.map((name) => ({ callId, queueId: scenario.queueId, agentId: scenario.agents[name]! })),
        ),
      );
      expect(offers.length).toBe(names.length);
      const results = await Promise.all(offers.map((offer) => store.markAnswered(test.db, offer.offerId)));
      const winners = offers.filter((_, i) => results[i]!.won);
      expect(winners.length).toBe(1);
      const ends = offers.map((offer) =>
        offer === winners[0]
          ? store.endConnection(test.db, offer.offerId, 'agent')
          : store.endOffer(test.db, offer.offerId, { outcome: 'canceled', reason: 'elsewhere' }),
      );
      expect((await Promise.all(ends)).every((end) => end.ended)).toBe(true);
      await store.endCall(test.db, callId, 'success', 'agent-hung-up');
      await store.endWrapUp(test.db, winners[0]!.agentId, 'test');
    }
    expect(await store.openWork(test.db)).toEqual({ openOffers: 0, liveCalls: 0, waitingCalls: 0, reservedAgents: 0 });
  });

  it('either wins or finds the caller gone when both happen at once', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'], queue: { ...QUEUE, wrap_up_seconds: 0 } });
    for (let round = 0; round < 20; round++) {
      const { callId, offerId } = await ringing(scenario, 'Anna');
      const [answer, end] = await Promise.all([
        store.markAnswered(test.db, offerId),
        store.endCall(test.db, callId, 'abandoned', 'caller-gave-up-ringing'),
      ]);
      expect(end.ended).toBe(true);
      expect(end.openOffers).toMatchObject(
        [{ offerId, state: answer.won ? 'connected' : 'reserved' }].map(({ offerId: id }) => ({ offerId: id })),
      );
      const closed = answer.won
        ? await store.endConnection(test.db, offerId, 'caller')
        : await store.endOffer(test.db, offerId, { outcome: 'canceled', reason: 'caller-gone' });
      expect(closed.ended).toBe(true);
      expect((await store.openWork(test.db)).openOffers).toBe(0);
    }
  });
});

describe('a connection', () => {
  it('wrap-up lasts from its end: a fact, and a free agent after it', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'], queue: QUEUE });
    const { callId, offerId, agentId } = await ringing(scenario, 'Anna');
    const answer = await store.markAnswered(test.db, offerId);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const [end, late] = [
      await store.endConnection(test.db, offerId, 'agent'),
      await store.endConnection(test.db, offerId, 'caller'),
    ];
    expect(end.ended).toBe(true);
    expect(late).toMatchObject({ ended: false, durationMs: 0, wrapUpUntil: undefined });
    expect(Math.abs(late.restMs! - 30_000)).toBeLessThan(5_000);
    const row = await agentRow('Anna');
    expect(row).toMatchObject({ state: 'wrap-up', until: end.wrapUpUntil, offer: undefined });
    expect(row.lastCallEndedAt! - (answer.won ? answer.answeredAt : 0)).toBe(end.durationMs);
    expect(row.until! - row.lastCallEndedAt!).toBe(30_000);
    expect(row.lastCallEndedAt).toBeGreaterThan(answer.won ? answer.answeredAt : 0);
    const facts = await test.db.query('select call_id, agent_id, ended_by from connections');
    expect(facts.rows).toEqual([{ call_id: callId, agent_id: agentId, ended_by: 'agent' }]);
    expect(await reserve(test.db, scenario, await waitingCall(test.db, scenario), agentId)).toBeUndefined();
    expect(await store.endWrapUp(test.db, agentId, 'Anna')).toMatchObject({ changed: true, state: 'ready' });
    expect(await store.endWrapUp(test.db, agentId, 'Anna')).toMatchObject({ changed: false, state: 'ready' });
    await store.endCall(test.db, callId, 'success', 'agent-hung-up');
  });

  it('without wrap-up leaves the agent ready since its end', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'], queue: { ...QUEUE, wrap_up_seconds: 0 } });
    const { offerId } = await ringing(scenario, 'Anna');
    await store.markAnswered(test.db, offerId);
    await store.endConnection(test.db, offerId, 'caller');
    const row = await agentRow('Anna');
    expect(row.state).toBe('ready');
    expect(row.readySince).toBe(row.lastCallEndedAt);
  });

  it('manual-ready: one call, then the agent says when the next may come', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'], queue: { ...QUEUE, after_call: 'manual-ready' } });
    const { offerId, agentId } = await ringing(scenario, 'Anna');
    await store.markAnswered(test.db, offerId);
    await store.endConnection(test.db, offerId, 'caller');
    expect(await agentRow('Anna')).toMatchObject({ state: 'not-ready', reason: 'after-call', until: undefined });
    expect(await store.expireDueStates(test.db)).toEqual([]);
    expect(await reserve(test.db, scenario, await waitingCall(test.db, scenario), agentId)).toBeUndefined();
    await store.ready(test.db, agentId, 'Anna');
    expect((await agentRow('Anna')).state).toBe('ready');
  });

  it('ends or extends wrap-up: never beyond the limit', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'], queue: QUEUE });
    const { offerId, agentId } = await ringing(scenario, 'Anna');
    await store.markAnswered(test.db, offerId);
    await store.endConnection(test.db, offerId, 'caller');
    await store.extendWrapUp(test.db, agentId, 3_600_000, 'Anna');
    const row = await agentRow('Anna');
    expect(row.until! - row.lastCallEndedAt!).toBe(WRAP_UP_LIMIT_MS);
  });

  it('what an agent says during it holds after the call: no sign-out is undone', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'], queue: QUEUE });
    const { offerId, agentId } = await ringing(scenario, 'Anna');
    await store.markAnswered(test.db, offerId);
    await store.signOut(test.db, agentId, 'Anna');
    await store.endConnection(test.db, offerId, 'caller');
    expect((await agentRow('Anna')).state).toBe('signed-out');
  });

  it('that came to nothing gives the caller his place back', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'], queue: QUEUE });
    const { callId, offerId } = await ringing(scenario, 'Anna');
    const place = (await store.snapshotQueue(test.db, scenario.queueId))!.calls[0]!.firstQueuedAt;
    await store.markAnswered(test.db, offerId);
    // In this order too: the caller is back before the offer is closed.
    const back = await store.enqueue(test.db, { callId, queueId: scenario.queueId });
    expect(back!.firstQueuedAt).toBe(place);
    expect(await store.endOffer(test.db, offerId, { outcome: 'failed' })).toMatchObject({ ended: true });
    expect((await store.findCall(test.db, callId))!.state).toBe('waiting');
    expect(await store.openWork(test.db)).toMatchObject({ openOffers: 0, waitingCalls: 1 });
  });
});

describe('a reservation', () => {
  it('round-robin: what is remembered is of the agent in this queue', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'], queue: QUEUE });
    const { rows } = await test.db.query<{ id: string }>(
      `with q as (insert into queues (tenant_id, name) values ($1, 'sales') returning id)
       insert into queue_members (queue_id, agent_id, tenant_id) select q.id, $2, $1 from q returning queue_id as id`,
      [scenario.tenantId, scenario.agents['Anna']],
    );
    await ringing(scenario, 'Anna');
    const remembered = await test.db.query<{ queueId: string; known: boolean }>(
      'select queue_id as "queueId", last_offered_at is not null as known from queue_members',
    );
    expect(Object.fromEntries(remembered.rows.map((row) => [row.queueId, row.known]))).toEqual({
      [scenario.queueId]: true,
      [rows[0]!.id]: false,
    });
  });

  it('is made for one queue only when two want the same agent at once', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna', 'Ben', 'Clara'], queue: QUEUE });
    const other = await test.db.query<{ id: string }>(
      `insert into queues (tenant_id, name) values ($1, 'sales') returning id`,
      [scenario.tenantId],
    );
    const sales = { ...scenario, queueId: other.rows[0]!.id };
    for (const agentId of Object.values(scenario.agents)) {
      await test.db.query('insert into queue_members (queue_id, agent_id, tenant_id) values ($1, $2, $3)', [
        sales.queueId,
        agentId,
        scenario.tenantId,
      ]);
    }
    const ids = Object.values(scenario.agents);
    for (let round = 0; round < 10; round++) {
      const calls = await Promise.all([scenario, sales].flatMap((s) => ids.map(() => waitingCall(test.db, s))));
      const made = await Promise.all(
        [scenario, sales].map((s, half) =>
          store.withQueueLock(test.db, s.queueId, (tx) => {
            const order = half === 0 ? ids : [...ids].reverse();
            return store.insertOffers(
              tx,
              order.map((agentId, i) => ({ callId: calls[half * 3 + i]!, queueId: s.queueId, agentId })),
            );
          }),
        ),
      );
      const agents = made.flat().map((offer) => offer.agentId);
      expect([...agents].sort()).toEqual([...ids].sort());
      for (const offer of made.flat()) {
        await store.endOffer(test.db, offer.offerId, { outcome: 'canceled', reason: 'withdrawn' });
      }
      await Promise.all(calls.map((callId) => store.endCall(test.db, callId, 'abandoned', 'caller-gave-up-waiting')));
    }
  });

  it('is not made for an agent who rings: nobody is rung a second time', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'], queue: QUEUE });
    await ringing(scenario, 'Anna');
    const other = await waitingCall(test.db, scenario);
    await expect(reserve(test.db, scenario, other, scenario.agents['Anna']!)).resolves.toBeUndefined();
  });

  it('is not made for a call that left, that is being offered, or for an agent who paused', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna', 'Ben'], queue: QUEUE });
    const gone = await waitingCall(test.db, scenario);
    await store.leaveQueue(test.db, gone, 'abandoned');
    expect(await reserve(test.db, scenario, gone, scenario.agents['Anna']!)).toBeUndefined();
    const never = await arrivedCall(test.db, scenario);
    expect(await reserve(test.db, scenario, never, scenario.agents['Anna']!)).toBeUndefined();
    const offered = await waitingCall(test.db, scenario);
    expect(await reserve(test.db, scenario, offered, scenario.agents['Anna']!)).toBeDefined();
    expect(await reserve(test.db, scenario, offered, scenario.agents['Ben']!)).toBeUndefined();
    await store.pause(test.db, scenario.agents['Ben']!, 'lunch', 'Ben');
    expect(
      await reserve(test.db, scenario, await waitingCall(test.db, scenario), scenario.agents['Ben']!),
    ).toBeUndefined();
  });

  it.each([
    ['leaves', (callId: string) => store.leaveQueue(test.db, callId, 'timed-out')],
    ['hangs up', (callId: string) => store.endCall(test.db, callId, 'abandoned', 'caller-gave-up-waiting')],
  ])('that is being made when the caller %s is among the offers to take back', async (_what, leave) => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'], queue: QUEUE });
    const callId = await waitingCall(test.db, scenario);
    let left: ReturnType<typeof leave> | undefined;
    let offerId: string | undefined;
    await store.withQueueLock(test.db, scenario.queueId, async (tx) => {
      const made = await store.insertOffers(tx, [
        { callId, queueId: scenario.queueId, agentId: scenario.agents['Anna']! },
      ]);
      offerId = made[0]!.offerId;
      left = leave(callId);
      // Long enough for the other connection to reach the row that it must wait for.
      await new Promise((resolve) => setTimeout(resolve, 100));
    });
    expect((await left)!.openOffers).toMatchObject([{ offerId }]);
  });

  it('has all that is needed to ring the agent, and the shorter of the two ring timeouts', async () => {
    const scenario = await makeScenario(test.db, { agents: ['Anna'], queue: { ...QUEUE, ring_timeout_seconds: 25 } });
    await test.db.query('update agent_endpoints set max_ring_seconds = 15');
    const callId = await waitingCall(test.db, scenario);
    await store.updateCall(test.db, callId, { mediaServer: '127.0.0.1:8021' });
    const offerId = (await reserve(test.db, scenario, callId, scenario.agents['Anna']!))!;
    const offer = (await store.findOffer(test.db, offerId))!;
    expect(offer).toMatchObject({
      callId,
      queue: 'support',
      agent: 'Anna',
      nodeId: scenario.nodeId,
      ringTimeoutMs: 15_000,
      presence: 'unknown',
      endpoint: { kind: 'teams', trunkId: scenario.trunks.teams },
    });
    expect(await store.pendingOffers(test.db, scenario.nodeId)).toEqual([offer]);
    expect(await store.pendingOffers(test.db, scenario.nodeId, 60_000)).toEqual([]);
    const stored = await test.db.query('select channel_uuid, media_server from offers');
    expect(stored.rows).toEqual([{ channel_uuid: offerId, media_server: '127.0.0.1:8021' }]);
    await store.markRinging(test.db, offerId);
    expect(await store.pendingOffers(test.db, scenario.nodeId)).toEqual([{ ...offer, rings: true }]);
    await store.markAnswered(test.db, offerId);
    expect(await store.pendingOffers(test.db, scenario.nodeId)).toEqual([]);
    await store.endConnection(test.db, offerId, 'agent');
    await store.endWrapUp(test.db, scenario.agents['Anna']!, 'Anna');
    await test.db.query('update agent_endpoints set max_ring_seconds = 60');
    const longer = (await reserve(test.db, scenario, await waitingCall(test.db, scenario), scenario.agents['Anna']!))!;
    expect(await store.findOffer(test.db, longer)).toMatchObject({ ringTimeoutMs: 25_000 });
  });
});
