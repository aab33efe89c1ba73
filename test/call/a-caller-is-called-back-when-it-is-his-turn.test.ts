import type { PhoneCall } from '../../src/embedded/phone/phone-call';
import type { CallView } from '../../src/embedded/teams/call-record';
import { store } from '../../src/store';
import type { CallbackRow } from '../../src/store';
import { AGENT_TONES, CALLER_TONE, eventually } from '../support/call-lab';
import type { LabOptions } from '../support/call-lab';
import { ALL_SOUNDS, hears } from '../support/ears';
import { labSuite } from '../support/lab-suite';
import type { LabSuite } from '../support/lab-suite';
import { OUTSIDE_TONE, startOutsidePhone } from '../support/outside-phone';
import type { OutsidePhone } from '../support/outside-phone';
import { SOUNDS, twoQueues } from '../support/two-queues';

const CUSTOMER = '+491700000001';
const OTHER = '+491700000002';
const ANNA = AGENT_TONES['anna'] ?? 0;

/** Whoever has the customer's number, and a support queue that calls back. */
function story(rules: Readonly<Record<string, unknown>> = {}, support: readonly string[] = ['anna']): Story {
  let outside: OutsidePhone | undefined;
  const phone = (): OutsidePhone => {
    if (!outside) {
      throw new Error('the phone is not up');
    }
    return outside;
  };
  beforeAll(async () => {
    outside = await startOutsidePhone({ do: 'answer', afterMs: 900 }, { listenFor: Object.values(AGENT_TONES) });
  });
  const options: LabOptions = {
    agentsListenFor: [CALLER_TONE, OUTSIDE_TONE, SOUNDS.supportMusic],
    document: ({ teamsProxy }) =>
      twoQueues({
        teamsProxy,
        support,
        allowNumbers: ['+49170'],
        carrier: { outbound: { host: '127.0.0.1', port: phone().port } },
        supportRules: {
          callback: { ask: 'short-menu', confirm: 'announcement', tries: 2, retryAfterSeconds: 1, ringSeconds: 5 },
          exits: { keys: { 2: { callback: 'support' } } },
          ...rules,
        },
      }),
  };
  const suite = labSuite(options);
  afterEach(() => {
    phone().phone.script = { do: 'answer', afterMs: 900 };
  });
  afterAll(() => outside?.close());
  return {
    suite,
    get phone() {
      return phone().phone;
    },
  };
}

interface Story {
  readonly suite: LabSuite;
  readonly phone: OutsidePhone['phone'];
}

/** The newest callback. */
async function callback({ lab }: LabSuite): Promise<CallbackRow> {
  return await eventually('a callback', async () => {
    const [newest] = await store.listCallbacks(lab.database.db, { includeEnded: true, limit: 1 });
    return newest;
  });
}

async function ended(suite: LabSuite, id: string): Promise<CallbackRow> {
  return await eventually('the end of the callback', async () => {
    const row = await store.findCallback(suite.lab.database.db, id);
    return row?.endedAt === undefined ? undefined : row;
  });
}

/** Waits in support until nobody takes the call, then asks by key to be called back. */
async function bookByKey(suite: LabSuite): Promise<CallbackRow> {
  const { lab } = suite;
  lab.tenant.setScript('anna', { kind: 'busy' });
  const call = await lab.dial({ from: CUSTOMER, listenFor: ALL_SOUNDS });
  await hears(call, SOUNDS.supportMusic, 600);
  call.sendDtmf('2');
  await call.ended;
  expect(call.heardMs(SOUNDS.announcement)).toBeGreaterThan(500);
  expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'callback-booked' });
  return await callback(suite);
}

/** The agent hears the customer, and the customer the agent. */
async function talk({ suite, phone }: Story, agent: string, from = 0): Promise<{ leg: PhoneCall; offer: CallView }> {
  const leg = await eventually(`the customer hears ${agent}`, () =>
    phone.calls.slice(from).find((call) => call.media.heardMs(AGENT_TONES[agent] ?? 0) > 200),
  );
  const offer = await eventually(`${agent} hears the customer`, () =>
    suite.lab.tenant
      .calls({ agent })
      .findLast((c) => c.state !== 'ended' && c.heardTones.some((t) => t.hz === OUTSIDE_TONE && t.ms > 200)),
  );
  return { leg, offer };
}

