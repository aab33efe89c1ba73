import type { Store } from '../api';
import type { GraphSubscription } from '../types';
import { ms, orUndefined } from './fragments';

export const agentsOfUsers: Store['agentsOfUsers'] = async (q, scope, users) => {
  const { rows } = await q.query<{ agentId: string; entraUserId: string }>(
    `select a.id as "agentId", e.entra_user_id as "entraUserId"
     from agents a
     join tenants tn on tn.id = a.tenant_id and ($1::text[] is null or tn.name = any ($1)) and ($2::text[] is null or tn.name <> all ($2))
     join agent_endpoints e on e.agent_id = a.id and e.position = 1
     where a.removed_at is null and e.entra_user_id = any ($3::uuid[])`,
    [scope.only ?? null, scope.except ?? null, users],
    { name: 'agents-of-users', idempotent: true },
  );
  return rows;
};

const time = (n: number): string => `to_timestamp($${n}::float8 / 1000)`;

export const saveSubscription: Store['saveSubscription'] = (q, subscription) =>
  q.transaction(async (tx) => {
    const { id, scope, account } = subscription;
    await tx.query('delete from graph_subscriptions where scope = $1 and account = $2 and id <> $3', [
      scope,
      account,
      id,
    ]);
    await tx.query(
      `insert into graph_subscriptions (id, scope, account, client_state, users, expires_at, patched_at, reauthorize_at)
       values ($1, $2, $3, $4, $5, ${time(6)}, ${time(7)}, ${time(8)})
       on conflict (id) do update set users = excluded.users, expires_at = excluded.expires_at, patched_at = excluded.patched_at,
         reauthorize_at = excluded.reauthorize_at`,
      [
        id,
        scope,
        account,
        subscription.clientState,
        subscription.users,
        subscription.expiresAt,
        subscription.patchedAt ?? null,
        subscription.reauthorizeAt ?? null,
      ],
    );
  });

export const deleteSubscription: Store['deleteSubscription'] = async (q, id) => {
  await q.query('delete from graph_subscriptions where id = $1', [id], { idempotent: true });
};

const COLUMNS = `id, scope, account, client_state as "clientState", users::text[] as users, ${ms('expires_at')} as "expiresAt",
  ${ms('patched_at')} as "patchedAt", ${ms('reauthorize_at')} as "reauthorizeAt", ${ms('notified_at')} as "notifiedAt"`;

type Row = Omit<GraphSubscription, 'patchedAt' | 'reauthorizeAt' | 'notifiedAt'> & {
  readonly patchedAt: number | null;
  readonly reauthorizeAt: number | null;
  readonly notifiedAt: number | null;
};

const toSubscription = (row: Row): GraphSubscription => ({
  ...row,
  patchedAt: orUndefined(row.patchedAt),
  reauthorizeAt: orUndefined(row.reauthorizeAt),
  notifiedAt: orUndefined(row.notifiedAt),
});

export const subscriptions: Store['subscriptions'] = async (q, scope) => {
  const { rows } = await q.query<Row>(
    `select ${COLUMNS} from graph_subscriptions where scope = $1 order by account`,
    [scope],
    { name: 'subscriptions', idempotent: true },
  );
  return rows.map(toSubscription);
};

export const findSubscription: Store['findSubscription'] = async (q, id) => {
  const { rows } = await q.query<Row>(`select ${COLUMNS} from graph_subscriptions where id = $1`, [id], {
    name: 'find-subscription',
    idempotent: true,
  });
  return rows[0] && toSubscription(rows[0]);
};

export const subscriptionHeard: Store['subscriptionHeard'] = async (q, id, what) => {
  const column = what === 'notified' ? 'notified_at' : 'reauthorize_at';
  await q.query(`update graph_subscriptions set ${column} = clock_timestamp() where id = $1`, [id], {
    idempotent: true,
  });
};
