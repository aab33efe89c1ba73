import { playScenario, SCENARIOS } from '../../src/embedded/teams/scenarios';
import type { ScenarioName } from '../../src/embedded/teams/scenarios';
import { store } from '../../src/store';
import { AGENT_TONES, eventually, REAL } from '../support/call-lab';
import { labSuite } from '../support/lab-suite';

/** Whom the caller talks to in the end; `wait`: nobody yet, there is music. */
const OUTCOME: Readonly<Record<ScenarioName, readonly string[]>> = {
  'busy-data-centre': ['wait'],
  'silent-data-centre': ['wait'],
  'slow-teams': ['anna'],
  'slow-names': ['anna'],
  'lost-acks': ['anna'],
  transfers: ['anna', 'clara'],
  glare: ['anna'],
  'nobody-answers': ['emma'],
  voicemail: ['david'],
  forks: ['anna'],
  holds: ['anna'],
  forwarding: ['ben'],
  'other-address': ['anna'],
  'late-presence': ['anna'],
  'graph-outage': ['anna'],
  'silent-subscriptions': ['anna'],
  'graph-storm': ['anna'],
};

describe('every scenario of the simulated tenant', () => {
  const suite = labSuite({
    agents: Object.keys(AGENT_TONES),
    teams: { refer: true, optionsSeconds: 1 },
    teamsT1Ms: 50,
    // A silent proxy holds a leg for 64 times this, which is half a minute on real servers.
    sipT1Ms: 60,
    queue: {
      strategy: 'top-down',
      ringTimeoutSeconds: 3,
      missesBeforeNotReady: 100,
      suspiciousAnswer: 'refuse',
      presence: { unknown: 'accept' },
    },
  });

  afterEach(async () => {
    suite.lab.tenant.misbehave({ what: 'reset' });
    await eventually('the trunk is up', async () =>
      (await store.trunkStatus(suite.lab.database.db))[0]?.proxies[0]?.state === 'active' ? true : undefined,
    );
  });

  const names = (Object.keys(SCENARIOS) as ScenarioName[]).filter(
    (name) => !REAL.drachtio || name !== 'silent-data-centre',
  );
  it.each(names)('%s: the caller gets where its words say', async (name) => {
    const { lab } = suite;
    await suite.allAvailable();
    playScenario(lab.tenant, name);
    const call = await lab.dial();
    for (const who of OUTCOME[name]) {
      if (who === 'wait') {
        await lab.story(call, ['call:waiting']);
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        expect(call.report().soundMs).toBeGreaterThan(300);
      } else {
        const hz = AGENT_TONES[who] ?? 0;
        const before = call.heardMs(hz);
        await eventually(`the caller hears ${who}`, () => (call.heardMs(hz) > before + 200 ? true : undefined), 20_000);
      }
    }
    expect(call.state).not.toBe('ended');
    expect(lab.tenant.rulesBroken().filter(({ rule }) => rule !== 'ack-missing')).toEqual([]);
    await call.hangUp();
    await lab.ending(call);
  });
});
