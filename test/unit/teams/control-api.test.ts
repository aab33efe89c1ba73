import { ANNA, CLIENT, Sbc, TENANT, bodyOf, makeMaterial, startTenant, until, type Material } from './sbc';
import type { TeamsTenant } from '../../../src/embedded/teams/tenant';

let material: Material;
let tenant: TeamsTenant;
let sbc: Sbc;

beforeAll(async () => {
  material = await makeMaterial();
});
beforeEach(async () => {
  tenant = await startTenant(material, { presenceLagMs: 0 });
  sbc = await Sbc.start(material, tenant.sipPort);
});
afterEach(async () => {
  await until('all calls gone at the tenant', () => tenant.live === 0);
  await sbc.close();
  await tenant.close();
});

async function ask(method: string, path: string, body?: unknown) {
  const response = await fetch(`${tenant.baseUrl}/_sim${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

test('a call is found by the number of its caller, watched and ended', async () => {
  const call = await sbc.call(ANNA.number);
  await call.answered;
  await until('heard', () => tenant.calls()[0]!.heardTones.length > 0);
  const { body: calls } = await ask('GET', `/calls?from=${encodeURIComponent('+4915112345678')}`);
  expect(calls).toHaveLength(1);
  expect(Object.keys(calls[0]).sort()).toEqual(
    [
      'id sipCallId from fromName to agent certificateNames state startedAt ringingAt answeredAt endedAt endedBy status reason',
      'voicemail refreshes heardTones gaps packets digits rulesBroken transfer forwardStatus',
    ]
      .join(' ')
      .split(' ')
      .sort(),
  );
  expect(calls[0].heardTones[0]).toEqual({ hz: 700, ms: expect.any(Number), firstAt: expect.any(Number) });
  // An unescaped plus in a query means a space; the number is found all the same.
  expect((await ask('GET', '/calls?from=+4915112345678')).body).toHaveLength(1);
  expect((await ask('GET', '/calls?from=%2B49000')).body).toEqual([]);
  expect((await ask('GET', '/calls?agent=ANNA&active=true')).body).toHaveLength(1);
  const { id } = calls[0];
  expect((await ask('POST', `/calls/${id}/hold`)).body.state).toBe('held');
  expect((await ask('POST', `/calls/${id}/unhold`)).body.state).toBe('answered');
  expect((await ask('POST', `/calls/${id}/hang-up`)).body).toMatchObject({ state: 'ended', endedBy: 'agent' });
  await call.ended;
  expect((await ask('GET', '/calls?active=true')).body).toEqual([]);
  expect((await ask('POST', `/calls/${id}/hold`)).status).toBe(409);
  expect((await ask('DELETE', '/calls')).status).toBe(204);
  expect((await ask('GET', `/calls/${id}`)).status).toBe(404);
});

test('scripts and presence of users are shown and changed', async () => {
  const { body: users } = await ask('GET', '/users');
  expect(users.map((user: { name: string }) => user.name)).toEqual(['anna', 'ben', 'clara', 'david', 'emma']);
  const script = await ask('PUT', '/users/anna/script', { kind: 'decline', afterMs: 5 });
  expect(script.body.script).toEqual({
    kind: 'decline',
    afterMs: 5,
    devices: 1,
    earlyMedia: false,
    answerFromUnseenFork: false,
  });
  const away = { availability: 'Away', activity: 'Away' };
  expect((await ask('PUT', '/users/Anna/presence', away)).body.presence).toEqual(away);
  expect(tenant.users()[0]).toMatchObject({ presence: away, script: { kind: 'decline' } });
});

test.each([
  ['PUT', '/users/anna/script', { kind: 'sing' }, 400],
  ['PUT', '/users/anna/script', { kind: 'answer', afterMs: -1 }, 400],
  ['PUT', '/users/anna/script', { kind: 'answer', afterMS: 5 }, 400],
  ['PUT', '/users/zoe/script', { kind: 'busy' }, 404],
  ['PUT', '/users/anna/presence', { availability: 'Asleep', activity: 'Away' }, 400],
  ['POST', '/misbehave', { what: 'explode' }, 400],
  ['POST', '/calls/none/hold', undefined, 404],
  ['POST', '/calls/none/sing', undefined, 400],
])('%s %s with %j is refused with %i and says why', async (method, path, body, status) => {
  const answer = await ask(method, path, body);
  expect(answer.status).toBe(status);
  expect(answer.body.error).toMatchObject({ code: expect.stringMatching(/^SK_/), message: expect.any(String) });
  expect(tenant.users()[0]!.script.kind).toBe('answer');
});

test('broken rules are listed with the table', async () => {
  await sbc.options({ contact: '<sip:127.0.0.1;transport=tls>' });
  const { body } = await ask('GET', '/rules');
  expect(body.broken).toEqual([expect.objectContaining({ rule: 'contact-ip', section: '1.4', method: 'OPTIONS' })]);
  expect(body.rules['contact-ip'].status).toBe(403);
  expect((await ask('GET', '/trunks')).body).toEqual([]);
});

test('Graph can be made to misbehave from outside, and reset', async () => {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: CLIENT,
    client_secret: 'secret',
    scope: 'https://graph.microsoft.com/.default',
  });
  const token = async () =>
    (await bodyOf(fetch(`${tenant.baseUrl}/${TENANT}/oauth2/v2.0/token`, { method: 'POST', body: form }))).access_token;
  let bearer = await token();
  const presence = async () =>
    (
      await fetch(`${tenant.baseUrl}/v1.0/users/${ANNA.entraUserId}/presence`, {
        headers: { authorization: `Bearer ${bearer}` },
      })
    ).status;
  const statuses: number[] = [await presence()];
  for (const command of [
    { what: 'graph-throttle', requests: 1, retryAfterSeconds: 1 },
    { what: 'graph-fail', requests: 1, status: 502 },
    { what: 'graph-limits', presencePer30s: 0 },
    { what: 'reset' },
    { what: 'revoke-tokens' },
  ]) {
    expect((await ask('POST', '/misbehave', command)).status).toBe(204);
    statuses.push(await presence());
  }
  await ask('POST', '/misbehave', { what: 'roles', roles: [] });
  bearer = await token();
  statuses.push(await presence());
  await ask('POST', '/misbehave', { what: 'reset' });
  await ask('POST', '/misbehave', { what: 'token-lifetime', seconds: 0 });
  bearer = await token();
  statuses.push(await presence());
  expect(statuses).toEqual([200, 429, 502, 429, 200, 401, 403, 401]);
});

test('what no tenant could have is refused before anything listens', async () => {
  const users = [ANNA, { ...ANNA, name: 'anna2' }];
  await expect(startTenant(material, { users })).rejects.toMatchObject({ code: 'SK_USAGE' });
  await expect(startTenant(material, { users: [{ ...ANNA, number: '4930' }] })).rejects.toThrow(/Anna/);
  await expect(startTenant(material, { host: '0.0.0.0' })).rejects.toMatchObject({ code: 'SK_USAGE' });
  await expect(startTenant(await makeMaterial(), { httpPort: tenant.httpPort })).rejects.toMatchObject({
    code: 'SK_PORT_TAKEN',
  });
});

test('only so many ended calls are kept, the newest', async () => {
  await tenant.close();
  tenant = await startTenant(material, { keepCalls: 2 });
  sbc = await sbc.close().then(() => Sbc.start(material, tenant.sipPort));
  const ids: string[] = [];
  for (let i = 0; i < 4; i++) {
    const call = await sbc.call('+49301999999');
    ids.push(call.session.callId);
    await call.ended;
  }
  expect(tenant.calls().map((call) => call.sipCallId)).toEqual(ids.slice(2));
  expect(tenant.rulesBroken()).toHaveLength(2);
});
