import { store } from '../../src/store';
import { ALL_SOUNDS, hears } from '../support/ears';
import { labSuite, type LabSuite } from '../support/lab-suite';
import { SOUNDS, twoQueues } from '../support/two-queues';

async function exitOf({ lab }: LabSuite, call: Parameters<LabSuite['lab']['events']>[0]): Promise<unknown> {
  return (await lab.events(call)).find((e) => e.kind === 'call:exit')?.data;
}

describe('a queue that keeps nobody waiting once its agents are gone: noAgentsAfterSeconds', () => {
  const suite = labSuite({
    document: ({ teamsProxy }) =>
      twoQueues({ teamsProxy, supportRules: { noAgentsAfterSeconds: 2, exits: { noAgents: { queues: ['sales'] } } } }),
  });

  it('a caller waits on while an agent is signed in, and goes on so many seconds after the last one left, with the time waited', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'busy' });
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    await hears(call, SOUNDS.supportMusic, 2_500);
    const { id } = await lab.agent('anna');
    const leftAt = Date.now();
    await store.signOut(lab.database.db, id, 'the test');
    await hears(call, SOUNDS.salesMusic, 40);
    expect(Date.now() - leftAt).toBeGreaterThan(1_900);
    expect(Date.now() - leftAt).toBeLessThan(4_000);
    await suite.bothHear(call, 'ben');
    expect(await exitOf(suite, call)).toEqual({ queue: 'support', reason: 'noAgents', to: 'queue sales' });
    const { rows } = await lab.database.db.query<{ one: boolean }>(
      'select count(distinct first_queued_at) = 1 as one from queue_visits v join calls c on c.id = v.call_id where c.sip_call_id = $1',
      [call.sipCallId],
    );
    expect(rows).toEqual([{ one: true }]);
    await call.hangUp();
    await lab.ending(call);
    await store.signIn(lab.database.db, id, 'the test');
  });
});

describe('a queue that sends callers on whose wait would be too long: estimatedWaitOverSeconds', () => {
  const suite = labSuite({
    agents: ['anna', 'ben', 'clara'],
    document: ({ teamsProxy }) =>
      twoQueues({
        teamsProxy,
        support: ['anna', 'clara'],
        supportRules: { strategy: 'top-down', exits: { estimatedWait: { queues: ['sales'] } } },
      }),
  });

  it('a caller enters while two are at work, and goes on when one of them will take no more: the estimate is over the limit', async () => {
    const { lab } = suite;
    const { db } = lab.database;
    const rules = (wrapUp: number, limit: number | null) =>
      db.query(`update queues set wrap_up_seconds = $1, estimated_wait_over_seconds = $2 where name = 'support'`, [
        wrapUp,
        limit,
      ]);
    const before = await lab.dial({ from: '+491700000009' });
    await suite.bothHear(before, 'anna');
    await before.hangUp();
    await lab.ending(before);
    // The end of that talk is written by the rules of before: a wrap-up of twenty seconds would keep anna away.
    await lab.expectNothingLeft();
    // The mean is that talk and twenty seconds after it: with two at work a caller waits for half of it, with one for all of it.
    await rules(20, 15);
    const talks = [];
    for (const agent of ['anna', 'clara']) {
      const talk = await lab.dial();
      await suite.bothHear(talk, agent);
      talks.push(talk);
    }
    lab.tenant.setScript('ben', { kind: 'answer', afterMs: 500 });
    const call = await lab.dial({ from: '+491700000005', listenFor: ALL_SOUNDS });
    await hears(call, SOUNDS.supportMusic, 800);
    expect(await exitOf(suite, call)).toBeUndefined();
    await store.pause(db, (await lab.agent('clara')).id, 'lunch', 'the test');
    await suite.bothHear(call, 'ben');
    expect(await exitOf(suite, call)).toEqual({ queue: 'support', reason: 'estimatedWait', to: 'queue sales' });
    await rules(0, null);
    for (const one of [call, ...talks]) {
      await one.hangUp();
      await lab.ending(one);
    }
  });
});
