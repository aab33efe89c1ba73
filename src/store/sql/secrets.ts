import type { Store } from '../api';
import type { SealedSecret, SecretRow } from '../types';
import { ms, orUndefined } from './fragments';

/** By name of the tenant; without one, those that all share. */
const TENANT = `(case when $1::text is null then s.tenant_id is null else s.tenant_id = (select id from tenants where name = $1 and removed_at is null) end)`;

interface Row extends Omit<SecretRow, 'tenant'> {
  readonly tenant: string | null;
}

export const listSecrets: Store['listSecrets'] = async (q) => {
  const { rows } = await q.query<Row>(
    `select tn.name as tenant, s.name, s.key_id as "keyId", ${ms('s.updated_at')} as "updatedAt", s.updated_by as "updatedBy"
     from secrets s left join tenants tn on tn.id = s.tenant_id order by tn.name nulls first, s.name`,
    [],
    { idempotent: true },
  );
  return rows.map((row) => ({ ...row, tenant: orUndefined(row.tenant) }));
};

export const sealedSecrets: Store['sealedSecrets'] = async (q) => {
  const { rows } = await q.query<Omit<SealedSecret, 'tenantId'> & { readonly tenantId: string | null }>(
    `select s.id, s.tenant_id as "tenantId", s.name, s.key_id as "keyId", s.nonce, s.sealed from secrets s`,
    [],
    { name: 'sealed-secrets', idempotent: true },
  );
  return rows.map((row) => ({ ...row, tenantId: orUndefined(row.tenantId) }));
};

/** Reads nothing back, so that a role may set what it cannot read. */
export const saveSecret: Store['saveSecret'] = async (q, { tenantId, name, sealed, by }) => {
  await q.query(
    `insert into secrets (tenant_id, name, key_id, nonce, sealed, updated_by) values ($1, $2, $3, $4, $5, $6)
     on conflict (tenant_id, name) do update set key_id = $3, nonce = $4, sealed = $5, updated_at = clock_timestamp(), updated_by = $6`,
    [tenantId ?? null, name, sealed.keyId, sealed.nonce, sealed.sealed, by],
  );
};

export const deleteSecret: Store['deleteSecret'] = async (q, tenant, name) => {
  const { rowCount } = await q.query(`delete from secrets s where ${TENANT} and s.name = $2`, [tenant ?? null, name]);
  return rowCount === 1;
};
