import { makeFloor } from '../../bench/dispatch/floor';
import { sleep } from '../../src/lib/clock';
import { store } from '../../src/store';
import { brokenRules, waitsBesideFreeAgent } from '../support/floor-rules';
import { testDatabase, type TestDatabase } from '../support/database';
import { ChaosFloor } from './chaos-floor';

/** How long nodes and connections are killed, seconds; a long run sets it. */
const SECONDS = Number(process.env['SIDEKICK_CHAOS_SECONDS'] ?? 16);
const CALLS_PER_SECOND = 25;

let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase({ max: 6 });
});
afterAll(async () => {
  await test.close();
});

it(
  'three nodes, 200 agents in 20 queues: whatever dies, nobody is rung twice, lost, or kept',
  async () => {
    const floorRows = await makeFloor(test.db, {
      agents: 200,
      queues: 20,
      queuesEach: 3,
      queue: { wrap_up_seconds: 1, declined_retry_seconds: 1, no_answer_retry_seconds: 1, busy_retry_seconds: 1 },
    });
    await test.db.query(
      `update queues set strategy = 'ring-all', max_parallel = 3 where name in ('queue-1', 'queue-2')`,
    );
    await test.db.query(`update queues set wrap_up_seconds = 0 where name in ('queue-3', 'queue-4', 'queue-5')`);
    const floor = new ChaosFloor(test.url, test.db, floorRows);
    await Promise.all([floor.addNode(), floor.addNode(), floor.addNode()]);
    const none = Object.fromEntries(Object.keys(await brokenRules(test.db)).map((rule) => [rule, 0]));
    const until = performance.now() + SECONDS * 1000;
    let steps = 0;
    while (performance.now() < until) {
      for (let i = 0; i < CALLS_PER_SECOND / 5; i++) {
        floor.arrive();
      }
      await floor.changeAgent();
      await sleep(180);
      steps++;
      // Between two blows there is time in which the sweep must find nothing.
      if (steps % 50 === 20) {
        await floor.kill();
        await floor.addNode();
      } else if (steps % 50 === 45) {
        await floor.cutConnections();
      }
      expect(await brokenRules(test.db)).toEqual(none);
    }
    await floor.everybodyBack();
    expect(await floor.drain(30_000)).toBe(0);
    // What the dead left is released within their lease; the living find it.
    await sleep(3_500);
    expect(await brokenRules(test.db)).toEqual(none);
    expect(await waitsBesideFreeAgent(test.db)).toBe(0);
    await floor.stop();
    expect(await store.openWork(test.db)).toEqual({ openOffers: 0, liveCalls: 0, waitingCalls: 0, reservedAgents: 0 });
    expect(floor.faults).toEqual([]);
    expect(floor.kills + floor.cuts).toBeGreaterThan(1);
    expect(floor.calmMs).toBeGreaterThan(4_000);
    expect(floor.answered).toBeGreaterThan(floor.arrived / 4);
    const { rows: ends } = await test.db.query<{ reason: string }>('select distinct reason from calls');
    const expected = ['agent-hung-up', 'caller-gave-up-waiting', 'node-lost'];
    expect(ends.map((row) => row.reason).filter((reason) => !expected.includes(reason))).toEqual([]);
  },
  (SECONDS + 75) * 1000,
);
