import { gzipSync } from 'node:zlib';
import { newId } from '../../src/lib/ids';
import { decide } from '../../src/routing/decide';
import { explain } from '../../src/routing/explain';
import { store } from '../../src/store';
import { testDatabase, type TestDatabase } from '../support/database';
import { makeScenario, waitingCall, type Scenario } from '../support/scenario';

let test: TestDatabase;
let scenario: Scenario;

beforeAll(async () => {
  test = await testDatabase();
  scenario = await makeScenario(test.db);
  await waitingCall(test.db, scenario);
});
afterAll(async () => {
  await test.close();
});

it('a decision is read as it was written, also one that an earlier version packed with gzip', async () => {
  const { db } = test;
  const snapshot = (await store.snapshotQueue(db, scenario.queueId))!;
  const decision = decide(snapshot);
  const explanations = decision.explanations.map((one) => explain(snapshot, decision, one.callId));
  expect(explanations).toHaveLength(1);
  const record = {
    id: newId(),
    queueId: scenario.queueId,
    nodeId: scenario.nodeId,
    at: snapshot.now,
    trigger: 'event',
    snapshot,
    explanations,
    assignments: decision.assignments,
  };
  await store.recordDecisions(db, [record]);
  const [written] = await store.decisions(db, { queueId: scenario.queueId });
  expect(written).toMatchObject({ id: record.id, snapshot, explanations, assignments: decision.assignments });

  await db.query('update decisions set snapshot = $1, explanations = $2', [
    gzipSync(JSON.stringify(snapshot)),
    gzipSync(JSON.stringify(explanations)),
  ]);
  const [older] = await store.decisions(db, { queueId: scenario.queueId });
  expect(older).toEqual(written);
});
