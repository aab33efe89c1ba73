import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { applyDocument } from '../../src/config/documents/apply-document';
import { readDocument } from '../../src/config/documents/parse-document';
import { ROLES, roleReaches } from '../../src/config/roles';
import type { Role } from '../../src/config/roles';
import { newUserToken, tokenDigest } from '../../src/config/user-tokens';
import type { ApiRoute } from '../../src/http/guard';
import { buildHttp } from '../../src/http/server';
import { SignIn } from '../../src/http/sign-in';
import { newId } from '../../src/lib/ids';
import { createMetrics } from '../../src/lib/metrics';
import { store } from '../../src/store';
import type { NewUser } from '../../src/store/types';
import { testDatabase } from '../support/database';
import type { TestDatabase } from '../support/database';
import { tableRows } from '../support/markdown-table';

const ADMIN = 'hush-admin-0123456789';
const TENANT = '11111111-2222-4333-8444-555555555555';
const CLIENT = '66666666-7777-4888-8999-aaaaaaaaaaaa';
const USER = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';

const center = `
apiVersion: sidekick/v1
tenants:
  - { name: demo, country: DE, timeZone: Europe/Berlin }
  - { name: other, country: DE, timeZone: Europe/Berlin }
trunks:
  - { name: carrier, kind: carrier, sources: [127.0.0.0/8] }
  - { name: pbx, kind: pbx, host: 127.0.0.1 }
queues:
  - { name: support, tenant: demo, members: [{ agent: Anna }, { agent: Ben }] }
  - { name: sales, tenant: demo, members: [{ agent: Ben }] }
  - { name: support, tenant: other, members: [{ agent: Olga }] }
agents:
  - { name: Anna, tenant: demo, signedIn: true, endpoints: [{ kind: pbx, trunk: pbx, user: '1' }] }
  - { name: Ben, tenant: demo, signedIn: true, endpoints: [{ kind: pbx, trunk: pbx, user: '2' }] }
  - { name: Olga, tenant: other, signedIn: true, endpoints: [{ kind: pbx, trunk: pbx, user: '3' }] }
`;

