import { eventually } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';

describe('voicemail never swallows a caller: a signed-out user’s mailbox answers at once', () => {
  const suite = labSuite({ agents: ['anna', 'ben'], queue: { suspiciousAnswer: 'refuse', strategy: 'top-down' } });

  it('the answer without ringing is no answer; the next agent gets the caller', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'voicemail', afterMs: 0 });
    await suite.allAvailable();
    const call = await lab.dial();
    await suite.bothHear(call, 'ben');
    const box = lab.tenant.calls({ agent: 'anna' }).at(-1);
    expect(box).toMatchObject({ voicemail: true, state: 'ended', endedBy: 'sbc' });
    // The mailbox never heard the caller: the two were not joined.
    expect(box?.heardTones).toEqual([]);
    expect(await lab.agent('anna')).toMatchObject({ missedInRow: 1 });
    await call.hangUp();
    await lab.ending(call);
  });

  it('a person who answers fast but was rung is believed', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 100 });
    await suite.allAvailable();
    const call = await lab.dial();
    await suite.bothHear(call, 'anna');
    await call.hangUp();
    await lab.ending(call);
  });
});

describe('voicemail never swallows a caller: the agent presses a key', () => {
  const suite = labSuite({
    agents: ['anna', 'ben'],
    queue: { confirm: 'dtmf', ringTimeoutSeconds: 30, strategy: 'top-down' },
  });

  it('with the key the caller is his; until then the caller hears music', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 50, pressAfterMs: 1_500, press: '1' });
    await suite.allAvailable();
    const call = await lab.dial();
    await eventually('anna has answered', () =>
      lab.tenant.calls({ agent: 'anna' }).at(-1)?.state === 'answered' ? true : undefined,
    );
    expect(call.heardMs(1100)).toBe(0);
    await suite.bothHear(call, 'anna');
    expect(await lab.story(call, ['call:connected'])).toContain('offer:confirmed');
    await call.hangUp();
    await lab.ending(call);
  });

  it('a mailbox presses none: after the time for it the next agent gets the caller', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'voicemail', afterMs: 300 });
    lab.tenant.setScript('ben', { kind: 'answer', afterMs: 50, pressAfterMs: 500, press: '5' });
    await suite.allAvailable();
    const call = await lab.dial();
    await eventually('ben hears', () => (call.heardMs(1300) > 200 ? true : undefined), 25_000);
    expect(lab.tenant.calls({ agent: 'anna' }).at(-1)).toMatchObject({
      voicemail: true,
      state: 'ended',
      heardTones: [],
    });
    await call.hangUp();
    await lab.ending(call);
  }, 40_000);

  it('a caller who leaves while the agent is being asked frees the agent', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 50 });
    await suite.allAvailable();
    const call = await lab.dial();
    await eventually('anna has answered', () =>
      lab.tenant.calls({ agent: 'anna' }).at(-1)?.state === 'answered' ? true : undefined,
    );
    await call.hangUp();
    expect(await lab.ending(call)).toMatchObject({ result: 'abandoned' });
  });
});
