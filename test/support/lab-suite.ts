import { store } from '../../src/store';
import { AGENT_TONES, CallLab, CALLER_TONE, eventually } from './call-lab';
import type { LabOptions } from './call-lab';
import type { CarrierCall } from '../../src/embedded/carrier/carrier-call';
import type { CallView } from '../../src/embedded/teams/call-record';

export interface LabSuite {
  readonly lab: CallLab;
  /** The next call that the simulated tenant gets for this agent, from now on. */
  nextOffer(agent: string): Promise<CallView>;
  /** Waits until Teams shows every agent as available, so that the first in order is the first that is rung. */
  allAvailable(): Promise<void>;
  /** Waits until both hear each other's tone for 200 ms. */
  bothHear(call: CarrierCall, agent: string): Promise<CallView>;
}

/** One lab for the stories of a file; after each story nothing may be left behind, and every agent is ready again. */
export function labSuite(options: LabOptions = {}): LabSuite {
  let lab: CallLab | undefined;
  const get = (): CallLab => {
    if (!lab) {
      throw new Error('the lab is not up');
    }
    return lab;
  };
  beforeAll(async () => {
    lab = await CallLab.start(options);
    await lab.readyAll();
  });
  afterEach(async () => {
    try {
      await get().expectNothingLeft();
    } catch (error) {
      await get().cleanUp();
      throw error;
    }
    await get().readyAll();
    for (const user of get().tenant.users()) {
      get().tenant.setScript(user.name, { kind: 'answer', afterMs: 200 });
    }
  });
  afterAll(async () => {
    await lab?.close();
  });
  return {
    get lab() {
      return get();
    },
    nextOffer: async (agent) => {
      const known = new Set(
        get()
          .tenant.calls()
          .map((c) => c.id),
      );
      return await eventually(`an offer at ${agent}`, () =>
        get()
          .tenant.calls({ agent })
          .find((c) => !known.has(c.id)),
      );
    },
    allAvailable: async () => {
      const { tenant, database } = get();
      tenant.misbehave({ what: 'presence-lag', ms: 0 });
      const asked = Date.now();
      await eventually('all available', async () => {
        const agents = await store.listAgents(database.db);
        return agents.every(({ presence: p }) =>
          typeof p === 'string' ? true : p.availability === 'Available' && p.readAt >= asked,
        )
          ? true
          : undefined;
      });
    },
    bothHear: async (call, agent) => {
      const hz = AGENT_TONES[agent] ?? 0;
      await eventually(`the caller hears ${agent}`, () => (call.heardMs(hz) > 200 ? true : undefined));
      return await eventually(`${agent} hears the caller`, () =>
        get()
          .tenant.calls({ agent })
          .findLast((c) => c.state !== 'ended' && c.heardTones.some((t) => t.hz === CALLER_TONE && t.ms > 200)),
      );
    },
  };
}
