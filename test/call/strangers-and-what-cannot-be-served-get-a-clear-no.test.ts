import { SipRejected } from '../../src/embedded/sip/user-agent';
import { eventually, SUPPORT } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';

async function refusal(answered: Promise<void>): Promise<SipRejected> {
  return await answered.then(
    () => {
      throw new Error('the call was answered');
    },
    (error: unknown) => {
      if (error instanceof SipRejected) {
        return error;
      }
      throw error;
    },
  );
}

describe('what cannot be served gets a clear no', () => {
  const suite = labSuite({ agents: ['anna'], carrier: { maxCalls: 2 } });

  it('a number that nobody has here: 404', async () => {
    const call = await suite.lab.dial({ to: '+49301999999' });
    expect((await refusal(call.answered)).status).toBe(404);
  });

  it('what is no number at all: 404', async () => {
    const call = await suite.lab.dial({ to: 'abc' });
    expect((await refusal(call.answered)).status).toBe(404);
  });

  it('an INVITE without an offer: 488 and the reason', async () => {
    const call = await suite.lab.dial({ delayedOffer: true });
    const error = await refusal(call.answered);
    expect(error.status).toBe(488);
    expect(error.response?.get('Warning')).toContain('without an SDP offer');
  });

  it('SRTP from a carrier without a secure trunk: 488 and the reason', async () => {
    const call = await suite.lab.dial({ srtp: true });
    const error = await refusal(call.answered);
    expect(error.status).toBe(488);
    expect(error.response?.get('Warning')).toContain('RTP/SAVP');
  });

  it('a session timer below the minimum: 422 with Min-SE, after which the carrier asks for more and is taken', async () => {
    const { lab } = suite;
    const call = await lab.dial({ headers: { 'Session-Expires': '60', Supported: 'timer' } });
    await call.answered;
    const { text } = await lab.node.metrics.exposition();
    expect(text).toMatch(/sidekick_carrier_refused_total\{reason="session-timer"\} 1/);
    await call.hangUp();
    await lab.ending(call);
  });

  it('more calls than the trunk may have: 503 with Retry-After, and the calls in progress go on', async () => {
    const { lab } = suite;
    const first = await lab.dial();
    await suite.bothHear(first, 'anna');
    const second = await lab.dial();
    await second.answered;
    const third = await lab.dial();
    const error = await refusal(third.answered);
    expect(error.status).toBe(503);
    expect(error.response?.get('Retry-After')).toBe('5');
    const heard = first.heardMs(1100);
    await eventually('the first call goes on', () => (first.heardMs(1100) > heard + 200 ? true : undefined));
    for (const call of [second, first]) {
      await call.hangUp();
      await lab.ending(call);
    }
    await lab.expectNothingLeft();
    const fourth = await lab.dial();
    await fourth.answered;
    await fourth.hangUp();
    await lab.ending(fourth);
  });

  it('a number in national form is read with the country of the trunk', async () => {
    const { lab } = suite;
    const call = await lab.dial({ to: '0301000100' });
    await call.answered;
    expect((await lab.row(call)).dialledNumber).toBe(SUPPORT);
    await call.hangUp();
    await lab.ending(call);
  });
});

describe('a source that is not allowed', () => {
  const suite = labSuite({ agents: ['anna'], carrier: { sources: ['203.0.113.0/24'] } });

  it('gets 403, is counted, and leaves nothing', async () => {
    const call = await suite.lab.dial();
    expect((await refusal(call.answered)).status).toBe(403);
    const { text } = await suite.lab.node.metrics.exposition();
    expect(text).toMatch(/sidekick_carrier_refused_total\{reason="source"\} 1/);
    expect(await suite.lab.calls()).toEqual([]);
  });
});
