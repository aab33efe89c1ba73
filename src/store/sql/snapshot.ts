/**
 * What a decision is made from, in one statement, so that all of it is of one moment. People and calls come as arrays without
 * keys, which Postgres writes and we read twice as fast; snapshot-rows.ts gives them their names.
 *
 * The scope is the queue that is asked for and every queue with waiting calls that shares a free member with it. Of each of them
 * all waiting calls and all members are there. Of queues beyond it, to which exits of its queues lead, there is what a call must
 * know that may be sent there.
 */
import type { Snapshot } from '../../routing/types';
import type { Store } from '../api';
import { ENDPOINT_UP, WOKEN } from './fragments';
import { SERVICE_ORDER } from './queue-visits';
import { toSnapshot, type SnapshotRow } from './snapshot-rows';

/** Milliseconds since the epoch, written faster than `ms` does. */
const t = (expression: string): string => `round(date_part('epoch', ${expression}) * 1000)::int8`;
const orNull = (seconds: string): string => `(${seconds} * 1000)`;

/** Nobody is kept for a caller whose node does not answer; the others release its work soon (node-life.ts). */
const NODE_ALIVE = `(select from nodes n where n.id = c.node_id and n.stopped_at is null
  and n.heartbeat_at > statement_timestamp() - interval '10 seconds')`;

/** Id of the offer that an agent has open. Asked for each agent, since a join may read the open offers of everybody. */
const openOffer = (agentId: string): string =>
  `(select o.id from offers o where o.agent_id = ${agentId} and o.ended_at is null limit 1)`;

/** The queue of $1. */
export const ASKED = `
asked as materialized (
  select qu.id, qu.tenant_id, tenant_day(qu.tenant_id, statement_timestamp()) as today,
    tenant_midnight(qu.tenant_id, statement_timestamp()) as midnight
  from queues qu where qu.id = $1 and qu.removed_at is null
)`;

const SCOPE = `
${ASKED}, free as materialized (
  select m.agent_id from asked join queue_members m on m.queue_id = asked.id join agent_states s on s.agent_id = m.agent_id
  where m.signed_in and not m.paused and (s.state = 'ready' or ${WOKEN('s')}) and ${openOffer('m.agent_id')} is null
), scope as materialized (
  select id as queue_id from asked
  union
  select w.queue_id from (select distinct m.queue_id from free join queue_members m on m.agent_id = free.agent_id) w
  where (select v.id from queue_visits v where v.queue_id = w.queue_id and v.ended_at is null limit 1) is not null
), reach(queue_id) as (
  select queue_id from scope
  union
  select t.id from reach join queues qu on qu.id = reach.queue_id
  cross join lateral jsonb_path_query(qu.exits, '$.*.queues[*]') as named(name)
  join queues t on t.tenant_id = qu.tenant_id and t.name = named.name #>> '{}' and t.removed_at is null
)`;

const CALLS = `
waiting as materialized (
  select v.*, c.node_id, nullif(c.callback_of is not null, false) as callback, qu.strategy
  from scope join queue_visits v on v.queue_id = scope.queue_id and v.ended_at is null
  join queues qu on qu.id = v.queue_id
  join calls c on c.id = v.call_id
  where exists ${NODE_ALIVE} and not (c.callback_of is not null and exists (
    select from callbacks b where b.call_id = c.id and b.called_in_by is not null))
)`;

const CALL_LIST = `
select json_agg(json_build_array(v.call_id, v.queue_id, v.node_id, v.class, v.head_start_ms, ${t('v.first_queued_at')}, ${t('v.queued_at')},
    v.needs, (select json_agg(json_build_array(x.agent_id, ${t('x.until')}) order by x.agent_id)
      from call_exclusions x where x.call_id = v.call_id and x.until > statement_timestamp()),
    (select json_agg(json_build_array(o.id, o.agent_id) order by o.reserved_at, o.id)
      from offers o where o.call_id = v.call_id and o.ended_at is null),
    tried.list, tried.first_at, nullif(v.prefer_agents, '{}'), v.last_agent_id, ${t('v.last_agent_ended_at')}, v.callback
  ) order by ${SERVICE_ORDER})
from waiting v
left join lateral (
  select json_agg(o.agent_id order by o.reserved_at, o.id) as list, ${t('min(o.reserved_at)')} as first_at from offers o
  where v.strategy in ('top-down', 'ring-progressively') and o.call_id = v.call_id and o.visit_id = v.id
) tried on true`;

export const MEMBERS = `
members as materialized (
  select m.agent_id, json_agg(json_build_array(m.queue_id, m.level, m.position, m.priority, m.signed_in, m.pause_reason,
      ${t('m.last_offered_at')}, case when m.day = asked.today then m.calls_today + m.base_calls else 0 end, m.weight) order by m.queue_id) as list
  from asked cross join reach join queue_members m on m.queue_id = reach.queue_id
  group by m.agent_id
), trunk_up as materialized (
  select t.id, t.name, ${ENDPOINT_UP} as up from trunks t
), skilled as materialized (
  select exists (select from scope join queues qu on qu.id = scope.queue_id
      where qu.needs <> '[]' or qu.strategy in ('skill-best', 'skill-tightest'))
    or exists (select from waiting v where v.needs is not null) as yes
)`;

