/**
 * How offers and connections end, and what that means for the agent (routing rules, 4 and 6). One statement each, so that the
 * agent is never free in one row and taken in another. They follow src/agents/agent-state.ts.
 *
 *   canceled                      nothing
 *   no-answer                     missed in a row + 1; at the queue's limit not ready (missed) until the agent says ready,
 *                                 before it the same call is not offered again for a while
 *   declined, busy, unreachable,  not ready for the queue's delay for that outcome; ends by itself
 *   failed
 *   every outcome but canceled    "ready since" moves to now, so that others come first
 *   a call ended                  wrap-up, or not ready (after-call) where the queue wants the agent to say when the next may come
 *
 * An agent who paused or signed out meanwhile stays so.
 */
import type { Store } from '../api';
import type { AgentStateKind, Queryable } from '../types';
import { hint, ms, orUndefined } from './fragments';

const END_OFFER = `
with locked as (
  select s.agent_id, s.state, s.missed_in_row, s.until from offers o join agent_states s on s.agent_id = o.agent_id where o.id = $1 for update of s
), closed as (
  update offers o set state = 'ended', ended_at = greatest(clock_timestamp(), o.reserved_at), outcome = $2, cancel_reason = $3, sip_status = $4
  from locked where o.id = $1 and o.agent_id = locked.agent_id and o.state in ('reserved', 'ringing')
  returning o.call_id, o.agent_id, o.queue_id, o.ended_at
), rule as (
  select c.*, l.missed_in_row,
    case when $2 = 'canceled' then 'none'
      when $2 = 'no-answer' and (l.missed_in_row + 1 < q.misses_before_not_ready or l.state <> 'ready') then 'exclude'
      when l.state <> 'ready' then 'none'
      else 'not-ready' end as action,
    c.ended_at + interval '1 second' * case $2
      when 'no-answer' then q.no_answer_retry_seconds when 'declined' then q.declined_retry_seconds
      when 'busy' then q.busy_retry_seconds when 'unreachable' then q.unreachable_retry_seconds
      else q.failed_retry_seconds end as retry_at
  from closed c join locked l on l.agent_id = c.agent_id join queues q on q.id = c.queue_id
), agent as (
  update agent_states s set
    missed_in_row = r.missed_in_row + case when $2 = 'no-answer' then 1 else 0 end,
    ready_since = greatest(s.ready_since, r.ended_at),
    state = case when r.action = 'not-ready' then 'not-ready' else s.state end,
    reason = case when r.action <> 'not-ready' then s.reason when $2 = 'no-answer' then 'missed' else $2 end,
    until = case when r.action <> 'not-ready' then s.until when $2 = 'no-answer' then null else r.retry_at end,
    changed_at = case when r.action = 'not-ready' then r.ended_at else s.changed_at end,
    changed_by = case when r.action = 'not-ready' then 'system' else s.changed_by end
  from rule r where s.agent_id = r.agent_id and $2 <> 'canceled'
  returning s.agent_id, s.state, s.until
), excluded as (
  insert into call_exclusions as x (call_id, agent_id, until) select call_id, agent_id, retry_at from rule where action = 'exclude'
  on conflict (call_id, agent_id) do update set until = greatest(x.until, excluded.until)
)
select coalesce(a.state, l.state) as "agentState",
  ${ms(`case when r.action = 'exclude' then r.retry_at else coalesce(a.until, l.until) end`)} as until,
  ${ms('coalesce(a.until, l.until)')} - ${ms('clock_timestamp()')} as "restMs",
  ${hint('agent', 'r.agent_id')}, ${hint('queue', 'r.queue_id')}
from rule r join locked l on l.agent_id = r.agent_id left join agent a on a.agent_id = r.agent_id`;

export const endOffer: Store['endOffer'] = async (q, offerId, end, sipStatus) => {
  const reason = end.outcome === 'canceled' ? end.reason : null;
  const { rows } = await q.query<{ agentState: AgentStateKind; until: number | null; restMs: number | null }>(
    END_OFFER,
    [offerId, end.outcome, reason, sipStatus ?? null],
    { name: 'end-offer' },
  );
  const row = rows[0];
  if (row) {
    return { ended: true, agentState: row.agentState, until: orUndefined(row.until), restMs: orUndefined(row.restMs) };
  }
  // It had won the call and came to nothing afterwards: the agent must be free again all the same.
  const connection = await endConnection(q, offerId, 'system');
  return {
    ended: connection.ended,
    agentState: undefined,
    until: connection.wrapUpUntil,
    restMs: connection.restMs,
  };
};

