import type { CarrierCallOptions } from '../../src/embedded/carrier/carrier';
import type { CarrierCall } from '../../src/embedded/carrier/carrier-call';
import { AGENT_TONES, eventually } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';
import { FLOW_NUMBER, SOUNDS, twoQueues } from '../support/two-queues';

const MENU = {
  menu: {
    prompt: 'menu',
    invalid: 'invalid',
    tries: 2,
    timeoutSeconds: 1,
    keys: { 1: [{ enqueue: 'support' }], 2: [{ flow: 'to-sales' }] },
    noInput: [{ set: { class: 2 } }, { enqueue: 'support' }],
  },
};

describe('a flow leads callers where they choose', () => {
  const suite = labSuite({
    document: ({ teamsProxy }) =>
      twoQueues({
        teamsProxy,
        flows: [
          { name: 'main', steps: [{ hours: 'always', closed: [{ hangUp: {} }] }, { play: 'announcement' }, MENU] },
          { name: 'to-sales', steps: [{ set: { headStartSeconds: 30 } }, { enqueue: 'sales' }] },
        ],
      }),
  });
  const dial = async (more: Partial<CarrierCallOptions> = {}): Promise<CarrierCall> => {
    const call = await suite.lab.dial({
      to: FLOW_NUMBER,
      listenFor: [...Object.values(SOUNDS), ...Object.values(AGENT_TONES)],
      ...more,
    });
    await call.answered;
    return call;
  };
  const hears = (call: CarrierCall, hz: number, ms = 200): Promise<true> =>
    eventually(`${hz} Hz`, () => (call.heardMs(hz) > ms ? true : undefined));

  it('a key that is pressed in the middle of the prompt leads to the right queue at once', async () => {
    const { lab } = suite;
    const call = await dial();
    await hears(call, SOUNDS.announcement);
    await hears(call, SOUNDS.menu);
    const pressedAt = Date.now();
    call.sendDtmf('2');
    await suite.bothHear(call, 'ben');
    expect(Date.now() - pressedAt).toBeLessThan(3_000);
    expect(lab.tenant.calls({ agent: 'anna', active: true })).toEqual([]);
    const story = await lab.story(call, ['flow:started', 'flow:key', 'call:waiting', 'call:connected']);
    expect(story.indexOf('flow:key')).toBeLessThan(story.indexOf('call:waiting'));
    const visit = await lab.database.db.query<{ ms: number }>(
      `select v.head_start_ms::int as ms from queue_visits v join calls c on c.id = v.call_id where c.sip_call_id = $1`,
      [call.sipCallId],
    );
    expect(visit.rows[0]?.ms).toBe(30_000);
    await call.hangUp();
    await lab.ending(call);
  });

  it('a key that leads nowhere is said to be wrong and asked for again; the right one then counts', async () => {
    const call = await dial();
    await hears(call, SOUNDS.menu);
    call.sendDtmf('9');
    await hears(call, SOUNDS.invalid);
    const before = call.heardMs(SOUNDS.menu);
    await eventually('the menu again', () => (call.heardMs(SOUNDS.menu) > before + 200 ? true : undefined));
    call.sendDtmf('1');
    await suite.bothHear(call, 'anna');
    await call.hangUp();
    await suite.lab.ending(call);
  });

  it('a caller who presses nothing is taken to the queue for that, with what the flow set', async () => {
    const { lab } = suite;
    const call = await dial();
    await eventually(
      'both prompts are over',
      () => (call.heardMs(AGENT_TONES['anna'] ?? 0) > 200 ? true : undefined),
      25_000,
    );
    const { rows } = await lab.database.db.query<{ class: number }>(
      `select v.class from queue_visits v join calls c on c.id = v.call_id where c.sip_call_id = $1`,
      [call.sipCallId],
    );
    expect(rows[0]?.class).toBe(2);
    await call.hangUp();
    await lab.ending(call);
  }, 40_000);

  it('a caller who hangs up in the menu has called nobody', async () => {
    const { lab } = suite;
    const before = lab.tenant.calls().length;
    const call = await dial();
    await hears(call, SOUNDS.menu);
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'abandoned', reason: 'caller-gave-up-in-flow' });
    expect(lab.tenant.calls()).toHaveLength(before);
  });
});

describe('a flow that is closed', () => {
  const suite = labSuite({
    agents: [],
    document: ({ teamsProxy }) =>
      twoQueues({
        teamsProxy,
        flows: [
          {
            name: 'shut',
            steps: [{ hours: 'never', closed: [{ play: 'announcement' }, { hangUp: {} }] }, { enqueue: 'support' }],
          },
        ],
      }),
  });

  it('says so and hangs up; nobody is rung', async () => {
    const { lab } = suite;
    const call = await lab.dial({ to: FLOW_NUMBER, listenFor: Object.values(SOUNDS) });
    const end = await call.ended;
    expect(end).toMatchObject({ by: 'remote' });
    expect(call.heardMs(SOUNDS.announcement)).toBeGreaterThan(500);
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'ended-by-flow' });
    expect(lab.tenant.calls()).toEqual([]);
  });
});

describe('a flow that refuses', () => {
  const suite = labSuite({
    agents: [],
    document: ({ teamsProxy }) =>
      twoQueues({
        teamsProxy,
        flows: [
          { name: 'shut', steps: [{ hours: 'never', closed: [{ hangUp: { sip: 480 } }] }, { enqueue: 'support' }] },
        ],
      }),
  });

  it('does so before the call is answered, so that it costs the caller nothing', async () => {
    const { lab } = suite;
    const call = await lab.dial({ to: FLOW_NUMBER });
    await call.ended;
    expect(call.report()).toMatchObject({ status: 480, answeredAt: undefined });
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'ended-by-flow' });
  });
});
