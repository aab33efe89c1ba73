import { store } from '../../src/store';
import type { StoredCallEvent } from '../../src/store';
import type { CarrierCall } from '../../src/embedded/carrier/carrier-call';
import { AGENT_TONES, eventually } from '../support/call-lab';
import { ALL_SOUNDS, hears } from '../support/ears';
import { labSuite } from '../support/lab-suite';
import type { LabSuite } from '../support/lab-suite';
import { SOUNDS, twoQueues } from '../support/two-queues';
import { takeDatabaseAway } from '../support/without-database';

/** A pause that people would take for a broken line, milliseconds. */
const GAP_MS = 400;
/** Said to whoever is next: 800 ms, then 400 ms to the others; and one that goes on for six seconds. */
const NEXT = SOUNDS.announcement;
const OTHERS = SOUNDS.invalid;
const LONG = SOUNDS.menu;

const gaps = (call: CarrierCall): unknown[] => call.report().silences.filter((silence) => silence.ms > GAP_MS);

/** What was announced to a call, in order, once it is so many. */
async function announced({ lab }: LabSuite, call: CarrierCall, count: number): Promise<readonly StoredCallEvent[]> {
  return await eventually(`${count} announcements`, async () => {
    const events = (await lab.events(call)).filter((event) => event.kind === 'call:announced');
    return events.length >= count ? events : undefined;
  });
}

/** A caller for whom nobody is free, with the queue's music in his ears. */
async function waits({ lab }: LabSuite, from = '+491700000001'): Promise<CarrierCall> {
  lab.tenant.setScript('anna', { kind: 'busy' });
  const call = await lab.dial({ from, listenFor: ALL_SOUNDS });
  await hears(call, SOUNDS.supportMusic);
  return call;
}

async function hangUp({ lab }: LabSuite, call: CarrierCall): Promise<void> {
  await call.hangUp();
  await lab.ending(call);
}

