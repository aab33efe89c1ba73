import type { Store } from '../api';
import type { AgentToPoll, ChangedPresence } from '../types';
import { interval, ms, notify, orUndefined } from './fragments';

/** A stored value that was not confirmed for so long gives way to any reading: its sequence may have started anew. */
const FORGET_SEQUENCE_AFTER = `interval '5 minutes'`;

/** Sequence numbers are digits today, which compare by value; other text compares by its bytes. */
const NOT_OLDER = `(new.sequence_number is null or old.sequence_number is null
  or case when new.sequence_number ~ '^[0-9]+$' and old.sequence_number ~ '^[0-9]+$'
       then new.sequence_number::numeric >= old.sequence_number::numeric
       else new.sequence_number collate "C" >= old.sequence_number collate "C" end
  or old.read_at < new.read_at - ${FORGET_SEQUENCE_AFTER})`;

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
  select new.*, old.agent_id is null or (old.availability, old.activity) is distinct from (new.availability, new.activity) as changed
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
select agent_id as "agentId", availability, activity, ${notify('agent', 'agent_id')} from fresh where changed order by agent_id`;

export const upsertPresences: Store['upsertPresences'] = async (q, readings, nodeNow = Date.now()) => {
  if (readings.length === 0) {
    return [];
  }
  const { rows } = await q.query<ChangedPresence>(
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
  return rows.map(({ agentId, availability, activity }) => ({ agentId, availability, activity }));
};

export const agentsToPoll: Store['agentsToPoll'] = async (q) => {
  const { rows } = await q.query<
    Omit<AgentToPoll, 'readAt' | 'staleAfterMs'> & { readAt: number | null; staleAfterMs: number | null }
  >(
    `select a.id as "agentId", e.entra_user_id as "entraUserId", ${ms('p.read_at')} as "readAt", s.state <> 'signed-out' as "signedIn",
       coalesce(bool_or(exists (select from queue_visits v where v.queue_id = qu.id and v.ended_at is null)), false) as waiting,
       (min(qu.stale_after_seconds) * 1000)::float8 as "staleAfterMs"
     from agents a
     join agent_endpoints e on e.agent_id = a.id and e.kind = 'teams'
     join agent_states s on s.agent_id = a.id
     left join presence p on p.agent_id = a.id
     left join queue_members m on m.agent_id = a.id
     left join queues qu on qu.id = m.queue_id and qu.removed_at is null
     where a.removed_at is null
     group by a.id, e.entra_user_id, p.read_at, s.state
     order by p.read_at nulls first, a.id`,
    [],
    { name: 'agents-to-poll', idempotent: true },
  );
  return rows.map((row) => ({ ...row, readAt: orUndefined(row.readAt), staleAfterMs: orUndefined(row.staleAfterMs) }));
};
