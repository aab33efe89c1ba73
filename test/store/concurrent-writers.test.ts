import fc from 'fast-check';
import { store } from '../../src/store';
import type { OfferEnd } from '../../src/store';
import { emptyDatabase, testDatabase, type TestDatabase } from '../support/database';
import { brokenRules } from '../support/floor-rules';
import { arrivedCall, makeScenario, type Scenario } from '../support/scenario';

let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase({ max: 8 });
});
afterAll(async () => {
  await test.close();
});

/** What one of the writers does next; numbers choose among what there is. */
type Step = {
  readonly do: 'arrive' | 'match' | 'ring' | 'answer' | 'refuse' | 'hang-up' | 'leave' | 'end' | 'state' | 'expire';
  readonly pick: number;
};

const step = fc.record({
  do: fc.constantFrom<Step['do']>(
    'arrive',
    'arrive',
    'match',
    'match',
    'match',
    'ring',
    'answer',
    'answer',
    'refuse',
    'hang-up',
    'leave',
    'end',
    'state',
    'expire',
  ),
  pick: fc.nat(1000),
});

const ENDS: readonly OfferEnd[] = [
  { outcome: 'no-answer' },
  { outcome: 'declined' },
  { outcome: 'busy' },
  { outcome: 'canceled', reason: 'withdrawn' },
  { outcome: 'canceled', reason: 'caller-gone' },
];

class Writers {
  readonly #scenarios: readonly Scenario[];
  readonly #calls: string[] = [];
  readonly #offers: string[] = [];

  constructor(scenarios: readonly Scenario[]) {
    this.#scenarios = scenarios;
  }

  async run({ do: what, pick }: Step): Promise<void> {
    const scenario = this.#scenarios[pick % this.#scenarios.length]!;
    const callId = this.#calls[pick % Math.max(1, this.#calls.length)];
    const offerId = this.#offers[pick % Math.max(1, this.#offers.length)];
    const agentId = Object.values(scenario.agents)[pick % 4]!;
    const { db } = test;
    switch (what) {
      case 'arrive': {
        const id = await arrivedCall(db, scenario);
        await store.enqueue(db, { callId: id, queueId: scenario.queueId });
        this.#calls.push(id);
        return;
      }
      case 'match': {
        await this.#match(scenario, pick);
        return;
      }
      case 'state': {
        const change = [
          store.pause(db, agentId, 'x', 'test'),
          store.signOut(db, agentId, 'test'),
          store.signIn(db, agentId, 'test'),
          store.ready(db, agentId, 'test'),
        ];
        await Promise.all(change);
        return;
      }
      case 'expire': {
        await db.query(`update agent_states set until = clock_timestamp() where until is not null`);
        await store.expireDueStates(db);
        return;
      }
      default: {
        await this.#onOne(what, callId, offerId, pick);
      }
    }
  }

  /** Tries to reserve everybody who is idle for everybody who waits, as a match that is not too careful would. */
  async #match(scenario: Scenario, pick: number): Promise<void> {
    const made = await store.withQueueLock(test.db, scenario.queueId, async (tx) => {
      const snapshot = (await store.snapshotQueue(tx, scenario.queueId))!;
      const waiting = snapshot.calls.filter((call) => !call.openOffers?.length);
      const agents = snapshot.agents.filter((agent) => !agent.openOffer);
      const turned = [
        ...agents.slice(pick % Math.max(1, agents.length)),
        ...agents.slice(0, pick % Math.max(1, agents.length)),
      ];
      const pairs = turned.flatMap((agent, i) =>
        waiting.length > 0
          ? [
              {
                agentId: agent.agentId,
                callId: waiting[i % waiting.length]!.callId,
                queueId: waiting[i % waiting.length]!.queueId,
              },
            ]
          : [],
      );
      return store.insertOffers(tx, pairs);
    });
    this.#offers.push(...made.map((offer) => offer.offerId));
  }

  async #onOne(what: Step['do'], callId: string | undefined, offerId: string | undefined, pick: number): Promise<void> {
    const { db } = test;
    if (offerId !== undefined && what === 'ring') {
      await store.markRinging(db, offerId);
    } else if (offerId !== undefined && what === 'answer') {
      await store.markAnswered(db, offerId);
    } else if (offerId !== undefined && what === 'refuse') {
      await store.endOffer(db, offerId, ENDS[pick % ENDS.length]!);
    } else if (offerId !== undefined && what === 'hang-up') {
      await store.endConnection(db, offerId, 'agent');
    } else if (callId !== undefined && what === 'leave') {
      await store.leaveQueue(db, callId, 'timed-out');
    } else if (callId !== undefined && what === 'end') {
      await store.endCall(db, callId, 'success', 'caller-hung-up');
    }
  }

  async finish(): Promise<void> {
    for (const callId of this.#calls) {
      const { openOffers } = await store.endCall(test.db, callId, 'success', 'caller-hung-up');
      for (const offer of openOffers) {
        await store.endOffer(test.db, offer.offerId, { outcome: 'canceled', reason: 'caller-gone' });
      }
    }
  }
}

describe('writers at the same time', () => {
  it('never book an agent twice, give a caller two agents, or leave anything behind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 60, maxLength: 160 }), async (steps) => {
        await emptyDatabase(test.db);
        const one = await makeScenario(test.db, { agents: ['A', 'B', 'C', 'D'], queue: { wrap_up_seconds: 1 } });
        const other = await test.db.query<{ id: string }>(
          `insert into queues (tenant_id, name, wrap_up_seconds) values ($1, 'sales', 0) returning id`,
          [one.tenantId],
        );
        const two = { ...one, queueId: other.rows[0]!.id };
        await test.db.query(
          'insert into queue_members (queue_id, agent_id, tenant_id, position) select $1, agent_id, tenant_id, position from queue_members',
          [two.queueId],
        );
        const writers = new Writers([one, two]);
        const lanes = Array.from({ length: 6 }, (_, lane) => steps.filter((_step, i) => i % 6 === lane));
        await Promise.all(
          lanes.map(async (lane) => {
            for (const each of lane) {
              await writers.run(each);
            }
          }),
        );
        const none = Object.fromEntries(Object.keys(await brokenRules(test.db)).map((rule) => [rule, 0]));
        expect(await brokenRules(test.db)).toEqual(none);
        await writers.finish();
        expect(await brokenRules(test.db)).toEqual(none);
        expect(await store.openWork(test.db)).toEqual({
          openOffers: 0,
          liveCalls: 0,
          waitingCalls: 0,
          reservedAgents: 0,
        });
      }),
      { numRuns: 12 },
    );
  });
});
