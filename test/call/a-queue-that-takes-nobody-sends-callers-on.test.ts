import { store } from '../../src/store';
import { ALL_SOUNDS, hears } from '../support/ears';
import { labSuite } from '../support/lab-suite';
import { SOUNDS, twoQueues } from '../support/two-queues';

describe('a queue that takes nobody sends callers on', () => {
  const suite = labSuite({
    document: ({ teamsProxy }) =>
      twoQueues({
        teamsProxy,
        supportRules: {
          maxWaiting: 1,
          exits: {
            full: { queues: ['sales'] },
            noAgents: { announce: 'announcement' },
            paused: { queues: ['sales'] },
          },
        },
      }),
  });

  it('full: the second caller goes to the other queue at once, the first keeps his place', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'ring-out' });
    const first = await lab.dial({ from: '+491700000001', listenFor: ALL_SOUNDS });
    await suite.nextOffer('anna');
    const second = await lab.dial({ from: '+491700000002', listenFor: ALL_SOUNDS });
    await suite.bothHear(second, 'ben');
    await lab.story(second, ['call:exit', 'call:connected']);
    const exit = (await lab.events(second)).find((e) => e.kind === 'call:exit');
    expect(exit?.data).toEqual({ queue: 'support', reason: 'full', to: 'queue sales' });
    await hears(first, SOUNDS.supportMusic, 300);
    await first.hangUp();
    await second.hangUp();
    await lab.ending(first);
    await lab.ending(second);
  });

  it('nobody signed in: an announcement, and the call ends', async () => {
    const { lab } = suite;
    const { id } = await lab.agent('anna');
    await store.signOut(lab.database.db, id, 'the test');
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    expect(await call.ended).toMatchObject({ by: 'remote' });
    expect(call.heardMs(SOUNDS.announcement)).toBeGreaterThan(500);
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'no-agents' });
    await store.signIn(lab.database.db, id, 'the test');
  });

  it('paused: callers go to the other queue at once', async () => {
    const { lab } = suite;
    await lab.database.db.query(
      `update queues set paused_at = clock_timestamp(), paused_by = 'the test', pause_reason = 'fire drill' where name = 'support'`,
    );
    const call = await lab.dial({ listenFor: ALL_SOUNDS });
    await suite.bothHear(call, 'ben');
    await call.hangUp();
    await lab.ending(call);
    await lab.database.db.query(
      `update queues set paused_at = null, paused_by = null, pause_reason = null where name = 'support'`,
    );
  });
});
