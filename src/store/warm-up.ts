import type { Store } from './api';
import type { Database } from './pool';
import type { Queryable } from './types';

/** No row has this id. */
const NOBODY = '00000000-0000-0000-0000-000000000000';
/** Connections left to whoever needs one meanwhile. */
const SPARE = 2;

/**
 * Has each connection plan the statements of a call before the first caller comes. Postgres plans per connection, and planning takes
 * ten times as long as running: those who came while several connections were wanted at once would wait for it. Every statement runs
 * for nobody and changes nothing, in the surroundings in which it runs later, which the plan depends on.
 */
export async function warmUp(store: Store, db: Database): Promise<void> {
  await db.onEach(async (q) => {
    for (const statement of AHEAD_OF_A_MATCH) {
      await quietly(
        store.withQueueLock(
          q,
          NOBODY,
          (tx) => matchNothing(store, tx),
          (ahead) => quietly(statement(store, ahead)),
        ),
      );
    }
    for (const statement of ALONE) {
      await quietly(statement(store, q));
    }
  }, SPARE);
}

type Statement = (store: Store, q: Queryable) => Promise<unknown>;

const AHEAD_OF_A_MATCH: readonly Statement[] = [
  (store, q) => store.endConnection(q, NOBODY, 'system'),
  (store, q) => store.endOffer(q, NOBODY, { outcome: 'canceled', reason: 'withdrawn' }),
  (store, q) => store.enqueue(q, { callId: NOBODY, queueId: NOBODY }),
];

const ALONE: readonly Statement[] = [
  (store, q) =>
    store.insertCall(q, { id: NOBODY, tenantId: NOBODY, nodeId: NOBODY, dialledNumber: '-', sipCallId: '-' }),
  (store, q) =>
    store.updateCall(q, NOBODY, {
      mediaServer: '-',
      callerChannelUuid: '-',
      carrierDialogId: '-',
      mediaDialogId: '-',
      lastSdpSent: '-',
      lastSdpReceived: '-',
    }),
  (store, q) => store.markCallAnswered(q, NOBODY),
  (store, q) => store.markAnswered(q, NOBODY, { agentDialogId: '-' }),
  (store, q) => store.queuesWaitingFor(q, [NOBODY]),
  (store, q) => store.leaveQueue(q, NOBODY, 'ended'),
  (store, q) => store.endCall(q, NOBODY, 'indeterminate', 'node-lost'),
];

async function matchNothing(store: Store, tx: Queryable): Promise<void> {
  await store.snapshotQueue(tx, NOBODY, { onlyIfWaiting: true });
  await store.insertOffers(tx, [{ callId: NOBODY, queueId: NOBODY, agentId: NOBODY }], { last: true });
}

/** What these say of nobody is of no interest; a connection that is lost is opened again by whoever needs it. */
async function quietly(work: Promise<unknown>): Promise<void> {
  await work.catch(() => undefined);
}