describe('a caller who asks by a key to be called back', () => {
  const here = story();
  const { suite } = here;

  it('hangs up, keeps the place before those who came later, and talks to the agent who answered first', async () => {
    const { lab } = suite;
    const booked = await bookByKey(suite);
    const later = await lab.dial({ from: OTHER, listenFor: ALL_SOUNDS });
    await hears(later, SOUNDS.supportMusic, 600);
    const queued = await store.queuePositions(lab.database.db, booked.queueId);
    expect(queued.map((place) => place.callId)[0]).toBe(booked.id);
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 100 });
    await lab.readyAll();
    const { leg, offer } = await talk(here, 'anna');
    expect(offer.heardTones.find((tone) => tone.hz === SOUNDS.supportMusic)?.ms).toBeGreaterThan(200);
    expect(offer.fromName).toContain('Callback');
    expect(later.heardMs(ANNA)).toBe(0);
    await leg.hangUp();
    expect(await ended(suite, booked.id)).toMatchObject({ result: 'success', reason: 'caller-hung-up' });
    await suite.bothHear(later, 'anna');
    await later.hangUp();
    await lab.ending(later);
    const [origin] = (await lab.calls()).filter((call) => call.id === booked.callId);
    expect(booked.firstQueuedAt).toBe(origin?.queuedAt);
  });

  it('is called again when the line was busy, and given up after the last try', async () => {
    const { lab } = suite;
    const from = here.phone.calls.length;
    const booked = await bookByKey(suite);
    here.phone.script = { do: 'reject', status: 486 };
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 50 });
    await lab.readyAll();
    await eventually('one try', async () =>
      (await store.findCallback(lab.database.db, booked.id))?.tries === 1 ? true : undefined,
    );
    here.phone.script = { do: 'answer', afterMs: 300 };
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 50, hangUpAfterMs: 2_000 });
    const { leg } = await talk(here, 'anna', from);
    expect(await ended(suite, booked.id)).toMatchObject({ result: 'success', reason: 'agent-hung-up' });
    await eventually('the customer hears that', () => (leg.state === 'ended' ? true : undefined));

    const again = await bookByKey(suite);
    here.phone.script = { do: 'reject', status: 486 };
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 50 });
    await lab.readyAll();
    expect(await ended(suite, again.id)).toMatchObject({ result: 'upstream-error', reason: 'callback-not-reached' });
  });

  it('is one callback, however often he asks, and an administrator may cancel it', async () => {
    const { lab } = suite;
    const booked = await bookByKey(suite);
    expect((await bookByKey(suite)).id).toBe(booked.id);
    const { commandId } = await store.addCallCommand(lab.database.db, {
      callId: booked.id,
      kind: 'hangup',
      args: {},
      by: 'lab',
    });
    expect(await ended(suite, booked.id)).toMatchObject({ result: 'success', reason: 'callback-canceled' });
    await eventually('the command', async () =>
      (await store.findCallCommand(lab.database.db, commandId))?.outcome === 'done' ? true : undefined,
    );
  });

  it('is passed over where the caller shows no number: he waits on', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'busy' });
    const call = await lab.dial({ from: CUSTOMER, anonymous: true, listenFor: ALL_SOUNDS });
    await hears(call, SOUNDS.supportMusic, 600);
    call.sendDtmf('2');
    const kinds = await lab.story(call, ['callback:not-possible']);
    expect(kinds).not.toContain('call:exit');
    await hears(call, SOUNDS.supportMusic, 1_000);
    await call.hangUp();
    expect(await lab.ending(call)).toMatchObject({ reason: 'caller-gave-up-waiting' });
  });
});

describe('a queue that offers a callback when the longest wait is over', () => {
  const here = story({ maxWaitSeconds: 1, exits: { maxWait: { callback: 'support' } }, resumeWithinSeconds: 600 }, [
    'anna',
    'ben',
  ]);
  const { suite } = here;

  it('asks; who declines has his place again, who accepts is called back by the next agent when the first declines', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'busy' });
    lab.tenant.setScript('ben', { kind: 'busy' });
    const call = await lab.dial({ from: CUSTOMER, listenFor: ALL_SOUNDS });
    await hears(call, SOUNDS.menu, 200);
    call.sendDtmf('9');
    await lab.story(call, ['callback:declined']);
    const asked = call.heardMs(SOUNDS.menu);
    await eventually('it is asked again after the same time', () =>
      call.heardMs(SOUNDS.menu) > asked + 200 ? true : undefined,
    );
    call.sendDtmf('1');
    await call.ended;
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'callback-booked' });
    const booked = await callback(suite);
    lab.tenant.setScript('anna', { kind: 'decline', afterMs: 100 });
    lab.tenant.setScript('ben', { kind: 'answer', afterMs: 100 });
    await lab.readyAll();
    const { leg } = await talk(here, 'ben');
    expect((await store.findCallback(lab.database.db, booked.id))?.agent).toBe('ben');
    await leg.hangUp();
    expect(await ended(suite, booked.id)).toMatchObject({ reason: 'caller-hung-up' });
  });

  it('a customer who does not wait for it and calls himself has the place, and is not called any more', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'busy' });
    lab.tenant.setScript('ben', { kind: 'busy' });
    const first = await lab.dial({ from: CUSTOMER, listenFor: ALL_SOUNDS });
    await hears(first, SOUNDS.menu, 200);
    first.sendDtmf('1');
    await first.ended;
    const booked = await callback(suite);
    const before = here.phone.calls.length;
    const second = await lab.dial({ from: CUSTOMER, listenFor: [...ALL_SOUNDS, ANNA] });
    await hears(second, SOUNDS.supportMusic, 300);
    expect(await ended(suite, booked.id)).toMatchObject({ reason: 'callback-called-in' });
    const row = await lab.row(second);
    const { rows } = await lab.database.db.query<{ first: number }>(
      `select (extract(epoch from first_queued_at) * 1000)::float8 as first from queue_visits where call_id = $1`,
      [row.id],
    );
    expect(rows[0]?.first).toBe(booked.firstQueuedAt);
    await second.hangUp();
    await lab.ending(second);
    expect(here.phone.calls).toHaveLength(before);
  });
});

describe('a callback whose node stops', () => {
  const here = story();
  const { suite } = here;

  it('waits on in its row, and the node that starts next does it', async () => {
    const { lab } = suite;
    const booked = await bookByKey(suite);
    await lab.node.close({ drainMs: 0 });
    expect((await store.findCallback(lab.database.db, booked.id))?.endedAt).toBeUndefined();
    expect((await store.openWork(lab.database.db)).openOffers).toBe(0);
    const next = await lab.startAgain();
    await eventually('it is adopted', async () =>
      (await store.findCallback(lab.database.db, booked.id))?.nodeId === next.nodeId ? true : undefined,
    );
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 100 });
    await lab.readyAll();
    const { leg } = await talk(here, 'anna');
    await leg.hangUp();
    expect(await ended(suite, booked.id)).toMatchObject({ reason: 'caller-hung-up' });
    await eventually('no leg is left', () => (next.open().agentLegs === 0 ? true : undefined));
  });
});