const END_CONNECTION = `
with freed as (
  update calls c set connected_offer_id = null, state = 'answered'
  from offers o where o.id = $1 and c.id = o.call_id and c.connected_offer_id = $1 and c.ended_at is null
  returning c.id
), locked as (
  select s.agent_id, s.state from offers o join agent_states s on s.agent_id = o.agent_id
  where o.id = $1 and (select count(*) from freed) >= 0 for no key update of s
), closed as (
  update offers o set state = 'ended', ended_at = greatest(clock_timestamp(), o.answered_at), outcome = 'answered'
  from locked where o.id = $1 and o.agent_id = locked.agent_id and o.state = 'connected'
  returning o.*
), fact as (
  insert into connections (tenant_id, call_id, offer_id, queue_id, agent_id, started_at, ended_at, ended_by)
  select tenant_id, call_id, id, queue_id, agent_id, answered_at, ended_at, $2 from closed
), rest as (
  select c.agent_id, c.queue_id, c.answered_at, c.ended_at, l.state = 'ready' as was_ready,
    l.state = 'ready' and q.after_call = 'manual-ready' as manual,
    l.state = 'ready' and q.after_call <> 'manual-ready' and q.wrap_up_seconds > 0 as wrap_up,
    c.ended_at + q.wrap_up_seconds * interval '1 second' as wrap_up_until,
    tenant_day(c.tenant_id, c.ended_at) as today,
    greatest(0, round(date_part('epoch', c.ended_at - greatest(c.answered_at, tenant_midnight(c.tenant_id, c.ended_at))) * 1000))::bigint as talked_ms
  from closed c join locked l on l.agent_id = c.agent_id join queues q on q.id = c.queue_id
), agent as (
  update agent_states s set
    last_call_ended_at = r.ended_at,
    ready_since = case when r.was_ready then r.ended_at else s.ready_since end,
    state = case when r.manual then 'not-ready' when r.wrap_up then 'wrap-up' else s.state end,
    reason = case when r.manual then 'after-call' else s.reason end,
    until = case when r.wrap_up then r.wrap_up_until else s.until end,
    changed_at = case when r.wrap_up or r.manual then r.ended_at else s.changed_at end,
    changed_by = case when r.wrap_up or r.manual then 'system' else s.changed_by end,
    day = r.today,
    handling_ms = case when s.day = r.today then s.handling_ms else 0 end + r.talked_ms,
    signed_in_ms = case when s.day = r.today then s.signed_in_ms else 0 end
  from rest r where s.agent_id = r.agent_id
)
select ${ms('r.ended_at')} - ${ms('r.answered_at')} as "durationMs", ${ms('case when r.wrap_up then r.wrap_up_until end')} as "wrapUpUntil",
  case when r.wrap_up then ${ms('r.wrap_up_until')} - ${ms('clock_timestamp()')} end as "restMs",
  ${hint('agent', 'r.agent_id')}
from rest r`;

export const endConnection: Store['endConnection'] = async (q, offerId, endedBy) => {
  const { rows } = await q.query<{ durationMs: number; wrapUpUntil: number | null; restMs: number | null }>(
    END_CONNECTION,
    [offerId, endedBy],
    {
      name: 'end-connection',
    },
  );
  const row = rows[0];
  if (!row) {
    return { ended: false, durationMs: 0, wrapUpUntil: undefined, restMs: await restOf(q, offerId) };
  }
  return {
    ended: true,
    durationMs: row.durationMs,
    wrapUpUntil: orUndefined(row.wrapUpUntil),
    restMs: orUndefined(row.restMs),
  };
};

/** The offer had ended before, perhaps by a statement whose answer was lost: the rest that it began goes on all the same. */
async function restOf(q: Queryable, offerId: string): Promise<number | undefined> {
  const { rows } = await q.query<{ restMs: number | null }>(
    `select greatest(0, ${ms('s.until')} - ${ms('clock_timestamp()')}) as "restMs"
     from offers o join agent_states s on s.agent_id = o.agent_id where o.id = $1`,
    [offerId],
    { idempotent: true },
  );
  return orUndefined(rows[0]?.restMs ?? null);
}
