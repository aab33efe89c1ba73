import { applyDocument } from '../../src/config/documents/apply-document';
import { readConfiguration } from '../../src/config/documents/export-document';
import type { Document } from '../../src/config/documents/schema';
import { SipRejected } from '../../src/embedded/sip/user-agent';
import { eventually, SUPPORT, type CallLab } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';

type Queue = Document['queues'][number];

/** From its commit on a change has so long to be in force, milliseconds. */
const LIVE_WITHIN_MS = 1000;
const OTHER = '+49301000199';

describe('a change of the configuration is live within a second and touches no call in progress', () => {
  const suite = labSuite({
    agents: ['anna', 'ben', 'clara'],
    carrier: { maxCalls: 10 },
    // Who is asked is decided by the rules under test, not by how fast the tenant shows that a call is over.
    queue: { presence: { accept: ['Available', 'AvailableIdle', 'Busy', 'BusyIdle', 'Away'], unknown: 'accept' } },
  });
  let before: Document;

  beforeEach(async () => {
    before = await readConfiguration(suite.lab.database.db);
  });
  afterEach(async () => {
    // What is taken back has as long to be in force: whoever dialled at once might still be turned away by the rules of this story.
    if ((await applyDocument(suite.lab.database.db, before, { by: 'ops', prune: true })).changed) {
      await inForce();
    }
  });

  /** Applies what `edit` makes of the configuration in force; resolves when it is committed. */
  async function change(edit: (document: Document) => Document): Promise<void> {
    const { db } = suite.lab.database;
    const result = await applyDocument(db, edit(await readConfiguration(db)), { by: 'ops', prune: true });
    expect(result.changed).toBe(true);
  }
  const changeQueue = (edit: (queue: Queue) => Queue): Promise<void> =>
    change((document) => ({ ...document, queues: document.queues.map(edit) }));
  const changeCarrier = (edit: object): Promise<void> =>
    change((document) => ({
      ...document,
      trunks: document.trunks.map((trunk) => (trunk.kind === 'carrier' ? { ...trunk, ...edit } : trunk)),
    }));
  const inForce = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LIVE_WITHIN_MS));

  /** The caller and anna talk before and after `story`, and nobody else ended their call. */
  async function duringACall(story: (lab: CallLab) => Promise<void>): Promise<void> {
    const { lab } = suite;
    const call = await lab.dial({ from: '+491700000077' });
    await call.answered;
    const leg = await suite.bothHear(call, 'anna');
    await story(lab);
    expect(call.state).toBe('confirmed');
    const heard = call.heardMs(1100);
    await eventually('the caller still hears anna', () => (call.heardMs(1100) > heard + 100 ? true : undefined));
    expect(lab.tenant.calls({ agent: 'anna', active: true }).map(({ id }) => id)).toEqual([leg.id]);
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
  }

  /** 200, or the status with which a caller is turned away who dials now. */
  async function dialNow(to: string): Promise<number> {
    const { lab } = suite;
    const call = await lab.dial({ to, from: '+491700000078' });
    try {
      await call.answered;
    } catch (error) {
      if (error instanceof SipRejected) {
        return error.status;
      }
      throw error;
    }
    await call.hangUp();
    await lab.ending(call);
    return 200;
  }

  async function pause(lab: CallLab, ...agents: string[]): Promise<void> {
    await lab.database.db.query(
      `update agent_states set state = 'paused', reason = 'test' where agent_id in (select id from agents where name = any($1))`,
      [agents],
    );
  }

  it('a number', async () => {
    expect(await dialNow(OTHER)).toBe(404);
    await duringACall(async () => {
      await change((document) => ({
        ...document,
        numbers: [...document.numbers, { number: OTHER, tenant: 'lab', queue: 'support' }],
      }));
      await inForce();
      expect(await dialNow(OTHER)).toBe(200);
    });
  });

  it('a trunk', async () => {
    await duringACall(async () => {
      await changeCarrier({ sources: ['198.51.100.0/24'] });
      await inForce();
      expect(await dialNow(SUPPORT)).toBe(403);
    });
  });

  it('a limit', async () => {
    await duringACall(async () => {
      await changeCarrier({ maxCalls: 1 });
      await inForce();
      expect(await dialNow(SUPPORT)).toBe(503);
    });
  });

  it('the members of a queue', async () => {
    await changeQueue((queue) => ({ ...queue, members: queue.members.filter(({ agent }) => agent === 'anna') }));
    await duringACall(async (lab) => {
      const waiting = await lab.dial({ from: '+491700000079' });
      await lab.story(waiting, ['call:waiting']);
      const offered = suite.nextOffer('ben');
      await changeQueue((queue) => ({
        ...queue,
        members: [...queue.members, { agent: 'ben', level: 1, priority: 1, weight: 1, position: 2 }],
      }));
      const changedAt = Date.now();
      await offered;
      expect(Date.now() - changedAt).toBeLessThan(LIVE_WITHIN_MS);
      await suite.bothHear(waiting, 'ben');
      await waiting.hangUp();
      await lab.ending(waiting);
    });
  });

  it('the strategy of a queue', async () => {
    await duringACall(async (lab) => {
      await lab.database.db.query(
        `update agent_states set ready_since = ready_since - interval '1 day' where agent_id = (select id from agents where name = 'clara')`,
      );
      // Of those who are free clara has waited longest; ben stands before her in the list.
      await changeQueue((queue) => ({ ...queue, strategy: 'top-down' }));
      const next = suite.nextOffer('ben');
      const call = await lab.dial({ from: '+491700000079' });
      await next;
      await suite.bothHear(call, 'ben');
      await call.hangUp();
      await lab.ending(call);
    });
  });

  it('the wrap-up of a queue, for the call that is in progress too', async () => {
    await duringACall(async () => {
      await changeQueue((queue) => ({ ...queue, wrapUpSeconds: 30 }));
    });
    const anna = await eventually('wrap-up', async () => {
      const agent = await suite.lab.agent('anna');
      return agent.state === 'wrap-up' ? agent : undefined;
    });
    expect((anna.until ?? 0) - Date.now()).toBeGreaterThan(20_000);
  });

  it('a threshold of a queue, for callers who wait already', async () => {
    await duringACall(async (lab) => {
      await pause(lab, 'ben', 'clara');
      const waiting = await lab.dial({ from: '+491700000079' });
      await lab.story(waiting, ['call:waiting']);
      await inForce();
      await changeQueue((queue) => ({ ...queue, maxWaitSeconds: 1 }));
      const changedAt = Date.now();
      await waiting.ended;
      expect(Date.now() - changedAt).toBeLessThan(LIVE_WITHIN_MS + 500);
    });
  });

  it('the opening hours of a queue', async () => {
    await duringACall(async (lab) => {
      await change((document) => ({
        ...document,
        hours: [
          {
            name: 'never',
            tenant: 'lab',
            weekly: { mon: [], tue: [], wed: [], thu: [], fri: [], sat: [], sun: [] },
            holidays: [],
          },
        ],
        queues: document.queues.map((queue) => ({
          ...queue,
          hours: 'never',
          exits: { ...queue.exits, closed: { hangUp: true as const } },
        })),
      }));
      await inForce();
      const call = await lab.dial({ from: '+491700000079' });
      await call.ended.catch(() => undefined);
      expect(
        lab.tenant
          .calls({ agent: 'ben' })
          .filter((c) => c.from === '+491700000079' && c.startedAt > call.report().startedAt),
      ).toEqual([]);
      expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'queue-closed' });
    });
  });
});
