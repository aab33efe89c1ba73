/** A queue as operators look at it: its numbers of today, its members, its callers. */
import type { Store } from '../api';
import type { Queryable } from '../types';
import type { QueueCaller, QueueMember, QueueSummary } from '../report-types';
import { ENDPOINT_JSON, interval, ms, notify, orUndefined, PRESENCE_JSON, WOKEN } from './fragments';
import { SERVICE_ORDER } from './queue-visits';

type Nullable<T> = { readonly [K in keyof T]: Exclude<T[K], undefined> | null };

const withoutNull = <T>(row: Nullable<T>): T =>
  Object.fromEntries(Object.entries(row).map(([key, value]) => [key, orUndefined<unknown>(value)])) as T;

/** A wrap-up that is over counts as ready, whether or not anybody has noted it yet. */
const READY = `(s.state = 'ready' or ${WOKEN('s')})`;

const SUMMARIES = `
select qu.id, qu.name, tn.name as tenant, qu.strategy, qu.weight, qu.max_waiting as "maxWaiting", h.name as hours,
  case when qu.paused_at is not null then json_build_object('at', ${ms('qu.paused_at')}, 'by', qu.paused_by, 'reason', qu.pause_reason) end as paused,
  w.waiting, w.longest as "longestWaitMs", m.members, m."signedIn", m.ready, m."inCall",
  f.completed, f.abandoned, f."sentOn", f."inTime", qu.service_level_seconds * 1000 as "serviceLevelMs", f.hold as "holdMs", t.talk as "talkMs",
  (select count(*)::int from voicemails m where m.queue_id = qu.id and m.state = 'new' and m.removed_at is null
     and m.keep_until > statement_timestamp()) as messages
from queues qu
join tenants tn on tn.id = qu.tenant_id
left join hours h on h.id = qu.hours_id
cross join lateral (select tenant_midnight(qu.tenant_id, statement_timestamp()) as midnight) today
cross join lateral (
  select count(*)::int as waiting, greatest(0, coalesce(max(${ms('statement_timestamp()')} - ${ms('v.first_queued_at')}), 0)) as longest
  from queue_visits v where v.queue_id = qu.id and v.ended_at is null
) w
cross join lateral (
  select count(*)::int as members, count(*) filter (where s.state <> 'signed-out' and qm.signed_in)::int as "signedIn",
    count(*) filter (where ${READY} and qm.signed_in and not qm.paused and o.id is null)::int as ready,
    count(o.id)::int as "inCall"
  from queue_members qm
  join agents a on a.id = qm.agent_id and a.removed_at is null
  join agent_states s on s.agent_id = a.id
  left join offers o on o.agent_id = a.id and o.ended_at is null
  where qm.queue_id = qu.id
) m
cross join lateral (
  select count(*) filter (where v.outcome = 'answered')::int as completed,
    count(*) filter (where v.outcome = 'abandoned')::int as abandoned,
    count(*) filter (where v.outcome not in ('answered', 'abandoned'))::int as "sentOn",
    count(*) filter (where v.outcome = 'answered' and v.ended_at - v.queued_at <= ${interval('qu.service_level_seconds * 1000')})::int as "inTime",
    avg(${ms('v.ended_at')} - ${ms('v.queued_at')}) filter (where v.outcome = 'answered') as hold
  from queue_visits v where v.queue_id = qu.id and v.queued_at >= today.midnight and v.ended_at is not null
) f
cross join lateral (
  select avg(${ms('c.ended_at')} - ${ms('c.started_at')}) as talk from connections c
  where c.queue_id = qu.id and c.started_at >= today.midnight
) t
where qu.removed_at is null`;

interface SummaryRow extends Omit<Nullable<QueueSummary>, 'paused'> {
  readonly paused: { readonly at: number; readonly by: string; readonly reason: string | null } | null;
}

function toSummary(row: SummaryRow): QueueSummary {
  const { paused } = row;
  return withoutNull<QueueSummary>({
    ...row,
    paused: paused && { at: paused.at, by: paused.by, reason: paused.reason ?? undefined },
  });
}

