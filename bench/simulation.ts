/** How fast the simulation runs: calls a second, for plans that are kept sorted and for such as ask for a decision each time. */
import type { Plan } from '../src/simulation/plan';
import { runOnce } from '../src/simulation/run';
import { agents, exponential, plannedQueue, poisson } from '../test/support/simple-plan';

interface Case {
  readonly name: string;
  readonly plan: Plan;
  readonly goal?: string;
}

const DAY_MS = 24 * 3_600_000;

/** `share`: offered load as a share of the agents. */
function oneQueue(name: string, count: number, calls: number, share: number, rules = {}): Plan {
  const perSecond = calls / (DAY_MS / 1000);
  return {
    name,
    queues: [plannedQueue('q', rules)],
    staff: agents(count, ['q']),
    traffic: [
      {
        queue: 'q',
        arrivals: poisson(perSecond),
        patience: exponential(300),
        handling: exponential((share * count) / perSecond),
        class: 0,
        headStartMs: 0,
      },
    ],
    lengthMs: DAY_MS,
    warmUpMs: 0,
  };
}

function manyQueues(count: number, queues: number, calls: number): Plan {
  const names = Array.from({ length: queues }, (_, i) => `q${i}`);
  const perSecond = calls / queues / (DAY_MS / 1000);
  return {
    name: 'many',
    queues: names.map((name) => plannedQueue(name)),
    staff: Array.from({ length: count }, (_, i) =>
      agents(1, [names[i % queues] as string, names[(i * 7 + 1) % queues] as string]).map((agent) => ({
        ...agent,
        name: `agent ${i}`,
      })),
    ).flat(),
    traffic: names.map((queue) => ({
      queue,
      arrivals: poisson(perSecond),
      patience: exponential(300),
      handling: exponential((0.9 * count) / queues / perSecond),
      class: 0,
      headStartMs: 0,
    })),
    lengthMs: DAY_MS,
    warmUpMs: 0,
  };
}

const cases: readonly Case[] = [
  { name: 'one queue, 50 agents', plan: oneQueue('50', 50, 200_000, 0.9), goal: '> 100,000 calls/s' },
  { name: 'one queue, 50 agents, more callers than it can serve', plan: oneQueue('50+', 50, 200_000, 1.2) },
  { name: 'one queue, 500 agents', plan: oneQueue('500', 500, 500_000, 0.95) },
  {
    name: 'one queue, 50 agents, least-occupied (a decision each time)',
    plan: oneQueue('lo', 50, 100_000, 0.9, { strategy: 'least-occupied' }),
  },
  {
    name: '100 queues, 10,000 agents of two queues each, a day of 500,000 calls',
    plan: manyQueues(10_000, 100, 500_000),
  },
  {
    name: 'the same, least-occupied (a decision each time)',
    plan: {
      ...manyQueues(10_000, 100, 500_000),
      queues: manyQueues(10_000, 100, 1).queues.map((queue) => ({
        ...queue,
        rules: { ...queue.rules, strategy: 'least-occupied' as const },
      })),
    },
  },
];

for (const { name, plan, goal } of cases) {
  const began = process.hrtime.bigint();
  const tally = runOnce(plan, { seed: 1 });
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const rate = Math.round(tally.calls / seconds).toLocaleString('en-US');
  const answered = tally.queues.reduce((sum, queue) => sum + queue.answered, 0);
  const memory = Math.round(process.memoryUsage().rss / 1e6);
  process.stdout.write(
    `${name}: ${tally.calls.toLocaleString('en-US')} calls (${answered.toLocaleString('en-US')} answered) in ${seconds.toFixed(2)} s, ` +
      `${rate} calls/s, ${memory} MB${goal === undefined ? '' : `; goal ${goal}`}\n`,
  );
}
