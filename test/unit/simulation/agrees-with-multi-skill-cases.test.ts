import type { Plan } from '../../../src/simulation/plan';
import { replicate } from '../../../src/simulation/replicate';
import { erlangC, mmn } from '../../support/erlang';
import { solveNModel } from '../../support/n-model';
import { agents, exponential, plannedQueue, poisson } from '../../support/simple-plan';

describe('the simulation agrees with known cases of several skills', () => {
  it('N model: specialists and generalists, against the exact Markov chain', () => {
    const model = {
      specialists: 4,
      generalists: 4,
      arrivalRate1: 5 / 180,
      arrivalRate2: 2.5 / 180,
      serviceRate: 1 / 180,
      giveUpRate: 1 / 120,
    };
    const exact = solveNModel(model);
    const member = (queue: string, priority: number, level = 1) => ({ queue, level, position: 1, priority });
    const plan: Plan = {
      name: 'N',
      queues: [plannedQueue('one'), plannedQueue('two')],
      staff: [
        ...agents(4, ['one']),
        // Level 2 for calls of kind 1: specialists first. Priority 1 for them: taken first when both wait.
        ...agents(4, ['one', 'two'], { memberships: [member('one', 1, 2), member('two', 2)] }),
      ],
      traffic: (['one', 'two'] as const).map((queue) => ({
        queue,
        arrivals: poisson(queue === 'one' ? model.arrivalRate1 : model.arrivalRate2),
        patience: exponential(120),
        handling: exponential(180),
        class: 0,
        headStartMs: 0,
      })),
      lengthMs: 300 * 3_600_000,
      warmUpMs: 3_600_000,
    };
    const report = replicate(plan, { seed: 21, runs: 10 });
    for (const [queue, expected] of [
      ['one', exact.abandons1],
      ['two', exact.abandons2],
    ] as const) {
      const { mean, halfWidth } = report.queues.get(queue)!.abandoned;
      expect({ queue, off: Math.abs(mean - expected) <= 2 * halfWidth, sharp: halfWidth < 0.1 * expected }).toEqual({
        queue,
        off: true,
        sharp: true,
      });
    }
  });

  it('strict classes: the wait of the first class is that of Kella and Yechiali', () => {
    const servers = 10;
    const [high, low] = [4 / 180, 4.5 / 180];
    const plan: Plan = {
      name: 'priorities',
      queues: [plannedQueue('q')],
      staff: agents(servers, ['q']),
      traffic: [1, 0].map((callClass) => ({
        queue: 'q',
        arrivals: poisson(callClass === 1 ? high : low),
        patience: { kind: 'never' } as const,
        handling: exponential(180),
        class: callClass,
        headStartMs: 0,
      })),
      lengthMs: 300 * 3_600_000,
      warmUpMs: 3_600_000,
    };
    // Non-preemptive classes of one service rate: W1 = C / (n µ (1 − ρ1)), W2 = W1 / (1 − ρ).
    const load = (high + low) * 180;
    const waits = erlangC(servers, load);
    const first = (waits * 180) / servers / (1 - (high * 180) / servers);
    const second = first / (1 - load / servers);
    const both = (high * first + low * second) / (high + low);
    const { mean, halfWidth } = replicate(plan, { seed: 22, runs: 10 }).queues.get('q')!.asaMs;
    expect(Math.abs(mean - both * 1000)).toBeLessThanOrEqual(2 * halfWidth);
    // Whatever the order, the mean over all is that of M/M/n.
    expect(both).toBeCloseTo(mmn(servers, high + low, 180).meanWait, 6);
  });

  /**
   * R. B. Wallace and W. Whitt, A Staffing Algorithm for Call Centers with Skill-Based Routing (2004): of six kinds of calls and 90
   * agents, two skills each are almost as good as all six. The ends are exact: one skill each is six separate rooms of 15 agents,
   * all skills are one room of 90.
   */
  it('Wallace and Whitt: two skills for each agent are almost as good as all six', () => {
    const kinds = ['a', 'b', 'c', 'd', 'e', 'f'];
    const perSecond = 14 / 600;
    const plan = (skills: number): Plan => ({
      name: `${skills} skills`,
      queues: kinds.map((kind) => plannedQueue(kind)),
      // The second skill goes round evenly: of 15 agents of a kind, three have each other kind as the second.
      staff: kinds.flatMap((kind, k) =>
        agents(15, [kind]).map((agent, i) => ({
          ...agent,
          name: `${kind} ${i}`,
          memberships: Array.from({ length: skills }, (_, s) => ({
            queue: kinds[s === 0 ? k : (k + 1 + ((i + s - 1) % 5)) % 6]!,
            level: s === 0 ? 1 : 2,
            position: i + 1,
            priority: s === 0 ? 1 : 2,
          })),
        })),
      ),
      traffic: kinds.map((queue) => ({
        queue,
        arrivals: poisson(perSecond),
        patience: { kind: 'never' } as const,
        handling: exponential(600),
        class: 0,
        headStartMs: 0,
      })),
      lengthMs: 120 * 3_600_000,
      warmUpMs: 20 * 3_600_000,
    });
    const waits = [1, 2, 6].map((skills) => {
      const report = replicate(plan(skills), { seed: 23, runs: 6 });
      return kinds.reduce((sum, kind) => sum + report.queues.get(kind)!.asaMs.mean / 1000 / kinds.length, 0);
    }) as [number, number, number];
    const separate = mmn(15, perSecond, 600).meanWait;
    const pooled = mmn(90, 6 * perSecond, 600).meanWait;
    expect(waits[0]).toBeGreaterThan(0.7 * separate);
    expect(waits[0]).toBeLessThan(1.3 * separate);
    expect(waits[2]).toBeGreaterThan(0.6 * pooled);
    expect(waits[2]).toBeLessThan(1.4 * pooled);
    // Of all that pooling gains, the second skill gains more than nine tenths.
    expect((waits[0] - waits[1]) / (waits[0] - waits[2])).toBeGreaterThan(0.9);
  });
});
