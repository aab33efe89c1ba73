import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import { applyDocument } from '../../src/config/documents/apply-document';
import { readDocument } from '../../src/config/documents/parse-document';
import type { Role } from '../../src/config/roles';
import { newUserToken, tokenDigest } from '../../src/config/user-tokens';
import { buildHttp } from '../../src/http/server';
import { newId } from '../../src/lib/ids';
import { silentLog } from '../../src/lib/log';
import { createMetrics } from '../../src/lib/metrics';
import { store } from '../../src/store';
import type { UserScope } from '../../src/store/types';
import { testDatabase, type TestDatabase } from '../support/database';

const CENTER = `
apiVersion: sidekick/v1
tenants:
  - { name: demo, country: DE, timeZone: Europe/Berlin }
  - { name: other, country: DE, timeZone: Europe/Berlin }
queues:
  - { name: support, tenant: demo, voicemail: {} }
  - { name: sales, tenant: demo, voicemail: {} }
  - { name: support, tenant: other, voicemail: {} }
`;

describe('messages of callers over the API', () => {
  let database: TestDatabase;
  let app: FastifyInstance;
  let folder: string;
  const messages = { support: newId(), sales: newId(), other: newId() };
  const tokens: Record<string, string> = {};

  async function makeUser(name: string, role: Role, scopes?: readonly UserScope[]): Promise<void> {
    const { db } = database;
    const user = { name, displayName: '', role, everywhere: scopes === undefined, scopes: scopes ?? [] };
    await db.transaction((tx) => store.createUser(tx, user));
    tokens[name] = newUserToken();
    const { id } = (await store.userByName(db, name))!;
    const digest = tokenDigest(tokens[name]);
    await store.addUserToken(db, { userId: id, name: 'test', digest, forMs: 60_000, by: 'test' });
  }

  const ask = (who: string, what: string, body?: object) =>
    app.inject({
      method: body === undefined ? 'GET' : 'POST',
      url: `/api/v1/voicemails${what}`,
      headers: {
        authorization: `Bearer ${tokens[who]}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    });
  const ids = async (who: string, query = ''): Promise<readonly string[]> =>
    (await ask(who, query)).json().voicemails.map(({ id }: { id: string }) => id);

  beforeAll(async () => {
    database = await testDatabase({ max: 4 });
    folder = await mkdtemp(path.join(tmpdir(), 'messages-'));
    const { db } = database;
    await applyDocument(db, readDocument(CENTER, 'center.yaml'), { by: 'test' });
    const { nodeId } = await store.registerNode(db, { name: 'test-node' });
    const tenants = new Map((await store.loadTenants(db)).map(({ name, id }) => [name, id]));
    const queues = await store.loadQueues(db);
    for (const [key, tenant, queue] of [
      ['support', 'demo', 'support'],
      ['sales', 'demo', 'sales'],
      ['other', 'other', 'support'],
    ] as const) {
      const [callId, tenantId, voicemailId] = [newId(), tenants.get(tenant)!, messages[key]];
      await store.insertCall(db, { id: callId, tenantId, nodeId, dialledNumber: '+49301000100', sipCallId: key });
      await store.beginVoicemail(db, {
        voicemailId,
        tenantId,
        queueId: queues.find((one) => one.tenantId === tenantId && one.name === queue)!.id,
        callId,
        callerNumber: '+4917612345678',
        callerName: 'Mia',
        mediaServer: 'fs1:8021',
        file: `${voicemailId}.wav`,
        maxMs: 60_000,
        keepDays: 90,
      });
      await store.endVoicemail(db, voicemailId, { lengthMs: 4_000, kept: true });
    }
    await makeUser('viewer', 'viewer');
    await makeUser('supervisor', 'supervisor');
    await makeUser('of-demo', 'supervisor', [{ tenant: 'demo' }]);
    await makeUser('of-support', 'supervisor', [{ tenant: 'demo', queue: 'support' }]);
    await writeFile(path.join(folder, `${messages.support}.wav`), 'sound');
    app = buildHttp({
      listen: { host: '127.0.0.1', port: 0 },
      adminToken: 'hush-admin-0123456789',
      node: { links: () => ({}), stopping: () => false },
      calls: { listCalls: async () => [], findCall: async () => undefined, callEvents: async () => [] },
      userByToken: (digest) => store.userByToken(db, digest),
      center: { db, store },
      sounds: {
        open: async (_server, name) => {
          const file = await open(path.join(folder, name)).catch(() => undefined);
          return file && { file, bytes: (await file.stat()).size };
        },
      },
      metrics: createMetrics({ processMetrics: false }),
      log: silentLog(),
      version: '1',
    });
    await app.ready();
  });
  afterAll(async () => {
    await app.close();
    await database.close();
    await rm(folder, { recursive: true });
  });

  it('are listed in the own places alone', async () => {
    expect(await ids('supervisor')).toEqual([messages.other, messages.sales, messages.support]);
    expect(await ids('of-demo')).toEqual([messages.sales, messages.support]);
    expect(await ids('of-support')).toEqual([messages.support]);
    expect(await ids('of-support', '?queue=sales')).toEqual([]);
    expect(await ids('supervisor', '?tenant=other&state=new&limit=1')).toEqual([messages.other]);
    expect(await ids('supervisor', '?state=done')).toEqual([]);
    expect((await ask('viewer', '?state=lost')).statusCode).toBe(400);
  });

  it('a viewer sees that there is one, not of whom, and does not hear it', async () => {
    const viewed = await ask('viewer', `/${messages.sales}`);
    expect(viewed.json().voicemail).toMatchObject({ queue: 'sales', lengthMs: 4_000, callerName: null });
    expect(viewed.body).not.toContain('17612345678');
    expect((await ask('viewer', '')).body).not.toMatch(/17612345678|Mia/);
    expect((await ask('of-demo', `/${messages.sales}`)).body).toContain('+4917612345678');
    expect((await ask('viewer', `/${messages.support}/audio`)).statusCode).toBe(403);
  });

  it('of another place are not there, to be heard, ticked off or deleted', async () => {
    for (const [who, id] of [
      ['of-support', messages.sales],
      ['of-demo', messages.other],
      ['of-demo', newId()],
      ['of-demo', 'x'],
    ] as const) {
      const answers = [
        await ask(who, `/${id}`),
        await ask(who, `/${id}/audio`),
        await ask(who, `/${id}/delete`, {}),
        await ask(who, `/${id}/state`, { state: 'done' }),
      ];
      expect(answers.map(({ statusCode }) => statusCode)).toEqual([404, 404, 404, 404]);
    }
    expect(await ids('supervisor')).toHaveLength(3);
  });

  it('are heard where the node sees the file, and else it says where that is', async () => {
    const heard = await ask('of-support', `/${messages.support}/audio`);
    expect([heard.statusCode, heard.body]).toEqual([200, 'sound']);
    expect(heard.headers).toMatchObject({
      'content-type': 'audio/wav',
      'content-length': '5',
      'cache-control': 'no-store',
      'content-disposition': `attachment; filename="${messages.support}.wav"`,
    });
    expect((await ask('of-demo', `/${messages.sales}/audio`)).json().error).toMatchObject({
      code: 'SK_NOT_FOUND',
      why: `it is ${messages.sales}.wav in the recordings of the media server fs1:8021`,
    });
  });

  it('are counted beside their queue until somebody has heard them', async () => {
    const waiting = async (): Promise<readonly number[]> =>
      (await store.queueSummaries(database.db)).map((queue) => queue.messages);
    expect(await waiting()).toEqual([1, 1, 1]);
    const said = (await ask('of-support', `/${messages.support}/state`, { state: 'heard' })).json();
    expect(said).toMatchObject({ changed: true, voicemail: { state: 'heard', changedBy: 'api:of-support' } });
    expect((await ask('supervisor', `/${messages.other}/delete`, {})).json()).toMatchObject({ deleted: true });
    expect(await waiting()).toEqual([1, 0, 0]);
  });
});
