/** Percentiles of measured values, and the figures that a run prints. */
export interface Summary {
  readonly n: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Percentiles by the nearest-rank method; undefined without any value. */
export function summarise(values: readonly number[]): Summary | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const last = sorted.at(-1);
  if (last === undefined) {
    return undefined;
  }
  return {
    n: sorted.length,
    p50: percentile(sorted, 50),
    p95: percentile(sorted, 95),
    p99: percentile(sorted, 99),
    max: last,
  };
}

/** The smallest value that at least `percent` of the ascending `sorted` do not exceed. NaN for an empty list. */
export function percentile(sorted: readonly number[], percent: number): number {
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

/** What is wanted of a figure, and whether this run kept it. */
export interface Goal {
  readonly text: string;
  readonly met: boolean;
}

export type Unit = 'ms' | 'MB' | 'calls' | 'calls/s' | '%';

/** One line of the table of figures. */
export interface Figure {
  readonly name: string;
  readonly unit: Unit;
  /** Undefined: nothing was measured; `note` says why. */
  readonly values: Summary | undefined;
  readonly goal?: Goal;
  /** What others reach on such a machine, p50 / p95. */
  readonly peers?: string;
  readonly note?: string;
}

/** A figure of times with a goal for its 95th percentile, which a figure without values misses. */
export function timing(
  name: string,
  values: readonly number[],
  options: { readonly p95?: number; readonly peers?: string; readonly note?: string } = {},
): Figure {
  const summary = summarise(values);
  const { p95, peers, note } = options;
  return {
    name,
    unit: 'ms',
    values: summary,
    ...(p95 === undefined
      ? {}
      : { goal: { text: `p95 ≤ ${p95} ms`, met: summary !== undefined && summary.p95 <= p95 } }),
    ...(peers === undefined ? {} : { peers }),
    ...(note === undefined ? {} : { note }),
  };
}

/** A table of one section beside the figures: steps of a rate, processes and their memory. */
export interface StepTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly notes: readonly string[];
}

/** What a section of the benchmark gives back. */
export interface SectionResult {
  readonly figures: readonly Figure[];
  readonly tables: readonly StepTable[];
  /** Goals that belong to no single figure. */
  readonly goals: readonly (Goal & { readonly name: string })[];
}
