import { SidekickError } from '../../lib/errors';
import type { Snapshot } from '../../routing/types';
import type { Store } from '../api';
import type { Offer } from '../types';
import { ENDPOINT_JSON, ms, notify, orUndefined, PRESENCE_JSON, UUID, WOKEN } from './fragments';
import { SERVICE_ORDER } from './queue-visits';

/** Namespace of the queues' advisory locks; the second key is a hash of the queue's id. */
const QUEUE_LOCKS = 7113;

export const withQueueLock: Store['withQueueLock'] = (q, queueId, fn) => {
  if (!UUID.test(queueId)) {
    return Promise.reject(new SidekickError('SK_NOT_FOUND', 'There is no such queue', { context: { queueId } }));
  }
  // Without values it can travel with BEGIN; the id was checked above. Two queues with the same hash wait for each other.
  return q.transaction(fn, {
    opening: `select pg_advisory_xact_lock(${QUEUE_LOCKS}, hashtext('${queueId.toLowerCase()}'))`,
  });
};

/**
 * A wrap-up or retry delay that is over counts as ready from its end on, whether or not anybody has noted it yet.
 */
const WORK_STATE_JSON = `case
    when s.state = 'ready' or ${WOKEN('s')} then json_build_object('kind', 'ready')
    when s.state = 'paused' then json_build_object('kind', 'paused', 'reason', s.reason)
    when s.state = 'not-ready' then json_build_object('kind', 'not-ready', 'reason', s.reason, 'until', ${ms('s.until')})
    when s.state = 'wrap-up' then json_build_object('kind', 'wrap-up', 'until', ${ms('s.until')})
    else json_build_object('kind', 'signed-out') end`;

/** A trunk counts as up until every running node that tried it says otherwise. */
const ENDPOINT_UP = `e.kind = 'web' or (t.enabled and t.removed_at is null and coalesce(
    (select bool_or(ts.up) from trunk_status ts join nodes n on n.id = ts.node_id and n.stopped_at is null where ts.trunk_id = t.id), true))`;

const SNAPSHOT = `
select json_strip_nulls(json_build_object(
  'now', ${ms('statement_timestamp()')},
  'queueId', qu.id,
  'seed', floor(random() * 4294967296)::bigint,
  'queues', json_build_array(json_build_object('queueId', qu.id, 'name', qu.name, 'strategy', qu.strategy, 'weight', 0,
    'levels', 'strict', 'skipEmptyLevels', true, 'maxParallel', 1, 'stepAgents', 1, 'stepMs', 5000, 'spareScarceAgents', false,
    'presence', json_build_object(
      'accept', qu.presence_accept, 'staleAfterMs', qu.stale_after_seconds * 1000, 'unknown', qu.presence_unknown,
      'graceMs', qu.presence_grace_seconds * 1000))),
  'calls', coalesce((
    select json_agg(json_build_object('callId', v.call_id, 'queueId', v.queue_id, 'nodeId', c.node_id,
        'class', v.class, 'headStartMs', v.head_start_ms,
        'firstQueuedAt', ${ms('v.first_queued_at')}, 'queuedAt', ${ms('v.queued_at')},
        'excluded', (
          select json_agg(json_build_object('agentId', x.agent_id, 'until', ${ms('x.until')}) order by x.agent_id)
          from call_exclusions x where x.call_id = v.call_id and x.until > statement_timestamp()),
        'openOffers', (
          select json_agg(json_build_object('offerId', o.id, 'agentId', o.agent_id) order by o.id)
          from offers o where o.call_id = v.call_id and o.ended_at is null)
      ) order by ${SERVICE_ORDER})
    from queue_visits v join calls c on c.id = v.call_id where v.queue_id = qu.id and v.ended_at is null), '[]'),
  'agents', coalesce((
    select json_agg(json_build_object('agentId', a.id, 'name', a.name,
        'memberships', json_build_array(json_build_object('queueId', m.queue_id, 'level', m.level, 'position', m.position, 'priority', 1)),
        'workState', ${WORK_STATE_JSON},
        'readySince', ${ms(`case when ${WOKEN('s')} then greatest(s.ready_since, s.until) else s.ready_since end`)},
        'openOffer', case when o.id is not null then
          json_build_object('offerId', o.id, 'callId', o.call_id, 'connected', o.state = 'connected') end,
        'presence', ${PRESENCE_JSON},
        'lastCallEndedAt', ${ms('greatest(s.last_call_ended_at, s.presence_cleared_at)')},
        'endpoint', json_build_object('kind', coalesce(e.kind, 'web'), 'trunk', coalesce(t.name, 'web'),
          'up', coalesce(${ENDPOINT_UP}, false))
      ) order by m.level, m.position, a.name, a.id)
    from queue_members m
    join agents a on a.id = m.agent_id and a.removed_at is null
    join agent_states s on s.agent_id = a.id
    left join agent_endpoints e on e.agent_id = a.id and e.position = 1
    left join trunks t on t.id = e.trunk_id
    left join presence p on p.agent_id = a.id
    left join offers o on o.agent_id = a.id and o.ended_at is null
    where m.queue_id = qu.id), '[]')
)) as snapshot
from queues qu where qu.id = $1 and qu.removed_at is null`;

