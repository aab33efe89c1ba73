/** Lists in three forms: a table for a terminal, tab separated values for a pipe, JSON for programs. */
import Table from 'cli-table3';
import { SidekickError } from '../../lib/errors';
import type { Io } from '../io';
import { line } from '../io';
import { printJson } from './json';

export const OUTPUT_FORMATS = ['table', 'tsv', 'json', 'name'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export interface Column<Row> {
  readonly title: string;
  /** What a person reads; also the piped form unless `plain` is given. */
  readonly text: (row: Row) => string;
  /** Exact form for pipes, such as an ISO time instead of "4 s ago". */
  readonly plain?: (row: Row) => string;
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
export function outputFormat(io: Io, given: string | undefined): OutputFormat {
  if (given === undefined) {
    return io.stdout.isTTY === true ? 'table' : 'tsv';
  }
  const format = OUTPUT_FORMATS.find((f) => f === given);
  if (format === undefined) {
    throw new SidekickError('SK_USAGE', `there is no output format "${given}"`, {
      why: `the formats are ${OUTPUT_FORMATS.join(', ')}`,
      next: 'leave -o away for a table on a terminal and tab separated values in a pipe',
    });
  }
  return format;
}

export function printList<Row>(io: Io, view: ListView<Row>, rows: readonly Row[], format: OutputFormat): void {
  switch (format) {
    case 'json': {
      printJson(io, { [view.noun]: rows.map(view.json) });
      return;
    }
    case 'name': {
      rows.forEach((row) => line(io.stdout, view.name(row)));
      return;
    }
    case 'tsv': {
      rows.forEach((row) => line(io.stdout, view.columns.map((c) => visible((c.plain ?? c.text)(row))).join('\t')));
      return;
    }
    case 'table': {
      if (rows.length === 0) {
        line(io.stdout, view.empty);
        return;
      }
      line(io.stdout, tableOf(view, rows));
    }
  }
}

function tableOf<Row>(view: ListView<Row>, rows: readonly Row[]): string {
  const table = new Table({
    head: view.columns.map((c) => c.title.toUpperCase()),
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  rows.forEach((row) => table.push(view.columns.map((c) => visible(c.text(row)))));
  return table
    .toString()
    .split('\n')
    .map((text) => text.trimEnd())
    .join('\n');
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
function visible(text: string): string {
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
