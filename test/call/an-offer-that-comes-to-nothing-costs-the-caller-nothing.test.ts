import { eventually } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';

describe('an offer that comes to nothing costs the caller nothing', () => {
  const suite = labSuite({ agents: ['anna', 'ben'], queue: { ringTimeoutSeconds: 3 } });

  it.each([
    ['declines', { kind: 'decline', afterMs: 100 }, 'declined', 603],
    ['is busy', { kind: 'busy' }, 'busy', 486],
    ['is signed out of Teams', { kind: 'signed-out' }, 'unreachable', 480],
    ['has no number any more', { kind: 'refuse', status: 404 }, 'unreachable', 404],
    ['is refused by the proxy', { kind: 'refuse', status: 500 }, 'failed', 500],
  ] as const)('anna %s: ben is rung at once, the place is kept', async (_what, script, outcome, status) => {
    const { lab } = suite;
    lab.tenant.setScript('anna', script);
    const call = await lab.dial();
    const teams = await suite.bothHear(call, 'ben');
    await lab.story(call, ['offer:closed']);
    const closed = (await lab.events(call)).find((e) => e.kind === 'offer:closed');
    expect(closed?.data).toMatchObject({ kind: 'refused', outcome, sipStatus: status });
    expect(lab.tenant.calls({ agent: 'anna', active: true })).toEqual([]);
    expect((await lab.agent('anna')).state).toBe('not-ready');
    expect(teams.from).toBe('+491700000001');
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
  });

  it('anna does not answer: after the ring timeout ben is rung, and anna has no missed call', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'ring-out' });
    const call = await lab.dial();
    await suite.bothHear(call, 'ben');
    const anna = lab.tenant.calls({ agent: 'anna' }).at(-1);
    expect(anna).toMatchObject({ state: 'ended', status: 487 });
    expect(anna?.reason).toContain('Call completed elsewhere');
    const missed = lab.tenant.users().find((u) => u.name === 'anna')?.missedCalls ?? [];
    expect(missed.filter((m) => m.sipCallId === anna?.sipCallId)).toEqual([]);
    expect((await lab.agent('anna')).missedInRow).toBe(1);
    await call.hangUp();
    await lab.ending(call);
  });

  it('nobody takes the call: the caller goes on hearing music until somebody is ready again', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'busy' });
    lab.tenant.setScript('ben', { kind: 'busy' });
    const call = await lab.dial();
    await eventually('both refused', async () =>
      (await lab.agent('anna')).state === 'not-ready' && (await lab.agent('ben')).state === 'not-ready'
        ? true
        : undefined,
    );
    const sound = call.report().soundMs;
    await eventually('more music', () => (call.report().soundMs > sound + 500 ? true : undefined));
    lab.tenant.setScript('ben', { kind: 'answer', afterMs: 50 });
    await lab.readyAll();
    lab.tenant.setScript('anna', { kind: 'ring-out' });
    await eventually(
      'an agent is heard',
      () => (call.heardMs(1300) > 100 || call.heardMs(1100) > 100 ? true : undefined),
      15_000,
    );
    await call.hangUp();
    await lab.ending(call);
  });
});
