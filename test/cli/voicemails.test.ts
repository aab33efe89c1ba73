import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCli } from '../../src/cli/run';
import { applyDocument } from '../../src/config/documents/apply-document';
import { readDocument } from '../../src/config/documents/parse-document';
import { newId } from '../../src/lib/ids';
import { store } from '../../src/store';
import { testDatabase, type TestDatabase } from '../support/database';
import { testIo } from '../support/test-io';

const CENTER = `
apiVersion: sidekick/v1
tenants: [{ name: acme, country: DE, timeZone: Europe/Berlin }]
trunks: [{ name: carrier, kind: carrier, sources: [203.0.113.0/24] }]
prompts: [{ name: leave, file: leave.wav }]
queues:
  - { name: support, voicemail: { greeting: leave, keepDays: 7 }, exits: { noAgents: { voicemail: support } } }
  - { name: sales, exits: { noAgents: { voicemail: support } } }
`;

describe('messages on the command line', () => {
  let database: TestDatabase;
  let dir: string;
  const ids: Record<string, string> = {};

  async function cli(...args: readonly string[]): Promise<{ exitCode: number; out: string; err: string }> {
    const io = testIo({ cwd: dir, env: { SIDEKICK_DATABASE_URL: database.url, XDG_CONFIG_HOME: dir } });
    const runtime = {
      startNode: () => Promise.reject(new Error('none')),
      startEmbedded: () => Promise.reject(new Error('none')),
    };
    const exitCode = await runCli(args, { io, runtime });
    return { exitCode, out: io.out(), err: io.err() };
  }

  const listed = async (...args: readonly string[]): Promise<readonly string[]> =>
    (await cli('voicemails', 'list', '-o', 'name', ...args)).out.split('\n').filter((name) => name !== '');

  beforeAll(async () => {
    database = await testDatabase({ max: 4 });
    dir = mkdtempSync(path.join(tmpdir(), 'voicemails-'));
    const { db } = database;
    await applyDocument(db, readDocument(CENTER, 'center.yaml'), { by: 'test' });
    const [tenant] = await store.loadTenants(db);
    const queues = new Map((await store.loadQueues(db)).map((queue) => [queue.name, queue]));
    const { nodeId } = await store.registerNode(db, { name: 'node-1' });
    for (const [name, queue] of [
      ['first', 'support'],
      ['second', 'sales'],
      ['speaking', 'support'],
      ['silence', 'support'],
    ] as const) {
      const [voicemailId, callId] = [newId(), newId()];
      ids[name] = voicemailId;
      await store.insertCall(db, {
        id: callId,
        tenantId: tenant!.id,
        nodeId,
        callerNumber: '+491761234567',
        dialledNumber: '+49301000100',
        sipCallId: callId,
      });
      await store.beginVoicemail(db, {
        voicemailId,
        tenantId: tenant!.id,
        queueId: queues.get(queue)!.id,
        callId,
        callerNumber: '+491761234567',
        callerName: undefined,
        mediaServer: 'fs1:8021',
        file: `${voicemailId}.wav`,
        maxMs: 60_000,
        keepDays: 7,
      });
      if (name !== 'speaking') {
        expect(await store.endVoicemail(db, voicemailId, { lengthMs: 4_200, kept: name !== 'silence' })).toBe(true);
      }
    }
  });
  afterAll(async () => {
    await database.close();
    rmSync(dir, { recursive: true });
  });

  it('are listed newest first, without what is still spoken or was thrown away', async () => {
    expect(await listed()).toEqual([ids['second'], ids['first']]);
    expect(await listed('--queue', 'support')).toEqual([ids['first']]);
    expect(await cli('voicemails', 'list', '--queue', 'suport')).toMatchObject({
      exitCode: 4,
      err: expect.stringContaining('did you mean support?'),
    });
    expect(await cli('voicemails', 'list', '--state', 'lost')).toMatchObject({ exitCode: 2 });
    const one = JSON.parse((await cli('voicemails', 'get', ids['first']!, '-o', 'json')).out);
    expect(one.voicemail).toMatchObject({ queue: 'support', state: 'new', lengthMs: 4_200, changedBy: null });
    const keepMs = Date.parse(one.voicemail.keepUntil) - Date.parse(one.voicemail.leftAt);
    expect(Math.round(keepMs / 86_400_000)).toBe(7);
    for (const id of [ids['speaking']!, ids['silence']!, newId(), 'first']) {
      expect(await cli('voicemails', 'get', id)).toMatchObject({ exitCode: 4 });
    }
  });

  it('stand in the story of their call and in its ladder', async () => {
    const { callId } = (await store.findVoicemail(database.db, ids['first']!))!;
    await store.appendCallEvents(database.db, [
      {
        callId: callId!,
        kind: 'call:exit',
        data: { queue: 'support', reason: 'noAgents', to: 'voicemail of support' },
      },
      { callId: callId!, kind: 'voicemail:greeting', data: { queue: 'support' } },
      { callId: callId!, kind: 'voicemail:recording', data: { queue: 'support', voicemailId: ids['first'] } },
      {
        callId: callId!,
        kind: 'voicemail:left',
        data: { queue: 'support', voicemailId: ids['first'], lengthMs: 4_200 },
      },
    ]);
    const story = (await cli('calls', 'explain', callId!)).out;
    for (const words of [
      'the caller leaves "support" for voicemail of support: nobody is signed in',
      'the caller hears the greeting of the voicemail of "support"',
      'the caller leaves a message',
      `the message is kept: 4 s, ${ids['first']}`,
    ]) {
      expect(story).toContain(words);
    }
    const ladder = (await cli('calls', 'trace', callId!)).out;
    expect(ladder).toContain('Caller\tSidekick\tmessage\n');
    expect(ladder).toContain(`message ${ids['first']} kept, 4200 ms`);
    const { out } = await cli('events', 'list', '--since', '1h', '--queue', 'support', '-o', 'json');
    expect(JSON.parse(out).events).toContainEqual(
      expect.objectContaining({ kind: 'voicemail:left', queue: 'support', callId }),
    );
  });

  it('are ticked off: who did it stands beside it and in the audit log, and what is done is out of the way', async () => {
    const id = ids['first']!;
    expect((await cli('voicemails', 'set-state', id, 'done')).out).toBe(`message ${id} is done\n`);
    expect((await cli('voicemails', 'set-state', id, 'done')).out).toBe(`message ${id} was done already\n`);
    expect(await cli('voicemails', 'set-state', id, 'recording')).toMatchObject({ exitCode: 2 });
    expect(await listed()).toEqual([ids['second']]);
    expect(await listed('--all')).toEqual([ids['second'], id]);
    expect(await listed('--state', 'done')).toEqual([id]);
    const [entry] = await store.auditTrail(database.db, { limit: 1 });
    expect(entry).toMatchObject({
      by: expect.stringMatching(/^cli:/),
      tenant: 'acme',
      noun: 'voicemail',
      name: id,
      what: 'change',
      before: { state: 'new' },
      after: { state: 'done' },
    });
  });

  it('are deleted when that was confirmed, and a node is told to delete the file', async () => {
    const id = ids['first']!;
    expect(await cli('voicemails', 'delete', id)).toMatchObject({
      exitCode: 5,
      err: expect.stringContaining('1 message of 4.2 s in "support" is lost, done'),
    });
    expect((await cli('voicemails', 'delete', id, '--yes')).out).toContain('is deleted');
    expect(await cli('voicemails', 'get', id)).toMatchObject({ exitCode: 4 });
    const due = await store.voicemailsToDelete(database.db, 10);
    expect(due.map(({ voicemailId }) => voicemailId).sort()).toEqual([id, ids['silence']].sort());
    await store.forgetVoicemail(database.db, id);
    expect(await store.voicemailsToDelete(database.db, 10)).toHaveLength(1);
    await store.forgetVoicemail(database.db, ids['second']!);
    expect(await listed()).toEqual([ids['second']]);
  });

  it('are over after their days, and one whose node died is found when its time is over', async () => {
    const { db } = database;
    await db.query(`update voicemails set keep_until = clock_timestamp() - interval '1 minute' where id = $1`, [
      ids['second'],
    ]);
    expect(await listed('--all')).toEqual([]);
    expect((await store.voicemailsToDelete(db, 10)).map(({ voicemailId }) => voicemailId)).toContain(ids['second']);
    expect(await store.lostVoicemails(db, 10)).toEqual([]);
    await db.query(`update voicemails set over_by = clock_timestamp() where id = $1`, [ids['speaking']]);
    // Its call still lives: its node may yet end it.
    expect(await store.lostVoicemails(db, 10)).toEqual([]);
    await db.query(
      `update calls set state = 'ended', ended_at = clock_timestamp(), result = 'indeterminate', reason = 'node-lost'
       where id = (select call_id from voicemails where id = $1)`,
      [ids['speaking']],
    );
    expect(await store.lostVoicemails(db, 10)).toEqual([
      { voicemailId: ids['speaking'], mediaServer: 'fs1:8021', file: `${ids['speaking']}.wav` },
    ]);
  });
});
