import { X509Certificate } from 'node:crypto';
import { ConfidentialClientApplication, type Configuration } from '@azure/msal-node';
import { Client, GraphError, type Middleware } from '@microsoft/microsoft-graph-client';
import type { TenantControl } from '../../../src/embedded/teams/control-routes';
import { startTenantHttp, msalAuth, type TenantHttp } from '../../../src/embedded/teams/tenant-http';
import { makeServices, type TenantServices } from '../../../src/embedded/teams/tenant-services';
import { demoUsers } from '../../../src/embedded/teams/users';
import { makeTestAuthority, type IssuedIdentity } from '../../../src/embedded/tls/test-authority';
import { ManualClock } from './manual-clock';
import { bodyOf } from './sbc';

const tenantId = '8e0bd3c4-1111-4222-8333-0123456789ab';
const clientId = '0c3a9f10-1111-4222-8333-0123456789ab';
const [anna, ben] = demoUsers().map((user) => user.entraUserId) as [string, string];
const UNKNOWN = '99999999-0000-4000-8000-000000000000';

let clock: ManualClock;
let services: TenantServices;
let http: TenantHttp;
let certificate: IssuedIdentity;

beforeAll(async () => {
  certificate = await (await makeTestAuthority()).issue(['graph-client.test']);
});
beforeEach(async () => {
  clock = new ManualClock();
  services = makeServices(
    { tenantId, clientId, clientSecret: 'right', clientCertificate: certificate.leaf, users: demoUsers() },
    clock,
  );
  http = await startTenantHttp({ host: '127.0.0.1', port: 0 }, services, {} as TenantControl, tenantId);
});
afterEach(async () => {
  await http.close();
  services.presence.close();
  expect(clock.pending).toBe(0);
});

function msal(auth: Partial<Configuration['auth']> = {}): ConfidentialClientApplication {
  const secret = auth.clientCertificate ? {} : { clientSecret: 'right' };
  return new ConfidentialClientApplication({
    auth: { clientId, ...msalAuth(http.baseUrl, tenantId), ...secret, ...auth },
  });
}

async function token(app = msal()): Promise<string> {
  const result = await app.acquireTokenByClientCredential({ scopes: [`${http.baseUrl}/.default`] });
  return result?.accessToken ?? '';
}

function graph(accessToken: string): Client {
  // The client's own authentication sends a token over https only, so that the chain is made by hand here.
  const middleware: Middleware = {
    execute: async (context) => {
      const headers = { ...(context.options?.headers as object), authorization: `Bearer ${accessToken}` };
      context.response = await fetch(String(context.request), { ...context.options, headers });
    },
  };
  return Client.initWithMiddleware({ baseUrl: `${http.baseUrl}/`, middleware });
}

