import { SidekickError } from '../../lib/errors';
import { sqlState } from '../pool';
import type { Store } from '../api';
import type { UserRow, UserScope, UserTokenRow } from '../types';
import { ms, orUndefined } from './fragments';

interface Row {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly role: UserRow['role'];
  readonly everywhere: boolean;
  readonly scopes: readonly { readonly tenant: string; readonly queue: string | null }[];
  readonly entraUserId: string | null;
  readonly disabledAt: number | null;
  readonly tokens: readonly (Omit<UserTokenRow, 'usedAt'> & { readonly usedAt: number | null })[];
}

/** A scope over a queue or a tenant that was removed is none. */
const USER = `
  select u.id, u.name, u.display_name as "displayName", u.role, u.everywhere, u.entra_user_id as "entraUserId",
    ${ms('u.disabled_at')} as "disabledAt",
    coalesce((select json_agg(json_build_object('tenant', tn.name, 'queue', qu.name) order by tn.name, qu.name nulls first)
      from user_scopes s join tenants tn on tn.id = s.tenant_id and tn.removed_at is null
      left join queues qu on qu.id = s.queue_id
      where s.user_id = u.id and (s.queue_id is null or qu.removed_at is null)), '[]') as scopes,
    coalesce((select json_agg(json_build_object('name', t.name, 'createdAt', ${ms('t.created_at')},
      'expiresAt', ${ms('t.expires_at')}, 'usedAt', ${ms('t.used_at')}) order by t.name)
      from user_tokens t where t.user_id = u.id), '[]') as tokens
  from users u`;

function toUser(row: Row): UserRow {
  return {
    ...row,
    scopes: row.scopes.map(({ tenant, queue }): UserScope => (queue === null ? { tenant } : { tenant, queue })),
    entraUserId: orUndefined(row.entraUserId),
    disabledAt: orUndefined(row.disabledAt),
    tokens: row.tokens.map((token) => ({ ...token, usedAt: orUndefined(token.usedAt) })),
  };
}

export const listUsers: Store['listUsers'] = async (q) => {
  const { rows } = await q.query<Row>(`${USER} order by lower(u.name)`, [], { idempotent: true });
  return rows.map(toUser);
};

export const userByName: Store['userByName'] = async (q, name) => {
  const { rows } = await q.query<Row>(`${USER} where lower(u.name) = lower($1)`, [name], { idempotent: true });
  return rows[0] && toUser(rows[0]);
};

export const userByEntraId: Store['userByEntraId'] = async (q, entraUserId) => {
  const { rows } = await q.query<Row>(`${USER} where u.entra_user_id = $1`, [entraUserId], {
    name: 'user-by-entra-id',
    idempotent: true,
  });
  return rows[0] && toUser(rows[0]);
};

export const userByToken: Store['userByToken'] = async (q, digest) => {
  const { rows } = await q.query<Row>(
    `with used as (
       update user_tokens set used_at = date_trunc('minute', clock_timestamp())
       where digest = $1 and expires_at > clock_timestamp() and used_at is distinct from date_trunc('minute', clock_timestamp())
     )
     ${USER} where u.id = (select user_id from user_tokens where digest = $1 and expires_at > clock_timestamp())`,
    [digest],
    { name: 'user-by-token', idempotent: true },
  );
  return rows[0] && toUser(rows[0]);
};

export const createUser: Store['createUser'] = async (q, user) => {
  try {
    const { rows } = await q.query<{ id: string }>(
      `insert into users (name, display_name, role, everywhere, entra_user_id) values ($1, $2, $3, $4, $5) returning id`,
      [user.name, user.displayName, user.role, user.everywhere, user.entraUserId ?? null],
    );
    await setScopes(q, rows[0]?.id ?? '', user.scopes);
  } catch (error) {
    throw explained(error, user.name);
  }
};

export const updateUser: Store['updateUser'] = async (q, userId, user) => {
  try {
    await q.query(
      `update users set display_name = $2, role = $3, everywhere = $4, entra_user_id = $5,
         disabled_at = case when $6 then coalesce(disabled_at, clock_timestamp()) end
       where id = $1`,
      [userId, user.displayName, user.role, user.everywhere, user.entraUserId ?? null, user.disabled],
    );
    await setScopes(q, userId, user.scopes);
  } catch (error) {
    throw explained(error, user.name);
  }
};

async function setScopes(
  q: Parameters<Store['createUser']>[0],
  userId: string,
  scopes: readonly UserScope[],
): Promise<void> {
  const { rows } = await q.query<{ tenant: string; queue: string | null }>(
    `with given as (select tenant, queue from jsonb_to_recordset($2::jsonb) as g(tenant text, queue text)),
     found as (
       select g.tenant, g.queue, tn.id as tenant_id, qu.id as queue_id from given g
       left join tenants tn on tn.name = g.tenant and tn.removed_at is null
       left join queues qu on qu.tenant_id = tn.id and qu.name = g.queue and qu.removed_at is null
     ), gone as (
       delete from user_scopes s where s.user_id = $1
         and not exists (select from found f where f.tenant_id = s.tenant_id and f.queue_id is not distinct from s.queue_id)
     ), added as (
       insert into user_scopes (user_id, tenant_id, queue_id) select distinct $1::uuid, tenant_id, queue_id from found
       where tenant_id is not null and (queue is null or queue_id is not null) on conflict do nothing
     )
     select tenant, queue from found where tenant_id is null or (queue is not null and queue_id is null)`,
    [userId, JSON.stringify(scopes)],
  );
  const missing = rows[0];
  if (missing) {
    const what =
      missing.queue === null ? `tenant "${missing.tenant}"` : `queue "${missing.queue}" in "${missing.tenant}"`;
    throw new SidekickError('SK_NOT_FOUND', `there is no ${what}`, { next: '`sidekick queues list` shows the names' });
  }
}

export const deleteUser: Store['deleteUser'] = async (q, userId) => {
  const { rowCount } = await q.query('delete from users where id = $1', [userId]);
  return rowCount === 1;
};

export const addUserToken: Store['addUserToken'] = async (q, { userId, name, digest, forMs, by }) => {
  const { rows } = await q.query<{ expiresAt: number }>(
    `insert into user_tokens (user_id, name, digest, created_by, expires_at)
     values ($1, $2, $3, $4, clock_timestamp() + $5 * interval '1 millisecond')
     on conflict (user_id, name) do update set digest = excluded.digest, created_at = clock_timestamp(),
       created_by = excluded.created_by, expires_at = excluded.expires_at, used_at = null
     returning ${ms('expires_at')} as "expiresAt"`,
    [userId, name, digest, by, forMs],
  );
  return { expiresAt: rows[0]?.expiresAt ?? 0 };
};

export const deleteUserToken: Store['deleteUserToken'] = async (q, userId, name) => {
  const { rowCount } = await q.query('delete from user_tokens where user_id = $1 and name = $2', [userId, name]);
  return rowCount === 1;
};

function explained(error: unknown, name: string): unknown {
  switch (sqlState(error)) {
    case '23505': {
      return new SidekickError('SK_CONFLICT', `the user ${name} cannot be saved`, {
        why: 'another user has that name or that id at Entra',
        next: '`sidekick users list` shows all of them',
        cause: error,
      });
    }
    case '23514': {
      return new SidekickError('SK_USAGE', `"${name}" cannot be the name of a user`, {
        why: 'a name starts with a letter or a digit and holds letters, digits and . _ @ + - only, at most 100',
        next: 'choose another name, such as anna@example.com',
        cause: error,
      });
    }
    default: {
      return error;
    }
  }
}
