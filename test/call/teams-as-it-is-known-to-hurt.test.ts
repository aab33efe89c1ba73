import { AGENT_TONES, CALLER_TONE, eventually } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';
import { longGaps } from '../support/long-gaps';
import { greetServer } from '../../src/lib/tls-hello';
import { checkSuites, suitesOf, TEAMS_SUITES } from '../../src/lib/tls-suites';
import { store } from '../../src/store';

const ANNA = AGENT_TONES['anna'] ?? 0;
const SIP = 'sip.pstnhub.microsoft.com';

describe('data centres of Teams', () => {
  const suite = labSuite({
    agents: ['anna'],
    proxies: [SIP, 'sip2.pstnhub.microsoft.com', 'sip3.pstnhub.microsoft.com'],
    teams: { optionsSeconds: 2 },
  });
  const proxy = async (host: string) => {
    const rows = await store.trunkStatus(suite.lab.database.db);
    return rows[0]?.proxies.find((p) => p.host === host);
  };
  const stateOf = async (host: string, state: string) =>
    eventually(`${host} ${state}`, async () => ((await proxy(host))?.state === state ? true : undefined), 20_000);

  it('OPTIONS 403 or silence: ours have the FQDN in Contact, Teams asks back and shows the trunk as active', async () => {
    const { lab } = suite;
    await stateOf(SIP, 'active');
    await eventually('active for Teams too', () => (lab.tenant.trunks()[0]?.active ? true : undefined));
    expect(lab.tenant.rulesBroken().filter((r) => r.method === 'OPTIONS')).toEqual([]);
    expect(lab.node.links()['teams teams']).toMatchObject({ up: true });
  });

  it('TLS with the SBC’s certificate: 1.2 or newer, the four suites of Teams and no others', async () => {
    const { lab } = suite;
    const tls = lab.node.transports.find(({ protocol }) => protocol === 'tls');
    const peer = { host: tls?.host ?? '', port: tls?.port ?? 0, serverName: 'sbc1.example.com' };
    expect(checkSuites(await suitesOf(peer, 2_000))).toMatchObject([{ verdict: 'ok' }, { verdict: 'ok' }]);
    const greeting = await greetServer(peer, { version: 'TLSv1.2', suites: Object.values(TEAMS_SUITES) }, 2_000);
    expect(greeting?.certificates[0]?.checkHost('sbc1.example.com')).toBe('sbc1.example.com');
    expect(greeting?.proven).toBe(true);
  });

  it('a busy one answers 503 with Retry-After: the next one gets the call, and the busy one is down until it answers', async () => {
    const { lab } = suite;
    await stateOf(SIP, 'active');
    lab.tenant.misbehave({ what: 'proxy-busy', on: true, proxy: SIP });
    const call = await lab.dial();
    await suite.bothHear(call, 'anna');
    await stateOf(SIP, 'down');
    expect(await proxy(SIP)).toMatchObject({ reason: 'busy' });
    expect((await store.trunkStatus(lab.database.db))[0]?.up).toBe(true);
    await call.hangUp();
    await lab.ending(call);
    lab.tenant.misbehave({ what: 'reset' });
    await stateOf(SIP, 'active');
  }, 60_000);

  it('a silent one is left behind, once it does not answer OPTIONS either', async () => {
    const { lab } = suite;
    await stateOf(SIP, 'active');
    lab.tenant.misbehave({ what: 'proxy-silent', on: true, proxy: SIP });
    try {
      const call = await lab.dial();
      await eventually('anna is heard', () => (call.heardMs(ANNA) > 200 ? true : undefined), 15_000);
      await call.hangUp();
      await lab.ending(call);
    } finally {
      lab.tenant.misbehave({ what: 'reset' });
    }
  }, 60_000);

  it('all of them busy: agents are not offered calls, the caller waits with music, and goes on when one is back', async () => {
    const { lab } = suite;
    lab.tenant.misbehave({ what: 'proxy-busy', on: true });
    await eventually('the trunk is down', async () =>
      (await store.trunkStatus(lab.database.db))[0]?.up === false ? true : undefined,
    );
    const call = await lab.dial();
    await lab.story(call, ['call:waiting']);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(call.state).not.toBe('ended');
    lab.tenant.misbehave({ what: 'reset' });
    await eventually('anna is heard', () => (call.heardMs(ANNA) > 200 ? true : undefined), 20_000);
    await call.hangUp();
    await lab.ending(call);
  }, 60_000);

  it('one that looks for the user for long is not taken for dead: the user is rung once', async () => {
    const { lab } = suite;
    await stateOf(SIP, 'active');
    lab.tenant.setScript('anna', { kind: 'slow', locateMs: 3_500, afterMs: 200 });
    const before = lab.tenant.calls({ agent: 'anna' }).length;
    const call = await lab.dial();
    await eventually('anna is heard', () => (call.heardMs(ANNA) > 200 ? true : undefined), 15_000);
    expect(lab.tenant.calls({ agent: 'anna' }).length - before).toBe(1);
    await call.hangUp();
    await lab.ending(call);
  }, 30_000);
});

