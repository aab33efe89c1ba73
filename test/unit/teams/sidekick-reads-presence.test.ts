import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/lib/clock';
import { silentLog } from '../../../src/lib/log';
import { createGraphClient } from '../../../src/presence/graph-client';
import type { TenantControl } from '../../../src/embedded/teams/control-routes';
import { startTenantHttp, type TenantHttp } from '../../../src/embedded/teams/tenant-http';
import { makeServices, type TenantServices } from '../../../src/embedded/teams/tenant-services';
import { demoUsers } from '../../../src/embedded/teams/users';
import { makeTestAuthority, type IssuedIdentity } from '../../../src/embedded/tls/test-authority';
import { CLIENT, TENANT } from './sbc';

// The product's own Graph client against the simulated tenant: what each believes of the other must be the same.
const ids = demoUsers().map((user) => user.entraUserId);
let identity: IssuedIdentity;
let services: TenantServices;
let http: TenantHttp;
let directory: string;

beforeAll(async () => {
  identity = await (await makeTestAuthority()).issue(['graph-client.test']);
  directory = await mkdtemp(join(tmpdir(), 'sk-graph-'));
  await writeFile(join(directory, 'client.pem'), identity.key + identity.leaf);
});
afterAll(() => rm(directory, { recursive: true }));
beforeEach(async () => {
  services = makeServices(
    {
      tenantId: TENANT,
      clientId: CLIENT,
      clientSecret: 'right',
      clientCertificate: identity.leaf,
      clientAssertion: 'a.federated.token',
      users: demoUsers(),
      presenceLagMs: 0,
    },
    systemClock,
  );
  http = await startTenantHttp({ host: '127.0.0.1', port: 0 }, services, {} as TenantControl, TENANT);
});
afterEach(() => http.close());

function client(credential: { clientSecret: string } | { certificate: string } | { assertionFile: string }) {
  return createGraphClient(
    {
      tenantId: TENANT,
      clientId: CLIENT,
      cloud: 'global',
      writeBack: false,
      baseUrl: http.baseUrl,
      authority: http.baseUrl,
      ...credential,
    },
    { log: silentLog(), clock: systemClock },
  );
}

test('with a secret it reads everybody, and sees a call', async () => {
  const graph = client({ clientSecret: 'right' });
  services.presence.countCall(ids[1]!, 1);
  const read = await graph.readPresences(ids);
  expect(read.map(({ entraUserId }) => entraUserId)).toEqual(ids);
  expect(read[0]).toMatchObject({ availability: 'Available', sequenceNumber: expect.stringMatching(/^\d+$/) });
  expect(read[1]).toMatchObject({ availability: 'Busy', activity: 'InACall' });
  expect(read[1]!.sequenceNumber! > read[0]!.sequenceNumber!).toBe(true);
  graph.close();
});

test('with a certificate it reads too, and after a revocation it fetches a new token by itself', async () => {
  const graph = client({ certificate: join(directory, 'client.pem') });
  await graph.readPresences(ids);
  services.entra.revoke();
  expect(await graph.readPresences(ids)).toHaveLength(ids.length);
  expect(services.entra.issued).toBe(2);
  graph.close();
});

test('with a federated credential it reads too, from the file as it is at that moment', async () => {
  const file = join(directory, 'token');
  await writeFile(file, 'an.old.token\n');
  const graph = client({ assertionFile: file });
  await expect(graph.readPresences(ids)).rejects.toMatchObject({ code: 'SK_GRAPH_REFUSED' });
  await writeFile(file, 'a.federated.token\n');
  expect(await graph.readPresences(ids)).toHaveLength(ids.length);
  graph.close();
});

test('it shows and clears a session of its own, and clearing one that is gone is no error', async () => {
  const graph = client({ clientSecret: 'right' });
  await graph.setPresence(ids[0]!, { availability: 'Busy', activity: 'InACall' }, 600_000);
  expect((await graph.readPresences(ids))[0]).toMatchObject({ availability: 'Busy', activity: 'InACall' });
  await graph.clearPresence(ids[0]!);
  await graph.clearPresence(ids[0]!);
  expect((await graph.readPresences(ids))[0]).toMatchObject({ availability: 'Available' });
  expect(services.graphRules.list()).toEqual([]);
  graph.close();
});

test('a wrong secret, a missing role and a throttled tenant come out as what they are', async () => {
  const wrong = client({ clientSecret: 'wrong' });
  await expect(wrong.readPresences(ids)).rejects.toMatchObject({
    code: 'SK_GRAPH_REFUSED',
    why: expect.stringContaining('AADSTS7000215'),
  });
  wrong.close();
  const graph = client({ clientSecret: 'right' });
  services.graph.throttleNext(1, 7);
  await expect(graph.readPresences(ids)).rejects.toMatchObject({
    code: 'SK_GRAPH_UNREACHABLE',
    context: { status: 429, retryAfterMs: 7000 },
  });
  services.entra.setRoles([]);
  services.entra.revoke();
  await expect(graph.readPresences(ids)).rejects.toMatchObject({ code: 'SK_GRAPH_REFUSED', context: { status: 403 } });
  graph.close();
});
