import { newId } from '../../lib/ids';
import type { Store } from '../api';
import type { Offer } from '../types';
import { ENDPOINT_JSON, ms, notify, PRESENCE_JSON, WOKEN } from './fragments';

/** An offer with what is needed to ring the agent, from a set of rows named `source` (columns of offers). */
export function offerRows(source: string): string {
  return `select o.id as "offerId", o.call_id as "callId", o.queue_id as "queueId", qu.name as queue, o.agent_id as "agentId",
      a.name as agent, a.display_name as "agentDisplayName", o.node_id as "nodeId", ${ENDPOINT_JSON} as endpoint,
      o.ring_timeout_ms as "ringTimeoutMs", ${ms('o.reserved_at')} as "reservedAt", ${PRESENCE_JSON} as presence,
      o.state in ('reserved', 'ringing') as pending, o.state = 'ringing' as rings, json_build_object('confirm', qu.confirm, 'suspicious', qu.suspicious_answer, 'suspiciousAnswerMs', qu.suspicious_answer_ms) as answer
    from ${source} o
    join queues qu on qu.id = o.queue_id
    join agents a on a.id = o.agent_id
    join agent_endpoints e on e.agent_id = o.agent_id and e.position = 1
    left join trunks t on t.id = e.trunk_id
    left join presence p on p.agent_id = o.agent_id`;
}

/**
 * Stays are locked in the order of their calls, then agents in the order of their ids, so that matches of different queues that
 * want the same ones wait for each other instead of for ever; whoever comes second finds them taken and inserts nothing.
 *
 * A call has as many slots as its strategy lets agents ring at once, and one open offer in each. $4: the node that runs the
 * match. It rings its own calls at once, so their offers say so from the start; for those of another node that one is told.
 */
const INSERT_OFFERS = `
with wanted as (
  select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $5::uuid[]) with ordinality as w(call_id, queue_id, agent_id, offer_id, n)
), waiting as materialized (
  select v.id as visit_id, v.call_id, v.queue_id, v.tenant_id, c.node_id, c.media_server, qu.ring_timeout_seconds,
    case when qu.strategy in ('ring-all', 'ring-progressively') then qu.max_parallel else 1 end as places
  from queue_visits v join calls c on c.id = v.call_id join queues qu on qu.id = v.queue_id
  where v.ended_at is null and c.ended_at is null and (v.call_id, v.queue_id) in (select call_id, queue_id from wanted)
  order by v.call_id for no key update of v
), able as materialized (
  select s.agent_id from agent_states s
  where s.agent_id in (select w.agent_id from wanted w join waiting using (call_id)) and (s.state = 'ready' or ${WOKEN('s')})
  order by s.agent_id for no key update of s
), slots as materialized (
  select w.call_id, g.slot, row_number() over (partition by w.call_id order by g.slot) as nth
  from waiting w cross join lateral generate_series(0, w.places - 1) as g(slot)
  where not exists (
    select from offers o where o.call_id = w.call_id and o.ended_at is null and (w.places = 1 or o.slot = g.slot))
), chosen as materialized (
  select w.*, row_number() over (partition by w.call_id order by w.n) as nth
  from wanted w
  join able on able.agent_id = w.agent_id
  join queue_members m on m.queue_id = w.queue_id and m.agent_id = w.agent_id and m.signed_in and not m.paused
  join agents a on a.id = w.agent_id and a.removed_at is null
  where not exists (select from offers o where o.agent_id = w.agent_id and o.ended_at is null)
), planned as materialized (
  select c.offer_id as id, w.*, c.agent_id, c.n, slots.slot,
    1000 * least(w.ring_timeout_seconds, coalesce(e.max_ring_seconds, w.ring_timeout_seconds)) as ring_timeout_ms,
    w.node_id = $4::uuid and w.media_server is not null as own
  from chosen c
  join waiting w on w.call_id = c.call_id
  join slots on slots.call_id = c.call_id and slots.nth = c.nth
  join agent_endpoints e on e.agent_id = c.agent_id and e.position = 1
), reserved as (
  insert into offers (id, tenant_id, call_id, visit_id, queue_id, agent_id, node_id, media_server, channel_uuid, ring_timeout_ms,
    slot, state, ringing_at)
  select id, tenant_id, call_id, visit_id, queue_id, agent_id, node_id, media_server, id::text, ring_timeout_ms,
    slot, case when own then 'ringing' else 'reserved' end, case when own then clock_timestamp() end
  from planned order by n
  on conflict do nothing returning *
), woken as (
  update agent_states s set state = 'ready', reason = null, ready_since = greatest(s.ready_since, s.until), changed_at = s.until, until = null,
    changed_by = 'system'
  from reserved r where s.agent_id = r.agent_id and s.state <> 'ready'
), remembered as (
  update queue_members m set last_offered_at = r.reserved_at from reserved r where m.queue_id = r.queue_id and m.agent_id = r.agent_id
), rows as (${offerRows('reserved')})
select rows.*, case when rows."nodeId" is distinct from $4::uuid then
  ${notify('offer', `rows."offerId"`, { call: `rows."callId"`, node: `rows."nodeId"` })} end from rows`;

/** A row of the statement above, which has the answer of pg_notify beside the offer. */
interface OfferRecord extends Offer {
  readonly case: unknown;
}

function toOffer(record: OfferRecord): Offer {
  const offer: Record<string, unknown> = { ...record };
  delete offer['case'];
  return offer as unknown as Offer;
}

export const insertOffers: Store['insertOffers'] = async (q, assignments, options = {}) => {
  if (assignments.length === 0) {
    return [];
  }
  const { rows } = await q.query<OfferRecord>(
    INSERT_OFFERS,
    [
      assignments.map((a) => a.callId),
      assignments.map((a) => a.queueId),
      assignments.map((a) => a.agentId),
      options.byNode ?? null,
      assignments.map((a) => a.offerId ?? newId()),
    ],
    { name: 'insert-offers', last: options.last === true },
  );
  return rows.map(toOffer);
};