function post(path: string, body: unknown, accessToken?: string): Promise<Response> {
  return fetch(`${http.baseUrl}/v1.0${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(accessToken ? { authorization: `Bearer ${accessToken}` } : {}) },
    body: JSON.stringify(body),
  });
}

const readBatch = (accessToken: string | undefined, ids: string[]) =>
  post('/communications/getPresencesByUserId', { ids }, accessToken);

describe('the token endpoint', () => {
  test('gives @azure/msal-node a token for a client secret, and one that Graph takes', async () => {
    const presence = await graph(await token())
      .api(`/users/${anna}/presence`)
      .get();
    expect(presence).toMatchObject({ id: anna, availability: 'Available', activity: 'Available' });
  });

  test('gives @azure/msal-node a token for a certificate, with SHA-256 and with SHA-1 thumbprints', async () => {
    const leaf = new X509Certificate(certificate.leaf);
    const bare = (print: string): string => print.replace(/:/g, '');
    for (const print of [{ thumbprintSha256: bare(leaf.fingerprint256) }, { thumbprint: bare(leaf.fingerprint) }]) {
      // msal signs with the real time, so the tenant must live in it too.
      clock.advance(Date.now() - clock.now());
      const app = msal({ clientCertificate: { ...print, privateKey: certificate.key } });
      expect((await readBatch(await token(app), [anna])).status).toBe(200);
    }
  });

  test('refuses a certificate that is not registered, and an assertion out of its time', async () => {
    const stranger = await (await makeTestAuthority()).issue(['stranger.test']);
    const print = (leaf: string): string => new X509Certificate(leaf).fingerprint256.replace(/:/g, '');
    clock.advance(Date.now() - clock.now());
    const app = msal({ clientCertificate: { thumbprintSha256: print(stranger.leaf), privateKey: stranger.key } });
    await expect(token(app)).rejects.toThrow(/AADSTS700027/);
    const forged = msal({ clientCertificate: { thumbprintSha256: print(certificate.leaf), privateKey: stranger.key } });
    await expect(token(forged)).rejects.toThrow(/AADSTS700027.*signature/);
    clock.advance(3600_000);
    const late = msal({
      clientCertificate: { thumbprintSha256: print(certificate.leaf), privateKey: certificate.key },
    });
    await expect(token(late)).rejects.toThrow(/AADSTS700024/);
  });

  test('names what is wrong by the codes operators know', async () => {
    await expect(token(msal({ clientSecret: 'wrong' }))).rejects.toThrow(/AADSTS7000215/);
    await expect(token(msal({ clientId: UNKNOWN }))).rejects.toThrow(/AADSTS700016/);
    const other = msalAuth(http.baseUrl, UNKNOWN);
    await expect(token(msal({ ...other }))).rejects.toThrow(/AADSTS90002/);
    const app = msal();
    await expect(app.acquireTokenByClientCredential({ scopes: ['https://elsewhere.test/.default'] })).rejects.toThrow(
      /AADSTS500011/,
    );
    await expect(app.acquireTokenByClientCredential({ scopes: ['Presence.Read'] })).rejects.toThrow(/AADSTS1002012/);
  });

  test.each([
    ['grant_type=password&client_id=x', 400, 70003],
    ['client_id=x', 400, 900144],
    [`grant_type=client_credentials&client_id=${clientId}&scope=x`, 401, 7000218],
    [
      `grant_type=client_credentials&client_id=${clientId}&client_assertion=a.b&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer`,
      401,
      50027,
    ],
  ])('answers the form %s with %i', async (form, status, code) => {
    const response = await fetch(`${http.baseUrl}/${tenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form,
    });
    expect(response.status).toBe(status);
    expect((await bodyOf(response)).error_codes).toEqual([code]);
  });

  test('serves discovery for clients that are given no metadata', async () => {
    const { issuer, token_endpoint } = await bodyOf(
      fetch(`${http.baseUrl}/${tenantId}/v2.0/.well-known/openid-configuration`),
    );
    expect(issuer).toBe(`${http.baseUrl.replace('http:', 'https:')}/${tenantId}/v2.0`);
    expect(token_endpoint).toBe(`${http.baseUrl}/${tenantId}/oauth2/v2.0/token`);
  });
});

describe('tokens at Graph', () => {
  test('without a token, with a damaged, expired or revoked one the answer is 401', async () => {
    expect((await readBatch(undefined, [anna])).status).toBe(401);
    const good = await token();
    expect((await readBatch(`${good.slice(0, -4)}AAAA`, [anna])).status).toBe(401);
    expect((await readBatch('no-dots', [anna])).status).toBe(401);
    clock.advance(3598_000);
    expect((await readBatch(good, [anna])).status).toBe(200);
    clock.advance(2_000);
    expect((await readBatch(good, [anna])).status).toBe(401);
    const fresh = await token();
    services.entra.revoke();
    const refused = await readBatch(fresh, [anna]);
    expect(refused.status).toBe(401);
    expect((await bodyOf(refused)).error.code).toBe('InvalidAuthenticationToken');
    expect((await readBatch(await token(), [anna])).status).toBe(200);
  });

  test('without the role the answer is 403, and ReadWrite includes Read', async () => {
    services.entra.setRoles(['User.Read.All']);
    await expect(
      graph(await token())
        .api(`/users/${anna}/presence`)
        .get(),
    ).rejects.toMatchObject({ statusCode: 403 });
    services.entra.setRoles(['Presence.Read.All']);
    const reader = await token();
    expect((await readBatch(reader, [anna])).status).toBe(200);
    expect((await post(`/users/${anna}/presence/clearPresence`, { sessionId: clientId }, reader)).status).toBe(403);
    services.entra.setRoles(['Presence.ReadWrite.All']);
    expect((await readBatch(await token(), [anna])).status).toBe(200);
  });
});

