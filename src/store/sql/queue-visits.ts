import { SidekickError } from '../../lib/errors';
import type { Store } from '../api';
import type { Enqueued } from '../types';
import { openOffers } from './calls';
import { interval, ms, notify } from './fragments';

/** Calls of a queue in the order of service: class, then waiting time with head start, then arrival, then id. */
export const SERVICE_ORDER = `v.class desc, v.first_queued_at - ${interval('v.head_start_ms')}, v.first_queued_at, v.call_id`;

export const enqueue: Store['enqueue'] = (q, input) =>
  q.transaction(async (tx) => {
    // A call waits in one queue at a time; a stay elsewhere ends here. The row of the call is the lock.
    const live = await tx.query(
      `with live as (
         update calls set state = 'waiting', connected_offer_id = null, queued_at = coalesce(queued_at, clock_timestamp())
         where id = $1 and ended_at is null returning id
       ), moved as (
         update queue_visits v set ended_at = clock_timestamp(), outcome = 'moved'
         from live where v.call_id = live.id and v.ended_at is null and v.queue_id <> $2
         returning v.queue_id
       )
       select id from live`,
      [input.callId, input.queueId],
      { name: 'enqueue-1' },
    );
    if (live.rowCount === 0) {
      return undefined;
    }
    const { rows } = await tx.query<Omit<Enqueued, 'maxWaitAt'> & { readonly maxWaitAt: number | null }>(
      `with moment as materialized (select clock_timestamp()::timestamptz(3) as now),
       stay as (
         insert into queue_visits as v (tenant_id, call_id, queue_id, first_queued_at, queued_at, class, head_start_ms)
         select c.tenant_id, c.id, qu.id,
           least(moment.now, (select min(first_queued_at) from queue_visits where call_id = c.id)), moment.now,
           $3, qu.priority_seconds * 1000::bigint + $4
         from calls c join queues qu on qu.id = $2 and qu.tenant_id = c.tenant_id cross join moment where c.id = $1
         on conflict (call_id) where ended_at is null do update set queue_id = excluded.queue_id
         returning v.*
       )
       select s.id as "visitId", ${ms('s.first_queued_at')} as "firstQueuedAt", ${ms('s.queued_at')} as "queuedAt",
         ${ms(`s.queued_at + qu.max_wait_seconds * interval '1 second'`)} as "maxWaitAt",
         1 + (
           select count(*)::int from queue_visits v where v.queue_id = s.queue_id and v.ended_at is null and v.call_id <> s.call_id
             and (-v.class, v.first_queued_at - ${interval('v.head_start_ms')}, v.first_queued_at, v.call_id)
               < (-s.class, s.first_queued_at - ${interval('s.head_start_ms')}, s.first_queued_at, s.call_id)
         ) as position,
         ${notify('queue', 's.queue_id')}
       from stay s join queues qu on qu.id = s.queue_id`,
      [input.callId, input.queueId, input.class ?? 0, Math.round(input.headStartMs ?? 0)],
      { name: 'enqueue-2' },
    );
    const row = rows[0];
    if (!row) {
      throw new SidekickError('SK_NOT_FOUND', 'There is no such queue in the tenant of the call', {
        context: { queueId: input.queueId, callId: input.callId },
      });
    }
    const { visitId, position, firstQueuedAt, queuedAt, maxWaitAt } = row;
    return { visitId, position, firstQueuedAt, queuedAt, maxWaitAt: maxWaitAt ?? undefined };
  });

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

export const queuesWithWaitingCalls: Store['queuesWithWaitingCalls'] = async (q) => {
  const { rows } = await q.query<{ id: string }>(
    `select distinct v.queue_id as id from queue_visits v
     where v.ended_at is null and not exists (select from offers o where o.call_id = v.call_id and o.ended_at is null) order by id`,
    [],
    { name: 'queues-with-waiting-calls', idempotent: true },
  );
  return rows.map((row) => row.id);
};

export const queuesWaitingFor: Store['queuesWaitingFor'] = async (q, agentIds) => {
  const { rows } = await q.query<{ id: string }>(
    `select distinct m.queue_id as id from queue_members m
     where m.agent_id = any($1::uuid[]) and exists (
       select from queue_visits v where v.queue_id = m.queue_id and v.ended_at is null
         and not exists (select from offers o where o.call_id = v.call_id and o.ended_at is null)
     ) order by id`,
    [agentIds],
    { name: 'queues-waiting-for', idempotent: true },
  );
  return rows.map((row) => row.id);
};
