import { demoDocument } from '../../src/config/demo-document';
import { applyDocument } from '../../src/config/documents/apply-document';
import { readDocument } from '../../src/config/documents/parse-document';
import type { Document } from '../../src/config/documents/schema';
import { store } from '../../src/store';
import { Listener } from '../../src/store/listener';
import { silentLog } from '../../src/lib/log';
import { emptyDatabase, testDatabase, type TestDatabase } from '../support/database';
import { newId } from '../../src/lib/ids';

let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase();
});
afterAll(async () => {
  await test.close();
});
beforeEach(async () => {
  await emptyDatabase(test.db);
});

const demo = (): Document => demoDocument({ sbcName: 'sbc.demo.example.com', teamsProxyAddress: '127.0.0.1:5071' });
const by = { by: 'tester' };

const PBX_ONLY = `
apiVersion: sidekick/v1
tenants: [{ name: works, country: AT, timeZone: Europe/Vienna }]
trunks:
  - { name: telco, kind: carrier, sources: [198.51.100.7] }
  - { name: mitel, kind: pbx, host: 192.0.2.10, transport: tls, media: srtp, codecs: [PCMU] }
queues: [{ name: desk, wrapUpSeconds: 0, members: [{ agent: Eva }] }]
agents: [{ name: Eva, signedIn: true, endpoints: [{ kind: pbx, trunk: mitel, user: '201' }] }]
numbers: [{ number: +43199000, queue: desk }]
`;

