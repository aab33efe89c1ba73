import { eventually } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';

describe('either side may leave at any moment', () => {
  const suite = labSuite({ agents: ['anna'], greeting: '%(1500,0,440)' });

  it('the caller cancels before the answer', async () => {
    const { lab } = suite;
    const call = await lab.dial();
    call.cancel();
    await call.ended;
    await eventually('no call is left', () => (lab.node.open().calls === 0 ? true : undefined));
  });

  it('the caller hangs up during the greeting: nobody is rung', async () => {
    const { lab } = suite;
    const before = lab.tenant.calls().length;
    const call = await lab.dial();
    await call.answered;
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'abandoned', reason: 'caller-gave-up-in-greeting' });
    expect(lab.tenant.calls()).toHaveLength(before);
  });

  it('the caller gives up while an agent rings: the ringing stops as completed elsewhere and costs the agent nothing', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'ring-out' });
    const call = await lab.dial();
    const offer = await suite.nextOffer('anna');
    await eventually('ringing', () => (lab.tenant.call(offer.id)?.state === 'ringing' ? true : undefined));
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'abandoned', reason: 'caller-gave-up-ringing' });
    await lab.expectNothingLeft();
    expect(lab.tenant.call(offer.id)).toMatchObject({ state: 'ended', status: 487 });
    expect(lab.tenant.users().find((u) => u.name === 'anna')?.missedCalls).toEqual([]);
    expect(await lab.agent('anna')).toMatchObject({ state: 'ready', missedInRow: 0 });
  });

  it('the caller gives up while waiting for nobody', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'busy' });
    const call = await lab.dial();
    // The row of the agent says so a moment before the call hears of it: the end of an offer travels with the next match.
    await lab.told(call, 'offer:closed');
    expect((await lab.agent('anna')).state).toBe('not-ready');
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'abandoned', reason: 'caller-gave-up-waiting' });
  });

  it('the agent answers at the moment the CANCEL arrives: the 200 is acknowledged and hung up', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'answer-on-cancel' });
    const call = await lab.dial();
    const offer = await suite.nextOffer('anna');
    await eventually('ringing', () => (lab.tenant.call(offer.id)?.state === 'ringing' ? true : undefined));
    await call.hangUp();
    await lab.ending(call);
    await lab.expectNothingLeft();
    expect(lab.tenant.call(offer.id)).toMatchObject({ state: 'ended', status: 200, endedBy: 'sbc' });
    expect(await lab.agent('anna')).toMatchObject({ state: 'ready', missedInRow: 0 });
  });

  it('the caller hangs up around the moment of the answer, many times over', async () => {
    const { lab } = suite;
    for (let afterMs = 0; afterMs < 60; afterMs += 4) {
      lab.tenant.setScript('anna', { kind: 'answer', afterMs });
      const call = await lab.dial();
      const offer = await suite.nextOffer('anna');
      await new Promise((resolve) => setTimeout(resolve, 25));
      await call.hangUp();
      await lab.ending(call);
      await lab.expectNothingLeft();
      expect(lab.tenant.call(offer.id)?.state).toBe('ended');
      expect((await lab.agent('anna')).state).toBe('ready');
    }
  }, 120_000);

  it('the agent hangs up first: the caller is hung up too and the agent is free', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 50, hangUpAfterMs: 800 });
    const call = await lab.dial();
    const end = await call.ended;
    expect(end).toMatchObject({ by: 'remote' });
    expect(end.reason).toContain('cause=16');
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'agent-hung-up' });
    await lab.expectNothingLeft();
    expect((await lab.agent('anna')).state).toBe('ready');
  });
});