describe('access to the API', () => {
  let database: TestDatabase;
  let app: FastifyInstance;
  let issuer: Server;
  let authority: string;
  let issuerFails = false;
  let logged = '';
  const routes: ApiRoute[] = [];
  const tokens: Record<string, string> = {};
  const calls: Record<'support' | 'sales' | 'other', string> = { support: newId(), sales: newId(), other: newId() };
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });

  const makeUser = async (name: string, user: Partial<NewUser> & { role: Role }): Promise<void> => {
    await database.db.transaction((tx) =>
      store.createUser(tx, { name, displayName: '', everywhere: false, scopes: [], ...user }),
    );
    const { id } = (await store.userByName(database.db, name))!;
    tokens[name] = newUserToken();
    await store.addUserToken(database.db, {
      userId: id,
      name: 'test',
      digest: tokenDigest(tokens[name]),
      forMs: 60_000,
      by: 'test',
    });
  };
  const ask = async (
    method: 'GET' | 'POST',
    url: string,
    token?: string,
    body?: object,
    headers: Record<string, string> = {},
  ) =>
    app.inject({
      method,
      url,
      headers: {
        host: 'sidekick.example',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      ...(method === 'POST' ? { payload: JSON.stringify(body ?? {}) } : {}),
    });
  const jwt = (claims: Record<string, unknown> = {}, head: Record<string, unknown> = {}, key = privateKey): string => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1000);
    const text = `${part({ alg: 'RS256', kid: 'k1', ...head })}.${part({
      aud: CLIENT,
      iss: `${authority.replace('http:', 'https:')}/${TENANT}/v2.0`,
      tid: TENANT,
      oid: USER,
      exp: now + 600,
      nbf: now - 10,
      ...claims,
    })}`;
    return `${text}.${sign('RSA-SHA256', Buffer.from(text), key).toString('base64url')}`;
  };

  beforeAll(async () => {
    database = await testDatabase({ max: 6 });
    const { db } = database;
    await applyDocument(db, readDocument(center, 'center.yaml'), { by: 'test' });
    const { nodeId } = await store.registerNode(db, { name: 'test-node' });
    const tenants = new Map((await store.loadTenants(db)).map(({ name, id }) => [name, id]));
    const queues = await store.loadQueues(db);
    for (const [key, tenant, queue] of [
      ['support', 'demo', 'support'],
      ['sales', 'demo', 'sales'],
      ['other', 'other', 'support'],
    ] as const) {
      const tenantId = tenants.get(tenant)!;
      const call = {
        id: calls[key],
        tenantId,
        nodeId,
        callerNumber: '+4917612345678',
        dialledNumber: '+49301000100',
        sipCallId: key,
      };
      await store.insertCall(db, call);
      const queueId = queues.find((one) => one.tenantId === tenantId && one.name === queue)!.id;
      await store.enqueue(db, { callId: calls[key], queueId });
      await store.appendCallEvents(db, [
        { callId: calls[key], kind: 'call:waiting', data: { from: '+4917612345678' } },
      ]);
    }
    for (const role of ROLES) {
      await makeUser(role, { role, everywhere: true });
    }
    await makeUser('of-demo', { role: 'supervisor', scopes: [{ tenant: 'demo' }] });
    await makeUser('of-support', { role: 'supervisor', scopes: [{ tenant: 'demo', queue: 'support' }] });
    await makeUser('nowhere', { role: 'admin' });
    issuer = createServer((_request, response) => {
      response.writeHead(issuerFails ? 503 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig' }] }));
    });
    await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
    authority = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
    app = build();
    await app.ready();
  });
  const build = (more: { adminToken?: string | undefined; host?: string } = {}): FastifyInstance => {
    const { db } = database;
    const signIn = new SignIn({
      settings: { tenantId: TENANT, clientId: CLIENT, authority },
      now: () => Date.now(),
      userByEntraId: (id) => store.userByEntraId(db, id),
    });
    return buildHttp({
      listen: { host: more.host ?? '127.0.0.1', port: 0 },
      adminToken: 'adminToken' in more ? more.adminToken : ADMIN,
      node: { links: () => ({}), stopping: () => false },
      calls: {
        listCalls: (filter) => store.listCalls(db, filter),
        findCall: (id) => store.findCall(db, id),
        callEvents: (id) => store.callEvents(db, id),
      },
      userByToken: (digest) => store.userByToken(db, digest),
      signIn: (token) => signIn.identify(token),
      center: { db, store },
      onApiRoute: (route) => routes.push(route),
      metrics: createMetrics({ processMetrics: false }),
      log: pino({ level: 'trace' }, { write: (line: string) => (logged += line) }),
      version: '1',
    });
  };
  afterAll(async () => {
    await app.close();
    issuer.closeAllConnections();
    await new Promise((resolve) => issuer.close(resolve));
    await database.close();
  });

  const concrete = (url: string): string =>
    url.replace(':id', calls.support).replace(':tenant', 'demo').replace(':queue', 'support').replace(':agent', 'Anna');

  it('docs/api.md lists every route with the role that it needs, and no other', () => {
    const rows = tableRows(readFileSync(path.join(__dirname, '../../docs/api.md'), 'utf8'), 'method');
    expect(rows.map(([method, url, role]) => ({ method, url, needs: role }))).toEqual(routes);
  });

  it('each route lets in the roles that reach it, and answers 403 to the others and 401 without a token', async () => {
    for (const { method, url, needs } of routes) {
      const name = `${method} ${url}`;
      const send = (token?: string) =>
        ask(method as 'GET', concrete(url), token, { state: 'nonsense', number: 'x', queue: 'y' });
      expect([name, (await send()).statusCode]).toEqual([name, 401]);
      expect([name, (await send('skt_wrong')).statusCode]).toEqual([name, 401]);
      expect([name, (await send(newUserToken())).statusCode]).toEqual([name, 401]);
      for (const role of ROLES.filter((one) => !/pause|resume|hang-up/.test(url) || !roleReaches(one, needs))) {
        const { statusCode } = await send(tokens[role]);
        expect([name, role, statusCode === 403]).toEqual([name, role, !roleReaches(role, needs)]);
        expect(statusCode).not.toBe(500);
      }
    }
  });

  it('a user sees the calls, queues, agents and events of the own places alone', async () => {
    const seen = async (token: string) => {
      const get = async (what: string) => (await ask('GET', `/api/v1/${what}`, tokens[token])).json();
      return {
        calls: (await get('calls')).calls.length,
        queues: (await get('queues')).queues.map((q: { tenant: string; name: string }) => `${q.tenant}/${q.name}`),
        agents: (await get('agents')).agents.map((a: { name: string }) => a.name),
        events: new Set((await get('events?limit=1000')).events.map((e: { tenant: string }) => e.tenant)).size,
      };
    };
    expect(await seen('viewer')).toMatchObject({ calls: 3, agents: ['Anna', 'Ben', 'Olga'], events: 2 });
    expect(await seen('of-demo')).toMatchObject({
      calls: 2,
      queues: ['demo/sales', 'demo/support'],
      agents: ['Anna', 'Ben'],
    });
    expect(await seen('of-support')).toMatchObject({ calls: 1, queues: ['demo/support'], agents: ['Anna', 'Ben'] });
    expect(await seen('nowhere')).toEqual({ calls: 0, queues: [], agents: [], events: 0 });
    const status = async (token: string, id: string) =>
      (await ask('GET', `/api/v1/calls/${id}`, tokens[token])).statusCode;
    expect([
      await status('of-support', calls.support),
      await status('of-support', calls.sales),
      await status('of-demo', calls.sales),
      await status('of-demo', calls.other),
    ]).toEqual([200, 404, 200, 404]);
  });

  it('a viewer sees that somebody calls, not who', async () => {
    const all = await Promise.all(
      ['calls', `calls/${calls.support}`, 'queues/demo/support', 'events'].map((what) =>
        ask('GET', `/api/v1/${what}`, tokens['viewer']),
      ),
    );
    for (const { statusCode, body } of all) {
      expect(statusCode).toBe(200);
      expect(body).not.toContain('17612345678');
    }
    expect((await ask('GET', `/api/v1/calls/${calls.support}`, tokens['supervisor'])).body).toContain('+4917612345678');
  });

  it('a supervisor pauses and resumes the own queue, and the audit says who, when, and what it was before', async () => {
    const pause = (queue: string, token = 'of-support') =>
      ask('POST', `/api/v1/queues/${queue}/pause`, tokens[token], { reason: 'fire drill' });
    expect((await pause('demo/support')).json()).toMatchObject({
      changed: true,
      queue: { paused: { by: 'api:of-support', reason: 'fire drill' } },
    });
    expect([(await pause('demo/sales')).statusCode, (await pause('other/support', 'of-demo')).statusCode]).toEqual([
      404, 404,
    ]);
    expect((await ask('POST', '/api/v1/queues/demo/support/resume', tokens['of-support'])).json()).toMatchObject({
      changed: true,
    });
    const { audit } = (await ask('GET', '/api/v1/audit?limit=5', tokens['ops'])).json();
    expect(audit[0]).toMatchObject({
      by: 'api:of-support',
      noun: 'queue',
      name: 'support',
      tenant: 'demo',
      what: 'change',
      before: { pause_reason: 'fire drill' },
      after: { pause_reason: null },
    });
    expect(Date.now() - audit[0].at).toBeLessThan(60_000);
  });

  it('an agent is steered as a whole by whoever has all queues of that agent, else in the one queue', async () => {
    const state = (agent: string, body: object, token: string) =>
      ask('POST', `/api/v1/agents/${agent}/state`, tokens[token], body);
    expect((await state('demo/Anna', { state: 'paused', reason: 'coaching' }, 'of-support')).json()).toMatchObject({
      agent: 'Anna',
      state: 'paused',
      forcedBy: 'api:of-support',
    });
    const refused = await state('demo/Ben', { state: 'paused' }, 'of-support');
    expect([refused.statusCode, refused.json().error.why]).toEqual([403, 'sales']);
    expect((await state('other/Olga', { state: 'paused' }, 'of-demo')).statusCode).toBe(404);
    expect((await state('demo/Anna', { state: 'ready' }, 'of-demo')).json()).toMatchObject({ state: 'ready' });
    expect((await state('demo/Anna', { state: 'asleep' }, 'of-demo')).statusCode).toBe(400);
    const member = (body: object, queue = 'support') =>
      ask('POST', `/api/v1/queues/demo/${queue}/members/Ben`, tokens['of-support'], body);
    expect((await member({ state: 'paused', reason: 'chat' })).json()).toMatchObject({
      changed: true,
      pauseReason: 'chat',
    });
    expect((await member({ state: 'resumed' })).json()).toMatchObject({ changed: true });
    expect([
      (await member({ state: 'paused' }, 'sales')).statusCode,
      (await member({ state: 'x' })).statusCode,
    ]).toEqual([404, 400]);
    const { rows } = await database.db.query<{ by: string }>(
      'select changed_by as by from agent_states s join agents a on a.id = s.agent_id where a.name = $1',
      ['Anna'],
    );
    expect(rows[0]?.by).toBe('api:of-demo');
  });

  it('a call is ended or sent on by its node, in the name of the user; a target elsewhere is not there', async () => {
    const { db } = database;
    const node = async (outcome: string): Promise<void> => {
      for (let tries = 0; tries < 100; tries++) {
        const { rows } = await db.query<{ id: string; by: string }>(
          'select id, by from call_commands where done_at is null',
        );
        if (rows[0]) {
          expect(rows[0].by).toBe('api:of-support');
          await store.finishCallCommand(db, rows[0].id, outcome);
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const post = (id: string, verb: string, body: object = {}) =>
      ask('POST', `/api/v1/calls/${id}/${verb}`, tokens['of-support'], body);
    const [transferred] = await Promise.all([post(calls.support, 'transfer', { queue: 'support' }), node('done')]);
    expect([transferred.statusCode, transferred.json().outcome]).toEqual([200, 'done']);
    const [failed] = await Promise.all([post(calls.support, 'hang-up'), node('the call is not on its node any more')]);
    expect([failed.statusCode, failed.json().error.why]).toEqual([409, 'the call is not on its node any more']);
    expect([
      (await post(calls.sales, 'hang-up')).statusCode,
      (await post(calls.support, 'transfer', { queue: 'sales' })).statusCode,
      (await post(calls.support, 'transfer', { agent: 'Olga' })).statusCode,
      (await post(calls.support, 'transfer', { number: '112' })).statusCode,
      (await post(calls.support, 'transfer', { queue: 'support', agent: 'Anna' })).statusCode,
      (await post(calls.support, 'transfer')).statusCode,
    ]).toEqual([404, 404, 404, 400, 400, 400]);
  });

  it('a form of a web page changes nothing: only JSON does', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
      const answer = await ask(
        'POST',
        '/api/v1/queues/demo/support/pause',
        tokens['admin'],
        {},
        { 'content-type': type },
      );
      expect(answer.statusCode).toBe(400);
    }
    expect((await store.queueSummaries(database.db)).every(({ paused }) => paused === undefined)).toBe(true);
  });

  it('what belongs to no tenant, such as users, is in the audit of those alone who are for everywhere', async () => {
    await makeUser('ops-of-demo', { role: 'ops', scopes: [{ tenant: 'demo' }] });
    const nouns = async (token: string): Promise<Set<string>> =>
      new Set(
        (await ask('GET', '/api/v1/audit?limit=1000', tokens[token]))
          .json()
          .audit.map((row: { noun: string }) => row.noun),
      );
    expect((await nouns('ops')).has('user')).toBe(true);
    expect((await nouns('ops-of-demo')).has('user')).toBe(false);
    expect((await nouns('ops-of-demo')).has('queue')).toBe(true);
    expect((await ask('GET', '/api/v1/audit?limit=1000', tokens['ops'])).body).not.toContain(
      tokenDigest(tokens['ops']!).toString('hex'),
    );
  });

  it('a disabled user may do nothing, at once', async () => {
    await makeUser('leaver', { role: 'admin', everywhere: true });
    const { id, name, displayName, role, everywhere, scopes } = (await store.userByName(database.db, 'leaver'))!;
    expect((await ask('GET', '/api/v1/me', tokens['leaver'])).json()).toMatchObject({
      by: 'api:leaver',
      role: 'admin',
    });
    await database.db.transaction((tx) =>
      store.updateUser(tx, id, { name, displayName, role, everywhere, scopes, disabled: true }),
    );
    expect((await ask('GET', '/api/v1/me', tokens['leaver'])).statusCode).toBe(403);
  });

  it('a token of Entra stands for the user with its object id, or for its app role', async () => {
    const me = async (token: string) => ask('GET', '/api/v1/me', token);
    expect((await me(jwt())).json().error).toMatchObject({ code: 'SK_NOT_ALLOWED' });
    expect(
      (await me(jwt({ roles: ['viewer', 'ops', 'other'], preferred_username: 'a@example.com' }))).json(),
    ).toMatchObject({
      by: 'entra:a@example.com',
      role: 'ops',
      everywhere: true,
    });
    await makeUser('anna', { role: 'supervisor', scopes: [{ tenant: 'demo' }], entraUserId: USER });
    expect((await me(jwt({ roles: ['admin'] }))).json()).toMatchObject({
      by: 'entra:anna',
      role: 'supervisor',
      everywhere: false,
    });
    expect((await me(jwt({ aud: `api://${CLIENT}`, iss: `https://sts.windows.net/${TENANT}/` }))).statusCode).toBe(200);
  });

  it('a token that is not signed by the tenant, is for others, or is over, is refused', async () => {
    const now = Math.floor(Date.now() / 1000);
    const bad: Record<string, string> = {
      stranger: jwt({}, {}, stranger.privateKey),
      'unknown key': jwt({}, { kid: 'k2' }),
      unsigned: jwt({}, { alg: 'none' }),
      'shared secret': jwt({}, { alg: 'HS256' }),
      'changed claims': jwt().replace(/\.[^.]+\./, `.${jwt({ roles: ['admin'] }).split('.')[1]}.`),
      'another audience': jwt({ aud: 'other' }),
      'another tenant': jwt({ tid: USER }),
      'another issuer': jwt({ iss: 'https://evil.example/v2.0' }),
      over: jwt({ exp: now - 120 }),
      'without end': jwt({ exp: undefined }),
      'not yet valid': jwt({ nbf: now + 600 }),
      'without user': jwt({ oid: undefined }),
      'no token': 'a.b.c',
    };
    for (const [what, token] of Object.entries(bad)) {
      const answer = await ask('GET', '/api/v1/me', token);
      expect([what, answer.statusCode, answer.json().error.code]).toEqual([what, 401, 'SK_UNAUTHENTICATED']);
    }
  });

  it('where the keys of the tenant cannot be read the answer says so, and tokens of users still do', async () => {
    issuerFails = true;
    const blind = build();
    const answer = await blind.inject({ url: '/api/v1/me', headers: { authorization: `Bearer ${jwt()}` } });
    expect([answer.statusCode, answer.json().error.code]).toEqual([503, 'SK_SIGN_IN_UNREACHABLE']);
    const user = await blind.inject({ url: '/api/v1/me', headers: { authorization: `Bearer ${tokens['viewer']}` } });
    expect(user.statusCode).toBe(200);
    await blind.close();
    issuerFails = false;
  });

  it('without an admin token programs on this machine are let in, and users from elsewhere by their tokens', async () => {
    const open = build({ adminToken: undefined });
    const local = await open.inject({ url: '/api/v1/me', headers: { host: '127.0.0.1' } });
    expect(local.json()).toMatchObject({ by: 'api:local', role: 'admin' });
    await open.close();
    const outside = build({ adminToken: undefined, host: '0.0.0.0' });
    expect((await outside.inject({ url: '/api/v1/me', headers: { host: '127.0.0.1' } })).statusCode).toBe(403);
    const user = await outside.inject({
      url: '/api/v1/me',
      headers: { host: 'x', authorization: `Bearer ${tokens['viewer']}` },
    });
    expect(user.statusCode).toBe(200);
    await outside.close();
  });

  it('no token stands in the log or in an answer', () => {
    for (const secret of [ADMIN, ...Object.values(tokens)]) {
      expect(logged).not.toContain(secret);
    }
  });
});
