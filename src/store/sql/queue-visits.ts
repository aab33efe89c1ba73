import { SidekickError } from '../../lib/errors';
import type { Store } from '../api';
import { sqlState } from '../pool';
import type { Enqueued, EnqueueInput, Queryable } from '../types';
import { openOffers } from './calls';
import { hint, interval, ms, orUndefined, WOKEN } from './fragments';

const UNIQUE = '23505';
/** A caller whose node died comes back to the place he had, whatever the queue says about callers who left, seconds. */
const NODE_LOST_SECONDS = 600;

/** Calls of a queue in the order of service: class, then waiting time with head start, then arrival, then id. */
export const SERVICE_ORDER = `v.class desc, v.first_queued_at - ${interval('v.head_start_ms')}, v.first_queued_at, v.call_id`;

/** Whether the visit `v` comes before the visit `s` in that order. */
export const BEFORE = `(-v.class, v.first_queued_at - ${interval('v.head_start_ms')}, v.first_queued_at, v.call_id)
        < (-s.class, s.first_queued_at - ${interval('s.head_start_ms')}, s.first_queued_at, s.call_id)`;

/**
 * One statement, since a caller waits for it. A call waits in one queue at a time; a stay elsewhere ends here. The row of the call
 * is the lock. What was given to the call itself (class, head start, needs, agents to prefer) is kept when it moves, unless given
 * anew. An agent who sent the caller on is not offered the same caller for a while, unless nobody else serves the queue (`sent_on`).
 * A callback has the place of the call that it comes from; a customer who calls in before it is his turn takes it over (`awaited`).
 * $7: whether the place of an earlier call of this caller may be taken over.
 */
