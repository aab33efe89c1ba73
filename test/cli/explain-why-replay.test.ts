import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCli } from '../../src/cli/run';
import { applyDocument } from '../../src/config/documents/apply-document';
import { readDocument } from '../../src/config/documents/parse-document';
import { newId } from '../../src/lib/ids';
import { decide } from '../../src/routing/decide';
import { explain } from '../../src/routing/explain';
import { queueRulesOf } from '../../src/simulation/rules';
import { store } from '../../src/store';
import { testDatabase } from '../support/database';
import type { TestDatabase } from '../support/database';
import { testIo } from '../support/test-io';

const CENTER = `
apiVersion: sidekick/v1
tenants:
  - { name: demo, country: DE, timeZone: Europe/Berlin }
trunks:
  - { name: pbx, kind: pbx, host: 127.0.0.1 }
prompts:
  - { name: sorry, tone: "%(400,200,440)" }
queues:
  - name: support
    levelAfterSeconds: { "2": 30 }
    skipEmptyLevels: false
    weight: 3
    ageCapSeconds: 600
    needs: [{ skill: german, atLeast: 5 }]
    relaxations: [{ afterSeconds: 60, skill: german, atLeast: 2 }, { afterSeconds: 120, skill: german }]
    preferLastAgent: { withinDays: 3, waitSeconds: 20 }
    spareScarceAgents: true
    maxWaiting: 50
    maxWaitSeconds: 900
    noAgentsAfterSeconds: 40
    estimatedWaitOverSeconds: 1200
    exits: { maxWait: { announce: sorry }, keys: { "1": { hangUp: true } } }
    members: [{ agent: Anna }, { agent: Ben }, { agent: Cleo, level: 2 }, { agent: Dora }]
  - { name: sales, members: [{ agent: Anna }] }
agents:
  - { name: Anna, signedIn: true, skills: { german: 9 }, endpoints: [{ kind: pbx, trunk: pbx, user: '1' }] }
  - { name: Ben, signedIn: true, skills: { german: 8 }, endpoints: [{ kind: pbx, trunk: pbx, user: '2' }] }
  - { name: Cleo, signedIn: true, skills: { german: 7 }, endpoints: [{ kind: pbx, trunk: pbx, user: '3' }] }
  - { name: Dora, endpoints: [{ kind: pbx, trunk: pbx, user: '4' }] }
`;

const runtime = {
  startNode: () => Promise.reject(new Error('none')),
  startEmbedded: () => Promise.reject(new Error('none')),
};

