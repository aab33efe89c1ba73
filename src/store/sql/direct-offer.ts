import type { Store } from '../api';
import type { Offer } from '../types';
import { WOKEN } from './fragments';
import { offerRows } from './insert-offers';

/** Beside the agents whom a match rings for the call, so that one of those who is still being cancelled is not in the way. */
const DIRECT_SLOT = 99;

/**
 * Reserves one agent for a call that somebody sends to him. Locks as everywhere: the call, then the agent. The offer counts for
 * the queue that the call waited in last, whose rules for its outcome apply.
 */
const RESERVE_AGENT = `
with live as (
  select id, tenant_id, node_id, media_server from calls where id = $1 and ended_at is null for no key update
), visit as (
  select v.id, v.queue_id from queue_visits v join live on v.call_id = live.id order by v.queued_at desc, v.id limit 1
), able as (
  select s.agent_id from agent_states s join live on live.tenant_id = s.tenant_id
  where s.agent_id = $2 and (s.state = 'ready' or ${WOKEN('s')}) for update of s
), planned as (
  select live.id as call_id, live.tenant_id, live.node_id, live.media_server, visit.id as visit_id, visit.queue_id, able.agent_id,
    1000 * least(qu.ring_timeout_seconds, coalesce(e.max_ring_seconds, qu.ring_timeout_seconds)) as ring_timeout_ms
  from live cross join visit cross join able
  join queues qu on qu.id = visit.queue_id
  join agents a on a.id = able.agent_id and a.removed_at is null
  join agent_endpoints e on e.agent_id = able.agent_id and e.position = 1
  where not exists (select from offers o where o.agent_id = able.agent_id and o.ended_at is null)
), reserved as (
  insert into offers (id, tenant_id, call_id, visit_id, queue_id, agent_id, node_id, media_server, channel_uuid, ring_timeout_ms, slot)
  select $3::uuid, tenant_id, call_id, visit_id, queue_id, agent_id, node_id, media_server, $3::uuid::text, ring_timeout_ms, ${DIRECT_SLOT}
  from planned on conflict do nothing returning *
), woken as (
  update agent_states s set state = 'ready', reason = null, ready_since = greatest(s.ready_since, s.until), changed_at = s.until, until = null,
    changed_by = 'system'
  from reserved r where s.agent_id = r.agent_id and s.state <> 'ready'
)
${offerRows('reserved')}`;

export const reserveAgent: Store['reserveAgent'] = async (q, callId, agentId, offerId) => {
  const { rows } = await q.query<Offer>(RESERVE_AGENT, [callId, agentId, offerId], { name: 'reserve-agent' });
  return rows[0];
};
