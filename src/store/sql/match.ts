import { SidekickError } from '../../lib/errors';
import type { Store } from '../api';
import { CHANNEL } from '../notifications';
import { ms, orUndefined, UUID } from './fragments';

/** Namespace of the queues' advisory locks; the second key is a hash of the queue's id. */
const QUEUE_LOCKS = 7113;

/**
 * A match looks up some dozens of rows, each by its key. A plan of the statistics, which joins whole tables by hash or merge,
 * would read everybody's offers and memberships for them.
 */
const BY_ROW = 'set local enable_hashjoin = off; set local enable_mergejoin = off;';

export const withQueueLock: Store['withQueueLock'] = (q, queueId, fn, before) => {
  if (!UUID.test(queueId)) {
    return Promise.reject(new SidekickError('SK_NOT_FOUND', 'There is no such queue', { context: { queueId } }));
  }
  // As text without values it can travel with BEGIN; the id was checked above. Two queues with the same hash wait for each other.
  return q.transaction(fn, {
    opening: `${BY_ROW} select pg_advisory_xact_lock(${QUEUE_LOCKS}, hashtext('${queueId.toLowerCase()}'))`,
    ...(before ? { before } : {}),
  });
};

export const dueTimes: Store['dueTimes'] = async (q, queueId) => {
  const { rows } = await q.query<{ now: number; nextAt: number | null }>(
    `select ${ms('statement_timestamp()')} as now, ${ms(`least(
       (select min(s.until) from agent_states s join queue_members m on m.agent_id = s.agent_id where m.queue_id = $1),
       (select min(x.until) from call_exclusions x join queue_visits v on v.call_id = x.call_id
        where v.queue_id = $1 and v.ended_at is null and x.until > statement_timestamp())
     )`)} as "nextAt"`,
    [queueId],
    { name: 'due-times', idempotent: true },
  );
  return { now: rows[0]?.now ?? 0, nextAt: orUndefined(rows[0]?.nextAt ?? null) };
};

export const hintQueue: Store['hintQueue'] = async (q, queueId, nodeId) => {
  await q.query(`select pg_notify($1, $2)`, [
    CHANNEL,
    JSON.stringify({ k: 'queue', id: queueId, ...(nodeId === undefined ? {} : { node: nodeId }) }),
  ]);
};