export const AGENT_LIST = `
select json_agg(json_build_array(a.id, a.name, members.list,
    case when ${WOKEN('s')} then 'ready' else s.state end, s.reason, ${t('s.until')},
    ${t(`case when ${WOKEN('s')} then greatest(s.ready_since, s.until) else s.ready_since end`)},
    o.id, o.call_id, o.state = 'connected', coalesce(e.kind, 'web'), coalesce(tr.name, 'web'), coalesce(e.kind = 'web' or tr.up, false),
    p.availability, p.activity, ${t('p.read_at')}, ${t('p.changed_at')}, p.source, ${t('greatest(s.last_call_ended_at, s.presence_cleared_at)')},
    case when s.day = asked.today then s.handling_ms else 0 end,
    case when s.day = asked.today then s.signed_in_ms else 0 end + case when s.signed_in_at is null then 0 else
      greatest(0, ${t('statement_timestamp()')} - ${t('greatest(s.signed_in_at, asked.midnight)')}) end,
    case when skilled.yes then (select json_object_agg(k.skill, k.level) from agent_skills k where k.agent_id = a.id) end,
    e.entra_user_id is not null
  ) order by a.name, a.id)
from asked cross join skilled cross join members
join agents a on a.id = members.agent_id and a.removed_at is null
join agent_states s on s.agent_id = a.id
left join agent_endpoints e on e.agent_id = a.id and e.position = 1
left join trunk_up tr on tr.id = e.trunk_id
left join lateral (select p.* from presence p where p.agent_id = a.id limit 1) p on true
left join lateral (select o.* from offers o where o.agent_id = a.id and o.ended_at is null limit 1) o on true`;

/** Since when nobody has been signed in: the last of those who left, left then. */
const NO_AGENTS_SINCE = `(
  select case when bool_or(s.state <> 'signed-out' and m.signed_in) then null
    else coalesce(max(least(case when s.state = 'signed-out' then s.changed_at end, case when not m.signed_in then m.changed_at end)),
      qu.created_at) end
  from queue_members m join agent_states s on s.agent_id = m.agent_id where m.queue_id = qu.id)`;

/** Of the calls that ended within the last hour; undefined where there were none. */
export const MEAN_HANDLING = `(
  select round(avg(date_part('epoch', k.ended_at - k.started_at)) * 1000) + qu.wrap_up_seconds * 1000
  from connections k where k.queue_id = qu.id and k.ended_at > statement_timestamp() - interval '1 hour')`;

/** Those of the scope, and those beyond it, of which it says how many wait there. */
export const QUEUE_LIST = `
select json_agg(json_build_object('queueId', qu.id, 'name', qu.name, 'strategy', qu.strategy, 'weight', qu.weight,
    'ageCapMs', ${orNull('qu.age_cap_seconds')}, 'levels', qu.levels, 'levelAfterSeconds', nullif(qu.level_after_seconds, '{}'),
    'skipEmptyLevels', qu.skip_empty_levels, 'needs', nullif(qu.needs, '[]'), 'relaxations', nullif(qu.relaxations, '[]'),
    'presence', json_build_object('accept', qu.presence_accept, 'staleAfterMs', qu.stale_after_seconds * 1000,
      'unknown', qu.presence_unknown, 'graceMs', qu.presence_grace_seconds * 1000),
    'maxParallel', qu.max_parallel, 'stepAgents', qu.step_agents, 'stepMs', qu.step_seconds * 1000,
    'preferLastAgent', qu.prefer_last_agent, 'spareScarceAgents', qu.spare_scarce_agents,
    'exits', nullif(qu.exits, '{}'), 'pausedAt', ${t('qu.paused_at')}, 'pauseReason', qu.pause_reason,
    'hours', case when h.id is not null then json_build_object('name', h.name, 'timeZone', coalesce(h.time_zone, tn.time_zone),
      'weekly', h.weekly, 'holidays', h.holidays) end,
    'waiting', case when not exists (select from scope where scope.queue_id = qu.id) then (
      select count(*) from queue_visits v where v.queue_id = qu.id and v.ended_at is null) end,
    'maxWaiting', qu.max_waiting, 'maxWaitMs', ${orNull('qu.max_wait_seconds')}, 'letRingFinish', qu.let_ring_finish,
    'noAgentsAfterMs', ${orNull('qu.no_agents_after_seconds')},
    'noAgentsSince', case when qu.no_agents_after_seconds is not null then ${t(NO_AGENTS_SINCE)} end,
    'estimatedWaitOverMs', ${orNull('qu.estimated_wait_over_seconds')},
    'meanHandlingMs', case when qu.estimated_wait_over_seconds is not null then ${MEAN_HANDLING} end
  ) order by qu.id)
from reach join queues qu on qu.id = reach.queue_id join tenants tn on tn.id = qu.tenant_id left join hours h on h.id = qu.hours_id`;

/** When the statement began, milliseconds. */
export const NOW = `${t('statement_timestamp()')}::float8`;

const SNAPSHOT = `
with recursive ${SCOPE}, ${CALLS}, ${MEMBERS}
select asked.id as "queueId", ${NOW} as now, floor(random() * 4294967296)::float8 as seed,
  (${QUEUE_LIST}) as queues, coalesce((${CALL_LIST}), '[]') as calls,
  case when $2 or exists (select from waiting) then coalesce((${AGENT_LIST}), '[]') else '[]' end as agents
from asked`;

export const snapshotQueue: Store['snapshotQueue'] = async (
  q,
  queueId,
  options = {},
): Promise<Snapshot | undefined> => {
  const { rows } = await q.query<SnapshotRow>(SNAPSHOT, [queueId, options.onlyIfWaiting !== true], {
    name: 'snapshot-queue',
    idempotent: true,
  });
  return rows[0] && toSnapshot(rows[0]);
};
