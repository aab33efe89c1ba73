import { eventually } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';

describe('keys pressed by the caller', () => {
  const suite = labSuite({ agents: ['anna'] });

  it('arrive at the agent as RFC 4733 events, each once', async () => {
    const { lab } = suite;
    const call = await lab.dial();
    const teams = await suite.bothHear(call, 'anna');
    call.sendDtmf('1590*#');
    await eventually('the keys', () => (lab.tenant.call(teams.id)?.digits === '1590*#' ? true : undefined));
    await call.hangUp();
    await lab.ending(call);
  });
});
