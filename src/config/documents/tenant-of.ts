import type { Document } from './schema';

interface Owned {
  readonly tenant?: string | undefined;
}

/** Tenant of an item: the one it names, or the only one there is. */
export function tenantOf(document: Document, item: Owned): string | undefined {
  return item.tenant ?? (document.tenants.length === 1 ? document.tenants[0]?.name : undefined);
}
