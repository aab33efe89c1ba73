import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { buildHttp, startHttp } from '../../src/http/server';
import type { HttpOptions } from '../../src/http/server';
import type { LinkState } from '../../src/http/ports';
import { silentLog } from '../../src/lib/log';
import { createMetrics } from '../../src/lib/metrics';
import type { CallFilter, CallRow } from '../../src/store/types';

const ID = '0b2a9bd6-7a4e-4d51-9f0e-6a7dbb5d1b11';
const TOKEN = 'hush-0123456789abcdef';

const row: CallRow = {
  id: ID,
  tenant: 'demo',
  tenantId: 't',
  nodeId: 'n',
  trunk: 'carrier',
  callerNumber: '+4917612345678',
  callerName: undefined,
  dialledNumber: '+49301000100',
  sipCallId: 'abc@x',
  state: 'connected',
  mediaServer: 'secret-server',
  callerChannelUuid: 'secret-uuid',
  carrierDialogId: 'secret-dialog',
  mediaDialogId: undefined,
  createdAt: 0,
  answeredAt: 10,
  queuedAt: 20,
  connectedAt: 4220,
  endedAt: undefined,
  result: undefined,
  reason: undefined,
  queue: 'support',
  agent: 'anna',
};

describe('HTTP', () => {
  let app: FastifyInstance;
  let links: Record<string, LinkState>;
  let stopping: boolean;
  let filters: CallFilter[];
  let logged: string;
  let failing: Error | undefined;

  const options = (more: Partial<HttpOptions> = {}): HttpOptions => ({
    listen: { host: '127.0.0.1', port: 0 },
    adminToken: undefined,
    node: { links: () => links, stopping: () => stopping },
    calls: {
      listCalls: (filter) => {
        filters.push(filter);
        return failing ? Promise.reject(failing) : Promise.resolve([row]);
      },
      findCall: (id) => Promise.resolve(id === ID ? row : undefined),
      callEvents: () => Promise.resolve([{ at: 4220, kind: 'call:connected', data: { agent: 'anna' } }]),
    },
    metrics: createMetrics({ processMetrics: false }),
    log: pino({ level: 'trace' }, { write: (line: string) => (logged += line) }),
    version: '1.2.3',
    ...more,
  });
  const get = (url: string, headers: Record<string, string> = {}) =>
    app.inject({ url, headers: { host: '127.0.0.1:8080', ...headers } });

  beforeEach(() => {
    links = {
      postgres: { up: true, detail: 'ok', since: 1000 },
      graph: { up: true, detail: 'token ok', since: new Date(2000) },
    };
    stopping = false;
    filters = [];
    logged = '';
    failing = undefined;
    app = buildHttp(options());
  });
  afterEach(() => app.close());

  it('/healthz says that the process is up, whatever the links say', async () => {
    links['postgres'] = { up: false, detail: 'gone', since: 0 };
    const answer = await get('/healthz');
    expect([answer.statusCode, answer.json()]).toEqual([200, { status: 'up', version: '1.2.3' }]);
  });

  it('/readyz shows every link', async () => {
    const answer = await get('/readyz');
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      status: 'ready',
      links: {
        postgres: { up: true, detail: 'ok', since: '1970-01-01T00:00:01.000Z' },
        graph: { up: true, detail: 'token ok', since: '1970-01-01T00:00:02.000Z' },
      },
    });
  });

  it('/readyz is 503 when one link is down, and names it', async () => {
    links['graph'] = { up: false, detail: 'AADSTS7000215', since: 0 };
    const answer = await get('/readyz');
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({
      status: 'not-ready',
      links: { graph: { up: false, detail: 'AADSTS7000215' } },
    });
  });

  it('/readyz is 503 while the node stops, so that a balancer sends no new work', async () => {
    stopping = true;
    expect((await get('/readyz')).statusCode).toBe(503);
    expect((await get('/readyz')).json()).toMatchObject({ status: 'stopping' });
    expect((await get('/healthz')).statusCode).toBe(200);
  });

  it('/metrics shows the links as they are at that moment', async () => {
    links['graph'] = { up: false, detail: '', since: 0 };
    const answer = await get('/metrics');
    expect(answer.headers['content-type']).toContain('text/plain');
    expect(answer.body).toContain('sidekick_link_up{link="graph"} 0');
    expect(answer.body).toContain('sidekick_link_up{link="postgres"} 1');
  });

  it('/api/v1/calls lists running calls without the handles of their channels', async () => {
    const answer = await get('/api/v1/calls');
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({
      apiVersion: 'sidekick/v1',
      calls: [
        {
          id: ID,
          state: 'connected',
          callerNumber: '+4917612345678',
          agent: 'anna',
          endedAt: null,
          answeredAt: '1970-01-01T00:00:00.010Z',
        },
      ],
    });
    expect(answer.body).not.toContain('secret-');
    expect(filters).toEqual([{ includeEnded: false, limit: 100 }]);
  });

  it('/api/v1/calls takes all and limit, and refuses nonsense', async () => {
    await get('/api/v1/calls?all=true&limit=7');
    expect(filters).toEqual([{ includeEnded: true, limit: 7 }]);
    for (const query of ['limit=0', 'limit=1001', 'limit=-1', 'limit=x', 'limit=1&limit=2', 'all=maybe']) {
      const answer = await get(`/api/v1/calls?${query}`);
      expect([query, answer.statusCode, answer.json().error.code]).toEqual([query, 400, 'SK_USAGE']);
    }
  });

  it('/api/v1/calls/:id shows one call with its events', async () => {
    const answer = await get(`/api/v1/calls/${ID}`);
    expect(answer.json()).toMatchObject({
      call: { id: ID },
      events: [{ at: '1970-01-01T00:00:04.220Z', kind: 'call:connected', data: { agent: 'anna' } }],
    });
  });

  it.each(['11111111-2222-3333-4444-555555555555', 'x', '%00', "1'or'1"])('/api/v1/calls/%s is 404', async (id) => {
    const answer = await get(`/api/v1/calls/${encodeURIComponent(id)}`);
    expect([answer.statusCode, answer.json().error.code]).toEqual([404, 'SK_NOT_FOUND']);
  });

  it('an unknown page is 404 in the same shape', async () => {
    const answer = await get('/nothing');
    expect([answer.statusCode, answer.json().error.code]).toEqual([404, 'SK_NOT_FOUND']);
  });

  it('needs the bearer token where one is set, for the API only', async () => {
    await app.close();
    app = buildHttp(options({ adminToken: TOKEN }));
    for (const headers of [{}, { authorization: `Bearer ${TOKEN}x` }, { authorization: `Basic ${TOKEN}` }] as Record<
      string,
      string
    >[]) {
      const answer = await get('/api/v1/calls', headers);
      expect([answer.statusCode, answer.json().error.code]).toEqual([401, 'SK_UNAUTHENTICATED']);
      expect(answer.headers['www-authenticate']).toContain('Bearer');
    }
    expect(
      (await get('/api/v1/calls', { authorization: `Bearer ${TOKEN}`, host: 'sidekick.example' })).statusCode,
    ).toBe(200);
    expect((await get('/readyz')).statusCode).toBe(200);
    expect(logged).not.toContain('hush');
  });

  it('without a token is closed to others: on an outside address, and for a foreign host name', async () => {
    expect((await get('/api/v1/calls', { host: 'evil.example' })).statusCode).toBe(403);
    expect((await get('/api/v1/calls', { host: '127.0.0.1.evil.example' })).statusCode).toBe(403);
    expect((await get('/api/v1/calls', { host: '[::1]:8080' })).statusCode).toBe(200);
    await app.close();
    app = buildHttp(options({ listen: { host: '0.0.0.0', port: 0 } }));
    const answer = await get('/api/v1/calls');
    expect([answer.statusCode, answer.json().error.code]).toEqual([403, 'SK_NOT_ALLOWED']);
    expect((await get('/healthz')).statusCode).toBe(200);
  });

  it('hides what failed inside from the client and logs it without the URL', async () => {
    failing = new Error('relation "calls" +4917612345678');
    const answer = await get('/api/v1/calls?limit=5');
    expect([answer.statusCode, answer.json().error.code]).toEqual([500, 'SK_INTERNAL']);
    expect(answer.body).not.toContain('relation');
    expect(logged).toContain('relation');
    expect(logged).not.toContain('limit=5');
  });

  it('answers a request that is not HTTP as it should be without falling over', async () => {
    const answer = await app.inject({
      method: 'POST',
      url: '/api/v1/calls',
      headers: { 'content-type': 'application/json' },
      payload: '{',
    });
    expect(answer.statusCode).toBeGreaterThanOrEqual(400);
    expect(answer.statusCode).toBeLessThan(500);
  });

  it('listens, tells its port, and closes twice', async () => {
    const server = await startHttp(options({ log: silentLog() }));
    const answer = await fetch(`http://127.0.0.1:${server.address.port}/healthz`);
    expect(await answer.json()).toMatchObject({ status: 'up' });
    await Promise.all([server.close(), server.close()]);
    await expect(fetch(`http://127.0.0.1:${server.address.port}/healthz`)).rejects.toThrow();
  });

  it('names the port, and how to move, when it is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    try {
      await expect(startHttp(options({ listen: { host: '127.0.0.1', port } }))).rejects.toMatchObject({
        code: 'SK_PORT_TAKEN',
        message: expect.stringContaining(String(port)),
        next: expect.stringContaining('--http'),
      });
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
  });
});
