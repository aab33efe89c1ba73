import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCli } from '../../src/cli/run';
import { applyDocument } from '../../src/config/documents/apply-document';
import { readDocument } from '../../src/config/documents/parse-document';
import { newId } from '../../src/lib/ids';
import { store } from '../../src/store';
import type { Queryable } from '../../src/store/types';
import { eventually } from '../support/call-lab';
import { testDatabase } from '../support/database';
import type { TestDatabase } from '../support/database';
import { testIo } from '../support/test-io';
import type { TestIo } from '../support/test-io';

const CENTER = `
apiVersion: sidekick/v1
tenants:
  - { name: demo, country: DE, timeZone: Europe/Berlin }
trunks:
  - { name: carrier, kind: carrier, sources: [127.0.0.0/8] }
  - { name: pbx, kind: pbx, host: 127.0.0.1 }
hours:
  - { name: never, weekly: {} }
queues:
  - { name: support, members: [{ agent: Anna }, { agent: Ben, level: 2 }], weight: 7, serviceLevelSeconds: 30 }
  - { name: sales, hours: never, members: [{ agent: Anna }] }
agents:
  - { name: Anna, signedIn: true, endpoints: [{ kind: pbx, trunk: pbx, user: '1' }] }
  - { name: Ben, endpoints: [{ kind: pbx, trunk: pbx, user: '2' }] }
numbers:
  - { number: '+49301000100', queue: support }
`;

const runtime = {
  startNode: () => Promise.reject(new Error('none')),
  startEmbedded: () => Promise.reject(new Error('none')),
};