describe('getPresencesByUserId', () => {
  test('answers each id once, unknown ones as PresenceUnknown', async () => {
    const { value } = await bodyOf(readBatch(await token(), [anna, ben.toUpperCase(), UNKNOWN, anna]));
    expect(value.map((p: { id: string }) => p.id)).toEqual([anna, ben, UNKNOWN]);
    expect(value[2]).toMatchObject({ availability: 'PresenceUnknown', sequenceNumber: null });
  });

  test('takes 650 ids and refuses 651, none, and what is no id', async () => {
    const ids = (n: number): string[] =>
      Array.from({ length: n }, (_, i) => `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`);
    const bearer = await token();
    expect((await bodyOf(readBatch(bearer, ids(650)))).value).toHaveLength(650);
    expect((await readBatch(bearer, ids(651))).status).toBe(400);
    expect((await readBatch(bearer, [])).status).toBe(400);
    expect((await readBatch(bearer, ['anna@contoso.com'])).status).toBe(400);
    expect((await post('/communications/getPresencesByUserId', [], bearer)).status).toBe(400);
    const broken = await fetch(`${http.baseUrl}/v1.0/communications/getPresencesByUserId`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
      body: '{"ids": [',
    });
    expect(broken.status).toBe(400);
    expect((await bodyOf(broken)).error.code).toBe('BadRequest');
  });

  test('is limited to 1,500 requests in 30 s, then says when to come back', async () => {
    services.graph.setLimits({ batchPer30s: 3, presencePer30s: 100 });
    const bearer = await token();
    for (let i = 0; i < 3; i++) {
      expect((await readBatch(bearer, [anna])).status).toBe(200);
    }
    clock.advance(12_000);
    const refused = await readBatch(bearer, [anna]);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('18');
    clock.advance(18_000);
    expect((await readBatch(bearer, [anna])).status).toBe(200);
  });

  test('can be told to throttle and to fail', async () => {
    const bearer = await token();
    services.graph.throttleNext(1, 7);
    const refused = await readBatch(bearer, [anna]);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '7']);
    services.graph.failNext(1, 504);
    expect((await readBatch(bearer, [anna])).status).toBe(504);
    expect((await readBatch(bearer, [anna])).status).toBe(200);
  });

  test('the published limits are in force', async () => {
    const bearer = `Bearer ${await token()}`;
    for (let i = 0; i < 1500; i++) {
      services.graph.getPresencesByUserId(bearer, { ids: [anna] });
    }
    expect(() => services.graph.getPresencesByUserId(bearer, { ids: [anna] })).toThrow(/Too many requests/);
    for (let i = 0; i < 10_000 - 1501; i++) {
      services.graph.getPresence(bearer, anna);
    }
    expect(() => services.graph.getPresence(bearer, anna)).toThrow(/Too many requests/);
  });
});

