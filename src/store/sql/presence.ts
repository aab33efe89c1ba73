import type { Store } from '../api';
import type { AgentToPoll, ChangedPresence } from '../types';
import { interval, ms, notify, orUndefined } from './fragments';

/**
 * A stored value that was not confirmed for so long gives way to any reading: its sequence may have started anew. Longer than
 * a front end of Graph can lag behind the others (at most a minute, by the published latency of presence).
 */
const FORGET_SEQUENCE_AFTER = `interval '60 seconds'`;

/** Longest time between the answer to a call of ours and Graph's word of it that is taken for its lag. */
const LONGEST_LAG = `interval '120 seconds'`;

/** Sequence numbers are digits today, which compare by value; other text compares by its bytes. */
const NOT_OLDER = `(new.sequence_number is null or old.sequence_number is null
  or case when new.sequence_number ~ '^[0-9]+$' and old.sequence_number ~ '^[0-9]+$'
       then new.sequence_number::numeric >= old.sequence_number::numeric
       else new.sequence_number collate "C" >= old.sequence_number collate "C" end
  or old.read_at < new.read_at - ${FORGET_SEQUENCE_AFTER})`;

/** From the agent's answer to a call of ours in Teams until Graph showed it; null for any other change. */
const LAG = `(select extract(epoch from f.read_at - o.answered_at)::float8 * 1000
  from offers o join agent_endpoints e on e.agent_id = o.agent_id and e.position = 1 and e.kind = 'teams'
  where o.agent_id = f.agent_id and o.state = 'connected' and lower(f.activity) = 'inacall'
    and (f.changed_before is null or f.changed_before < o.answered_at)
    and f.read_at between o.answered_at and o.answered_at + ${LONGEST_LAG})`;

const UPSERT = `
with given as (
  select distinct on (g.agent_id) g.agent_id, a.tenant_id, coalesce(nullif(g.availability, ''), 'PresenceUnknown') as availability,
    coalesce(nullif(g.activity, ''), 'PresenceUnknown') as activity, nullif(g.sequence_number, '') as sequence_number,
    (clock_timestamp() - ${interval('greatest(0, g.age_ms)')})::timestamptz(3) as read_at, g.source
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::float8[], $6::text[]) with ordinality
    as g(agent_id, availability, activity, sequence_number, age_ms, source, n)
  join agents a on a.id = g.agent_id and a.removed_at is null
  order by g.agent_id, g.age_ms, g.n desc
), old as (
  select p.* from presence p where p.agent_id in (select agent_id from given) order by p.agent_id for update
), fresh as (
  select new.*, old.agent_id is null or (old.availability, old.activity) is distinct from (new.availability, new.activity) as changed,
    old.changed_at as changed_before
  from given new left join old on old.agent_id = new.agent_id
  where old.agent_id is null or (${NOT_OLDER} and old.read_at <= new.read_at)
), stored as (
  insert into presence as p (agent_id, tenant_id, availability, activity, sequence_number, read_at, changed_at, source)
  select agent_id, tenant_id, availability, activity, sequence_number, read_at, read_at, source from fresh order by agent_id
  on conflict (agent_id) do update set availability = excluded.availability, activity = excluded.activity,
    sequence_number = coalesce(excluded.sequence_number, p.sequence_number), read_at = greatest(p.read_at, excluded.read_at),
    changed_at = case when (p.availability, p.activity) is distinct from (excluded.availability, excluded.activity)
      then excluded.read_at else p.changed_at end,
    source = excluded.source
)
select f.agent_id as "agentId", f.availability, f.activity, ${LAG} as "lagMs", ${notify('agent', 'f.agent_id')}
from fresh f where f.changed order by f.agent_id`;

export const upsertPresences: Store['upsertPresences'] = async (q, readings, nodeNow = Date.now()) => {
  if (readings.length === 0) {
    return [];
  }
  const { rows } = await q.query<Omit<ChangedPresence, 'lagMs'> & { lagMs: number | null }>(
    UPSERT,
    [
      readings.map((r) => r.agentId),
      readings.map((r) => r.availability.slice(0, 100)),
      readings.map((r) => r.activity.slice(0, 100)),
      readings.map((r) => r.sequenceNumber?.slice(0, 200) ?? null),
      readings.map((r) => nodeNow - r.readAt),
      readings.map((r) => r.source),
    ],
    { name: 'upsert-presences', idempotent: true },
  );
  return rows.map(({ agentId, availability, activity, lagMs }) => ({
    agentId,
    availability,
    activity,
    lagMs: orUndefined(lagMs),
  }));
};

/**
 * How soon an agent's presence is needed. Of somebody who has just answered in Teams it is read often too: when Graph tells of
 * the call shows how far it lags.
 */
const NEED = `case
    when o.state = 'connected' then case when e.kind = 'teams' and o.answered_at > clock_timestamp() - interval '60 seconds'
      and lower(coalesce(p.activity, '')) <> 'inacall' then 'now' else 'soon' end
    when s.state in ('signed-out', 'paused') then 'away'
    when s.state in ('wrap-up', 'not-ready') and (s.until is null or s.until > clock_timestamp() + interval '5 seconds') then 'soon'
    when bool_or(w.queue_id is not null) then 'now'
    else 'soon' end`;

export const agentsToPoll: Store['agentsToPoll'] = async (q, scope = {}) => {
  const { rows } = await q.query<
    Omit<AgentToPoll, 'readAt' | 'staleAfterMs'> & { readAt: number | null; staleAfterMs: number | null }
  >(
    `with waiting as (select distinct queue_id from queue_visits where ended_at is null)
     select a.id as "agentId", e.entra_user_id as "entraUserId", ${ms('p.read_at')} as "readAt",
       ${NEED} as need, (min(qu.stale_after_seconds) * 1000)::float8 as "staleAfterMs"
     from agents a
     join tenants tn on tn.id = a.tenant_id and ($1::text[] is null or tn.name = any ($1)) and ($2::text[] is null or tn.name <> all ($2))
     join agent_endpoints e on e.agent_id = a.id and e.position = 1
     join agent_states s on s.agent_id = a.id
     left join presence p on p.agent_id = a.id
     left join offers o on o.agent_id = a.id and o.ended_at is null
     left join queue_members m on m.agent_id = a.id
     left join queues qu on qu.id = m.queue_id and qu.removed_at is null
     left join waiting w on w.queue_id = qu.id
     where a.removed_at is null and e.entra_user_id is not null
     group by a.id, e.agent_id, e.position, p.agent_id, s.agent_id, o.id
     order by p.read_at nulls first, a.id`,
    [scope.only ?? null, scope.except ?? null],
    { name: 'agents-to-poll', idempotent: true },
  );
  return rows.map((row) => ({ ...row, readAt: orUndefined(row.readAt), staleAfterMs: orUndefined(row.staleAfterMs) }));
};
