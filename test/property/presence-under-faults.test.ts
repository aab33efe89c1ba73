import fc from 'fast-check';
import { GraphError } from '../../src/embedded/teams/graph-errors';
import { goodMood, misbehave } from '../../src/embedded/teams/misbehaviour';
import type { Misbehaviour } from '../../src/embedded/teams/misbehaviour';
import type { Availability } from '../../src/embedded/teams/presence-values';
import { makeServices } from '../../src/embedded/teams/tenant-services';
import type { TenantServices } from '../../src/embedded/teams/tenant-services';
import { demoUsers } from '../../src/embedded/teams/users';
import { SidekickError } from '../../src/lib/errors';
import { silentLog } from '../../src/lib/log';
import { presenceOf } from '../../src/presence/graph-client';
import { PresencePoller } from '../../src/presence/poller';
import type { PresenceReader, PresenceReading, PresenceStore } from '../../src/presence/ports';
import { RequestBudget } from '../../src/presence/request-budget';
import { ManualClock } from '../support/manual-clock';

/**
 * Two nodes read presence of a tenant that fails in every way the simulation knows, at random. docs/presence.md states what must
 * hold all the same:
 * - nothing is ever asked over Graph's limits, or before a Retry-After is over
 * - a value that routing may use (read within `STALE_MS`) was true, at the front end of Graph that lags most, within the last
 *   `STALE_MS` and one round
 * - once the faults are over, the true value is known within `RECOVERY_MS`
 */
const TENANT = '8e0bd3c4-1111-4222-8333-0123456789ab';
const CLIENT = '0c3a9f10-1111-4222-8333-0123456789ab';
const USERS = demoUsers();
const INTERVALS = { idleMs: 10_000, waitingMs: 2_000, awayMs: 60_000 };
const STALE_MS = 30_000;
/** How far a front end of Graph may lag here. */
const LAG_MS = 20_000;
/** Longest Retry-After below, our longest wait, the time in which an old sequence is forgotten, two rounds of all agents. */
const RECOVERY_MS = 20_000 + 30_000 + 60_000 + 2 * INTERVALS.idleMs;

interface Known {
  readonly availability: string;
  readonly sequence: string | undefined;
  readonly readAt: number;
}

/** What the database does with readings, with its rules of order; shared by both nodes. */
class SharedStore {
  readonly known = new Map<string, Known>();
  holder: string | undefined;
  until = 0;
  pausedUntil = 0;

  constructor(private readonly clock: ManualClock) {}

  forNode(name: string, budget: RequestBudget): PresenceStore {
    return {
      agentsToPoll: async () =>
        USERS.map((user, i) => ({
          agentId: user.name,
          entraUserId: user.entraUserId,
          readAt: undefined,
          need: i < 3 ? ('now' as const) : ('soon' as const),
          staleAfterMs: STALE_MS,
        })),
      upsertPresences: async (readings) => {
        readings.forEach((reading) => this.#take(reading));
        return [];
      },
      holdPollLease: async (forMs) => {
        const now = this.clock.now();
        const held = this.holder === name || this.until <= now;
        if (held) {
          this.holder = name;
          this.until = now + forMs;
        }
        budget.share(held, 2);
        return { held, pauseMs: Math.max(0, this.pausedUntil - now) };
      },
      notePause: async (forMs) => {
        this.pausedUntil = Math.max(this.pausedUntil, this.clock.now() + forMs);
      },
    };
  }

  #take(reading: PresenceReading): void {
    const old = this.known.get(reading.agentId);
    const older =
      old?.sequence !== undefined &&
      reading.sequenceNumber !== undefined &&
      Number(reading.sequenceNumber) < Number(old.sequence) &&
      reading.readAt - old.readAt <= 60_000;
    if (!older && (old?.readAt ?? 0) <= reading.readAt) {
      const sequence = reading.sequenceNumber ?? old?.sequence;
      this.known.set(reading.agentId, { availability: reading.availability, sequence, readAt: reading.readAt });
    }
  }
}

/** Graph of the simulated tenant without HTTP between; its errors in our terms. */
function readerOf(
  services: TenantServices,
  clock: ManualClock,
  budget: RequestBudget,
  down: () => boolean,
): PresenceReader {
  let token = '';
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: CLIENT,
    client_secret: 's',
    scope: 'https://graph.microsoft.com/.default',
  });
  return {
    readPresences: async (ids) => {
      budget.take('read');
      if (down()) {
        throw new SidekickError('SK_GRAPH_UNREACHABLE', 'cut');
      }
      token ||= String(services.entra.token(TENANT, form, 'http://x').body['access_token']);
      try {
        const body = services.graph.getPresencesByUserId(`Bearer ${token}`, { ids }) as { value: unknown[] };
        return body.value.map((entry) => presenceOf(entry)!);
      } catch (error) {
        if (!(error instanceof GraphError)) {
          throw error;
        }
        token = error.status === 401 ? '' : token;
        const wait = error.headers['retry-after'];
        const context = { status: error.status, ...(wait === undefined ? {} : { retryAfterMs: Number(wait) * 1000 }) };
        throw new SidekickError('SK_GRAPH_UNREACHABLE', error.message, { context });
      }
    },
  };
}

type Command =
  | { readonly kind: 'shows'; readonly user: number; readonly value: Availability }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'fault'; readonly fault: Misbehaviour }
  | { readonly kind: 'cut'; readonly on: boolean }
  | { readonly kind: 'refresh'; readonly node: 0 | 1; readonly user: number }
  | { readonly kind: 'node-dies' };

