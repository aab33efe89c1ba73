import { eventually } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';
import { takeDatabaseAway } from '../support/without-database';

describe('a database that is away', () => {
  const suite = labSuite({ agents: ['anna'] });

  it('does not disturb a conversation, and the end of it is written when the database is back', async () => {
    const { lab } = suite;
    const call = await lab.dial();
    await suite.bothHear(call, 'anna');
    const giveBack = await takeDatabaseAway(lab.database.url);
    try {
      const before = call.heardMs(1100);
      await eventually('the conversation goes on', () => (call.heardMs(1100) > before + 1_000 ? true : undefined));
      await call.hangUp();
      await eventually('anna is hung up', () => (lab.tenant.live === 0 ? true : undefined));
    } finally {
      await giveBack();
    }
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
    await eventually('anna is free', async () => ((await lab.agent('anna')).offer === undefined ? true : undefined));
    expect((await lab.agent('anna')).state).toBe('ready');
  }, 60_000);

  it('leaves a waiting caller with music and the place, and new callers get 503 at once or soon', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'busy' });
    const call = await lab.dial();
    await eventually('anna refused', async () => ((await lab.agent('anna')).state === 'not-ready' ? true : undefined));
    const giveBack = await takeDatabaseAway(lab.database.url);
    try {
      const sound = call.report().soundMs;
      const late = await lab.dial({ from: '+491700000002' });
      await expect(late.answered).rejects.toMatchObject({ status: 503 });
      await eventually('more music', () => (call.report().soundMs > sound + 300 ? true : undefined));
    } finally {
      await giveBack();
    }
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 50 });
    await eventually('the database is back', () =>
      lab
        .readyAll()
        .then(() => true)
        .catch(() => undefined),
    );
    await suite.bothHear(call, 'anna');
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
  }, 60_000);
});
