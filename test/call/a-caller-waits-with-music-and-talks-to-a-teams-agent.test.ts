import { longGaps } from '../support/long-gaps';
import { AGENT_TONES, CALLER_TONE, CallLab, eventually } from '../support/call-lab';

describe('a caller waits with music and talks to a Teams agent', () => {
  let lab: CallLab;

  beforeAll(async () => {
    lab = await CallLab.start({ agents: ['anna'] });
  });

  afterEach(async () => {
    await lab.expectNothingLeft();
  });

  afterAll(async () => {
    await lab.close();
  });

  it.each([
    ['udp', 'PCMA'],
    ['udp', 'PCMU'],
    ['tcp', 'PCMA'],
    ['tcp', 'PCMU'],
  ] as const)('over %s with %s, both hear each other, and the caller ends it', async (over, codec) => {
    const call = await lab.dial({ over, codecs: [codec] });
    await call.answered;
    await eventually('the caller hears anna', () => (call.heardMs(AGENT_TONES['anna'] ?? 0) > 200 ? true : undefined));
    const teams = await eventually('anna hears the caller', () =>
      lab.tenant.calls({ active: true }).find((c) => c.heardTones.some((t) => t.hz === CALLER_TONE && t.ms > 200)),
    );
    expect(teams.from).toBe('+491700000001');
    expect(teams.rulesBroken).toEqual([]);
    expect(teams.packets.srtpFailures).toBe(0);
    expect(call.report().codec).toBe(codec);

    await call.hangUp();

    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
    await lab.expectNothingLeft();
    expect(lab.tenant.call(teams.id)).toMatchObject({ state: 'ended', endedBy: 'sbc' });
    expect((await lab.agent('anna')).state).toBe('ready');
    expect(await lab.story(call, ['call:ended', 'offer:closed'])).toEqual([
      'call:arrived',
      'call:answered',
      'call:waiting',
      'call:offered',
      'offer:ringing',
      'offer:answered',
      'call:connected',
      'call:ended',
      'offer:closed',
    ]);
  });

  it('the caller hears music without a gap until the agent speaks', async () => {
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 2_500 });
    const call = await lab.dial();
    await call.answered;
    await eventually('the caller hears anna', () => (call.heardMs(AGENT_TONES['anna'] ?? 0) > 200 ? true : undefined));
    const report = call.report();
    expect(longGaps(report.gaps)).toEqual([]);
    expect(report.soundMs).toBeGreaterThan(1_500);
    await call.hangUp();
    await lab.ending(call);
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 200 });
  });
});
