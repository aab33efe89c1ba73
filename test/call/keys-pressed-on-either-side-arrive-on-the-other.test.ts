import { eventually } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';

describe('keys pressed on either side', () => {
  const suite = labSuite({ agents: ['anna'] });

  it('by the caller: they arrive at the agent as RFC 4733 events, each once', async () => {
    const { lab } = suite;
    const call = await lab.dial();
    const teams = await suite.bothHear(call, 'anna');
    call.sendDtmf('1590*#');
    await eventually('the keys', () => (lab.tenant.call(teams.id)?.digits === '1590*#' ? true : undefined));
    await call.hangUp();
    await lab.ending(call);
  });

  it('by the agent: they arrive at the caller as RFC 4733 events, each once', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 50, pressAfterMs: 800, press: '1590*#' });
    const call = await lab.dial();
    await suite.bothHear(call, 'anna');
    await eventually('the keys', () => (call.report().digits === '1590*#' ? true : undefined));
    await call.hangUp();
    await lab.ending(call);
  });
});
