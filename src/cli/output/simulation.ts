/** What a simulation found, for people and for programs. */
import { percent, seconds } from '../../simulation/figure-text';
import type { Estimate, FigureName } from '../../simulation/figures';
import { offeredLoad } from '../../simulation/load';
import type { Plan } from '../../simulation/plan';
import type { Comparison, PlanReport } from '../../simulation/replicate';
import type { Context } from '../context';
import { line } from '../io';
import { printData } from './json';
import { csvRow, tableOf } from './list';
import type { OutputFormat } from './list';

const TITLES: readonly (readonly [FigureName, string, (value: number) => string])[] = [
  ['serviceLevel', 'in time', percent],
  ['asaMs', 'ASA', seconds],
  ['abandoned', 'gave up', percent],
  ['left', 'sent away', percent],
  ['waitP50Ms', 'p50', seconds],
  ['waitP80Ms', 'p80', seconds],
  ['waitP95Ms', 'p95', seconds],
  ['waitP99Ms', 'p99', seconds],
  ['offersPerAnswer', 'offers per answer', (value) => value.toFixed(2)],
];

interface Row {
  readonly plan: string;
  readonly queue: string;
  readonly figures: Readonly<Record<FigureName, Estimate>>;
}

export function printComparisons(
  context: Context,
  plans: readonly Plan[],
  base: PlanReport,
  comparisons: readonly Comparison[],
  format: OutputFormat,
): void {
  const { io } = context;
  const value = {
    simulation: jsonReport(base),
    comparisons: comparisons.map(({ variant, queues, occupancy }) => ({
      variant: jsonReport(variant),
      difference: { queues: jsonQueues(queues), occupancy },
    })),
  };
  if (printData(io, format, value)) {
    return;
  }
  const rows = [base, ...comparisons.map((c) => c.variant)].flatMap(rowsOf);
  if (format === 'csv' || format === 'tsv' || format === 'name') {
    printPlain(context, rows, format);
    return;
  }
  for (const [i, report] of [base, ...comparisons.map((c) => c.variant)].entries()) {
    const plan = plans[i];
    line(
      io.stdout,
      `${report.name}: ${report.calls.toLocaleString('en-US')} calls in ${report.runs} ${report.runs === 1 ? 'run' : 'runs'}, ` +
        `${plan?.staff.length ?? 0} agents, offered load ${plan ? offeredLoad(plan).toFixed(1) : '?'} erlangs, ` +
        `occupancy ${withInterval(report.occupancy, percent)}`,
    );
    line(io.stdout, table(rowsOf(report)));
    line(io.stdout);
  }
  for (const { variant, queues, occupancy } of comparisons) {
    line(io.stdout, `${variant.name}, less ${base.name} (the same callers): occupancy ${signed(occupancy, percent)}`);
    line(io.stdout, differences(queues));
    line(io.stdout);
  }
}

function rowsOf(report: PlanReport): Row[] {
  return [...report.queues].map(([queue, figures]) => ({ plan: report.name, queue, figures }));
}

function table(rows: readonly Row[]): string {
  return tableOf<Row>(
    [
      { title: 'queue', text: (row) => row.queue },
      { title: 'calls a run', text: (row) => Math.round(row.figures.arrived.mean).toLocaleString('en-US') },
      ...TITLES.map(([name, title, show]) => ({ title, text: (row: Row) => withInterval(row.figures[name], show) })),
    ],
    rows,
  );
}

/** A difference of which the interval contains nothing is marked: chance explains it. */
function differences(queues: Comparison['queues']): string {
  const rows = [...queues].map(([queue, figures]) => ({ plan: '', queue, figures }));
  return tableOf<Row>(
    [
      { title: 'queue', text: (row) => row.queue },
      ...TITLES.map(([name, title, show]) => ({ title, text: (row: Row) => signed(row.figures[name], show) })),
    ],
    rows,
  );
}

function printPlain(context: Context, rows: readonly Row[], format: 'csv' | 'tsv' | 'name'): void {
  const { stdout } = context.io;
  if (format === 'name') {
    rows.forEach((row) => line(stdout, row.queue));
    return;
  }
  const head = ['simulation', 'queue', ...TITLES.flatMap(([name]) => [name, `${name} half width`])];
  const cells = rows.map((row) => [
    row.plan,
    row.queue,
    ...TITLES.flatMap(([name]) => [String(row.figures[name].mean), String(row.figures[name].halfWidth)]),
  ]);
  if (format === 'csv') {
    [head, ...cells].forEach((row) => stdout.write(csvRow(row)));
  } else {
    cells.forEach((row) => line(stdout, row.join('\t')));
  }
}

function jsonReport(report: PlanReport): Record<string, unknown> {
  return {
    name: report.name,
    runs: report.runs,
    calls: report.calls,
    occupancy: report.occupancy,
    queues: jsonQueues(report.queues),
  };
}

/** Shares are 0 to 1, durations milliseconds, `halfWidth` half of the 95 % interval (null for a single run). */
function jsonQueues(queues: PlanReport['queues']): Record<string, unknown>[] {
  return [...queues].map(([queue, figures]) => ({ queue, ...figures }));
}

function withInterval({ mean, halfWidth }: Estimate, show: (value: number) => string): string {
  return Number.isFinite(halfWidth) ? `${show(mean)} ±${show(halfWidth).replace(/ (%|s)$/, '')}` : show(mean);
}

function signed({ mean, halfWidth }: Estimate, show: (value: number) => string): string {
  const text = `${mean > 0 ? '+' : ''}${withInterval({ mean, halfWidth }, show)}`;
  return Math.abs(mean) <= halfWidth ? `(${text})` : text;
}
