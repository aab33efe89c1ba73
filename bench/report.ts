/** Writes what was measured: tables for people, one JSON document for programs. */
import Table from 'cli-table3';
import type { Figure, SectionResult, StepTable } from './statistics';

export interface RunInfo {
  readonly servers: 'embedded' | 'real';
  readonly startedAt: string;
  readonly seconds: number;
  readonly node: string;
  readonly cores: number;
  /** Load average of the machine before and after the run. */
  readonly loadBefore: number;
  readonly loadAfter: number;
}

export interface Report extends RunInfo {
  readonly sections: Readonly<Record<string, SectionResult>>;
  readonly memory: StepTable;
}

export function asJson(report: Report): string {
  return JSON.stringify(report, null, 2);
}

export function asText(report: Report): string {
  const { sections } = report;
  const results = Object.values(sections);
  const lines = [
    `${report.servers === 'real' ? 'Real drachtio-server and FreeSWITCH' : 'Embedded servers'}, ${report.startedAt}, ${report.seconds.toFixed(0)} s, Node ${report.node}, ` +
      `${report.cores} cores, load average ${report.loadBefore.toFixed(2)} before and ${report.loadAfter.toFixed(2)} after`,
    '',
    figureTable(results.flatMap((result) => result.figures)),
    ...results.flatMap((result) => result.tables).map(stepTable),
    stepTable(report.memory),
  ];
  const goals = results.flatMap((result) => result.goals);
  for (const goal of goals) {
    lines.push(`${goal.met ? 'met   ' : 'MISSED'}  ${goal.name}: ${goal.text}`);
  }
  return `${lines.join('\n')}\n`;
}

const PLAIN = { style: { head: [], border: [], compact: true } };

function figureTable(figures: readonly Figure[]): string {
  const table = new Table({
    ...PLAIN,
    head: ['figure', 'n', 'p50', 'p95', 'p99', 'goal', '', 'others, p50 / p95 ms'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'left', 'left', 'left'],
  });
  for (const { name, unit, values, goal, peers } of figures) {
    const text = (x: number | undefined): string =>
      x === undefined ? '–' : `${unit === 'ms' ? x.toFixed(1) : String(x)} ${unit}`;
    const single = values !== undefined && values.p50 === values.p99;
    table.push([
      name,
      values === undefined ? '0' : String(values.n),
      text(values?.p50),
      single ? '' : text(values?.p95),
      single ? '' : text(values?.p99),
      goal?.text ?? '',
      goal === undefined ? '' : goal.met ? 'met' : 'MISSED',
      peers ?? '',
    ]);
  }
  const notes = figures.flatMap(({ name, note }) => (note === undefined ? [] : [`  ${name}: ${note}`]));
  return [table.toString(), ...notes, ''].join('\n');
}

function stepTable({ title, columns, rows, notes }: StepTable): string {
  const table = new Table({ ...PLAIN, head: [...columns], colAligns: columns.map(() => 'right' as const) });
  for (const row of rows) {
    table.push([...row]);
  }
  return [title, table.toString(), ...notes.map((note) => `  ${note}`), ''].join('\n');
}

/** True if no goal was missed. */
export function goalsMet(report: Report): boolean {
  return Object.values(report.sections).every(
    (result) => result.goals.every((goal) => goal.met) && result.figures.every((figure) => figure.goal?.met !== false),
  );
}