const user = fc.integer({ min: 0, max: 4 });
const fault: fc.Arbitrary<Misbehaviour> = fc.oneof(
  fc.record({
    what: fc.constant('graph-storm' as const),
    share: fc.constantFrom(0, 0.3, 1),
    retryAfterSeconds: fc.integer({ min: 1, max: 20 }),
  }),
  fc.record({
    what: fc.constant('graph-throttle' as const),
    requests: fc.integer({ min: 1, max: 5 }),
    retryAfterSeconds: fc.integer({ min: 1, max: 20 }),
  }),
  fc.record({
    what: fc.constant('graph-fail' as const),
    requests: fc.integer({ min: 1, max: 8 }),
    status: fc.constant(503),
  }),
  fc.record({
    what: fc.constant('graph-stale' as const),
    every: fc.integer({ min: 0, max: 4 }),
    ms: fc.integer({ min: 0, max: LAG_MS }),
  }),
  fc.record({
    what: fc.constant('graph-sequence' as const),
    numbers: fc.constantFrom('right' as const, 'restart' as const),
  }),
  fc.record({
    what: fc.constant('graph-values' as const),
    values: fc.constantFrom('documented' as const, 'lower-case' as const),
  }),
  fc.record({ what: fc.constant('revoke-tokens' as const) }),
);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('shows' as const),
      user,
      value: fc.constantFrom<Availability>('Available', 'Busy', 'Away', 'DoNotDisturb', 'Offline'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 50, max: 20_000 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('fault' as const), fault }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), on: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('refresh' as const),
      node: fc.constantFrom(0 as const, 1 as const),
      user,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('node-dies' as const) }) },
);

async function play(commands: readonly Command[], seed: number): Promise<void> {
  const clock = new ManualClock(1_700_000_000_000);
  let state = seed;
  const random = (): number => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
  const services = makeServices(
    { tenantId: TENANT, clientId: CLIENT, clientSecret: 's', users: USERS, presenceLagMs: 0, random },
    clock,
  );
  const shared = new SharedStore(clock);
  let cut = false;
  const makeNode = (name: string): PresencePoller => {
    const budget = new RequestBudget(clock);
    const reader = readerOf(services, clock, budget, () => cut);
    const store = shared.forNode(name, budget);
    const poller = new PresencePoller({ store, reader, clock, log: silentLog(), intervals: INTERVALS });
    poller.start();
    return poller;
  };
  const nodes = [makeNode('n0'), makeNode('n1')];
  let made = 2;
  /** When each value was last true, by user. */
  const lastTrue = new Map(USERS.map((u) => [u.name, new Map<string, number>()]));
  const truth = (name: string): string =>
    services.presence.read(USERS.find((u) => u.name === name)!.entraUserId)!.availability;
  const note = (): void => USERS.forEach((u) => lastTrue.get(u.name)!.set(truth(u.name), clock.now()));
  const check = (): void => {
    note();
    for (const [name, known] of shared.known) {
      if (clock.now() - known.readAt <= STALE_MS) {
        const at = lastTrue.get(name)!.get(known.availability);
        expect(at).toBeGreaterThanOrEqual(clock.now() - STALE_MS - INTERVALS.idleMs - LAG_MS);
      }
    }
    const broken = services.graphRules.list().map(({ rule, offending }) => `${rule}: ${offending}`);
    expect(broken).toEqual([]);
  };
  const wait = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 1_000) {
      await clock.advance(Math.min(left, 1_000));
      check();
    }
  };
  for (const step of commands) {
    switch (step.kind) {
      case 'shows': {
        note();
        services.presence.setClient(USERS[step.user]!.entraUserId, { availability: step.value, activity: 'Away' });
        break;
      }
      case 'wait': {
        await wait(step.ms);
        break;
      }
      case 'fault': {
        misbehave(step.fault, services, goodMood());
        break;
      }
      case 'cut': {
        cut = step.on;
        break;
      }
      case 'refresh': {
        nodes[step.node]!.refresh([USERS[step.user]!.name]).catch(() => undefined);
        await clock.advance(0);
        break;
      }
      case 'node-dies': {
        await nodes[0]!.close();
        nodes[0] = nodes[1]!;
        nodes[1] = makeNode(`n${made++}`);
        break;
      }
    }
    check();
  }
  misbehave({ what: 'reset' }, services, goodMood());
  cut = false;
  await wait(RECOVERY_MS);
  for (const u of USERS) {
    expect(shared.known.get(u.name)?.availability).toBe(truth(u.name));
  }
  await Promise.all(nodes.map((node) => node.close()));
  expect(clock.pending).toBe(0);
  services.presence.close();
}

it('presence is never read over the limits, and never wrong for longer than is stated, whatever Graph does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 40 }), fc.integer({ min: 1, max: 1e6 }), play),
    { numRuns: Number(process.env['SIDEKICK_TEST_RUNS'] ?? 15), endOnFailure: true },
  );
}, 240_000);

it('a storm of 429 that lasts for minutes is waited out, request by request', async () => {
  await play(
    [
      { kind: 'fault', fault: { what: 'graph-storm', share: 1, retryAfterSeconds: 7 } },
      ...Array.from({ length: 12 }, (): Command => ({ kind: 'wait', ms: 15_000 })),
    ],
    1,
  );
}, 60_000);
