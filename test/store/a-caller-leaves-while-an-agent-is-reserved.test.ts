import { silentLog } from '../../src/lib/log';
import { openDatabase, store } from '../../src/store';
import type { Database } from '../../src/store';
import { testDatabase, type TestDatabase } from '../support/database';
import { makeScenario, reserve, waitingCall } from '../support/scenario';

describe('a caller who leaves while an agent is being reserved for him', () => {
  let test: TestDatabase;
  let db: Database;
  const retries: unknown[] = [];

  beforeAll(async () => {
    test = await testDatabase();
    const log = silentLog();
    log.warn = (entry: unknown): void => {
      retries.push(entry);
    };
    db = openDatabase({ url: test.url, log, max: 12 });
  });

  afterAll(async () => {
    await db.close();
    await test.close();
  });

  it('waits for the reservation, or the reservation for him, but never each for the other', async () => {
    const scenario = await makeScenario(db, { agents: ['anna', 'ben', 'clara'] });
    const agents = Object.values(scenario.agents);
    for (let round = 0; round < 60; round++) {
      const calls = await Promise.all(agents.map(() => waitingCall(db, scenario)));
      await Promise.all(
        calls.flatMap((callId, i) => [
          reserve(db, scenario, callId, agents[i] ?? ''),
          store.leaveQueue(db, callId, 'abandoned').then(async ({ openOffers }) => {
            await Promise.all(
              openOffers.map(({ offerId }) =>
                store.endOffer(db, offerId, { outcome: 'canceled', reason: 'caller-gone' }),
              ),
            );
          }),
        ]),
      );
      await Promise.all(calls.map((callId) => store.endCall(db, callId, 'abandoned', 'caller-hung-up')));
    }
    expect(retries).toEqual([]);
    expect(await store.openWork(db)).toEqual({ openOffers: 0, liveCalls: 0, waitingCalls: 0, reservedAgents: 0 });
  });
});