describe('a document that is applied', () => {
  it('is what the node reads', async () => {
    expect(await applyDocument(test.db, demo(), by)).toMatchObject({ version: 1, changed: true });
    expect(await store.loadTenants(test.db)).toMatchObject([
      { name: 'demo', country: 'DE', timeZone: 'Europe/Berlin' },
    ]);
    const trunks = await store.loadTrunks(test.db);
    expect(trunks.map((trunk) => [trunk.name, trunk.kind])).toEqual([
      ['carrier', 'carrier'],
      ['teams', 'teams'],
    ]);
    expect(trunks[0]).toMatchObject({
      settings: { sources: ['127.0.0.0/8'], country: 'DE', maxCalls: 1000, sessionExpiresSeconds: 1800 },
    });
    expect(trunks[1]).toMatchObject({
      settings: { proxies: [{ host: 'sip.pstnhub.microsoft.com', address: '127.0.0.1:5071' }] },
    });
    const number = await store.findNumber(test.db, '+49301000100');
    expect(number).toMatchObject({ tenant: 'demo', queue: 'support', greeting: { name: 'greeting', kind: 'tone' } });
    expect(await store.findNumber(test.db, '+49301000999')).toBeUndefined();
    expect(await store.loadQueue(test.db, number!.queueId!)).toMatchObject({
      name: 'support',
      ringTimeoutMs: 15_000,
      wrapUpMs: 3_000,
      music: { kind: 'stream', source: 'moh' },
      presence: { accept: ['Available', 'AvailableIdle'], staleAfterMs: 30_000, unknown: 'refuse', graceMs: 15_000 },
      maxWaitMs: undefined,
    });
    const agents = await store.listAgents(test.db);
    expect(agents.map((agent) => [agent.name, agent.state, agent.presence])).toEqual(
      ['Anna', 'Ben', 'Clara', 'David', 'Emma'].map((name) => [name, 'ready', 'unknown']),
    );
    expect(agents[0]!.endpoint).toEqual({
      kind: 'teams',
      trunk: 'teams',
      trunkId: trunks[1]!.id,
      number: '+49301000201',
      entraUserId: '00000000-0000-4000-8000-000000000201',
    });
    expect((await store.agentsToPoll(test.db)).length).toBe(5);
  });

  it('changes nothing the second time, and keeps every id', async () => {
    await applyDocument(test.db, demo(), by);
    const before = await store.listAgents(test.db);
    const again = await applyDocument(test.db, demo(), { ...by, prune: true });
    expect(again).toMatchObject({ version: 1, changed: false });
    expect(Object.values(again.counts)).toEqual(Object.values(again.counts).map(() => 0));
    expect(await store.listAgents(test.db)).toEqual(before);
  });

  it('may hold PBX agents only, and their queue rings them', async () => {
    await applyDocument(test.db, readDocument(PBX_ONLY, 'pbx.yaml'), by);
    const number = await store.findNumber(test.db, '+43199000');
    const snapshot = await store.snapshotQueue(test.db, number!.queueId!);
    expect(snapshot!.agents).toMatchObject([
      { name: 'Eva', presence: 'none', endpoint: { kind: 'pbx', trunk: 'mitel', up: true } },
    ]);
  });

  it('lets two agents exchange their numbers, and forgets the presence of the former user', async () => {
    const document = demo();
    await applyDocument(test.db, document, by);
    const [anna, ben] = document.agents;
    const swapped = {
      ...document,
      agents: [
        { ...anna!, endpoints: ben!.endpoints },
        { ...ben!, endpoints: anna!.endpoints },
        ...document.agents.slice(2),
      ],
    };
    const agent = (await store.agentByName(test.db, 'Anna'))!;
    const reading = {
      availability: 'Available',
      activity: 'Available',
      readAt: Date.now(),
      source: 'graph-poll',
    } as const;
    await store.upsertPresences(test.db, [{ ...reading, agentId: agent.id }]);
    expect(await applyDocument(test.db, swapped, by)).toMatchObject({
      version: 2,
      changed: true,
      counts: { endpoints: 2, agents: 0 },
    });
    expect(await store.agentByName(test.db, 'Anna')).toMatchObject({
      id: agent.id,
      endpoint: { number: '+49301000202' },
      presence: 'unknown',
    });
  });

  it('makes the members of a queue what its list says; weighted-random: members have the weight that the document gives them', async () => {
    const document = demo();
    await applyDocument(test.db, document, by);
    const sales = {
      ...document.queues[1]!,
      members: [
        { agent: 'Emma', level: 1, priority: 1, weight: 3 },
        { agent: 'Anna', level: 2, priority: 1, weight: 1 },
      ],
    };
    const result = await applyDocument(test.db, { ...document, queues: [document.queues[0]!, sales] }, by);
    expect(result.counts).toMatchObject({ queues: 0, members: 5 });
    const { queueId } = (await store.findNumber(test.db, '+49301000101'))!;
    const snapshot = await store.snapshotQueue(test.db, queueId!);
    expect(
      snapshot!.agents.map(({ name, memberships: [m] }) => [name, m!.level, m!.position, m!.weight]).sort(),
    ).toEqual([
      ['Anna', 2, 2, undefined],
      ['Emma', 1, 1, 3],
    ]);
  });

  it('leaves alone what it does not name, and removes it when asked to', async () => {
    await applyDocument(test.db, demo(), by);
    const pbx = readDocument(PBX_ONLY, 'pbx.yaml');
    await applyDocument(test.db, pbx, by);
    expect((await store.listAgents(test.db)).length).toBe(6);
    await applyDocument(test.db, pbx, { ...by, prune: true });
    expect((await store.listAgents(test.db)).map((agent) => agent.name)).toEqual(['Eva']);
    expect((await store.loadTrunks(test.db)).map((trunk) => trunk.name)).toEqual(['mitel', 'telco']);
    expect((await store.loadQueues(test.db)).map((queue) => queue.name)).toEqual(['desk']);
    expect(await store.findNumber(test.db, '+49301000100')).toBeUndefined();
    // What was removed can come back.
    expect(await applyDocument(test.db, demo(), by)).toMatchObject({ changed: true, counts: { agents: 5, queues: 2 } });
    expect((await store.agentByName(test.db, 'Anna'))!.state).toBe('ready');
  });

  it('does not remove a queue in which callers wait', async () => {
    await applyDocument(test.db, demo(), by);
    const number = (await store.findNumber(test.db, '+49301000101'))!;
    const { nodeId } = await store.registerNode(test.db, { name: 'test' });
    const id = newId();
    const call = { id, tenantId: number.tenantId, nodeId, dialledNumber: number.e164, sipCallId: 'x' };
    await store.insertCall(test.db, call);
    await store.enqueue(test.db, { callId: id, queueId: number.queueId! });
    await expect(
      applyDocument(test.db, readDocument(PBX_ONLY, 'pbx.yaml'), { ...by, prune: true }),
    ).rejects.toMatchObject({
      code: 'SK_CONFLICT',
      why: '1 call is waiting in queue "sales"',
    });
    expect((await store.listAgents(test.db)).length).toBe(5);
    await store.endCall(test.db, id, 'abandoned', 'caller-gave-up-waiting');
    await applyDocument(test.db, readDocument(PBX_ONLY, 'pbx.yaml'), { ...by, prune: true });
  });

  it('is refused on a base that changed', async () => {
    await applyDocument(test.db, demo(), { ...by, expectedVersion: 0 });
    await expect(
      applyDocument(test.db, readDocument(PBX_ONLY, 'pbx.yaml'), { ...by, expectedVersion: 0 }),
    ).rejects.toMatchObject({
      code: 'SK_CONFLICT',
    });
    expect((await store.listAgents(test.db)).length).toBe(5);
  });

  it('names what it contradicts', async () => {
    await applyDocument(test.db, demo(), by);
    const taken = readDocument(PBX_ONLY, 'pbx.yaml');
    const [eva] = taken.agents;
    const teams = demo().agents[0]!.endpoints;
    const document = {
      ...taken,
      trunks: [...taken.trunks, demo().trunks[1]!],
      agents: [{ ...eva!, endpoints: teams }],
    };
    await expect(applyDocument(test.db, document, by)).rejects.toMatchObject({
      code: 'SK_CONFLICT',
      why: expect.stringContaining('+49301000201'),
    });
    expect((await store.listAgents(test.db)).map((agent) => agent.name)).not.toContain('Eva');
  });

  it('is told to the nodes once it is in force', async () => {
    const listener = new Listener({ url: test.url, log: silentLog() });
    const heard: string[] = [];
    listener.on('notification', (notification) => heard.push(notification.k));
    await listener.start();
    await applyDocument(test.db, demo(), by);
    for (let i = 0; i < 200 && heard.length === 0; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await listener.close();
    expect(heard).toEqual(['config']);
  });

  it('takes two applies at once one after the other', async () => {
    const results = await Promise.all([
      applyDocument(test.db, demo(), by),
      applyDocument(test.db, readDocument(PBX_ONLY, 'pbx.yaml'), by),
      applyDocument(test.db, demo(), by),
    ]);
    const versions = results.filter((result) => result.changed).map((result) => result.version);
    expect(new Set(versions).size).toBe(versions.length);
    expect((await store.listAgents(test.db)).length).toBe(6);
  });
});
