import type { Store } from '../api';
import type { RecordedTraffic } from '../types';

/**
 * What came to a queue, and to every queue that shares an agent with it, in the time before now. Times are milliseconds from the
 * beginning of that time. A call counts where it first waited; its later stays are the rules' doing, which a simulation repeats.
 */
const TRAFFIC = `
with span as (
  select statement_timestamp() - $2::float8 * interval '1 millisecond' as began, statement_timestamp() as ended
), wanted as (
  select qu.id, qu.name from queues qu where qu.removed_at is null and (qu.id = $1 or exists (
    select from queue_members m join queue_members n on n.agent_id = m.agent_id where m.queue_id = qu.id and n.queue_id = $1))
), visits as (
  select v.*, row_number() over (partition by v.call_id order by v.queued_at, v.id) as stay
  from queue_visits v, span where v.queued_at >= span.began and v.queued_at < span.ended
), by_queue as (
  select w.id, w.name,
    coalesce((select json_agg(extract(epoch from v.queued_at - span.began) * 1000 order by v.queued_at)
      from visits v where v.queue_id = w.id and v.stay = 1), '[]') as arrived,
    coalesce((select json_agg(extract(epoch from c.ended_at - c.started_at) * 1000 order by c.started_at)
      from connections c where c.queue_id = w.id and c.started_at >= span.began), '[]') as talked,
    (select coalesce(sum(extract(epoch from coalesce(v.ended_at, span.ended) - v.queued_at)), 0) * 1000
      from visits v where v.queue_id = w.id) as waited,
    (select count(*) from visits v where v.queue_id = w.id and v.outcome = 'abandoned') as abandoned,
    (select avg(extract(epoch from o.answered_at - o.ringing_at)) * 1000
      from offers o where o.queue_id = w.id and o.reserved_at >= span.began and o.answered_at is not null) as answer,
    (select count(*) from offers o where o.queue_id = w.id and o.reserved_at >= span.began) as offers,
    (select count(*) from offers o where o.queue_id = w.id and o.reserved_at >= span.began
      and o.outcome in ('no-answer', 'declined')) as refused
  from wanted w, span
), log as (
  select l.agent_id, greatest(l.at, span.began) as at, l.to_state <> 'signed-out' as there, l.id
  from agent_state_log l, span where l.at < span.ended
), spans as (
  select l.agent_id, l.there, l.at, lead(l.at, 1, (select ended from span)) over (partition by l.agent_id order by l.at, l.id) as until
  from log l
), shifts as (
  select a.id, a.name, coalesce(json_agg(json_build_object(
      'fromMs', extract(epoch from s.at - span.began) * 1000, 'toMs', extract(epoch from s.until - span.began) * 1000)
      order by s.at) filter (where s.there and s.until > s.at), '[]') as shifts
  from agents a join spans s on s.agent_id = a.id, span
  where a.removed_at is null and exists (select from queue_members m join wanted w on w.id = m.queue_id where m.agent_id = a.id)
  group by a.id, a.name
)
select json_build_object('lengthMs', $2::float8,
  'queues', (select json_agg(json_build_object('queue', b.name, 'arrivedAtMs', b.arrived, 'talkedMs', b.talked, 'waitedMs', b.waited,
    'abandoned', b.abandoned, 'meanAnswerMs', b.answer, 'offers', b.offers, 'refusedOffers', b.refused) order by b.name) from by_queue b),
  'agents', coalesce((select json_agg(json_build_object('name', s.name, 'shifts', s.shifts) order by s.name) from shifts s), '[]')
) as traffic`;

export const recordedTraffic: Store['recordedTraffic'] = async (q, queueId, lengthMs) => {
  const { rows } = await q.query<{ traffic: RecordedTraffic | undefined }>(TRAFFIC, [queueId, lengthMs], {
    idempotent: true,
  });
  const traffic = rows[0]?.traffic;
  return {
    lengthMs,
    queues: (traffic?.queues ?? []).map((queue) => ({ ...queue, meanAnswerMs: queue.meanAnswerMs ?? undefined })),
    agents: traffic?.agents ?? [],
  };
};
