import { store } from '../../src/store';
import { CALLER_TONE, eventually } from '../support/call-lab';
import { ALL_SOUNDS, hears } from '../support/ears';
import { labSuite } from '../support/lab-suite';
import { OUTSIDE_TONE, startOutsidePhone } from '../support/outside-phone';
import type { OutsidePhone } from '../support/outside-phone';
import { SOUNDS, twoQueues } from '../support/two-queues';

describe('a call is ended or sent on by a command', () => {
  let outside: OutsidePhone;
  beforeAll(async () => {
    outside = await startOutsidePhone({ do: 'answer', afterMs: 200 });
  });
  const suite = labSuite({
    document: ({ teamsProxy }) =>
      twoQueues({
        teamsProxy,
        support: ['anna'],
        sales: ['ben'],
        allowNumbers: ['+4930999'],
        carrier: { outbound: { host: '127.0.0.1', port: outside.port } },
      }),
  });
  afterAll(() => outside.close());
  afterEach(() => {
    outside.phone.script = { do: 'answer', afterMs: 200 };
  });

  /** Gives the command and waits for what came of it. */
  async function command(
    call: { readonly sipCallId: string },
    kind: 'hangup' | 'transfer',
    args: Readonly<Record<string, unknown>> = {},
  ): Promise<string | undefined> {
    const { db } = suite.lab.database;
    const row = await suite.lab.row(call);
    const { commandId } = await store.addCallCommand(db, { callId: row.id, kind, args, by: 'the test' });
    return await eventually(
      `the end of ${kind}`,
      async () => (await store.findCallCommand(db, commandId))?.outcome,
      20_000,
    );
  }

  async function queueId(name: string): Promise<string> {
    const queue = (await store.loadQueues(suite.lab.database.db)).find((q) => q.name === name);
    return queue?.id ?? '';
  }

  it('an admin hangs up a call that talks: both sides are told, the agent is free', async () => {
    const { lab } = suite;
    const call = await lab.dial();
    await suite.bothHear(call, 'anna');
    expect(await command(call, 'hangup')).toBe('done');
    expect(await call.ended).toMatchObject({ by: 'remote' });
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'ended-by-admin' });
    await lab.expectNothingLeft();
    expect((await lab.agent('anna')).state).toBe('ready');
  });

  it('an admin hangs up a call that waits while an agent rings', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'ring-out' });
    const call = await lab.dial();
    await suite.nextOffer('anna');
    expect(await command(call, 'hangup')).toBe('done');
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'ended-by-admin' });
  });

  it('a command for a call that is over is refused when it is given', async () => {
    const { lab } = suite;
    const call = await lab.dial();
    await call.answered;
    await call.hangUp();
    await lab.ending(call);
    await expect(command(call, 'hangup')).rejects.toMatchObject({ code: 'SK_NOT_FOUND' });
  });

  it('to another queue: the first agent is free, the caller hears that queue’s music and keeps the time', async () => {
    const { lab } = suite;
    lab.tenant.setScript('ben', { kind: 'answer', afterMs: 1_500 });
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    await suite.bothHear(call, 'anna');
    expect(await command(call, 'transfer', { kind: 'queue', queueId: await queueId('sales') })).toBe('done');
    await hears(call, SOUNDS.salesMusic, 400);
    expect(lab.tenant.calls({ agent: 'anna', active: true })).toEqual([]);
    await suite.bothHear(call, 'ben');
    expect((await lab.agent('anna')).state).toBe('ready');
    const { rows } = await lab.database.db.query<{ firsts: number; visits: number }>(
      `select count(distinct first_queued_at)::int as firsts, count(*)::int as visits
       from queue_visits v join calls c on c.id = v.call_id where c.sip_call_id = $1`,
      [call.sipCallId],
    );
    expect(rows[0]).toEqual({ firsts: 1, visits: 2 });
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
  });

  it('to one agent, who is reserved for it', async () => {
    const { lab } = suite;
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    await suite.bothHear(call, 'anna');
    const { id } = await lab.agent('ben');
    expect(await command(call, 'transfer', { kind: 'agent', agentId: id })).toBe('done');
    await suite.bothHear(call, 'ben');
    expect(lab.tenant.calls({ agent: 'anna', active: true })).toEqual([]);
    await call.hangUp();
    await lab.ending(call);
  });

  it('to an agent who does not take it: the caller waits in the queue again and is served', async () => {
    const { lab } = suite;
    lab.tenant.setScript('ben', { kind: 'decline', afterMs: 300 });
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    await suite.bothHear(call, 'anna');
    await command(call, 'transfer', { kind: 'agent', agentId: (await lab.agent('ben')).id });
    await hears(call, SOUNDS.supportMusic);
    await hears(call, 1_100);
    await call.hangUp();
    await lab.ending(call);
  });

  it('to an agent who is not free: refused, and the talk goes on', async () => {
    const { lab } = suite;
    await lab.database.db.query(
      `update agent_states set state = 'paused', reason = 'lunch' where agent_id = (select id from agents where name = 'ben')`,
    );
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    await suite.bothHear(call, 'anna');
    const outcome = await command(call, 'transfer', { kind: 'agent', agentId: (await lab.agent('ben')).id });
    expect(outcome).toContain('the agent is not free');
    await hears(call, 1_100, 300);
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
  });

  it('to a number outside: music until it answers, then those two talk and the agent is free', async () => {
    const { lab } = suite;
    outside.phone.script = { do: 'answer', afterMs: 1_200 };
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    await suite.bothHear(call, 'anna');
    const outcome = command(call, 'transfer', { kind: 'number', e164: '+49309991234' });
    await hears(call, SOUNDS.supportMusic, 400);
    expect(await outcome).toBe('done');
    await hears(call, OUTSIDE_TONE);
    const leg = outside.phone.calls.at(-1);
    await eventually('it hears the caller', () => ((leg?.media.heardMs(CALLER_TONE) ?? 0) > 200 ? true : undefined));
    await eventually('anna is free', () =>
      lab.tenant.calls({ agent: 'anna', active: true }).length === 0 ? true : undefined,
    );
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
    await eventually('over there too', () => (outside.phone.live === 0 ? true : undefined));
  });

  it('to a number that is busy: the caller is back with the agent', async () => {
    const { lab } = suite;
    outside.phone.script = { do: 'reject', status: 486, afterMs: 800 };
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    const teams = await suite.bothHear(call, 'anna');
    const outcome = command(call, 'transfer', { kind: 'number', e164: '+49309991234' });
    await hears(call, SOUNDS.supportMusic, 300);
    expect(await outcome).toContain('486');
    await hears(call, 1_100, 400);
    expect(lab.tenant.call(teams.id)?.state).not.toBe('ended');
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
  });

  it('to a number outside that is not allowed: refused, and the talk goes on', async () => {
    const { lab } = suite;
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    await suite.bothHear(call, 'anna');
    expect(await command(call, 'transfer', { kind: 'number', e164: '+4989123456' })).toContain('not allowed');
    await hears(call, 1_100, 300);
    await call.hangUp();
    await lab.ending(call);
  });

  it('the caller hangs up in the middle of it: nothing is left on any side', async () => {
    const { lab } = suite;
    outside.phone.script = { do: 'ring' };
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    await suite.bothHear(call, 'anna');
    const outcome = command(call, 'transfer', { kind: 'number', e164: '+49309991234' });
    await hears(call, SOUNDS.supportMusic, 300);
    await eventually('it rings outside', () => (outside.phone.live > 0 ? true : undefined));
    await call.hangUp();
    expect(await outcome).toContain('the caller has left');
    await eventually('over there too', () => (outside.phone.live === 0 ? true : undefined));
  });
});
