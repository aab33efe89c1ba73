import type { Store } from '../api';
import { ms, orUndefined } from './fragments';

/** What `sidekick doctor` reads beside what others read too. */
export const databaseFacts: Store['databaseFacts'] = async (q) => {
  const { rows } = await q.query<{ version: string; versionNumber: number; now: number }>(
    `select current_setting('server_version') as version, current_setting('server_version_num')::int as "versionNumber",
       ${ms('clock_timestamp()')} as now`,
    [],
    { idempotent: true },
  );
  return rows[0] ?? { version: 'unknown', versionNumber: 0, now: 0 };
};

export const trunkActivity: Store['trunkActivity'] = async (q) => {
  const { rows } = await q.query<{ trunk: string; lastCallAt: number | null; callsToday: number }>(
    `select t.name as trunk, ${ms('max(c.created_at)')} as "lastCallAt",
       count(c.id) filter (where c.created_at > clock_timestamp() - interval '1 day')::int as "callsToday"
     from trunks t left join calls c on c.trunk_id = t.id and c.created_at > clock_timestamp() - interval '30 days'
     where t.removed_at is null group by t.name order by t.name`,
    [],
    { idempotent: true },
  );
  return rows.map((row) => ({ ...row, lastCallAt: orUndefined(row.lastCallAt) }));
};

/** Queue by queue: members who take calls in Teams and are signed in, and whose presence is older than the queue's limit. */
export const presenceAges: Store['presenceAges'] = async (q) => {
  const { rows } = await q.query<{
    queue: string;
    agents: number;
    stale: number;
    unknown: number;
    oldestMs: number | null;
  }>(
    `select qu.name as queue, count(*)::int as agents,
       count(*) filter (where p.read_at < clock_timestamp() - qu.stale_after_seconds * interval '1 second')::int as stale,
       count(*) filter (where p.agent_id is null)::int as unknown,
       max(extract(epoch from clock_timestamp() - p.read_at) * 1000)::float8 as "oldestMs"
     from queues qu
     join queue_members m on m.queue_id = qu.id
     join agents a on a.id = m.agent_id and a.removed_at is null
     join agent_states s on s.agent_id = a.id and s.state <> 'signed-out'
     join agent_endpoints e on e.agent_id = a.id and e.entra_user_id is not null
     left join presence p on p.agent_id = a.id
     where qu.removed_at is null group by qu.id, qu.name order by qu.name`,
    [],
    { idempotent: true },
  );
  return rows.map((row) => ({ ...row, oldestMs: orUndefined(row.oldestMs) }));
};
