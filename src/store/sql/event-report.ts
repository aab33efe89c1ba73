/** Nodes, and what happened, as operators look at them. */
import type { Store } from '../api';
import type { EventCursor, EventReport, NodeReport } from '../report-types';
import { interval, ms, orUndefined } from './fragments';

export const listNodes: Store['listNodes'] = async (q, includeStopped) => {
  const { rows } = await q.query<
    Omit<NodeReport, 'stoppedAt' | 'stopReason'> & {
      readonly stoppedAt: number | null;
      readonly stopReason: string | null;
    }
  >(
    `select n.id, n.name, n.version, ${ms('n.started_at')} as "startedAt", ${ms('n.heartbeat_at')} as "heartbeatAt",
       ${ms('n.stopped_at')} as "stoppedAt", n.stop_reason as "stopReason",
       (select count(*)::int from calls c where c.node_id = n.id and c.ended_at is null) as calls,
       (select count(*)::int from offers o where o.node_id = n.id and o.ended_at is null) as offers,
       array(select t.name from trunk_status s join trunks t on t.id = s.trunk_id and t.removed_at is null
         where s.node_id = n.id and not s.up order by t.name) as "trunksDown"
     from nodes n where $1 or n.stopped_at is null order by n.stopped_at is not null, n.name, n.started_at desc`,
    [includeStopped],
    { idempotent: true },
  );
  return rows.map((row) => ({
    ...row,
    stoppedAt: orUndefined(row.stoppedAt),
    stopReason: orUndefined(row.stopReason),
  }));
};

const SOURCES = ['call', 'agent', 'member'] as const;
const NOWHERE: EventCursor = { call: '0', agent: '0', member: '0' };

interface EventRow {
  readonly source: keyof EventCursor;
  readonly id: string;
  readonly settled: boolean;
  readonly at: number;
  readonly kind: string;
  readonly tenant: string;
  readonly callId: string | null;
  readonly queue: string | null;
  readonly agent: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * Rows get their ids before they are committed, so that one may appear later than another with a higher id. An event is settled
 * once no transaction is under way that began to write before its own: below it nothing new appears any more.
 *
 * $1 since, ms; $2 queue; $3 agent; $4 call; $5 tenant; $6 to $8 cursors; $9 limit. The newest of them, oldest first.
 */
const EVENTS = `
with bounds as (select clock_timestamp() - ${interval('$1::float8')} as since), found as (
  select 'call' as source, e.id, e.at, e.kind, e.tenant_id, e.call_id,
    coalesce(e.data ->> 'queue', v.name) as queue, coalesce(e.data ->> 'agent', o.agent) as agent, e.data, e.xmin as writer
  from call_events e
  left join lateral (
    select qu.name from queue_visits v join queues qu on qu.id = v.queue_id
    where v.call_id = e.call_id and v.queued_at <= e.at order by v.queued_at desc limit 1
  ) v on true
  left join lateral (
    select a.name as agent from offers o join agents a on a.id = o.agent_id
    where e.data ->> 'offerId' is not null and o.call_id = e.call_id and o.id::text = e.data ->> 'offerId'
  ) o on true
  where ($1::float8 is null or e.at >= (select since from bounds)) and ($6::bigint is null or e.id > $6) and ($4::uuid is null or e.call_id = $4)
  union all
  select 'agent', l.id, l.at, 'agent:' || l.to_state, l.tenant_id, null, null, a.name,
    jsonb_strip_nulls(jsonb_build_object('from', l.from_state, 'reason', l.reason, 'by', l.by)), l.xmin
  from agent_state_log l join agents a on a.id = l.agent_id
  where ($1::float8 is null or l.at >= (select since from bounds)) and ($7::bigint is null or l.id > $7) and $4::uuid is null
  union all
  select 'member', l.id, l.at,
    case when not l.signed_in then 'member:signed-out' when l.pause_reason is not null then 'member:paused' else 'member:ready' end,
    l.tenant_id, null, qu.name, a.name, jsonb_strip_nulls(jsonb_build_object('reason', l.pause_reason, 'by', l.by)), l.xmin
  from queue_member_log l join agents a on a.id = l.agent_id join queues qu on qu.id = l.queue_id
  where ($1::float8 is null or l.at >= (select since from bounds)) and ($8::bigint is null or l.id > $8) and $4::uuid is null
)
select f.source, f.id::text, ${ms('f.at')} as at, f.kind, tn.name as tenant, f.call_id as "callId", f.queue, f.agent, f.data,
  age(f.writer) > age(pg_snapshot_xmin(pg_current_snapshot())::xid) as settled
from found f join tenants tn on tn.id = f.tenant_id
where ($2::text is null or f.queue = $2) and ($3::text is null or f.agent = $3) and ($5::text is null or tn.name = $5)
order by f.at desc, f.source, f.id desc limit $9`;

export const listEvents: Store['listEvents'] = async (q, filter) => {
  const { after } = filter;
  const { rows } = await q.query<EventRow>(
    EVENTS,
    [
      filter.sinceMs ?? null,
      filter.queue ?? null,
      filter.agent ?? null,
      filter.callId ?? null,
      filter.tenant ?? null,
      after?.call ?? null,
      after?.agent ?? null,
      after?.member ?? null,
      filter.limit,
    ],
    { idempotent: true },
  );
  return {
    events: [...rows].reverse().map(toEvent),
    keys: [...rows].reverse().map(({ source, id }) => `${source} ${id}`),
    cursor: cursorAfter(rows, after ?? (rows.length === filter.limit ? beforeAll(rows) : NOWHERE)),
  };
};

/** Behind the last event of each kind below which nothing new can appear. */
function cursorAfter(rows: readonly EventRow[], after: EventCursor): EventCursor {
  const last = { ...after };
  for (const source of SOURCES) {
    for (const { id, settled } of inOrder(rows, source)) {
      if (!settled) {
        break;
      }
      last[source] = String(id);
    }
  }
  return last;
}

/** What a limit cut off is not read later. */
function beforeAll(rows: readonly EventRow[]): EventCursor {
  const first = { ...NOWHERE };
  for (const source of SOURCES) {
    const [lowest] = inOrder(rows, source);
    if (lowest) {
      first[source] = String(lowest.id - 1n);
    }
  }
  return first;
}

function inOrder(
  rows: readonly EventRow[],
  of: keyof EventCursor,
): { readonly id: bigint; readonly settled: boolean }[] {
  return rows
    .filter(({ source }) => source === of)
    .map(({ id, settled }) => ({ id: BigInt(id), settled }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function toEvent({ at, kind, tenant, callId, queue, agent, data }: EventRow): EventReport {
  return { at, kind, tenant, callId: orUndefined(callId), queue: orUndefined(queue), agent: orUndefined(agent), data };
}