describe('presence of a user', () => {
  const shown = async (id = anna) => {
    const { availability, activity } = await graph(await token())
      .api(`/users/${id}/presence`)
      .get();
    return `${availability}/${activity}`;
  };

  test('a call shows after the lag and goes after the lag, with a sequence number that grows', async () => {
    const before = services.presence.read(anna);
    services.presence.countCall(anna, 1);
    clock.advance(999);
    expect(await shown()).toBe('Available/Available');
    clock.advance(1);
    expect(await shown()).toBe('Busy/InACall');
    const during = services.presence.read(anna);
    services.presence.countCall(anna, -1);
    clock.advance(1000);
    expect(await shown()).toBe('Available/Available');
    const after = services.presence.read(anna);
    const numbers = [before, during, after].map((p) => p!.sequenceNumber);
    expect([...numbers].sort()).toEqual(numbers);
    expect(new Set(numbers).size).toBe(3);
    expect(services.presence.read(anna)!.sequenceNumber).toBe(numbers[2]);
  });

  test('an application sets the allowed pairs for PT5M to PT4H and nothing else', async () => {
    const bearer = await token();
    const set = (body: object) => post(`/users/${anna}/presence/setPresence`, body, bearer);
    const busy = { sessionId: clientId, availability: 'Busy', activity: 'InACall' };
    expect((await set({ ...busy, expirationDuration: 'PT30M' })).status).toBe(200);
    expect(await shown()).toBe('Busy/InACall');
    clock.advance(30 * 60_000 - 1000);
    expect(await shown()).toBe('Busy/InACall');
    clock.advance(2000);
    expect(await shown()).toBe('Available/Available');
    for (const wrong of [
      { ...busy, activity: 'InAMeeting' },
      { ...busy, availability: 'OutOfOffice' },
      { ...busy, expirationDuration: 'PT4M59S' },
      { ...busy, expirationDuration: 'PT4H1S' },
      { ...busy, expirationDuration: 'soon' },
      { ...busy, sessionId: UNKNOWN },
      {},
    ]) {
      expect((await set(wrong)).status).toBe(400);
    }
    expect((await post(`/users/${UNKNOWN}/presence/setPresence`, busy, bearer)).status).toBe(404);
    expect((await post(`/users/anna/presence/setPresence`, busy, bearer)).status).toBe(400);
  });

  test("clearPresence ends the application's session once", async () => {
    const bearer = await token();
    await post(
      `/users/${anna}/presence/setPresence`,
      { sessionId: clientId, availability: 'DoNotDisturb', activity: 'Presenting' },
      bearer,
    );
    expect(await shown()).toBe('DoNotDisturb/Presenting');
    const clear = () => post(`/users/${anna}/presence/clearPresence`, { sessionId: clientId }, bearer);
    expect((await clear()).status).toBe(200);
    expect(await shown()).toBe('Available/Available');
    expect((await clear()).status).toBe(404);
  });

  test("an application's Available fades to idle, Away, and with the session to Offline", async () => {
    services.presence.setClient(anna, { availability: 'Offline', activity: 'Offline' });
    services.presence.setApplication(anna, clientId, { availability: 'Available', activity: 'Available' }, 3600_000);
    expect(await shown()).toBe('Available/Available');
    clock.advance(5 * 60_000);
    expect(await shown()).toBe('AvailableIdle/Inactive');
    clock.advance(5 * 60_000);
    expect(await shown()).toBe('Away/Away');
    clock.advance(50 * 60_000);
    expect(await shown()).toBe('Offline/Offline');
  });

  test('a preferred presence beats every session and counts only while there is one', async () => {
    const bearer = await token();
    const prefer = { availability: 'DoNotDisturb', activity: 'DoNotDisturb' };
    expect((await post(`/users/${ben}/presence/setUserPreferredPresence`, prefer, bearer)).status).toBe(200);
    services.presence.countCall(ben, 1);
    clock.advance(1000);
    expect(await shown(ben)).toBe('DoNotDisturb/DoNotDisturb');
    services.presence.countCall(ben, -1);
    clock.advance(1000);
    services.presence.setClient(ben, { availability: 'Offline', activity: 'Offline' });
    expect(await shown(ben)).toBe('Offline/Offline');
    expect((await post(`/users/${ben}/presence/clearUserPreferredPresence`, {}, bearer)).status).toBe(200);
    services.presence.setClient(ben, { availability: 'Away', activity: 'Away' });
    expect(await shown(ben)).toBe('Away/Away');
    const wrong = { availability: 'Busy', activity: 'InACall' };
    expect((await post(`/users/${ben}/presence/setUserPreferredPresence`, wrong, bearer)).status).toBe(400);
  });
});

test('the Graph client reports an unknown segment as an error, not as an empty answer', async () => {
  await expect(
    graph(await token())
      .api('/users/x/calendar')
      .get(),
  ).rejects.toBeInstanceOf(GraphError);
});

test('the tenant refuses to listen where others could reach it', async () => {
  await expect(
    startTenantHttp({ host: '0.0.0.0', port: 0 }, services, {} as TenantControl, tenantId),
  ).rejects.toMatchObject({ code: 'SK_USAGE' });
  await expect(
    startTenantHttp({ host: '127.0.0.1', port: http.port }, services, {} as TenantControl, tenantId),
  ).rejects.toMatchObject({ code: 'SK_PORT_TAKEN' });
});