const ENQUEUE = `
with moment as materialized (
  select clock_timestamp()::timestamptz(3) as now
), target as materialized (
  select qu.* from queues qu join calls c on c.tenant_id = qu.tenant_id where qu.id = $2 and c.id = $1 and qu.removed_at is null
), live as (
  update calls c set state = 'waiting', connected_offer_id = null, queued_at = coalesce(c.queued_at, moment.now)
  from moment, target where c.id = $1 and c.ended_at is null
  returning c.id, c.tenant_id, c.caller_number, c.callback_of
), before as materialized (
  select v.* from live join queue_visits v on v.call_id in (live.id, live.callback_of) order by v.queued_at desc, v.ended_at desc nulls first limit 1
), resumed as materialized (
  select v.id, v.first_queued_at
  from live cross join moment cross join target
  join calls c on c.tenant_id = live.tenant_id and c.caller_number = live.caller_number and c.id <> live.id
    and c.ended_at > moment.now - interval '1 second' * greatest(target.resume_within_seconds, ${NODE_LOST_SECONDS})
  join queue_visits v on v.call_id = c.id and v.queue_id = target.id
    and (v.outcome = 'abandoned' and v.ended_at > moment.now - interval '1 second' * target.resume_within_seconds
      or v.outcome = 'node-lost')
  where $7 and not exists (select from before) and not exists (select from queue_visits x where x.resumed_visit_id = v.id)
  order by v.first_queued_at limit 1
), awaited as materialized (
  select b.call_id, (select min(v.first_queued_at) from queue_visits v where v.call_id = b.call_id) as first_queued_at
  from live cross join moment cross join target
  join callbacks b on b.tenant_id = live.tenant_id and b.queue_id = target.id and b.number = live.caller_number
    and b.ended_at is null and b.reached_at is null and b.called_in_by is null
    and b.created_at > moment.now - interval '1 second' * target.resume_within_seconds
  where $7 and live.callback_of is null and not exists (select from before)
), called_in as (
  update callbacks b set called_in_by = live.id from live, awaited where b.call_id = awaited.call_id
), spoke as materialized (
  select k.agent_id, k.ended_at
  from live cross join moment cross join target
  join calls c on c.tenant_id = live.tenant_id and c.caller_number = live.caller_number
    and c.ended_at > moment.now - interval '1 day' * (target.prefer_last_agent ->> 'withinDays')::int
  join connections k on k.call_id = c.id
  where target.prefer_last_agent is not null
  order by k.ended_at desc limit 1
), moved as (
  update queue_visits v set ended_at = greatest(moment.now, v.queued_at), outcome = 'moved'
  from live, moment where v.call_id = live.id and v.ended_at is null and v.queue_id <> $2
  returning v.queue_id
), stay as (
  insert into queue_visits as v (tenant_id, call_id, queue_id, first_queued_at, queued_at, own_class, class, extra_ms, head_start_ms,
    needs, prefer_agents, last_agent_id, last_agent_ended_at, resumed_visit_id)
  select live.tenant_id, live.id, target.id,
    least(moment.now, (select min(first_queued_at) from queue_visits where call_id in (live.id, live.callback_of)),
      (select first_queued_at from resumed), (select first_queued_at from awaited)),
    moment.now, coalesce($3::smallint, before.own_class), coalesce($3::smallint, before.own_class, target.priority_class),
    coalesce($4::bigint, before.extra_ms, 0), target.priority_seconds * 1000::bigint + coalesce($4::bigint, before.extra_ms, 0),
    coalesce($5::text::jsonb, before.needs), coalesce($6::text[], before.prefer_agents, '{}'),
    (select agent_id from spoke), (select ended_at from spoke), (select id from resumed)
  from live cross join moment cross join target left join before on true
  where (select count(*) from moved) >= 0
  on conflict (call_id) where ended_at is null do update set queue_id = excluded.queue_id
  returning v.*
), sent_on as materialized (
  select live.id as call_id, last.agent_id
  from before join live on before.ended_at is not null
  cross join lateral (
    select k.agent_id, k.ended_by from connections k where k.call_id = live.id order by k.ended_at desc limit 1) last
  where last.ended_by = 'agent' and exists (
    select from queue_members m join agent_states s on s.agent_id = m.agent_id
    where m.queue_id = $2 and m.agent_id <> last.agent_id and m.signed_in and s.state <> 'signed-out')
), kept_away as (
  insert into call_exclusions as x (call_id, agent_id, until)
  select s.call_id, s.agent_id, moment.now + target.no_answer_retry_seconds * interval '1 second' from sent_on s, moment, target
  on conflict (call_id, agent_id) do update set until = greatest(x.until, excluded.until)
)
select s.id as "visitId", ${ms('s.first_queued_at')} as "firstQueuedAt", ${ms('s.queued_at')} as "queuedAt",
  ${ms(`s.queued_at + target.max_wait_seconds * interval '1 second'`)} as "maxWaitAt", s.resumed_visit_id is not null or exists (select from awaited) as resumed,
  1 + (
    select count(*)::int from queue_visits v where v.queue_id = s.queue_id and v.ended_at is null and v.call_id <> s.call_id
      and ${BEFORE}
  ) as position,
  ${hint('queue', 's.queue_id')}
from stay s join target on true`;

export const enqueue: Store['enqueue'] = async (q, input) => {
  const values = (resume: boolean): unknown[] => [
    input.callId,
    input.queueId,
    input.class ?? null,
    input.headStartMs === undefined ? null : Math.round(input.headStartMs),
    input.needs === undefined ? null : JSON.stringify(input.needs),
    input.preferAgents ?? null,
    resume,
  ];
  const run = async (resume: boolean): Promise<EnqueuedRow | undefined> =>
    (await q.query<EnqueuedRow>(ENQUEUE, values(resume), { name: 'enqueue' })).rows[0];
  let row: EnqueuedRow | undefined;
  try {
    row = await run(true);
  } catch (error) {
    if (sqlState(error) !== UNIQUE) {
      throw error;
    }
    // Another call of the same caller took the earlier place at the same moment; this one starts its own.
    row = await run(false);
  }
  if (row) {
    const { visitId, position, firstQueuedAt, queuedAt, maxWaitAt, resumed } = row;
    return { visitId, position, firstQueuedAt, queuedAt, maxWaitAt: orUndefined(maxWaitAt), resumed };
  }
  await requireQueue(q, input);
  return undefined;
};

interface EnqueuedRow extends Omit<Enqueued, 'maxWaitAt'> {
  readonly maxWaitAt: number | null;
}

