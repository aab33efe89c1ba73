import type { Store } from '../api';
import type { PresenceScopeRow } from '../types';
import { interval, ms, orUndefined } from './fragments';
import { holdLease } from './nodes';

export const holdPresenceLease: Store['holdPresenceLease'] = async (q, scope, nodeId, forMs) => {
  const held = await holdLease(q, `presence:${scope}`, nodeId, forMs);
  const { rows } = await q.query<{ nodes: number; pauseMs: number | null }>(
    `select (select count(*)::int from nodes where stopped_at is null) as nodes,
       (select extract(epoch from paused_until - clock_timestamp())::float8 * 1000 from presence_scopes where scope = $1) as "pauseMs"`,
    [scope],
    { name: 'presence-lease', idempotent: true },
  );
  return { held, nodes: Math.max(1, rows[0]?.nodes ?? 1), pauseMs: Math.max(0, rows[0]?.pauseMs ?? 0) };
};

export const pausePresenceScope: Store['pausePresenceScope'] = async (q, scope, forMs) => {
  await q.query(
    `insert into presence_scopes as p (scope, paused_until) values ($1, clock_timestamp() + ${interval('$2::float8')})
     on conflict (scope) do update set paused_until = greatest(p.paused_until, excluded.paused_until)`,
    [scope, forMs],
    { name: 'pause-presence-scope', idempotent: true },
  );
};

const time = (n: number): string => `to_timestamp($${n}::float8 / 1000)`;

export const reportPresenceScope: Store['reportPresenceScope'] = async (q, scope, nodeId, state) => {
  await q.query(
    `insert into presence_scopes (scope, node_id, agents, read_at, error, requests_per_minute, lag_ms, lag_at,
       push, push_detail, notified_at, written, updated_at)
     values ($1, (select id from nodes where id = $2), $3, ${time(4)}, $5, $6, $7, ${time(8)}, $9, $10, ${time(11)}, $12,
       clock_timestamp())
     on conflict (scope) do update set node_id = excluded.node_id, agents = excluded.agents, read_at = excluded.read_at,
       error = excluded.error, requests_per_minute = excluded.requests_per_minute,
       lag_ms = excluded.lag_ms, lag_at = excluded.lag_at, push = excluded.push, push_detail = excluded.push_detail,
       notified_at = excluded.notified_at, written = excluded.written, updated_at = excluded.updated_at`,
    [
      scope,
      nodeId,
      state.agents,
      state.readAt ?? null,
      state.error ?? null,
      state.requestsPerMinute,
      state.lagMs ?? null,
      state.lagAt ?? null,
      state.push,
      state.pushDetail ?? null,
      state.notifiedAt ?? null,
      state.written,
    ],
    { name: 'report-presence-scope', idempotent: true },
  );
};

type Nullable<T> = { [K in keyof T]: undefined extends T[K] ? Exclude<T[K], undefined> | null : T[K] };

export const presenceScopes: Store['presenceScopes'] = async (q) => {
  const { rows } = await q.query<Nullable<PresenceScopeRow>>(
    `select p.scope, n.name as node, p.agents, ${ms('p.read_at')} as "readAt", p.error, ${ms('p.paused_until')} as "pausedUntil",
       p.requests_per_minute as "requestsPerMinute", p.lag_ms as "lagMs", ${ms('p.lag_at')} as "lagAt", p.push,
       p.push_detail as "pushDetail", ${ms('p.notified_at')} as "notifiedAt", p.written, ${ms('p.updated_at')} as "updatedAt"
     from presence_scopes p left join nodes n on n.id = p.node_id order by p.scope`,
    [],
    { idempotent: true },
  );
  return rows.map((row) => ({
    ...row,
    node: orUndefined(row.node),
    readAt: orUndefined(row.readAt),
    error: orUndefined(row.error),
    pausedUntil: orUndefined(row.pausedUntil),
    lagMs: orUndefined(row.lagMs),
    lagAt: orUndefined(row.lagAt),
    pushDetail: orUndefined(row.pushDetail),
    notifiedAt: orUndefined(row.notifiedAt),
  }));
};
