import type { Database } from '../store';
import type { Queryable } from '../store/types';
import { byWhom } from './database';

/** Runs changes in one transaction that says who makes them, for the audit. */
export function actingAs<T>(db: Database, change: (tx: Queryable, by: string) => Promise<T>): Promise<T> {
  const by = byWhom();
  return db.transaction(async (tx) => {
    await tx.query(`select set_config('sidekick.by', $1, true)`, [by]);
    return change(tx, by);
  });
}