describe('what operators look at and do all day', () => {
  let dir: string;
  let database: TestDatabase;
  let waiting: string;
  let nodeId: string;
  let talking: string;

  const start = (
    args: string[],
    options: { tty?: boolean; answers?: string[] } = {},
  ): { io: TestIo; done: Promise<number> } => {
    const io = testIo({ cwd: dir, env: { SIDEKICK_DATABASE_URL: database.url }, ...options });
    return { io, done: runCli(args, { io, runtime }) };
  };
  const cli = async (...args: string[]) => {
    const { io, done } = start(args);
    return { exitCode: await done, out: io.out(), err: io.err() };
  };
  const onTerminal = async (args: string[], ...answers: string[]) => {
    const { io, done } = start(args, { tty: true, answers });
    return { exitCode: await done, out: io.out(), err: io.err() };
  };
  const json = async (...args: string[]) => JSON.parse((await cli(...args, '-o', 'json')).out);

  beforeAll(async () => {
    database = await testDatabase({ max: 4 });
    dir = mkdtempSync(path.join(tmpdir(), 'cli-ops-'));
    const { db } = database;
    await applyDocument(db, readDocument(CENTER, 'center.yaml'), { by: 'test' });
    const [tenant] = await store.loadTenants(db);
    const support = (await store.loadQueues(db)).find((q) => q.name === 'support')!;
    ({ nodeId } = await store.registerNode(db, { name: 'node-1', version: '9.9.9' }));
    const call = async (number: string | undefined): Promise<string> => {
      const id = newId();
      await store.insertCall(db, {
        id,
        tenantId: tenant!.id,
        nodeId,
        callerNumber: number,
        dialledNumber: '+49301000100',
        sipCallId: `${id}@test`,
      });
      await store.enqueue(db, { callId: id, queueId: support.id });
      return id;
    };
    talking = await call('+4917612345678');
    const anna = (await store.agentByName(db, 'Anna'))!;
    const [offer] = await store.insertOffers(db, [{ callId: talking, queueId: support.id, agentId: anna.id }]);
    await store.markRinging(db, offer!.offerId);
    await store.markAnswered(db, offer!.offerId);
    const at = Date.now();
    await store.appendCallEvents(db, [
      { callId: talking, at, kind: 'call:arrived', data: { number: '+49301000100', queue: 'support' } },
      { callId: talking, at: at + 20, kind: 'call:answered' },
      { callId: talking, at: at + 40, kind: 'call:waiting', data: { queue: 'support', position: 1 } },
      {
        callId: talking,
        at: at + 50,
        kind: 'call:offered',
        data: { offerId: offer!.offerId, agent: 'Anna', presence: 'none' },
      },
      { callId: talking, at: at + 90, kind: 'offer:ringing', data: { offerId: offer!.offerId } },
      { callId: talking, at: at + 2000, kind: 'offer:answered', data: { offerId: offer!.offerId } },
      { callId: talking, at: at + 2040, kind: 'call:connected', data: { offerId: offer!.offerId } },
      { callId: talking, at: at + 2050, kind: 'call:unheard-of', data: { of: 'this; and #that' } },
    ]);
    waiting = await call(undefined);
  });
  afterAll(async () => {
    await database.close();
    rmSync(dir, { recursive: true });
  });

  it('queues show has the dense line that operators know, then members, then callers', async () => {
    const { out, exitCode } = await onTerminal(['queues', 'show', 'support', '--no-color']);
    expect(exitCode).toBe(0);
    const [head, members, titles, anna, ben, callers, caller] = out.split('\n');
    expect(head).toMatch(
      /^support has 1 call \(max unlimited\) in 'longest-idle' strategy \(0s holdtime, 0s talktime\), W:7, C:1, A:0, SL:100\.0% within 30s$/,
    );
    expect(members).toBe('   Members:');
    expect(titles).toMatch(/^ {6}MEMBER +LEVEL +STATE +SINCE +PRESENCE +CALLS +LAST CALL$/);
    expect(anna).toMatch(/^ {6}Anna +1 +in call +\d s +- +\d +never$/);
    expect(ben).toMatch(/^ {6}Ben +2 +signed-out +\d s +- +0 +never$/);
    expect(callers).toBe('   Callers:');
    expect(caller).toMatch(new RegExp(`^ {6}1\\. anonymous \\(wait: 0:0\\d, prio: 0\\) ${waiting}$`));
  });

  it('queues show says of a closed queue why, and of an empty one that it is empty', async () => {
    const { out } = await onTerminal(['queues', 'show', 'sales', '--no-color']);
    expect(out).toMatch(/CLOSED \(never: closed on \w+\)/);
    expect(out).toContain('No Callers');
  });

  it('queues show is data in every other form', async () => {
    expect(await json('queues', 'show', 'support')).toMatchObject({
      apiVersion: 'sidekick/v1',
      queue: {
        name: 'support',
        weight: 7,
        waiting: 1,
        inCall: 1,
        paused: null,
        today: { completed: 1, abandoned: 0, serviceLevelPercent: 100, serviceLevelMs: 30_000 },
      },
      members: [
        { agent: 'Anna', level: 1, state: 'in call', callId: talking },
        { agent: 'Ben', level: 2, state: 'signed-out', callId: null },
      ],
      callers: [{ callId: waiting, position: 1, callerNumber: null, ringing: [] }],
    });
    const tsv = (await cli('queues', 'show', 'support')).out.split('\n');
    expect(tsv[0]).toBe('queue\tsupport\topen\t1\t1\t0\t100.0%');
    expect(tsv[1]).toMatch(/^member\tAnna\t1\tin call\t\d{4}-.*Z\tnone\t\d\t/);
    expect(tsv[3]).toMatch(new RegExp(`^caller\t${waiting}\t1\t\\d+\t\t$`));
    expect((await cli('queues', 'show', 'support', '-o', 'name')).out).toBe('Anna\nBen\n');
    expect((await cli('queues', 'show', 'support', '-o', 'csv')).out).toContain('member,Ben,2,signed-out,');
    expect((await cli('queues', 'show', 'support', '-o', 'yaml')).out).toMatch(
      /^apiVersion: sidekick\/v1\nqueue:\n {2}name: support\n/,
    );
  });

  it('a name that is not there is not found, with the one that was probably meant', async () => {
    expect(await cli('queues', 'show', 'suport')).toMatchObject({
      exitCode: 4,
      out: '',
      err: expect.stringContaining('did you mean support?'),
    });
  });

  it('watching prints one JSON object a line in a pipe and redraws on a terminal, until Ctrl-C', async () => {
    const piped = start(['queues', 'show', 'support', '--watch=200ms']);
    const drawn = start(['queues', 'watch', 'support'], { tty: true });
    await new Promise((resolve) => setTimeout(resolve, 700));
    piped.io.signal('SIGINT');
    drawn.io.signal('SIGINT');
    expect([await piped.done, await drawn.done]).toEqual([130, 130]);
    const lines = piped.io.out().trim().split('\n');
    expect(lines.length).toBeGreaterThan(1);
    lines.forEach((text) =>
      expect(JSON.parse(text)).toMatchObject({ apiVersion: 'sidekick/v1', queue: { name: 'support' } }),
    );
    expect(drawn.io.out()).toMatch(/^\u001b\[Hsupport has 1 call/);
    expect(drawn.io.out()).toContain('every 2 s; Ctrl-C ends');
  });

  it('a queue with waiting calls is paused only after it was said how many, and takes calls again when resumed', async () => {
    const refused = await cli('queues', 'pause', 'support');
    expect(refused).toMatchObject({
      exitCode: 5,
      out: '',
      err: expect.stringContaining('1 call is waiting in "support"'),
    });
    expect(refused.err).toContain('SK_NOT_CONFIRMED');
    expect(await onTerminal(['queues', 'pause', 'support'], 'n')).toMatchObject({ exitCode: 5, out: '' });
    const done = await onTerminal(['queues', 'pause', 'support', '--reason', 'fire drill'], 'y');
    expect([done.exitCode, done.out]).toEqual([0, 'support is paused\n']);
    expect(done.err).toContain('1 call is waiting in "support"');
    expect((await json('queues', 'list')).queues[1]).toMatchObject({
      name: 'support',
      paused: { reason: 'fire drill' },
    });
    expect((await onTerminal(['queues', 'show', 'support'])).out).toMatch(/PAUSED.* by cli:?.*: fire drill/);
    expect(await cli('queues', 'resume', 'support')).toMatchObject({ exitCode: 0, out: 'support takes calls\n' });
    expect(await cli('queues', 'pause', 'sales')).toMatchObject({ exitCode: 0, out: 'sales is paused\n' });
    expect(await cli('-q', 'queues', 'resume', 'sales')).toMatchObject({ exitCode: 0, err: '' });
  });

  it('an agent is paused and signed out in one queue alone, or everywhere', async () => {
    expect(await cli('agents', 'pause', 'Anna', '--queue', 'sales', '--reason', 'mail')).toMatchObject({
      exitCode: 0,
      out: 'Anna is paused (mail) in sales\n',
    });
    expect((await json('agents', 'show', 'Anna')).agent).toMatchObject({
      state: 'ready',
      memberships: [
        { queue: 'sales', pauseReason: 'mail', signedIn: true },
        { queue: 'support', pauseReason: null, callsToday: expect.any(Number) },
      ],
    });
    expect(await cli('agents', 'ready', 'Anna', '--queue', 'sales')).toMatchObject({
      out: 'Anna is signed in in sales\n',
    });
    expect(await cli('agents', 'ready', 'Ben', '--queue', 'sales')).toMatchObject({ exitCode: 4 });
    expect(await onTerminal(['agents', 'sign-out', 'Anna'], '')).toMatchObject({
      exitCode: 5,
      err: expect.stringContaining(`1 call: ${talking} (connected)`),
    });
  });

  it('a supervisor’s pause is not ended by the agent’s own ready', async () => {
    expect(await cli('agents', 'sign-in', 'Ben')).toMatchObject({ exitCode: 0 });
    expect(await cli('agents', 'force', 'Ben', 'paused', '--reason', 'training')).toMatchObject({
      exitCode: 0,
      out: expect.stringMatching(/^Ben is paused \(training by cli/),
    });
    expect(await cli('agents', 'ready', 'Ben')).toMatchObject({
      exitCode: 5,
      err: expect.stringContaining('agents force Ben ready'),
    });
    expect(await cli('agents', 'force', 'Ben', 'ready')).toMatchObject({ exitCode: 0, out: 'Ben is ready\n' });
    expect(await cli('agents', 'force', 'Ben', 'happy')).toMatchObject({ exitCode: 2 });
    expect(await cli('agents', 'wrap-up', 'end', 'Ben')).toMatchObject({ exitCode: 5 });
    expect(await cli('agents', 'sign-out', 'Ben')).toMatchObject({ exitCode: 0 });
  });

  it('a wrap-up is extended and ended', async () => {
    await cli('agents', 'sign-in', 'Ben');
    const ben = (await store.agentByName(database.db, 'Ben'))!;
    await database.db.query(
      `update agent_states set state = 'wrap-up', until = now() + interval '20 seconds', last_call_ended_at = now() where agent_id = $1`,
      [ben.id],
    );
    const extended = await cli('agents', 'wrap-up', 'extend', 'Ben', '--by', '60s');
    expect([extended.exitCode, extended.err]).toEqual([0, '']);
    const until = Date.parse(/until (\S+)/.exec(extended.out)?.[1] ?? '');
    expect(until - Date.now()).toBeGreaterThan(60_000);
    expect(await cli('agents', 'wrap-up', 'end', 'Ben')).toMatchObject({ exitCode: 0 });
    expect((await store.agentByName(database.db, 'Ben'))!.state).toBe('ready');
    expect(await cli('agents', 'sign-out', 'Ben')).toMatchObject({ exitCode: 0 });
  });

  it('calls trace draws the ladder, and is data and a mermaid diagram', async () => {
    const drawn = (await onTerminal(['calls', 'trace', talking])).out;
    expect(drawn).toContain('+4917612345678 → +49301000100');
    expect(drawn).toMatch(/│ INVITE \+49301000100 ─+>│/);
    expect(drawn).toMatch(/│<─+ 180 Ringing │/);
    expect(drawn).toMatch(/│ +│ waits in support, position 1/);
    expect(drawn).toContain('call:unheard-of of=this; and #that');
    const { steps } = await json('calls', 'trace', talking);
    expect(steps).toContainEqual({
      ms: expect.any(Number),
      from: 'Sidekick',
      to: 'Anna',
      text: 'INVITE (presence none)',
    });
    const mermaid = (await cli('calls', 'trace', talking, '-o', 'mermaid')).out.split('\n');
    expect(mermaid.slice(0, 5)).toEqual([
      'sequenceDiagram',
      '  participant p0 as Caller',
      '  participant p1 as Sidekick',
      '  participant p2 as Anna',
      expect.stringMatching(/^ {2}p0->>p1: INVITE \+49301000100 \(-?\d+\.\d{3} s\)$/),
    ]);
    expect(mermaid.slice(1).join('\n')).not.toMatch(/[;#]/);
    expect((await cli('calls', 'trace', talking)).out.split('\n')[0]).toMatch(/Z\tCaller\tSidekick\tINVITE/);
    expect(await cli('calls', 'trace', newId())).toMatchObject({ exitCode: 4 });
  });

  it('events are listed by queue, agent and call, and followed as they come', async () => {
    const all = await json('events', 'list', '--since', '1h');
    expect(all.events).toContainEqual(expect.objectContaining({ kind: 'agent:ready', agent: 'Anna' }));
    expect(all.events).toContainEqual(
      expect.objectContaining({ kind: 'member:paused', agent: 'Anna', queue: 'sales' }),
    );
    const ofCall = await json('events', 'list', '--call', talking);
    expect(ofCall.events.map((e: { kind: string }) => e.kind)).toContain('call:connected');
    expect(ofCall.events.find((e: { kind: string }) => e.kind === 'offer:ringing')).toMatchObject({
      agent: 'Anna',
      queue: 'support',
    });
    expect(await cli('events', 'list', '--queue', 'suport')).toMatchObject({ exitCode: 4 });
    expect(await cli('events', 'list', '--since', 'yesterday')).toMatchObject({ exitCode: 2 });

    const tail = start(['events', 'tail', '--since', '0s', '--agent', 'Ben', '-o', 'json']);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await cli('agents', 'sign-in', 'Ben');
    await new Promise((resolve) => setTimeout(resolve, 900));
    await cli('agents', 'sign-out', 'Ben');
    await new Promise((resolve) => setTimeout(resolve, 900));
    tail.io.signal('SIGINT');
    expect(await tail.done).toBe(130);
    const seen = tail.io
      .out()
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text).event.kind);
    expect(seen).toEqual(['agent:ready', 'agent:signed-out']);
  });

  it('events that are committed late are followed too, each once, in whatever order their numbers were given', async () => {
    const agentId = (await store.agentByName(database.db, 'Ben'))!.id;
    const tail = start(['events', 'tail', '--since', '1m', '--agent', 'Ben', '-o', 'json']);
    const seen = (): string[] =>
      tail.io
        .out()
        .split('\n')
        .filter((text) => text !== '')
        .map((text) => JSON.parse(text).event.data.reason)
        .filter((reason) => ['quick', 'slow', 'last'].includes(reason));
    const change = (q: Queryable, reason: string): Promise<unknown> =>
      q.query(
        `insert into agent_state_log (tenant_id, agent_id, at, from_state, to_state, reason, by)
         select tenant_id, id, clock_timestamp(), 'ready', 'paused', $2, 'ops' from agents where id = $1`,
        [agentId, reason],
      );
    const seesSoon = (reasons: string[]): Promise<unknown> =>
      eventually(reasons.join(), () => (reasons.every((reason) => seen().includes(reason)) ? true : undefined));
    let commit: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (commit = resolve));
    const began = new Promise<void>((resolve) => {
      void database.db.transaction(async (tx) => {
        await change(tx, 'slow');
        resolve();
        await held;
      });
    });
    await began;
    await change(database.db, 'quick');
    await seesSoon(['quick']);
    // More than one look of the command passes, so that its place in the stream is behind what it has shown.
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    commit();
    await seesSoon(['slow']);
    await change(database.db, 'last');
    await seesSoon(['last']);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    tail.io.signal('SIGINT');
    expect(await tail.done).toBe(130);
    expect(seen()).toEqual(['quick', 'slow', 'last']);
  });

  it('nodes and presence are shown', async () => {
    await store.heartbeat(database.db, nodeId);
    expect((await json('nodes', 'list')).nodes).toMatchObject([
      { name: 'node-1', version: '9.9.9', state: 'running', calls: 2, offers: 1 },
    ]);
    expect((await json('presence', 'show')).presence).toMatchObject([
      { agent: 'Anna', availability: 'none' },
      { agent: 'Ben' },
    ]);
    expect((await onTerminal(['presence', 'show', 'Anna'])).out).toContain('not in Teams');
    expect(await cli('presence', 'show', 'Ana')).toMatchObject({ exitCode: 4, err: expect.stringContaining('Anna') });
  });

  it('a database that does not answer in time is given up, and -v says where it was looked', async () => {
    expect((await cli('-v', 'queues', 'list')).err).toMatch(/^postgres:\/\/.*: \d+ ms\n$/);
    expect((await cli('--timeout', '10', 'queues', 'list', '-o', 'name')).out).toBe('sales\nsupport\n');
  });
});
