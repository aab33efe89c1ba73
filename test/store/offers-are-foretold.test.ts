import type { ForecastOffer } from '../../src/calls/ports';
import { silentLog } from '../../src/lib/log';
import { decide } from '../../src/routing/decide';
import { store } from '../../src/store';
import { NodeStore } from '../../src/store/node-store';
import { emptyDatabase, testDatabase, type TestDatabase } from '../support/database';
import { makeScenario, waitingCall, type Scenario } from '../support/scenario';

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
  // Nobody's presence is known here, which this queue does not mind.
  scenario = await makeScenario(test.db, { agents: ['Anna', 'Ben'], queue: { presence_unknown: 'accept' } });
});

/** A node that says which offers it was told of, and which of them came to nothing. */
function listeningNode(insertOffers: (typeof store)['insertOffers'] = (...given) => store.insertOffers(...given)): {
  node: NodeStore;
  told: ForecastOffer[];
  forgotten: string[];
} {
  const node = new NodeStore({ ...store, insertOffers }, test.db, scenario.nodeId, { decisionsMs: 1e9 }, silentLog());
  const [told, forgotten]: [ForecastOffer[], string[]] = [[], []];
  node.foretell({ prepare: (offer) => told.push(offer), forget: (offerId) => forgotten.push(offerId) });
  return { node, told, forgotten };
}

it('an offer for a call of this node is told while it is written down, with the id that it gets', async () => {
  const other = await store.registerNode(test.db, { name: 'other' });
  const own = await waitingCall(test.db, scenario);
  await waitingCall(test.db, { ...scenario, nodeId: other.nodeId });
  const { node, told, forgotten } = listeningNode();
  const result = await node.match(scenario.queueId, decide);
  expect(result?.offers.length).toBe(2);
  const offer = result?.offers.find(({ callId }) => callId === own);
  const { rows } = await test.db.query<{ name: string }>('select name from trunks where id = $1', [
    scenario.trunks.teams,
  ]);
  expect(told).toEqual([{ offerId: offer?.offerId, callId: own, queueId: scenario.queueId, trunk: rows[0]?.name }]);
  expect(forgotten).toEqual([]);
});

it('one that somebody else was sooner with is forgotten', async () => {
  await waitingCall(test.db, scenario);
  const { node, told, forgotten } = listeningNode(async (q, wanted, options) => {
    await q.query(`update agent_states set state = 'paused', reason = 'lunch'`);
    return await store.insertOffers(q, wanted, options);
  });
  const result = await node.match(scenario.queueId, decide);
  expect(result).toMatchObject({ offers: [], leftOut: 1 });
  expect(forgotten).toEqual(told.map(({ offerId }) => offerId));
  expect(told.length).toBe(1);
});

it('one whose transaction fails, or runs again, is forgotten', async () => {
  await waitingCall(test.db, scenario);
  let runs = 0;
  const { node, told, forgotten } = listeningNode(async (q, wanted, options) => {
    const offers = await store.insertOffers(q, wanted, { ...options, last: false });
    runs++;
    if (runs === 1) {
      throw Object.assign(new Error('deadlock detected'), { code: '40P01' });
    }
    if (runs === 3) {
      throw new Error('the disk is full');
    }
    return offers;
  });
  const result = await node.match(scenario.queueId, decide);
  expect([told.length, forgotten]).toEqual([2, [told[0]?.offerId]]);
  expect(result?.offers.map(({ offerId }) => offerId)).toEqual([told[1]?.offerId]);

  await waitingCall(test.db, scenario);
  await expect(node.match(scenario.queueId, decide)).rejects.toThrow('the disk is full');
  expect(forgotten).toEqual([told[0]?.offerId, told[2]?.offerId]);
});