export const queueSummaries: Store['queueSummaries'] = async (q, queueId) => {
  const { rows } = await q.query<SummaryRow>(
    `${SUMMARIES} and ($1::uuid is null or qu.id = $1) order by tn.name, qu.name`,
    [queueId ?? null],
    { idempotent: true },
  );
  return rows.map(toSummary);
};

export const queueMembers: Store['queueMembers'] = async (q, queueId) => {
  const { rows } = await q.query<Nullable<QueueMember>>(
    `select a.id as "agentId", a.name as agent, a.display_name as "displayName", ${ENDPOINT_JSON} as endpoint, m.level, m.position, m.priority, m.weight,
       m.signed_in as "signedIn", m.pause_reason as "pauseReason", ${ms('m.changed_at')} as "memberChangedAt",
       case when ${WOKEN('s')} then 'ready' else s.state end as state, case when ${WOKEN('s')} then null else s.reason end as reason,
       s.forced_by as "forcedBy", case when ${WOKEN('s')} then null else ${ms('s.until')} end as until,
       case when ${WOKEN('s')} then ${ms('s.until')} else ${ms('s.changed_at')} end as "changedAt", ${PRESENCE_JSON} as presence,
       case when o.id is not null then json_build_object('offerId', o.id, 'agentId', a.id, 'state', o.state, 'callId', o.call_id,
         'queueId', o.queue_id, 'since', ${ms('coalesce(o.answered_at, o.ringing_at, o.reserved_at)')}) end as offer,
       case when m.day = tenant_day(m.tenant_id, statement_timestamp()) then m.calls_today else 0 end as "callsToday",
       ${ms('s.last_call_ended_at')} as "lastCallEndedAt"
     from queue_members m
     join agents a on a.id = m.agent_id and a.removed_at is null
     join agent_states s on s.agent_id = a.id
     left join agent_endpoints e on e.agent_id = a.id and e.position = 1
     left join trunks t on t.id = e.trunk_id
     left join presence p on p.agent_id = a.id
     left join offers o on o.agent_id = a.id and o.ended_at is null
     where m.queue_id = $1 order by m.level, m.position, a.name`,
    [queueId],
    { idempotent: true },
  );
  return rows.map(withoutNull<QueueMember>);
};

export const queueCallers: Store['queueCallers'] = async (q, queueId) => {
  const { rows } = await q.query<Nullable<QueueCaller>>(
    `select v.call_id as "callId", (row_number() over (order by ${SERVICE_ORDER}))::int as position, c.caller_number as "callerNumber",
       greatest(0, ${ms('statement_timestamp()')} - ${ms('v.first_queued_at')}) as "waitedMs", v.class,
       c.callback_of is not null as callback,
       array(select a.name from offers o join agents a on a.id = o.agent_id where o.call_id = v.call_id and o.ended_at is null
         order by a.name) as ringing
     from queue_visits v join calls c on c.id = v.call_id where v.queue_id = $1 and v.ended_at is null order by position`,
    [queueId],
    { idempotent: true },
  );
  return rows.map(withoutNull<QueueCaller>);
};

export const pauseQueue: Store['pauseQueue'] = (q, queueId, { by, reason }) =>
  q.transaction(async (tx) => {
    await saidBy(tx, by);
    const { rowCount } = await tx.query(
      `update queues set paused_at = coalesce(paused_at, clock_timestamp()), paused_by = $2, pause_reason = $3
       where id = $1 and removed_at is null and (paused_at is null or (paused_by, pause_reason) is distinct from ($2, $3::text))
       returning ${notify('queue', 'id')}`,
      [queueId, by, reason ?? null],
    );
    return rowCount === 1;
  });

export const resumeQueue: Store['resumeQueue'] = (q, queueId, by) =>
  q.transaction(async (tx) => {
    await saidBy(tx, by);
    const { rowCount } = await tx.query(
      `update queues set paused_at = null, paused_by = null, pause_reason = null
       where id = $1 and removed_at is null and paused_at is not null returning ${notify('queue', 'id')}`,
      [queueId],
    );
    return rowCount === 1;
  });

/** Whom the audit log names for what this transaction changes. */
async function saidBy(tx: Queryable, by: string): Promise<void> {
  await tx.query(`select set_config('sidekick.by', $1, true)`, [by]);
}