export const snapshotQueue: Store['snapshotQueue'] = async (q, queueId) => {
  const { rows } = await q.query<{ snapshot: Snapshot }>(SNAPSHOT, [queueId], {
    name: 'snapshot-queue',
    idempotent: true,
  });
  return rows[0]?.snapshot;
};

/** An offer with what is needed to ring the agent, from a set of rows named `source` (columns of offers). */
export function offerRows(source: string): string {
  return `select o.id as "offerId", o.call_id as "callId", o.queue_id as "queueId", qu.name as queue, o.agent_id as "agentId",
      a.name as agent, a.display_name as "agentDisplayName", o.node_id as "nodeId", ${ENDPOINT_JSON} as endpoint,
      o.ring_timeout_ms as "ringTimeoutMs", ${ms('o.reserved_at')} as "reservedAt", ${PRESENCE_JSON} as presence
    from ${source} o
    join queues qu on qu.id = o.queue_id
    join agents a on a.id = o.agent_id
    join agent_endpoints e on e.agent_id = o.agent_id and e.position = 1
    left join trunks t on t.id = e.trunk_id
    left join presence p on p.agent_id = o.agent_id`;
}

/**
 * The rows of agents are locked in the order of their ids, so two queues that want the same agents wait for each other
 * instead of for ever; whoever comes second finds the agent taken and inserts nothing for him.
 */
const INSERT_OFFERS = `
with wanted as (
  select * from unnest($2::uuid[], $3::uuid[], $4::text[]) with ordinality as w(call_id, agent_id, explanation, n)
), waiting as (
  select v.id as visit_id, v.call_id, v.tenant_id, c.node_id, c.media_server
  from queue_visits v join calls c on c.id = v.call_id
  where v.queue_id = $1 and v.ended_at is null and c.ended_at is null and v.call_id in (select call_id from wanted)
    and not exists (select from offers o where o.call_id = v.call_id and o.ended_at is null)
  order by v.call_id for share of v
), able as (
  select s.agent_id from agent_states s
  where s.agent_id in (select agent_id from wanted) and (s.state = 'ready' or ${WOKEN('s')})
  order by s.agent_id for update of s
), planned as materialized (
  select gen_random_uuid() as id, c.*, w.agent_id, w.explanation, w.n, qu.id as queue_id,
    row_number() over (partition by w.call_id order by w.n) - 1 as slot,
    1000 * least(qu.ring_timeout_seconds, coalesce(e.max_ring_seconds, qu.ring_timeout_seconds)) as ring_timeout_ms
  from wanted w
  join waiting c on c.call_id = w.call_id
  join able on able.agent_id = w.agent_id
  join queues qu on qu.id = $1
  join agents a on a.id = w.agent_id and a.removed_at is null
  join agent_endpoints e on e.agent_id = w.agent_id and e.position = 1
  where not exists (select from offers o where o.agent_id = w.agent_id and o.ended_at is null)
), reserved as (
  insert into offers (id, tenant_id, call_id, visit_id, queue_id, agent_id, node_id, media_server, channel_uuid, ring_timeout_ms, explanation, slot)
  select id, tenant_id, call_id, visit_id, queue_id, agent_id, node_id, media_server, id::text, ring_timeout_ms, explanation::jsonb, slot
  from planned order by n
  on conflict do nothing returning *
), woken as (
  update agent_states s set state = 'ready', reason = null, ready_since = greatest(s.ready_since, s.until), changed_at = s.until, until = null,
    changed_by = 'system'
  from reserved r where s.agent_id = r.agent_id and s.state <> 'ready'
), rows as (${offerRows('reserved')})
select rows.*, ${notify('offer', `rows."offerId"`, { call: `rows."callId"`, node: `rows."nodeId"` })} from rows`;

/** A row of the statement above, which has the answer of pg_notify beside the offer. */
interface OfferRecord extends Offer {
  readonly pg_notify: unknown;
}

function toOffer(record: OfferRecord): Offer {
  const offer: Record<string, unknown> = { ...record };
  delete offer['pg_notify'];
  return offer as unknown as Offer;
}

export const insertOffers: Store['insertOffers'] = async (q, queueId, assignments, explanations) => {
  if (assignments.length === 0) {
    return [];
  }
  const byCall = new Map(explanations.map((explanation) => [explanation.callId, JSON.stringify(explanation)]));
  const { rows } = await q.query<OfferRecord>(
    INSERT_OFFERS,
    [
      queueId,
      assignments.map((a) => a.callId),
      assignments.map((a) => a.agentId),
      assignments.map((a) => byCall.get(a.callId) ?? null),
    ],
    { name: 'insert-offers' },
  );
  return rows.map(toOffer);
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