describe('callers who wait', () => {
  const suite = labSuite({
    document: ({ teamsProxy }) =>
      twoQueues({
        teamsProxy,
        supportRules: {
          announcements: {
            firstAfterSeconds: 1,
            everySeconds: 10,
            rules: [
              { prompt: 'announcement', place: { to: 1 } },
              { prompt: 'invalid', place: { from: 2, to: 9 } },
            ],
          },
        },
      }),
  });

  it('hear their place in the order of service, between music without a gap, and the new one when they move up', async () => {
    const { lab } = suite;
    const first = await waits(suite);
    const second = await waits(suite, '+491700000002');
    await eventually('both are told', () =>
      first.heardMs(NEXT) > 600 && second.heardMs(OTHERS) > 250 ? true : undefined,
    );
    const queueId = (await store.loadQueues(lab.database.db)).find(({ name }) => name === 'support')?.id ?? '';
    const shown = (await store.queueCallers(lab.database.db, queueId)).map(({ callerNumber, position }) => [
      callerNumber,
      position,
    ]);
    expect(shown).toEqual([
      ['+491700000001', 1],
      ['+491700000002', 2],
    ]);
    for (const call of [first, second]) {
      await hears(call, SOUNDS.supportMusic, 500);
      expect(gaps(call)).toEqual([]);
    }
    expect(first.heardMs(NEXT)).toBeLessThan(1_000);
    expect(first.heardMs(OTHERS)).toBe(0);
    await hangUp(suite, first);
    await hears(second, NEXT, 600, 14_000);
    const [before, after] = await announced(suite, second, 2);
    expect(before?.data).toMatchObject({ queue: 'support', prompt: 'invalid', place: 2 });
    expect(after?.data).toMatchObject({ queue: 'support', prompt: 'announcement', place: 1 });
    // From the end of the one, which takes 400 ms, to the beginning of the next.
    expect((after?.at ?? 0) - (before?.at ?? 0)).toBeGreaterThanOrEqual(10_350);
    await hears(second, SOUNDS.supportMusic, 300);
    expect(gaps(second)).toEqual([]);
    await hangUp(suite, second);
  }, 60_000);

  it('hear music only while an agent rings, and where they stand once nobody rings any more', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'ring-out' });
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    const offer = await suite.nextOffer('anna');
    await hears(call, SOUNDS.supportMusic, 3_000);
    expect(lab.tenant.call(offer.id)?.state).not.toBe('ended');
    expect(call.heardMs(NEXT)).toBe(0);
    await hears(call, NEXT, 600);
    expect(lab.tenant.call(offer.id)?.state).toBe('ended');
    expect(gaps(call)).toEqual([]);
    await hangUp(suite, call);
  });

  it('and talked in between hear music first when they are back, not where they stand', async () => {
    const { lab } = suite;
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    await suite.bothHear(call, 'anna');
    lab.tenant.setScript('anna', { kind: 'busy' });
    const { id } = await lab.row(call);
    const queueId = (await store.loadQueues(lab.database.db)).find(({ name }) => name === 'support')?.id;
    await store.addCallCommand(lab.database.db, {
      callId: id,
      kind: 'transfer',
      args: { kind: 'queue', queueId },
      by: 'the test',
    });
    await hears(call, SOUNDS.supportMusic, 3_000);
    expect(call.heardMs(NEXT)).toBe(0);
    await hangUp(suite, call);
  });

  it('hear from now on what is configured from now on', async () => {
    const { lab } = suite;
    const { db } = lab.database;
    const call = await waits(suite);
    await hears(call, NEXT, 600);
    const { rows } = await db.query<{ old: string }>(
      `select announcements::text as old from queues where name = 'support'`,
    );
    await db.query(`update queues set announcements = null where name = 'support'`);
    try {
      await hears(call, SOUNDS.supportMusic, 11_000, 14_000);
      expect(call.heardMs(NEXT)).toBeLessThan(1_000);
    } finally {
      await db.query(`update queues set announcements = $1::text::jsonb where name = 'support'`, [rows[0]?.old]);
    }
    await hears(call, NEXT, 600);
    await hangUp(suite, call);
  }, 60_000);

  it('hear music and nothing else while the database is away', async () => {
    const { lab } = suite;
    const call = await waits(suite);
    await eventually('anna refused', async () => ((await lab.agent('anna')).state === 'not-ready' ? true : undefined));
    const giveBack = await takeDatabaseAway(lab.database.url);
    const said = call.heardMs(NEXT);
    try {
      await hears(call, SOUNDS.supportMusic, 12_000, 16_000);
      // One that was being said when the database went may have come to its end.
      expect(call.heardMs(NEXT)).toBeLessThan(said + 900);
    } finally {
      await giveBack();
    }
    const before = call.heardMs(NEXT);
    await eventually('it is said again', () => (call.heardMs(NEXT) > before + 600 ? true : undefined), 30_000);
    expect(gaps(call)).toEqual([]);
    await hangUp(suite, call);
  }, 90_000);
});

