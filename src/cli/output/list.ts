/** Lists in each form: a table for a terminal, tab separated values for a pipe, JSON, YAML and CSV for programs, names alone. */
import Table from 'cli-table3';
import { createColors } from 'picocolors';
import { SidekickError } from '../../lib/errors';
import type { Io } from '../io';
import { line } from '../io';
import { printJson, printYaml } from './json';

export const OUTPUT_FORMATS = ['table', 'wide', 'json', 'yaml', 'csv', 'name', 'tsv'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** What a colour says again that the word has said: colour alone never says anything. */
export type Tone = 'good' | 'watch' | 'bad';

export interface Column<Row> {
  readonly title: string;
  /** What a person reads; also the piped form unless `plain` is given. */
  readonly text: (row: Row) => string;
  /** Exact form for pipes, such as an ISO time instead of "4 s ago". */
  readonly plain?: (row: Row) => string;
  /** Only in the wide table, in CSV and in pipes. */
  readonly wide?: true;
  readonly tone?: (row: Row) => Tone | undefined;
}

export interface ListView<Row> {
  /** Key of the list in JSON. */
  readonly noun: string;
  readonly columns: readonly Column<Row>[];
  readonly name: (row: Row) => string;
  readonly json: (row: Row) => unknown;
  /** What a terminal shows when there is nothing. */
  readonly empty: string;
}

/**
 * @throws SidekickError SK_USAGE for an unknown format
 */
export function outputFormat(io: Io, given: { readonly output?: string; readonly json?: boolean }): OutputFormat {
  if (given.output === undefined) {
    return given.json === true ? 'json' : io.stdout.isTTY === true ? 'table' : 'tsv';
  }
  const format = OUTPUT_FORMATS.find((f) => f === given.output);
  if (format === undefined) {
    throw new SidekickError('SK_USAGE', `there is no output format "${given.output}"`, {
      why: `the formats are ${OUTPUT_FORMATS.join(', ')}`,
      next: 'leave -o away for a table on a terminal and tab separated values in a pipe',
    });
  }
  return format;
}

export function printList<Row>(
  io: Io,
  view: ListView<Row>,
  rows: readonly Row[],
  format: OutputFormat,
  color = false,
): void {
  switch (format) {
    case 'json': {
      printJson(io, { [view.noun]: rows.map(view.json) });
      return;
    }
    case 'yaml': {
      printYaml(io, { [view.noun]: rows.map(view.json) });
      return;
    }
    case 'name': {
      rows.forEach((row) => line(io.stdout, view.name(row)));
      return;
    }
    case 'csv': {
      io.stdout.write(csvRow(view.columns.map((c) => c.title)));
      rows.forEach((row) => io.stdout.write(csvRow(view.columns.map((c) => (c.plain ?? c.text)(row)))));
      return;
    }
    case 'tsv': {
      rows.forEach((row) => line(io.stdout, view.columns.map((c) => visible((c.plain ?? c.text)(row))).join('\t')));
      return;
    }
    case 'wide':
    case 'table': {
      const columns = view.columns.filter((c) => format === 'wide' || c.wide !== true);
      line(io.stdout, rows.length === 0 ? view.empty : tableOf(columns, rows, color));
    }
  }
}

/** RFC 4180: lines end with CRLF, a field with a comma, a quote or a line end stands in quotes. */
export function csvRow(fields: readonly string[]): string {
  const quoted = fields.map((field) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field));
  return `${quoted.join(',')}\r\n`;
}

/** A table without lines between its cells. */
export function tableOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[], color = false): string {
  const table = new Table({
    head: columns.map((c) => c.title.toUpperCase()),
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  rows.forEach((row) =>
    table.push(columns.map((c) => painted(visible(c.text(row)), color ? c.tone?.(row) : undefined))),
  );
  return table
    .toString()
    .split('\n')
    .map((text) => text.trimEnd())
    .join('\n');
}

const COLORS = createColors(true);
const PAINT: Readonly<Record<Tone, (text: string) => string>> = {
  good: COLORS.green,
  watch: COLORS.yellow,
  bad: COLORS.magenta,
};

export function painted(text: string, tone: Tone | undefined): string {
  return tone === undefined || text === '' ? text : PAINT[tone](text);
}

const NO_LINES = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
    'middle',
  ].map((name) => [name, '']),
);

/** One line without control characters: names come from outside, and a terminal obeys escape sequences. */
export function visible(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}

/** `4 s`, `3 min`, `2 h`, `5 d`. */
export function shortDuration(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 120) {
    return `${s} s`;
  }
  if (s < 7200) {
    return `${Math.round(s / 60)} min`;
  }
  return s < 172_800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86_400)} d`;
}

export function isoTime(at: number | undefined): string {
  return at === undefined ? '' : new Date(at).toISOString();
}
