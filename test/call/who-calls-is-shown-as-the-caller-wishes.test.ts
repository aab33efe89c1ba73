import { eventually } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';

describe('who calls is shown to the agent as the caller wishes', () => {
  const suite = labSuite({ agents: ['anna'] });

  it.each([
    ['From', { from: '+491700000007' }, '+491700000007'],
    [
      'P-Asserted-Identity before From',
      { from: '+491700000007', headers: { 'P-Asserted-Identity': '"Weber" <sip:+491700000008@carrier.example>' } },
      '+491700000008',
    ],
    [
      'nobody, for a caller who withholds the number',
      {
        from: '+491700000007',
        headers: { Privacy: 'id', 'P-Asserted-Identity': '<sip:+491700000008@carrier.example>' },
      },
      'anonymous',
    ],
  ])('%s', async (_what, options, expected) => {
    const { lab } = suite;
    const call = await lab.dial(options);
    const offer = await suite.nextOffer('anna');
    expect(offer.from).toBe(expected);
    expect(offer.rulesBroken).toEqual([]);
    const row = await lab.row(call);
    expect(row.callerNumber).toBe(expected === 'anonymous' ? undefined : expected);
    await eventually('answer', () => (lab.tenant.call(offer.id)?.state === 'answered' ? true : undefined));
    await call.hangUp();
    await lab.ending(call);
  });
});
