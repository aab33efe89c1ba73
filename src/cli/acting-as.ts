import type { Database } from '../store';
import { actingAs as inTransaction } from '../store/acting-as';
import type { Queryable } from '../store/types';
import { byWhom } from './database';

/** Changes in one transaction, by the user of this process. */
export function actingAs<T>(db: Database, change: (tx: Queryable, by: string) => Promise<T>): Promise<T> {
  const by = byWhom();
  return inTransaction(db, by, (tx) => change(tx, by));
}
