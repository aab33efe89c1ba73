import { store } from '../../src/store';
import { eventually } from '../support/call-lab';
import { ALL_SOUNDS, hears } from '../support/ears';
import { labSuite } from '../support/lab-suite';
import { SOUNDS, twoQueues } from '../support/two-queues';

/** Complaints about other contact centers, by their number in docs/complaints.md, that only whole calls can show to be ruled out. */
describe('what hurts elsewhere does not here', () => {
  const suite = labSuite({
    document: ({ teamsProxy }) =>
      twoQueues({
        teamsProxy,
        supportRules: { wrapUpSeconds: 30, maxWaitSeconds: 3, exits: { maxWait: { flow: 'ask' } } },
        flows: [
          {
            name: 'ask',
            steps: [
              {
                menu: {
                  prompt: 'short-menu',
                  keys: { 1: [{ enqueue: 'support' }] },
                  noInput: [{ enqueue: 'sales' }],
                },
              },
            ],
          },
        ],
      }),
  });

  it('3: an agent is not rung with nobody there when the caller hangs up while the leg is being made', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'ring-out' });
    for (let afterMs = 0; afterMs < 40; afterMs += 5) {
      const call = await lab.dial();
      await eventually('an agent is reserved', async () => ((await lab.agent('anna')).offer ? true : undefined));
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      await call.hangUp();
      await lab.ending(call);
      await lab.expectNothingLeft();
      expect(lab.tenant.calls({ agent: 'anna', active: true })).toEqual([]);
      expect(await lab.agent('anna')).toMatchObject({ state: 'ready', missedInRow: 0 });
    }
  }, 60_000);

  it('4: an agent who changes status while being rung is rung once, not again and again', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'ring-out' });
    const before = lab.tenant.calls({ agent: 'anna' }).length;
    const call = await lab.dial();
    await suite.nextOffer('anna');
    const { id } = await lab.agent('anna');
    for (let i = 0; i < 3; i++) {
      await store.pause(lab.database.db, id, 'lunch', 'anna');
      await store.ready(lab.database.db, id, 'anna');
    }
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(lab.tenant.calls({ agent: 'anna' })).toHaveLength(before + 1);
    await call.hangUp();
    await lab.ending(call);
  });

  it('21: a caller who times out to a menu and comes back has not gone to the end of the line', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'busy' });
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    await hears(call, SOUNDS.menu, 200, 15_000);
    call.sendDtmf('1');
    const stays = await eventually('the second stay', async () => {
      const { rows } = await lab.database.db.query<{ queue: string; first: string; class: number }>(
        `select q.name as queue, v.first_queued_at::text as first from queue_visits v join queues q on q.id = v.queue_id
         join calls c on c.id = v.call_id where c.sip_call_id = $1 order by v.queued_at`,
        [call.sipCallId],
      );
      return rows.length === 2 ? rows : undefined;
    });
    expect(stays.map((stay) => stay.queue)).toEqual(['support', 'support']);
    expect(stays[0]?.first).toBe(stays[1]?.first);
    await hears(call, SOUNDS.supportMusic, 300);
    await call.hangUp();
    await lab.ending(call);
  }, 40_000);

  it('24: a call that is sent on to another queue does not take the wrap-up of the first agent away', async () => {
    const { lab } = suite;
    await suite.allAvailable();
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    await suite.bothHear(call, 'anna');
    const row = await lab.row(call);
    const sales = (await store.loadQueues(lab.database.db)).find((queue) => queue.name === 'sales');
    await store.addCallCommand(lab.database.db, {
      callId: row.id,
      kind: 'transfer',
      args: { kind: 'queue', queueId: sales?.id },
      by: 'the test',
    });
    await suite.bothHear(call, 'ben');
    expect((await lab.agent('anna')).state).toBe('wrap-up');
    await call.hangUp();
    await lab.ending(call);
    expect((await lab.agent('anna')).state).toBe('wrap-up');
  });
});