describe('somebody else under the name of a proxy', () => {
  const suite = labSuite({ agents: ['anna'], teamsNames: ['sip2.pstnhub.microsoft.com'], proxies: [SIP] });

  it('gets no calls: its certificate is of a listed root, but has another name, which the SIP server does not see', async () => {
    const { lab } = suite;
    await eventually('it is found out', async () =>
      (await store.trunkStatus(lab.database.db))[0]?.proxies[0]?.state === 'untrusted' ? true : undefined,
    );
    expect((await store.trunkStatus(lab.database.db))[0]).toMatchObject({
      up: false,
      detail: `${SIP}: untrusted, ${SIP} is not covered by sip2.pstnhub.microsoft.com`,
    });
    const { text } = await lab.node.metrics.exposition();
    expect(text).toContain(`sidekick_teams_peer_trusted{trunk="teams",proxy="${SIP}"} 0`);
    const call = await lab.dial();
    await lab.story(call, ['call:waiting']);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(lab.tenant.calls()).toEqual([]);
    expect(call.state).not.toBe('ended');
    await call.hangUp();
    await lab.ending(call);
  });
});

describe('final responses of Teams', () => {
  const suite = labSuite({
    agents: ['anna'],
    proxies: [SIP, 'sip2.pstnhub.microsoft.com'],
    queue: { missesBeforeNotReady: 100 },
  });

  it.each([
    [400, 'failed'],
    [403, 'unreachable'],
    [404, 'unreachable'],
    [408, 'no-answer'],
    [410, 'failed'],
    [412, 'unreachable'],
    [415, 'failed'],
    [420, 'failed'],
    [422, 'failed'],
    [480, 'unreachable'],
    [486, 'busy'],
    [487, 'no-answer'],
    [488, 'failed'],
    [500, 'failed'],
    [504, 'failed'],
    [603, 'declined'],
  ])('%i: the agent is %s, no other proxy is tried, and the caller keeps the place', async (status, outcome) => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'refuse', status });
    const before = lab.tenant.calls({ agent: 'anna' }).length;
    const call = await lab.dial();
    await lab.story(call, ['offer:closed']);
    const refused = (await lab.events(call)).find((e) => e.kind === 'offer:refused');
    expect(refused?.data).toMatchObject({ outcome, sipStatus: status });
    expect(lab.tenant.calls({ agent: 'anna' }).length - before).toBe(1);
    expect(call.state).not.toBe('ended');
    await call.hangUp();
    expect(await lab.ending(call)).toMatchObject({ result: 'abandoned' });
  });

  it('busy comes with Q.850 cause 34, which makes carriers try again in a loop: nothing of it reaches the carrier', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'busy' });
    const call = await lab.dial();
    await lab.story(call, ['offer:closed']);
    expect(call.state).not.toBe('ended');
    expect(call.report().failures).toEqual([]);
    await call.hangUp();
    await lab.ending(call);
  });
});

describe('media and forks of Teams', () => {
  const suite = labSuite({
    agents: ['anna'],
    teams: { showCaller: 'queue-and-number', unansweredDelaySeconds: 5 },
    queue: { ringTimeoutSeconds: 20 },
  });

  it('many 180s, early media and a 200 of a fork that never rang: the caller hears music, then the agent', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', {
      kind: 'answer',
      afterMs: 800,
      devices: 4,
      answerFromUnseenFork: true,
      earlyMedia: true,
    });
    const call = await lab.dial();
    await eventually('anna rings', () => (lab.tenant.calls({ agent: 'anna' }).at(-1)?.ringingAt ? true : undefined));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(call.heardMs(ANNA)).toBe(0);
    const teams = await suite.bothHear(call, 'anna');
    expect(teams.rulesBroken).toEqual([]);
    expect(teams.fromName).toBe('support · +491700000001');
    await call.hangUp();
    await lab.ending(call);
  });

  it('an agent who is muted sends no RTP at all: the carrier still gets a stream without gaps', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'answer', afterMs: 50, muteAfterMs: 1_200 });
    const call = await lab.dial();
    await suite.bothHear(call, 'anna');
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(longGaps(call.report().gaps)).toEqual([]);
    const heard =
      lab.tenant
        .calls({ agent: 'anna' })
        .at(-1)
        ?.heardTones.find((t) => t.hz === CALLER_TONE)?.ms ?? 0;
    expect(heard).toBeGreaterThan(1_500);
    await call.hangUp();
    await lab.ending(call);
  });

  it('the CANCEL comes before Teams takes an unanswered call to voicemail, and leaves no missed call', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', { kind: 'voicemail', afterMs: 5_000 });
    const missed = () => lab.tenant.users().find((u) => u.name === 'anna')?.missedCalls.length ?? 0;
    const before = missed();
    const call = await lab.dial();
    await lab.story(call, ['offer:closed']);
    expect(lab.tenant.calls({ agent: 'anna' }).at(-1)).toMatchObject({ voicemail: false, status: 487, endedBy: 'sbc' });
    expect(missed()).toBe(before);
    await call.hangUp();
    await lab.ending(call);
  });

  it('drops at 15 or 30 minutes: a session refresh of Teams and a hold right behind it are both answered, in order', async () => {
    const { lab } = suite;
    lab.tenant.setScript('anna', {
      kind: 'answer',
      afterMs: 50,
      refreshAfterMs: 600,
      holdAfterMs: 900,
      holdForMs: 600,
    });
    const call = await lab.dial();
    const teams = await suite.bothHear(call, 'anna');
    await eventually('taken back', () => {
      const view = lab.tenant.call(teams.id);
      return view?.state === 'answered' && Date.now() - (view.answeredAt ?? 0) > 1_800 ? true : undefined;
    });
    const before = call.heardMs(ANNA);
    await eventually('anna again', () => (call.heardMs(ANNA) > before + 200 ? true : undefined));
    expect(lab.tenant.call(teams.id)?.rulesBroken).toEqual([]);
    await call.hangUp();
    await lab.ending(call);
  });
});
