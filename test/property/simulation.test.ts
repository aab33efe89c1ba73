import fc from 'fast-check';
import type { StrategyName } from '../../src/routing/types';
import type { Plan } from '../../src/simulation/plan';
import { runOnce } from '../../src/simulation/run';
import { plannedQueue, exponential, poisson } from '../support/simple-plan';

/** Small houses in which much happens: several queues, refusals, other work, shifts, callers without patience. */
const plans = (strategies: readonly StrategyName[]): fc.Arbitrary<Plan> =>
  fc
    .record({
      strategy: fc.constantFrom(...strategies),
      levels: fc.constantFrom<'strict' | 'merged'>('strict', 'merged'),
      refuse: fc.constantFrom(0, 0.3),
      otherWork: fc.boolean(),
      answerMs: fc.constantFrom(0, 3000),
      shifts: fc.boolean(),
      weights: fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })),
      people: fc.array(
        fc.record({
          queues: fc.constantFrom(['a'], ['b'], ['a', 'b'], ['b', 'a']),
          level: fc.integer({ min: 1, max: 2 }),
          priority: fc.integer({ min: 1, max: 2 }),
        }),
        { minLength: 1, maxLength: 5 },
      ),
    })
    .map((given) => ({
      name: 'small',
      queues: (['a', 'b'] as const).map((name, i) =>
        plannedQueue(name, { strategy: given.strategy, levels: given.levels, weight: given.weights[i]! }),
      ),
      staff: given.people.map((person, i) => ({
        name: `agent ${i}`,
        memberships: person.queues.map((queue) => ({
          queue,
          level: person.level,
          position: i + 1,
          priority: queue === 'a' ? person.priority : 1,
        })),
        answer: { kind: 'constant', meanMs: given.answerMs } as const,
        refuse: given.strategy === 'top-down' ? 0 : given.refuse,
        presenceLagMs: 20_000,
        ...(given.otherWork && given.strategy !== 'top-down'
          ? { otherWork: { everyMs: exponential(600), lastsMs: exponential(120) } }
          : {}),
        ...(given.shifts ? { shifts: [{ fromMs: i * 600_000, toMs: (i + 4) * 600_000 }] } : {}),
      })),
      traffic: (['a', 'b'] as const).map((queue, i) => ({
        queue,
        arrivals: poisson(1 / 90),
        patience: exponential(150),
        handling: exponential(120),
        class: i,
        headStartMs: i * 30_000,
      })),
      lengthMs: 2 * 3_600_000,
      warmUpMs: 0,
    }));

function log(plan: Plan, matcher: 'indexed' | 'decide' | 'decide-whole'): string[] {
  const lines: string[] = [];
  runOnce(plan, {
    seed: 5,
    matcher,
    onAssigned: (at, call, agent) => lines.push(`${Math.round(at)} ${call} ${agent}`),
  });
  return lines;
}

describe('the fast ways of the simulation decide as routing does', () => {
  it('sorted lists give the same calls to the same agents as a decision over everybody', () => {
    fc.assert(
      fc.property(plans(['longest-idle', 'round-robin', 'fewest-calls', 'top-down']), (plan) => {
        expect(log(plan, 'indexed')).toEqual(log(plan, 'decide-whole'));
      }),
      { numRuns: 60 },
    );
  });

  it('decisions over what has changed are those over everybody', () => {
    fc.assert(
      fc.property(plans(['longest-idle', 'least-occupied', 'ring-all', 'ring-progressively']), (plan) => {
        expect(log(plan, 'decide')).toEqual(log(plan, 'decide-whole'));
      }),
      { numRuns: 60 },
    );
  });

  it('every caller who comes is answered, gives up, or is sent away', () => {
    fc.assert(
      fc.property(plans(['longest-idle', 'ring-all', 'weighted-random']), (plan) => {
        const staff = plan.staff.map((agent) => ({ ...agent, shifts: [{ fromMs: 0, toMs: 10 * plan.lengthMs }] }));
        const { queues } = runOnce({ ...plan, staff }, { seed: 6 });
        for (const queue of queues) {
          const left = Object.values(queue.left).reduce((sum, count) => sum + count, 0);
          expect(queue.answered + queue.abandoned + left).toBe(queue.arrived);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('the same seed gives the same run, another seed another one', () => {
    fc.assert(
      fc.property(plans(['weighted-random', 'longest-idle']), (plan) => {
        expect(log(plan, 'decide')).toEqual(log(plan, 'decide'));
      }),
      { numRuns: 20 },
    );
  });
});