describe('while an announcement is being made', () => {
  const suite = labSuite({
    document: ({ teamsProxy }) =>
      twoQueues({
        teamsProxy,
        supportRules: {
          exits: { keys: { 1: { queues: ['sales'] } } },
          announcements: { firstAfterSeconds: 0, everySeconds: 10, rules: [{ prompt: 'menu' }] },
        },
        salesRules: {
          announcements: { firstAfterSeconds: 1, everySeconds: 10, rules: [{ prompt: 'announcement' }] },
        },
      }),
  });

  /** A caller who is being told something that goes on for six seconds. */
  async function listens(): Promise<CarrierCall> {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'busy' });
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    await hears(call, LONG, 300);
    return call;
  }

  it('an agent is offered and rung, and who answers is joined with the caller at once', async () => {
    const { lab } = suite;
    const call = await listens();
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 300 });
    await lab.readyAll();
    const offer = await suite.nextOffer('anna');
    const answered = await eventually('the answer', () => {
      const leg = lab.tenant.call(offer.id);
      return leg?.state === 'answered' ? Date.now() : undefined;
    });
    await eventually('the caller hears anna', () => (call.heardMs(AGENT_TONES['anna'] ?? 0) > 20 ? true : undefined));
    expect(Date.now() - answered).toBeLessThan(500);
    await suite.bothHear(call, 'anna');
    const said = call.heardMs(LONG);
    expect(said).toBeLessThan(5_000);
    await hears(call, AGENT_TONES['anna'] ?? 0, 1_000);
    expect(call.heardMs(LONG)).toBe(said);
    expect(gaps(call)).toEqual([]);
    await hangUp(suite, call);
  });

  it('a key takes the caller to where it leads at once, and there they are told what that queue tells, by its clock', async () => {
    const { lab } = suite;
    lab.tenant.setScript('ben', { kind: 'busy' });
    const call = await listens();
    call.sendDtmf('5');
    await hears(call, LONG, 300);
    call.sendDtmf('1');
    await hears(call, SOUNDS.salesMusic);
    const said = call.heardMs(LONG);
    expect(said).toBeLessThan(3_000);
    await hears(call, NEXT, 600);
    await hears(call, SOUNDS.salesMusic, 300);
    expect(call.heardMs(LONG)).toBe(said);
    expect(gaps(call)).toEqual([]);
    const told = await announced(suite, call, 2);
    expect(told.map(({ data }) => data['queue'])).toEqual(['support', 'sales']);
    await hangUp(suite, call);
  });

  it('a command sends the caller on, and the other side is heard at once', async () => {
    const { lab } = suite;
    const call = await listens();
    const { id } = await lab.row(call);
    const queueId = (await store.loadQueues(lab.database.db)).find(({ name }) => name === 'sales')?.id;
    await store.addCallCommand(lab.database.db, {
      callId: id,
      kind: 'transfer',
      args: { kind: 'queue', queueId },
      by: 'the test',
    });
    await suite.bothHear(call, 'ben');
    expect(call.heardMs(LONG)).toBeLessThan(4_000);
    await hangUp(suite, call);
  });

  it('the caller hangs up: the call is over, nothing is left', async () => {
    const { lab } = suite;
    const call = await listens();
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'abandoned', reason: 'caller-gave-up-waiting' });
    await lab.expectNothingLeft();
  });
});

describe('a recording that the media server does not have', () => {
  const suite = labSuite({
    document: ({ teamsProxy }) =>
      twoQueues({
        teamsProxy,
        prompts: [{ name: 'lost', tenant: 'lab', file: '/nowhere/lost.wav' }],
        supportRules: { announcements: { firstAfterSeconds: 1, everySeconds: 10, rules: [{ prompt: 'lost' }] } },
      }),
  });

  it('costs the caller nothing: the music goes on, and the call says what was missing', async () => {
    const { lab } = suite;
    const call = await waits(suite);
    await lab.story(call, ['call:announced', 'call:announcement-failed']);
    await hears(call, SOUNDS.supportMusic, 1_000);
    expect(gaps(call)).toEqual([]);
    await hangUp(suite, call);
  });
});

describe('a queue that tells how long it will take', () => {
  const suite = labSuite({
    document: ({ teamsProxy }) =>
      twoQueues({
        teamsProxy,
        supportRules: {
          announcements: {
            firstAfterSeconds: 1,
            everySeconds: 10,
            rules: [{ prompt: 'announcement', estimatedWaitSeconds: { to: 120 } }],
          },
        },
      }),
  });

  it('says so as soon as it knows how long talks take, and nothing before', async () => {
    const { lab } = suite;
    const early = await waits(suite);
    await hears(early, SOUNDS.supportMusic, 2_500);
    expect(early.heardMs(NEXT)).toBe(0);
    await hangUp(suite, early);
    await lab.readyAll();
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 50 });
    const talk = await lab.dial({ listenFor: ALL_SOUNDS });
    await suite.bothHear(talk, 'anna');
    await hangUp(suite, talk);
    await lab.readyAll();
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 50 });
    await suite.allAvailable();
    const other = await lab.dial({ from: '+491700000003', listenFor: ALL_SOUNDS });
    await suite.bothHear(other, 'anna');
    const call = await lab.dial({ from: '+491700000004', listenFor: ALL_SOUNDS });
    await hears(call, NEXT, 600);
    const [told] = await announced(suite, call, 1);
    expect(told?.data).toMatchObject({ place: 1, estimatedWaitSeconds: expect.any(Number) as number });
    await hangUp(suite, call);
    await hangUp(suite, other);
  }, 60_000);
});
