/** What people ask of a run, and how sure the answer is. */
import type { QueueTally, RunTally } from './tally';

/** Figures of one queue in one run. Shares are 0 to 1, durations milliseconds. */
export interface QueueFigures {
  readonly arrived: number;
  /** Answered in time, of all who arrived. */
  readonly serviceLevel: number;
  /** Average speed of answer: mean wait of those who were answered. */
  readonly asaMs: number;
  /** Gave up, of all who arrived. */
  readonly abandoned: number;
  /** Sent away by a rule of the queue, of all who arrived. */
  readonly left: number;
  readonly waitP50Ms: number;
  readonly waitP80Ms: number;
  readonly waitP95Ms: number;
  readonly waitP99Ms: number;
  /** Answered without any wait, of those answered. */
  readonly atOnce: number;
  readonly offersPerAnswer: number;
}

export type FigureName = keyof QueueFigures;

export interface RunFigures {
  readonly queues: ReadonlyMap<string, QueueFigures>;
  /** Share of the signed-in time that went into calls and wrap-up. */
  readonly occupancy: number;
}

export function figuresOf(tally: RunTally): RunFigures {
  const { signedInMs, handlingMs } = tally.staff;
  return {
    queues: new Map(tally.queues.map((queue) => [queue.queue, queueFigures(queue)])),
    occupancy: signedInMs > 0 ? handlingMs / signedInMs : 0,
  };
}

function queueFigures(queue: QueueTally): QueueFigures {
  const { arrived, answered, waits } = queue;
  const left = Object.values(queue.left).reduce((sum, count) => sum + count, 0);
  const sorted = waits.sorted();
  const percentile = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  const ofArrived = (count: number): number => (arrived > 0 ? count / arrived : 0);
  return {
    arrived,
    serviceLevel: ofArrived(queue.answeredInTime),
    asaMs: waits.mean(),
    abandoned: ofArrived(queue.abandoned),
    left: ofArrived(left),
    waitP50Ms: percentile(0.5),
    waitP80Ms: percentile(0.8),
    waitP95Ms: percentile(0.95),
    waitP99Ms: percentile(0.99),
    atOnce: answered > 0 ? countUpTo(sorted, 0) / answered : 0,
    offersPerAnswer: answered > 0 ? queue.offers / answered : 0,
  };
}

/** How many of the sorted values are not above the limit. */
export function countUpTo(sorted: Float64Array, limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) <= limit) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** A mean over independent runs, and half the width of its 95 % confidence interval. */
export interface Estimate {
  readonly mean: number;
  /** Infinity for a single run, which says nothing about how far off it may be. */
  readonly halfWidth: number;
}

/** Mean and 95 % confidence interval by Student's t over independent runs. */
export function estimate(values: readonly number[]): Estimate {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2) {
    return { mean, halfWidth: Infinity };
  }
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return { mean, halfWidth: studentT(n - 1) * Math.sqrt(variance / n) };
}

/** 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom. */
const T_975 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/** Beyond the table by the first terms of its expansion around the normal quantile (exact to three digits from 30 on). */
function studentT(degrees: number): number {
  const z = 1.959964;
  return T_975[degrees - 1] ?? z + (z ** 3 + z) / (4 * degrees);
}
