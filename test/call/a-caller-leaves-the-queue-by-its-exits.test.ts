import { ALL_SOUNDS, hears } from '../support/ears';
import { eventually } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';
import type { LabSuite } from '../support/lab-suite';
import { OUTSIDE_TONE, startOutsidePhone } from '../support/outside-phone';
import type { OutsidePhone } from '../support/outside-phone';
import { SALES_NUMBER, SOUNDS, twoQueues } from '../support/two-queues';

interface Stay {
  readonly queue: string;
  readonly outcome: string | null;
  readonly first: number;
  readonly began: number;
  readonly ended: number;
}

/** The stays of a call in queues, in order, milliseconds. */
async function stays({ lab }: LabSuite, call: { readonly sipCallId: string }): Promise<readonly Stay[]> {
  const ms = (column: string): string => `(extract(epoch from ${column}) * 1000)::float8`;
  const { rows } = await lab.database.db.query<Stay>(
    `select q.name as queue, v.outcome, ${ms('v.first_queued_at')} as first, ${ms('v.queued_at')} as began, ${ms('v.ended_at')} as ended
     from queue_visits v join queues q on q.id = v.queue_id join calls c on c.id = v.call_id
     where c.sip_call_id = $1 order by v.queued_at, v.ended_at`,
    [call.sipCallId],
  );
  return rows;
}

describe('a queue with a longest wait, and keys', () => {
  const suite = labSuite({
    document: ({ teamsProxy }) =>
      twoQueues({
        teamsProxy,
        supportRules: {
          maxWaitSeconds: 2,
          exits: {
            maxWait: { queues: ['sales'] },
            keys: { 1: { queues: ['sales'] }, 9: { announce: 'announcement' } },
          },
        },
      }),
  });

  it('the call goes on to the other queue exactly then, with that music and with the time that it has waited', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'busy' });
    lab.tenant.setScript('ben', { kind: 'answer', afterMs: 1_500 });
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    await hears(call, SOUNDS.supportMusic, 1_000);
    await hears(call, SOUNDS.salesMusic, 500);
    const music = call.heardMs(SOUNDS.supportMusic);
    await suite.bothHear(call, 'ben');
    expect(call.heardMs(SOUNDS.supportMusic)).toBe(music);
    const [support, sales] = await stays(suite, call);
    expect(support).toMatchObject({ queue: 'support', outcome: 'timed-out' });
    expect(sales).toMatchObject({ queue: 'sales', outcome: 'answered', first: support?.first });
    const waited = (support?.ended ?? 0) - (support?.began ?? 0);
    expect(waited).toBeGreaterThanOrEqual(1_990);
    expect(waited).toBeLessThan(2_300);
    expect(call.report().silences.filter((s) => s.ms > 400)).toEqual([]);
    await call.hangUp();
    await lab.ending(call);
  });

  it('an agent who only rings is given no more time: the ringing stops, it costs the agent nothing', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'ring-out' });
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    const offer = await suite.nextOffer('anna');
    await suite.bothHear(call, 'ben');
    expect(lab.tenant.call(offer.id)).toMatchObject({ state: 'ended', status: 487 });
    expect(await lab.agent('anna')).toMatchObject({ state: 'ready', missedInRow: 0 });
    await call.hangUp();
    await lab.ending(call);
  });

  it('a key takes the call to the other queue at once', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'ring-out' });
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    await hears(call, SOUNDS.supportMusic);
    call.sendDtmf('5');
    call.sendDtmf('1');
    await suite.bothHear(call, 'ben');
    expect((await stays(suite, call)).map((s) => [s.queue, s.outcome])).toEqual([
      ['support', 'moved'],
      ['sales', 'answered'],
    ]);
    await call.hangUp();
    await lab.ending(call);
  });

  it('a key ends the wait with an announcement', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'busy' });
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    await hears(call, SOUNDS.supportMusic);
    call.sendDtmf('9');
    await call.ended;
    expect(call.heardMs(SOUNDS.announcement)).toBeGreaterThan(500);
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'left-by-key' });
  });

  it('keys that are pressed while talking are the talk’s', async () => {
    const { lab } = suite;
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    await suite.bothHear(call, 'anna');
    call.sendDtmf('1');
    await hears(call, 1_100, 500);
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
  });
});

