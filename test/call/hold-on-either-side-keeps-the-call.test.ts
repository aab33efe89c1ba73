import { longGaps } from '../support/long-gaps';
import { AGENT_TONES, CALLER_TONE, eventually } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';

const ANNA = AGENT_TONES['anna'] ?? 0;

describe('hold on either side keeps the call', () => {
  const suite = labSuite({ agents: ['anna'] });

  it('the agent holds: the caller hears music, no longer the agent; then the agent again', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 50, holdAfterMs: 1_000, holdForMs: 2_500 });
    const call = await lab.dial();
    const teams = await suite.bothHear(call, 'anna');
    await eventually('held', () => (lab.tenant.call(teams.id)?.state === 'held' ? true : undefined));
    await new Promise((resolve) => setTimeout(resolve, 600));
    const heardAtHold = call.heardMs(ANNA);
    const soundAtHold = call.report().soundMs;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(call.heardMs(ANNA) - heardAtHold).toBeLessThan(100);
    expect(call.report().soundMs - soundAtHold).toBeGreaterThan(300);
    await eventually('taken back', () => (lab.tenant.call(teams.id)?.state === 'answered' ? true : undefined));
    const heardAfter = call.heardMs(ANNA);
    await eventually('anna again', () => (call.heardMs(ANNA) > heardAfter + 300 ? true : undefined));
    expect(lab.tenant.call(teams.id)?.rulesBroken).toEqual([]);
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
  });

  it('the carrier holds and takes back: both hear each other again', async () => {
    const { lab } = suite;
    const call = await lab.dial({ holdAfterMs: 1_500, holdForMs: 1_000 });
    const teams = await suite.bothHear(call, 'anna');
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const before = call.heardMs(ANNA);
    const callerBefore = lab.tenant.call(teams.id)?.heardTones.find((t) => t.hz === CALLER_TONE)?.ms ?? 0;
    await eventually('both again', () =>
      call.heardMs(ANNA) > before + 300 &&
      (lab.tenant.call(teams.id)?.heardTones.find((t) => t.hz === CALLER_TONE)?.ms ?? 0) > callerBefore + 300
        ? true
        : undefined,
    );
    expect(call.report().failures).toEqual([]);
    await call.hangUp();
    await lab.ending(call);
  });

  it.each([0, 60, 120])(
    'the carrier takes back while the agent answers (%d ms): both hear each other',
    async (laterMs) => {
      const { lab } = suite;
      await suite.allAvailable();
      lab.tenant.setScript('anna', { kind: 'answer', afterMs: 1_500 });
      // The media server takes a quarter of a second for the end of a hold, and the agent's answer falls into it.
      const call = await lab.dial({ holdAfterMs: 400 + laterMs, holdForMs: 1_000 });
      await suite.bothHear(call, 'anna');
      expect(call.report().failures).toEqual([]);
      await call.hangUp();
      await lab.ending(call);
    },
  );

  it('the agent refreshes the session: nothing changes for anybody', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 50, refreshAfterMs: 500 });
    const call = await lab.dial();
    await suite.bothHear(call, 'anna');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const before = call.heardMs(ANNA);
    await eventually('still heard', () => (call.heardMs(ANNA) > before + 300 ? true : undefined));
    expect(longGaps(call.report().gaps)).toEqual([]);
    await call.hangUp();
    await lab.ending(call);
  });

  it('an agent who hangs up while holding ends the call for the caller too', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 50, holdAfterMs: 400, hangUpAfterMs: 1_500 });
    const call = await lab.dial();
    const end = await call.ended;
    expect(end.by).toBe('remote');
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'agent-hung-up' });
  });
});
