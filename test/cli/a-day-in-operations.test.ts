import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCli } from '../../src/cli/run';
import { demoAgents, demoDocument } from '../../src/config/demo-document';
import { applyDocument } from '../../src/config/documents/apply-document';
import { readConfiguration } from '../../src/config/documents/export-document';
import type { Document } from '../../src/config/documents/schema';
import { newId } from '../../src/lib/ids';
import { decide } from '../../src/routing/decide';
import { explain } from '../../src/routing/explain';
import { store } from '../../src/store';
import { testDatabase } from '../support/database';
import type { TestDatabase } from '../support/database';
import { testIo } from '../support/test-io';

const PAGE = path.join(__dirname, '../../docs/operations.md');

interface Scene {
  readonly kind: 'command' | 'direction';
  readonly text: string;
  /** What the page says that it prints, both streams. */
  readonly prints: string;
}

/** Commands with what they print, and stage directions, in the order of the page. */
function scenes(page: string): Scene[] {
  return [...page.matchAll(/^```console\n([\s\S]*?)^```$|^<!-- (.*) -->$/gm)].flatMap(
    ([, block, direction]): Scene[] =>
      block === undefined
        ? [{ kind: 'direction', text: direction ?? '', prints: '' }]
        : block
            .split(/^\$ /m)
            .slice(1)
            .map((part) => {
              const [command = '', ...lines] = part.split('\n');
              return { kind: 'command', text: command, prints: lines.join('\n').trimEnd() };
            }),
  );
}

/** As a shell splits a line, as far as the page needs it. */
function words(command: string): string[] {
  return [...command.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)].map(([word]) =>
    word.replaceAll(/'([^']*)'|"([^"]*)"/g, '$1$2'),
  );
}

/** Whether it is what the page tells: `…` stands for anything in a line, and columns may be wider. */
function matches(printed: string, told: string): boolean {
  const pattern = told
    .split('…')
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/ {2,}/g, ' {2,}'))
    .join('[^\\n]*');
  return new RegExp(`^${pattern}$`).test(printed);
}

describe('docs/operations.md', () => {
  const page = readFileSync(PAGE, 'utf8');
  const story = scenes(page);
  const callId = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(page)![0];
  let dir: string;
  let database: TestDatabase;
  let before: Document;
  let node: string;

  beforeAll(async () => {
    database = await testDatabase({ max: 4 });
    dir = mkdtempSync(path.join(tmpdir(), 'cli-day-'));
    await applyDocument(
      database.db,
      demoDocument({ sbcName: 'sbc.sidekick.example', teamsProxyAddress: '127.0.0.1:5071' }),
      { by: 'demo' },
    );
    before = await readConfiguration(database.db);
    // Who is ready longest is no accident.
    await database.db.query(
      "update agent_states s set ready_since = ready_since - position(left(a.name, 1) in 'ABCED') * interval '1 minute' from agents a where a.id = s.agent_id",
    );
    node = (await store.registerNode(database.db, { name: 'node-1' })).nodeId;
    await show();
  });
  afterAll(async () => {
    await database.close();
    rmSync(dir, { recursive: true });
  });

  /** Teams presence of everybody, as of now. */
  async function show(meeting?: string): Promise<void> {
    const { db } = database;
    const readings = await Promise.all(
      demoAgents().map(async ({ name }) => ({
        agentId: (await store.agentByName(db, name))!.id,
        availability: name === meeting ? 'Busy' : 'Available',
        activity: name === meeting ? 'InAMeeting' : 'Available',
        readAt: Date.now(),
        source: 'graph-poll' as const,
      })),
    );
    await store.upsertPresences(db, readings);
  }

  const directions: Readonly<Record<string, () => Promise<unknown>>> = {
    'David is paused, Emma is in a meeting; a call waits in billing': async () => {
      const { db } = database;
      await store.pause(db, (await store.agentByName(db, 'David'))!.id, 'lunch', 'agent:David');
      const [tenant] = await store.loadTenants(db);
      const billing = (await store.loadQueues(db)).find((q) => q.name === 'billing')!;
      await store.insertCall(db, {
        id: callId,
        tenantId: tenant!.id,
        nodeId: node,
        callerNumber: '+4917612345678',
        dialledNumber: '+49301000102',
        sipCallId: 'a84b4c76e66710',
      });
      await store.enqueue(db, { callId, queueId: billing.id });
      await store.appendCallEvents(db, [
        { callId, kind: 'call:arrived', data: { number: '+49301000102' } },
        { callId, kind: 'call:answered' },
        { callId, kind: 'call:waiting', data: { queue: 'billing', position: 1 } },
      ]);
      await show('Emma');
      // What a node does when a call comes: it decides, and writes down what it decided from.
      const snapshot = (await store.snapshotQueue(db, billing.id))!;
      const decision = decide(snapshot);
      await store.recordDecisions(db, [
        {
          id: newId(),
          queueId: billing.id,
          nodeId: node,
          at: snapshot.now,
          trigger: 'queue',
          snapshot,
          explanations: [explain(snapshot, decision, callId)],
          assignments: decision.assignments,
        },
      ]);
    },
    'the call is over': async () => {
      await store.endCall(database.db, callId, 'abandoned', 'caller-gave-up-waiting');
    },
  };

  const run = async (command: string): Promise<{ exitCode: number; printed: string }> => {
    const io = testIo({
      cwd: dir,
      env: { SIDEKICK_DATABASE_URL: database.url, NO_COLOR: '1' },
      tty: true,
      answers: ['y'],
    });
    let printed = '';
    const write = (text: string): string => (printed += text);
    const both = { write, isTTY: true };
    const told = {
      ...io,
      stdout: both,
      stderr: both,
      ask: (question: string) => {
        write(`${question}y\n`);
        return Promise.resolve('y');
      },
    };
    const runtime = {
      startNode: () => Promise.reject(new Error('none')),
      startEmbedded: () => Promise.reject(new Error('none')),
    };
    const [name, ...args] = words(command);
    expect(name).toBe('sidekick');
    const exitCode = await runCli(args, { io: told, runtime });
    // Of a line that was written over, what stands there in the end.
    return { exitCode, printed: printed.replaceAll(/^.*\r(?:\u001B\[K)?/gm, '').trimEnd() };
  };

  /** Commands of the page whose answer is no, or a mistake that is told. */
  const EXIT_CODES: Readonly<Record<string, number>> = {
    'sidekick queues set billing strategy=round-robbin': 2,
    'sidekick hours check office --at 2026-12-24T10:00+01:00': 1,
  };

  it('is a day whose every command does what the page says, and whose end is as the beginning', async () => {
    expect(story.filter((scene) => scene.kind === 'command').length).toBeGreaterThan(20);
    for (const { kind, text, prints } of story) {
      if (kind === 'direction') {
        await directions[text]!();
        continue;
      }
      const { exitCode, printed } = await run(text);
      expect({ command: text, exitCode, printed: matches(printed, prints) ? prints : printed }).toEqual({
        command: text,
        exitCode: EXIT_CODES[text] ?? 0,
        printed: prints,
      });
    }
    expect(await readConfiguration(database.db)).toEqual(before);
  }, 60_000);
});
