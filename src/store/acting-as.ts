import type { Queryable } from './types';

/** Runs changes in one transaction that says who makes them, for the audit log. */
export function actingAs<T>(db: Queryable, by: string, change: (tx: Queryable) => Promise<T>): Promise<T> {
  return db.transaction(async (tx) => {
    await tx.query(`select set_config('sidekick.by', $1, true)`, [by]);
    return change(tx);
  });
}
