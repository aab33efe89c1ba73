import type { Store } from '../api';
import type { PresenceWrite } from '../types';
import { interval, orUndefined } from './fragments';

/** Tenants of a scope, from two parameters that hold its names or null. */
const inScope = (tenant: string, only: number, except: number): string =>
  `exists (select from tenants tn where tn.id = ${tenant}
     and ($${only}::text[] is null or tn.name = any ($${only})) and ($${except}::text[] is null or tn.name <> all ($${except})))`;

/**
 * In a call of ours in Teams an agent is shown as busy by Teams itself. Do not disturb is left as it is: it is stronger, and
 * the agent's own.
 */
const DUE = `
with should as (
  select a.id as agent_id, a.tenant_id, e.entra_user_id as entra_user_id,
    case when o.id is not null then 'call' else 'wrap-up' end as reason
  from agents a
  join agent_states s on s.agent_id = a.id
  join agent_endpoints e on e.agent_id = a.id and e.position = 1
  left join offers o on o.agent_id = a.id and o.state = 'connected'
  left join presence p on p.agent_id = a.id
  where $3 and a.removed_at is null and e.entra_user_id is not null
    and ((o.id is not null and e.kind <> 'teams') or (o.id is null and s.state = 'wrap-up' and s.until > clock_timestamp()))
    and lower(coalesce(p.availability, '')) <> 'donotdisturb'
    and ${inScope('a.tenant_id', 1, 2)}
), noted as (
  insert into presence_writes as w (agent_id, tenant_id, entra_user_id, reason)
  select agent_id, tenant_id, entra_user_id, reason from should
  on conflict (agent_id) do update set reason = excluded.reason
    where w.reason <> excluded.reason
  returning agent_id, entra_user_id, reason, expires_at, retry_at, failures, since
), there as (
  select w.agent_id, w.entra_user_id, case when s.agent_id is null then null else coalesce(n.reason, w.reason) end as reason,
    w.expires_at, w.retry_at, w.failures, w.since
  from presence_writes w left join should s on s.agent_id = w.agent_id and s.entra_user_id = w.entra_user_id
  left join noted n on n.agent_id = w.agent_id
  where ${inScope('w.tenant_id', 1, 2)}
  union all
  select n.agent_id, n.entra_user_id, n.reason, n.expires_at, n.retry_at, n.failures, n.since from noted n
  where not exists (select from presence_writes w where w.agent_id = n.agent_id)
)
select agent_id as "agentId", entra_user_id as "entraUserId", reason, failures from there
where (retry_at is null or retry_at <= clock_timestamp())
  and (reason is null or expires_at is null or expires_at < clock_timestamp() + ${interval('$4::float8')})
order by since, agent_id limit $5`;

export const duePresenceWrites: Store['duePresenceWrites'] = async (q, { scope, on, renewMs, limit }) => {
  const { rows } = await q.query<Omit<PresenceWrite, 'reason'> & { reason: 'call' | 'wrap-up' | null }>(
    DUE,
    [scope.only ?? null, scope.except ?? null, on, renewMs, limit],
    { name: 'due-presence-writes' },
  );
  return rows.map((row) => ({ ...row, reason: orUndefined(row.reason) }));
};

export const presenceWritten: Store['presenceWritten'] = async (q, agentId, forMs) => {
  if (forMs === undefined) {
    await q.query(
      `with gone as (delete from presence_writes where agent_id = $1 returning agent_id)
       update agent_states set presence_cleared_at = clock_timestamp() where agent_id in (select agent_id from gone)`,
      [agentId],
      { name: 'presence-taken-back', idempotent: true },
    );
    return;
  }
  await q.query(
    `update presence_writes set expires_at = clock_timestamp() + ${interval('$2::float8')}, retry_at = null, failures = 0, error = null
     where agent_id = $1`,
    [agentId, forMs],
    { name: 'presence-written', idempotent: true },
  );
};

export const presenceNotWritten: Store['presenceNotWritten'] = async (q, agentId, retryMs, error) => {
  await q.query(
    `update presence_writes set retry_at = clock_timestamp() + ${interval('$2::float8')}, failures = failures + 1, error = $3
     where agent_id = $1`,
    [agentId, retryMs, error.slice(0, 300)],
    { name: 'presence-not-written' },
  );
};

export const countPresenceWrites: Store['countPresenceWrites'] = async (q, scope) => {
  const { rows } = await q.query<{ count: number }>(
    `select count(*)::int as count from presence_writes w where w.expires_at > clock_timestamp() and ${inScope('w.tenant_id', 1, 2)}`,
    [scope.only ?? null, scope.except ?? null],
    { name: 'count-presence-writes', idempotent: true },
  );
  return rows[0]?.count ?? 0;
};
