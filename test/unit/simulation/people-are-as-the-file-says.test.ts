import { runOnce } from '../../../src/simulation/run';
import { plansOf } from '../../../src/simulation/scenario/to-plan';
import { parseScenarioValue } from '../../../src/simulation/scenario/parse';
import { figuresOf, type QueueFigures } from '../../../src/simulation/figures';
import type { RunTally } from '../../../src/simulation/tally';

type Input = Parameters<typeof parseScenarioValue>[0];

/** Twenty calls an hour for two people, unless said otherwise. */
function run(over: Partial<Input> = {}): RunTally {
  const scenario = parseScenarioValue({
    apiVersion: 'sidekick/v1',
    kind: 'simulation',
    hours: 48,
    queues: [{ name: 'support', members: [], ringTimeoutSeconds: 20, wrapUpSeconds: 30 }],
    staff: [{ name: 'anna', count: 2, queues: [{ queue: 'support' }] }],
    traffic: [{ queue: 'support', perHour: 20, patience: { meanSeconds: 300 }, handling: { meanSeconds: 120 } }],
    ...over,
  });
  return runOnce(plansOf(scenario).base, { seed: 7 });
}

const support = (tally: RunTally): QueueFigures => figuresOf(tally).queues.get('support')!;

describe('agents of a simulation', () => {
  const plain = support(run());

  it('refuse the share of offers that is said: each rings out, so callers wait longer', () => {
    const tally = run({ agents: { refuse: 0.25 } });
    const [queue] = tally.queues;
    expect(queue!.refusedOffers / queue!.offers).toBeGreaterThan(0.2);
    expect(queue!.refusedOffers / queue!.offers).toBeLessThan(0.3);
    expect(support(tally).asaMs).toBeGreaterThan(plain.asaMs + 2_000);
  });

  it('do other work of which presence tells late: the later, the more offers are in vain', () => {
    const offers = (presenceLagSeconds: number): number =>
      support(run({ agents: { otherWork: { perHour: 6, lasts: { meanSeconds: 120 } }, presenceLagSeconds } }))
        .offersPerAnswer;
    const [none, some, much] = [offers(0), offers(20), offers(60)] as const;
    expect(none).toBeLessThan(1.02);
    expect(some).toBeGreaterThan(none + 0.01);
    expect(much).toBeGreaterThan(some + 0.02);
  });

  it('take calls within their shifts only', () => {
    const late = support(
      run({
        staff: [{ name: 'anna', count: 2, queues: [{ queue: 'support' }], shifts: ['00:00-12:00'] }],
        traffic: [
          {
            queue: 'support',
            atSeconds: [3_600, 50_000, 60_000],
            patience: { meanSeconds: 300 },
            handling: { meanSeconds: 60 },
          },
        ],
      }),
    );
    expect(late.arrived).toBe(3);
    expect(late.abandoned).toBeCloseTo(2 / 3);
    expect(
      figuresOf(
        run({ staff: [{ name: 'a', count: 2, queues: [{ queue: 'support' }], shifts: ['00:00-06:00'] }] }),
      ).queues.get('support')!.abandoned,
    ).toBeGreaterThan(0.7);
  });

  it('are given only the calls that they know enough for', () => {
    const needs = [{ skill: 'french', atLeast: 3 }];
    const french = (level: number): QueueFigures =>
      support(
        run({
          staff: [{ name: 'anna', count: 2, queues: [{ queue: 'support' }], skills: { french: level } }],
          traffic: [
            { queue: 'support', perHour: 20, patience: { meanSeconds: 300 }, handling: { meanSeconds: 120 }, needs },
          ],
        }),
      );
    expect(french(2).abandoned).toBe(1);
    expect(french(3).abandoned).toBeLessThan(0.3);
  });
});

describe('callers of a simulation who are sent to voicemail', () => {
  const rules = { name: 'support', members: [], ringTimeoutSeconds: 20, wrapUpSeconds: 30, maxWaitSeconds: 45 };
  const busy = {
    staff: [{ name: 'anna', count: 1, queues: [{ queue: 'support' }] }],
    traffic: [{ queue: 'support', perHour: 30, patience: { meanSeconds: 600 }, handling: { meanSeconds: 150 } }],
  } as const;

  it('have left by the rule of the queue, neither answered nor abandoned, as if the call had been ended', () => {
    const ended = run({ ...busy, queues: [rules] } as never);
    const message = run({
      ...busy,
      queues: [{ ...rules, voicemail: {}, exits: { maxWait: { voicemail: 'support' } } }],
    } as never);
    const [queue] = message.queues;
    expect(queue!.left['maxWait']).toBeGreaterThan(100);
    expect(queue!.answered + queue!.abandoned + queue!.left['maxWait']!).toBe(queue!.arrived);
    expect(queue).toEqual(ended.queues[0]);
  });
});
