import type { Store } from '../api';
import type { AuditRow } from '../types';
import { ms, orUndefined } from './fragments';

/** Newest first. */
export const auditTrail: Store['auditTrail'] = async (q, { limit }) => {
  const { rows } = await q.query<Omit<AuditRow, 'tenant'> & { readonly tenant: string | null }>(
    `select ${ms('l.at')} as at, l.by, l.via, tn.name as tenant, l.noun, l.name, l.what, l.before, l.after
     from audit_log l left join tenants tn on tn.id = l.tenant_id order by l.id desc limit $1`,
    [limit],
    { idempotent: true },
  );
  return rows.map((row) => ({ ...row, tenant: orUndefined(row.tenant) }));
};
