/** Runs a plan several times, and two plans against each other with the same callers. */
import { estimate, figuresOf } from './figures';
import type { Estimate, FigureName, QueueFigures, RunFigures } from './figures';
import type { Plan } from './plan';
import { runOnce } from './run';

export interface ReplicateOptions {
  readonly seed: number;
  /** Independent runs; from two on there is a confidence interval. */
  readonly runs: number;
  /** Share of all runs that is done, 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

export interface PlanReport {
  readonly name: string;
  readonly runs: number;
  /** Calls of all runs, those of the warm-up included. */
  readonly calls: number;
  readonly queues: ReadonlyMap<string, Readonly<Record<FigureName, Estimate>>>;
  readonly occupancy: Estimate;
  /** Waits of those answered, over all runs, sorted, by queue; for plots. */
  readonly waits: ReadonlyMap<string, Float64Array>;
  /** By run, for comparisons. */
  readonly single: readonly RunFigures[];
}

export function replicate(plan: Plan, options: ReplicateOptions): PlanReport {
  const single: RunFigures[] = [];
  const waits = new Map<string, Float64Array[]>();
  let calls = 0;
  for (let i = 0; i < options.runs; i++) {
    const tally = runOnce(plan, {
      seed: options.seed + i,
      onProgress: (share) => options.onProgress?.((i + share) / options.runs),
    });
    calls += tally.calls;
    single.push(figuresOf(tally));
    for (const queue of tally.queues) {
      waits.set(queue.queue, [...(waits.get(queue.queue) ?? []), queue.waits.sorted()]);
    }
  }
  return {
    name: plan.name,
    runs: options.runs,
    calls,
    queues: new Map(
      plan.queues.map(({ rules }) => [rules.name, estimates(single.map((run) => run.queues.get(rules.name)))]),
    ),
    occupancy: estimate(single.map((run) => run.occupancy)),
    waits: new Map([...waits].map(([queue, lists]) => [queue, merge(lists)])),
    single,
  };
}

export interface Comparison {
  readonly base: PlanReport;
  readonly variant: PlanReport;
  /** Variant less base, run by run with the same callers. */
  readonly queues: ReadonlyMap<string, Readonly<Record<FigureName, Estimate>>>;
  readonly occupancy: Estimate;
}

/** Compares two reports of the same seed and count of runs: common random numbers make differences sharp that single runs hide. */
export function compare(base: PlanReport, variant: PlanReport): Comparison {
  const queues = new Map<string, Readonly<Record<FigureName, Estimate>>>();
  for (const queue of base.queues.keys()) {
    if (variant.queues.has(queue)) {
      queues.set(
        queue,
        estimates(base.single.map((run, i) => difference(run.queues.get(queue), variant.single[i]?.queues.get(queue)))),
      );
    }
  }
  const occupancy = base.single.map((run, i) => (variant.single[i]?.occupancy ?? 0) - run.occupancy);
  return { base, variant, queues, occupancy: estimate(occupancy) };
}

function difference(a: QueueFigures | undefined, b: QueueFigures | undefined): QueueFigures | undefined {
  if (!a || !b) {
    return undefined;
  }
  return mapFigures((name) => b[name] - a[name]);
}

function estimates(runs: readonly (QueueFigures | undefined)[]): Readonly<Record<FigureName, Estimate>> {
  return mapFigures((name) => estimate(runs.map((run) => run?.[name] ?? 0)));
}

export const FIGURE_NAMES: readonly FigureName[] = [
  'arrived',
  'serviceLevel',
  'asaMs',
  'abandoned',
  'left',
  'waitP50Ms',
  'waitP80Ms',
  'waitP95Ms',
  'waitP99Ms',
  'atOnce',
  'offersPerAnswer',
];

function mapFigures<T>(value: (name: FigureName) => T): Record<FigureName, T> {
  return Object.fromEntries(FIGURE_NAMES.map((name) => [name, value(name)])) as Record<FigureName, T>;
}

function merge(lists: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(lists.reduce((sum, list) => sum + list.length, 0));
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  return all.sort();
}
