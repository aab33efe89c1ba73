/** Puts the configuration of the demo into an empty database, and keeps the address of the simulated tenant right later. */
import { API_VERSION, documentSchema } from '../config/documents/schema';
import { applyDocument } from '../config/documents/apply-document';
import { demoDocument } from '../config/demo-document';
import { store } from '../store';
import type { Database } from '../store';
import type { SimulatedTenant } from './ports';

export type DemoConfiguration = 'made' | 'kept' | 'address-corrected';

/**
 * A database that holds a tenant already is somebody's work: nothing in it is changed but the address of the trunk `teams`,
 * and that only if it leads to a simulated tenant of an earlier start.
 */
export async function ensureDemoConfiguration(db: Database, tenant: SimulatedTenant): Promise<DemoConfiguration> {
  const tenants = await store.loadTenants(db);
  if (tenants.length === 0) {
    await applyDocument(db, demoDocument({ ...tenantOptions(tenant) }), { by: 'demo' });
    return 'made';
  }
  const trunk = (await store.loadTrunks(db)).find((t) => t.name === 'teams');
  if (trunk?.kind !== 'teams' || trunk.settings.sbcName !== tenant.sbcName) {
    return 'kept';
  }
  const { proxies = [] } = trunk.settings;
  const addresses = proxies.map((proxy) => proxy.address);
  if (addresses.every((address) => address === undefined || address === tenant.proxyAddress)) {
    return 'kept';
  }
  const owner = tenants.find((t) => t.id === trunk.tenantId);
  const document = documentSchema.parse({
    apiVersion: API_VERSION,
    tenants: tenants.map(({ name, country, timeZone, allowNumbers }) => ({ name, country, timeZone, allowNumbers })),
    trunks: [
      {
        kind: 'teams',
        name: trunk.name,
        enabled: trunk.enabled,
        ...(owner === undefined ? {} : { tenant: owner.name }),
        ...trunk.settings,
        proxies: proxies.map((proxy) =>
          proxy.address === undefined ? proxy : { ...proxy, address: tenant.proxyAddress },
        ),
      },
    ],
  });
  await applyDocument(db, document, { by: 'demo' });
  return 'address-corrected';
}

function tenantOptions(tenant: SimulatedTenant): Parameters<typeof demoDocument>[0] {
  return {
    sbcName: tenant.sbcName,
    teamsProxyAddress: tenant.proxyAddress,
    agents: tenant.agents.map(({ displayName, number, entraUserId }) => ({
      name: displayName.split(' ')[0] ?? displayName,
      number,
      entraUserId,
    })),
    greeting: { file: 'greeting.wav' },
  };
}
