import { AGENT_TONES, CALLER_TONE, eventually, REAL } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';
import { longGaps } from '../support/long-gaps';

const ANNA = AGENT_TONES['anna'] ?? 0;
const BEN = AGENT_TONES['ben'] ?? 0;
/** A real drachtio-server takes no shorter session than this, refreshes at about half of it, and after a 491 half of it later. */
const SESSION_SECONDS = REAL.drachtio ? 90 : 2;
const REFRESH_MS = REAL.drachtio ? 120_000 : 10_000;

describe('re-INVITE glare', () => {
  const suite = labSuite({ agents: ['anna'], minSessionSeconds: 2 });

  async function talk() {
    const { lab } = suite;
    lab.tenant.misbehave({ what: 'session-timer', seconds: SESSION_SECONDS });
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 50 });
    const call = await lab.dial();
    const teams = await suite.bothHear(call, 'anna');
    return { call, since: Date.now(), view: () => lab.tenant.call(teams.id) };
  }

  afterEach(() => suite.lab.tenant.misbehave({ what: 'reset' }));

  it('our session refresh gets 491: it is sent again, and nobody hears anything of it', async () => {
    const { lab } = suite;
    lab.tenant.misbehave({ what: 'glare', reinvites: 1 });
    const { call, since, view } = await talk();
    await eventually('a refresh', () => ((view()?.refreshes ?? 0) > 0 ? true : undefined), REFRESH_MS);
    const before = call.heardMs(ANNA);
    await eventually('anna still', () => (call.heardMs(ANNA) > before + 300 ? true : undefined));
    expect(longGaps(call.report().gaps).filter(({ at }) => at > since)).toEqual([]);
    expect(view()).toMatchObject({ state: 'answered', rulesBroken: [] });
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
  }, 150_000);

  it('a hold of Teams crosses our refresh: the hold is answered, which refreshes too, and both hear each other in the end', async () => {
    const { lab } = suite;
    lab.tenant.misbehave({ what: 'glare', reinvites: 1, crossing: true });
    const { call, view } = await talk();
    await eventually('held', () => (view()?.state === 'held' ? true : undefined), REFRESH_MS);
    await eventually('taken back', () => (view()?.state === 'answered' ? true : undefined));
    // Past the time after which the refresh would be sent once more.
    await new Promise((resolve) => setTimeout(resolve, 4_200));
    const heard = () => view()?.heardTones.find((t) => t.hz === CALLER_TONE)?.ms ?? 0;
    const before = { caller: call.heardMs(ANNA), anna: heard() };
    await eventually('both again', () =>
      call.heardMs(ANNA) > before.caller + 300 && heard() > before.anna + 300 ? true : undefined,
    );
    expect(view()?.rulesBroken).toEqual([]);
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
  }, 150_000);
});

describe('answers of Teams come late', () => {
  const suite = labSuite({ agents: ['anna'] });

  beforeEach(() => suite.lab.tenant.misbehave({ what: 'slow-answers', ms: 1_000 }));
  afterEach(() => suite.lab.tenant.misbehave({ what: 'reset' }));

  it('the user is rung once, and both hear each other', async () => {
    const { lab } = suite;
    const before = lab.tenant.calls({ agent: 'anna' }).length;
    const call = await lab.dial();
    await suite.bothHear(call, 'anna');
    expect(lab.tenant.calls({ agent: 'anna' }).length - before).toBe(1);
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
  });

  it('the caller leaves before the first answer is here: the CANCEL reaches Teams all the same, and leaves no missed call', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 5_000 });
    const missed = () => lab.tenant.users().find((u) => u.name === 'anna')?.missedCalls.length ?? 0;
    const before = { missed: missed(), calls: lab.tenant.calls({ agent: 'anna' }).length };
    const call = await lab.dial();
    await lab.story(call, ['call:waiting']);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await call.hangUp();
    expect(await lab.ending(call)).toMatchObject({ result: 'abandoned' });
    await eventually('Teams knows', () =>
      lab.tenant.calls({ agent: 'anna' })[before.calls]?.state === 'ended' ? true : undefined,
    );
    expect(lab.tenant.calls({ agent: 'anna' }).at(-1)).toMatchObject({ status: 487, endedBy: 'sbc' });
    expect(missed()).toBe(before.missed);
  });
});

describe('the ACK does not reach Teams', () => {
  const suite = labSuite({ agents: ['anna', 'ben'], queue: { strategy: 'top-down' }, teamsT1Ms: 50 });

  it('Teams repeats its 200 and then gives the agent up: the caller hears music again, keeps the place and gets the next one', async () => {
    const { lab } = suite;
    await suite.allAvailable();
    lab.tenant.misbehave({ what: 'lose-acks', on: true });
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 50 });
    const call = await lab.dial();
    await eventually('the caller hears anna', () => (call.heardMs(ANNA) > 200 ? true : undefined));
    lab.tenant.setScript('anna', { kind: 'busy' });
    const firstQueued = (await lab.row(call)).queuedAt;
    const anna = await eventually('Teams gives anna up', () => {
      const view = lab.tenant.calls({ agent: 'anna' }).at(-1);
      return view?.state === 'ended' ? view : undefined;
    });
    lab.tenant.misbehave({ what: 'reset' });
    expect(anna.rulesBroken.map(({ rule }) => rule)).toEqual(['ack-missing']);
    expect(call.state).not.toBe('ended');
    await eventually('the caller hears the next agent', () => (call.heardMs(BEN) > 200 ? true : undefined));
    expect((await lab.row(call)).queuedAt).toEqual(firstQueued);
    const kinds = await lab.story(call, ['agent:lost']);
    expect(kinds.filter((kind) => kind === 'call:arrived')).toHaveLength(1);
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
    expect((await lab.agent('anna')).state).not.toBe('talking');
  });
});
