import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeServices, type TenantServices } from '../../../src/embedded/teams/tenant-services';
import { demoUsers } from '../../../src/embedded/teams/users';
import { makeTestAuthority } from '../../../src/embedded/tls/test-authority';
import { CLIENT, TENANT } from './sbc';
import { ManualClock } from './manual-clock';

const IDS = demoUsers().map((user) => user.entraUserId);
let certificate: string;
let clock: ManualClock;
let services: TenantServices;
let server: Server;
let echo: (token: string) => { status: number; type: string; body: string };

beforeAll(async () => {
  const { leaf } = await (await makeTestAuthority()).issue(['x.test']);
  certificate = leaf.replace(/-----[^-]+-----|\s/g, '');
});
beforeEach(async () => {
  clock = new ManualClock();
  const options = {
    tenantId: TENANT,
    clientId: CLIENT,
    clientSecret: 's',
    users: demoUsers(),
    accounts: [{ name: 'a' }, { name: 'b' }],
  };
  services = makeServices({ ...options, presenceLagMs: 0 }, clock);
  echo = (token) => ({ status: 200, type: 'text/plain', body: token });
  server = createServer((request, response) => {
    const token = new URL(request.url ?? '', 'http://x').searchParams.get('validationToken') ?? '';
    const { status, type, body } = echo(token);
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await services.notifier.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const owner = (name: string) => {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: services.accounts.refreshTokenOf(name),
  });
  return services.accounts.check(`Bearer ${String(services.accounts.token(form)!.body['access_token'])}`);
};
const asked = (change: object = {}) => ({
  changeType: 'updated',
  notificationUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/n`,
  resource: `/communications/presences?$filter=id in (${IDS.map((id) => `'${id}'`).join(',')})`,
  includeResourceData: true,
  encryptionCertificate: certificate,
  encryptionCertificateId: 'one',
  expirationDateTime: new Date(clock.now() + 50 * 60_000).toISOString(),
  clientState: 'state',
  ...change,
});
const broken = () => services.graphRules.list().map(({ rule }) => rule);

test('an application alone cannot subscribe, a signed-in account can, once', async () => {
  await expect(services.subscriptions.create(undefined, asked())).rejects.toMatchObject({ status: 403 });
  await services.subscriptions.create(owner('a'), asked());
  await expect(services.subscriptions.create(owner('a'), asked())).rejects.toMatchObject({ status: 403 });
  await services.subscriptions.create(owner('b'), asked());
  expect(broken()).toEqual(['subscription-delegated', 'subscription-one']);
});

test.each([
  ['subscription-change-type', { changeType: 'created' }],
  ['subscription-lifetime', { expirationDateTime: '2099-01-01T00:00:00Z' }],
  ['subscription-users', { resource: "/communications/presences?$filter=id in ('x')" }],
  ['subscription-key', { encryptionCertificate: 'AAAA' }],
  ['subscription-state', { clientState: 'x'.repeat(129) }],
])('%s is enforced', async (rule, change) => {
  await expect(services.subscriptions.create(owner('a'), asked(change))).rejects.toMatchObject({ status: 400 });
  expect(broken()).toEqual([rule]);
});

test('an address that does not give the token back as plain text is refused', async () => {
  for (const answer of [
    { status: 200, type: 'application/json', body: '' },
    { status: 202, type: 'text/plain', body: '' },
    { status: 200, type: 'text/plain', body: 'else' },
  ]) {
    echo = () => answer;
    await expect(services.subscriptions.create(owner('a'), asked())).rejects.toMatchObject({ status: 400 });
  }
  expect(broken()).toEqual(['validation-echo', 'validation-echo', 'validation-echo']);
});

test('a short life is raised to 45 minutes, and it ends unless it is renewed', async () => {
  const soon = { expirationDateTime: new Date(clock.now() + 60_000).toISOString() };
  const { id } = (await services.subscriptions.create(owner('a'), asked(soon))) as { id: string };
  clock.advance(44 * 60_000);
  services.subscriptions.renew(owner('a'), id, {
    expirationDateTime: new Date(clock.now() + 59 * 60_000).toISOString(),
  });
  clock.advance(58 * 60_000);
  expect(services.subscriptions.list()).toHaveLength(1);
  clock.advance(2 * 60_000);
  expect(services.subscriptions.list()).toEqual([]);
  expect(() => services.subscriptions.remove(owner('a'), id)).toThrow(expect.objectContaining({ status: 404 }));
});

test('renewing and authorizing within ten minutes is written down', async () => {
  const { id } = (await services.subscriptions.create(owner('a'), asked())) as { id: string };
  services.subscriptions.reauthorize(owner('a'), id);
  clock.advance(9 * 60_000);
  services.subscriptions.renew(owner('a'), id, asked());
  expect(broken()).toEqual(['reauthorize-apart']);
});

test('after a 429 an early request is written down, one on its way is not', () => {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: CLIENT,
    client_secret: 's',
    scope: 'https://graph.microsoft.com/.default',
  });
  const auth = `Bearer ${String(services.entra.token(TENANT, form, 'http://x').body['access_token'])}`;
  const read = () => services.graph.getPresencesByUserId(auth, { ids: IDS });
  services.graph.throttleNext(1, 5);
  expect(read).toThrow(expect.objectContaining({ status: 429 }));
  clock.advance(200);
  read();
  expect(broken()).toEqual([]);
  clock.advance(2_000);
  read();
  expect(broken()).toEqual(['retry-after-ignored']);
  clock.advance(5_000);
  read();
  expect(broken()).toEqual(['retry-after-ignored']);
});