describe('why it went as it went', () => {
  let dir: string;
  let database: TestDatabase;
  let callId: string;
  let queueId: string;
  let tenantId: string;
  let nodeId: string;

  const cli = async (...args: string[]) => {
    const io = testIo({ cwd: dir, env: { SIDEKICK_DATABASE_URL: database.url } });
    return { exitCode: await runCli(args, { io, runtime }), out: io.out(), err: io.err() };
  };

  /** A match as a node makes it, written down. */
  const matchAndRecord = async (trigger: string) => {
    const { db } = database;
    const snapshot = (await store.snapshotQueue(db, queueId))!;
    const decision = decide(snapshot);
    await store.recordDecisions(db, [
      {
        id: newId(),
        queueId,
        nodeId,
        at: snapshot.now,
        trigger,
        snapshot,
        explanations: decision.explanations.map((one) => explain(snapshot, decision, one.callId)),
        assignments: decision.assignments,
      },
    ]);
    return decision;
  };

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'explain-'));
    database = await testDatabase({ max: 2 });
    const { db } = database;
    await applyDocument(db, readDocument(CENTER, 'center.yaml'), { by: 'test' });
    tenantId = (await store.loadTenants(db))[0]!.id;
    queueId = (await store.loadQueues(db)).find((queue) => queue.name === 'support')!.id;
    ({ nodeId } = await store.registerNode(db, { name: 'node-1' }));
    const agents = new Map((await store.listAgents(db)).map((agent) => [agent.name, agent.id]));
    await store.pause(db, agents.get('Anna')!, 'lunch', 'test');
    await store.pause(db, agents.get('Ben')!, 'lunch', 'test');
    callId = newId();
    await store.insertCall(db, {
      id: callId,
      tenantId,
      nodeId,
      callerNumber: '+4917512345678',
      dialledNumber: '+49301000100',
      sipCallId: 'weber@test',
    });
    await store.appendCallEvents(db, [
      { callId, kind: 'call:arrived', data: { number: '+49301000100' } },
      { callId, kind: 'call:answered' },
    ]);
    await store.enqueue(db, { callId, queueId });
    await store.appendCallEvents(db, [{ callId, kind: 'call:waiting', data: { queue: 'support', position: 1 } }]);
    expect((await matchAndRecord('enqueued')).assignments).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await store.ready(db, agents.get('Ben')!, 'test');
    const decision = await matchAndRecord('agent free');
    expect(decision.assignments.map((one) => one.agentId)).toEqual([agents.get('Ben')]);
    await store.appendCallEvents(db, [{ callId, kind: 'call:offered', data: { offerId: newId(), agent: 'Ben' } }]);
  });

  afterAll(async () => {
    await database.close();
    rmSync(dir, { recursive: true });
  });

  it('calls explain tells the story in words: who was considered, why not, when that changes, who was rung', async () => {
    const { exitCode, out } = await cli('calls', 'explain', callId, '-o', 'table');
    expect(exitCode).toBe(0);
    expect(out).toContain('+4917512345678 → +49301000100');
    expect(out).toMatch(/The caller waited .* and still waits\./);
    expect(out).toMatch(
      /Most of that time \(\d+ s\) (nobody could take it: Anna and Ben were paused, Cleo was of a later level, Dora was signed out|agents were being rung for the caller)\./,
    );
    expect(out).toContain('it rings at Ben');
    expect(out).toMatch(
      /nobody could take it\. Anna, Ben: paused \(lunch\); Cleo: level 2 is not open yet, for \d+ s more; Dora: signed out\./,
    );
    expect(out).toMatch(/The first of that changes by itself at \d\d:\d\d:\d\d/);
    expect(out).toMatch(/decided in "support": Ben is rung\. Not asked: Anna: paused \(lunch\)/);
    expect(out.indexOf('nobody could take it')).toBeLessThan(out.indexOf('Ben is rung'));
    expect(out).not.toMatch(/\{\d/);
    const json = JSON.parse((await cli('calls', 'explain', callId, '-o', 'json')).out);
    expect(json.decisions).toHaveLength(2);
    expect(json.decisions[0].explanation.refused).toMatchObject({ paused: 2, 'signed-out': 1 });
    expect(json.story.length).toBeGreaterThanOrEqual(6);
    expect((await cli('calls', 'explain', newId())).exitCode).toBe(4);
  });

  it('agents why says what is in the way and who can end it', async () => {
    const anna = await cli('agents', 'why', 'Anna', '-o', 'table');
    expect(anna.exitCode).toBe(1);
    expect(anna.out).toContain('Anna gets no calls: paused (lunch); `sidekick agents ready Anna` ends it.');
    expect(anna.out).toMatch(/support: paused \(lunch\); 1 call waits/);
    expect(anna.out).toMatch(/sales: paused \(lunch\); no call waits/);
    const ben = await cli('agents', 'why', 'Ben', '-o', 'json');
    expect(ben.exitCode).toBe(0);
    expect(JSON.parse(ben.out)).toMatchObject({
      canTakeCalls: true,
      queues: [{ queue: 'support', refusal: null, place: 1, waiting: 1 }],
    });
    const dora = await cli('agents', 'why', 'Dora', '-o', 'table');
    expect(dora.out).toContain('sidekick agents sign-in Dora');
    expect((await cli('agents', 'why', 'Dorra')).err).toContain('did you mean Dora?');
  });

  it('replay finds no difference under the same rules, and tells each one under other rules', async () => {
    const same = await cli('replay', '--from', '1h', '-o', 'json');
    expect(same.exitCode).toBe(0);
    expect(JSON.parse(same.out)).toMatchObject({ decisions: 2, differing: 0, differences: [] });
    writeFileSync(path.join(dir, 'same.yaml'), CENTER);
    expect((await cli('replay', '--from', '1h', '-f', 'same.yaml')).exitCode).toBe(0);
    writeFileSync(
      path.join(dir, 'other.yaml'),
      CENTER.replace('levelAfterSeconds: { "2": 30 }', 'levels: merged').replace('{ agent: Ben }, ', ''),
    );
    const other = await cli('replay', '--from', '1h', '--queue', 'support', '-f', 'other.yaml', '-o', 'json');
    expect(other.exitCode).toBe(1);
    expect(JSON.parse(other.out)).toMatchObject({
      decisions: 2,
      differing: 2,
      reasons: { 'now-eligible': 1, 'not-a-member': 1 },
      differences: [
        { queue: 'support', was: [], would: ['Cleo'], reason: 'now-eligible' },
        { queue: 'support', was: ['Ben'], would: ['Cleo'], reason: 'not-a-member' },
      ],
    });
    expect((await cli('replay', '--from', 'yesterday')).exitCode).toBe(2);
    expect(JSON.parse((await cli('replay', '--to', '1h', '-o', 'json')).out).decisions).toBe(0);
  });

  it('the rules of a document are those that the database hands to routing', async () => {
    const document = readDocument(CENTER, 'center.yaml');
    for (const queue of document.queues) {
      const { id } = (await store.loadQueues(database.db)).find((one) => one.name === queue.name)!;
      const snapshot = (await store.snapshotQueue(database.db, id))!;
      const stored = snapshot.queues.find((one) => one.queueId === id)!;
      const fromDocument = { ...queueRulesOf(queue), queueId: id };
      for (const [key, value] of Object.entries(fromDocument)) {
        const empty =
          (Array.isArray(value) && value.length === 0) ||
          JSON.stringify(value) === '{}' ||
          JSON.stringify(value) === '{"keys":{}}';
        const found = stored[key as keyof typeof stored];
        if (!(empty && found === undefined)) {
          expect({ queue: queue.name, [key]: found }).toEqual({ queue: queue.name, [key]: value });
        }
      }
    }
  });
});