describe('a queue that lets those who ring finish', () => {
  const suite = labSuite({
    document: ({ teamsProxy }) =>
      twoQueues({
        teamsProxy,
        supportRules: {
          maxWaitSeconds: 1,
          letRingFinish: true,
          ringTimeoutSeconds: 3,
          exits: { maxWait: { queues: ['sales'] } },
        },
      }),
  });

  it('the agent who rings at that moment may still answer', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 2_000 });
    const call = await lab.dial();
    await suite.bothHear(call, 'anna');
    await call.hangUp();
    await lab.ending(call);
  });

  it('and when nobody does the call goes on', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'ring-out' });
    const call = await lab.dial();
    await suite.bothHear(call, 'ben');
    expect((await stays(suite, call))[0]).toMatchObject({ queue: 'support', outcome: 'timed-out' });
    await call.hangUp();
    await lab.ending(call);
  });
});

describe('a queue that is closed', () => {
  const suite = labSuite({
    document: ({ teamsProxy }) =>
      twoQueues({
        teamsProxy,
        supportRules: { hours: 'never', exits: { closed: { announce: 'announcement' } } },
        salesRules: { hours: 'never', exits: { closed: { flow: 'later' } } },
        flows: [{ name: 'later', steps: [{ play: 'announcement' }, { hangUp: {} }] }],
      }),
  });

  it('announces it and hangs up: nobody is rung and no place was taken', async () => {
    const { lab } = suite;
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    expect(await call.ended).toMatchObject({ by: 'remote' });
    expect(call.heardMs(SOUNDS.announcement)).toBeGreaterThan(500);
    expect(call.heardMs(SOUNDS.supportMusic)).toBe(0);
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'queue-closed' });
    expect(lab.tenant.calls()).toEqual([]);
    expect(await stays(suite, call)).toEqual([]);
  });

  it('may lead into a flow instead', async () => {
    const { lab } = suite;
    const call = await lab.dial({ to: SALES_NUMBER, listenFor: ALL_SOUNDS });
    await call.ended;
    expect(call.heardMs(SOUNDS.announcement)).toBeGreaterThan(500);
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'ended-by-flow' });
  });
});

describe('a queue whose exit is a number outside', () => {
  let outside: OutsidePhone;
  beforeAll(async () => {
    outside = await startOutsidePhone({ do: 'answer', afterMs: 200 });
  });
  const suite = labSuite({
    document: ({ teamsProxy }) =>
      twoQueues({
        teamsProxy,
        allowNumbers: ['+4930999'],
        carrier: { outbound: { host: '127.0.0.1', port: outside.port } },
        supportRules: {
          exits: { keys: { 1: { number: '+49309991' } } },
        },
      }),
  });
  afterAll(() => outside.close());

  it('the caller talks to whoever answers there, and either may end it', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'busy' });
    for (const by of ['caller', 'target']) {
      const call = await lab.dial({ listenFor: ALL_SOUNDS });
      await hears(call, SOUNDS.supportMusic);
      call.sendDtmf('1');
      await hears(call, OUTSIDE_TONE);
      const leg = outside.phone.calls.at(-1);
      await eventually('it hears the caller', () => ((leg?.media.heardMs(700) ?? 0) > 200 ? true : undefined));
      await (by === 'caller' ? call.hangUp() : leg?.hangUp());
      expect(await lab.ending(call)).toEqual({
        result: 'success',
        reason: by === 'caller' ? 'caller-hung-up' : 'target-hung-up',
      });
      await eventually('it is over there too', () => (outside.phone.live === 0 ? true : undefined));
    }
  });

  it('a number that nobody answers gives the caller music and the place in the queue again', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'busy' });
    outside.phone.script = { do: 'reject', status: 486, afterMs: 500 };
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    await hears(call, SOUNDS.supportMusic);
    call.sendDtmf('1');
    await eventually('two stays', async () => ((await stays(suite, call)).length === 2 ? true : undefined));
    await hears(call, SOUNDS.supportMusic);
    const [first, second] = await stays(suite, call);
    expect(second).toMatchObject({ queue: 'support', first: first?.first });
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 50 });
    await lab.readyAll();
    await suite.bothHear(call, 'anna');
    await call.hangUp();
    await lab.ending(call);
    outside.phone.script = { do: 'answer', afterMs: 200 };
  });

  it('a number that is not allowed any more is not called: the call ends and says why', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'busy' });
    const before = outside.phone.calls.length;
    await lab.database.db.query(`update tenants set allow_numbers = '{}'`);
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    await hears(call, SOUNDS.supportMusic, 1_500);
    call.sendDtmf('1');
    await call.ended;
    expect(await lab.ending(call)).toEqual({ result: 'server-error', reason: 'exit-failed' });
    expect(outside.phone.calls).toHaveLength(before);
  });
});