/** Nothing was written: because the call is over, or because there is no such queue for it. */
async function requireQueue(q: Queryable, { callId, queueId }: EnqueueInput): Promise<void> {
  const { rowCount } = await q.query(
    'select from calls c left join queues qu on qu.id = $2 and qu.tenant_id = c.tenant_id and qu.removed_at is null where c.id = $1 and (qu.id is not null or c.ended_at is not null)',
    [callId, queueId],
    { idempotent: true },
  );
  if (rowCount === 0) {
    throw new SidekickError('SK_NOT_FOUND', 'There is no such queue in the tenant of the call', {
      context: { queueId, callId },
    });
  }
}

export const leaveQueue: Store['leaveQueue'] = (q, callId, outcome) =>
  q.transaction(async (tx) => {
    // Waits for a match that is reserving an agent for this call, so that its offer is among those returned. The lock on the call
    // lets the foreign keys of that offer through; a stronger one makes the two wait for each other.
    const { rowCount } = await tx.query(
      `with live as (select id from calls where id = $1 for no key update), stay as (
         update queue_visits v set ended_at = greatest(clock_timestamp(), v.queued_at), outcome = $2
         from live where v.call_id = live.id and v.ended_at is null returning v.call_id
       ), back as (
         update calls c set state = 'answered' from stay where c.id = stay.call_id and c.state = 'waiting'
       )
       select from stay`,
      [callId, outcome],
      { name: 'leave-queue' },
    );
    return { left: rowCount === 1, openOffers: await openOffers(tx, callId) };
  });

export const queuePositions: Store['queuePositions'] = async (q, queueId) => {
  const { rows } = await q.query<{ callId: string; position: number; waitedMs: number }>(
    `select v.call_id as "callId", (row_number() over (order by ${SERVICE_ORDER}))::int as position,
       greatest(0, ${ms('statement_timestamp()')} - ${ms('v.first_queued_at')}) as "waitedMs"
     from queue_visits v where v.queue_id = $1 and v.ended_at is null order by position`,
    [queueId],
    { name: 'queue-positions', idempotent: true },
  );
  return rows;
};

const ABLE = `m.signed_in and not m.paused and (s.state = 'ready' or ${WOKEN('s')})
  and not exists (select from offers o where o.agent_id = m.agent_id and o.ended_at is null)`;

/** $2: for how long, milliseconds, a call and a member who is free and not kept from it must have been there; null: any queue. */
const WITH_WAITING_CALLS = `
with waiting as (
  select v.queue_id, v.call_id, v.queued_at from queue_visits v join calls c on c.id = v.call_id
  where v.ended_at is null and ($1::uuid is null or c.node_id = $1)
), settled as (
  select clock_timestamp() - ${interval('$2::float8')} as at
)
select distinct w.queue_id as id from waiting w cross join settled
where $2::float8 is null or w.queued_at <= settled.at
  and not exists (select from offers o where o.call_id = w.call_id and coalesce(o.ended_at, 'infinity') > settled.at)
  and exists (
    select from queue_members m join agent_states s on s.agent_id = m.agent_id
    where m.queue_id = w.queue_id and ${ABLE} and greatest(m.changed_at, s.ready_since, s.changed_at, coalesce(s.until, s.changed_at)) <= settled.at
      and not exists (
        select from offers o where o.agent_id = m.agent_id and o.reserved_at > clock_timestamp() - interval '1 day' and o.ended_at > settled.at)
      and not exists (
        select from call_exclusions x where x.call_id = w.call_id and x.agent_id = m.agent_id and x.until > settled.at))
order by id`;

export const queuesWithWaitingCalls: Store['queuesWithWaitingCalls'] = async (q, nodeId, settledMs) => {
  const { rows } = await q.query<{ id: string }>(WITH_WAITING_CALLS, [nodeId ?? null, settledMs ?? null], {
    name: 'queues-with-waiting-calls',
    idempotent: true,
  });
  return rows.map((row) => row.id);
};

export const queuesWaitingFor: Store['queuesWaitingFor'] = async (q, agentIds) => {
  const { rows } = await q.query<{ queues: readonly string[]; able: boolean }>(
    `select json_agg(m.queue_id order by m.queue_id) as queues, ${ABLE} as able
     from queue_members m join agent_states s on s.agent_id = m.agent_id
     where m.agent_id = any($1::uuid[]) and exists (
       select from queue_visits v where v.queue_id = m.queue_id and v.ended_at is null
     ) group by m.agent_id, able`,
    [agentIds],
    { name: 'queues-waiting-for', idempotent: true },
  );
  return rows;
};
