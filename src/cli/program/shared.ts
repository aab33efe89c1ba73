/** What the commands of every noun share: how one is run, its common options, its examples. */
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { watchInterval } from '../output/watch';

type Module = Readonly<Record<string, unknown>>;

/** Loads a command's module when the command runs, not before, and reports its exit code. */
export type Run = <M extends Module>(load: () => M, action: (module: M) => Promise<number>) => Promise<void>;

export function withData(command: Command): Command {
  return command.addOption(
    new Option('--data <dir>', 'folder of an embedded Sidekick').default('.sidekick').env('SIDEKICK_DATA'),
  );
}

export function withList(command: Command): Command {
  return withData(command)
    .addOption(
      new Option(
        '-o, --output <format>',
        'table, wide, json, yaml, csv, name or tsv; default: a table on a terminal, tsv in a pipe',
      ),
    )
    .addOption(new Option('--json', 'the same as -o json'));
}

/** A list, or one thing, that can be watched. */
export function withWatch(command: Command): Command {
  return withList(command).addOption(
    new Option(
      '--watch [interval]',
      'again every 2s, or so often; redrawn on a terminal, JSON lines in a pipe',
    ).argParser(watchInterval),
  );
}

export function withTenant(command: Command): Command {
  return command.option('--tenant <name>', 'tenant, where two have one of that name');
}

export function withYes(command: Command): Command {
  return command.option('--yes', 'do not ask');
}

/** Text for `addHelpText('after', …)`. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((text) => `  ${text}`).join('\n')}`;
}

/** `90s`, `10m`, `2h`, `1d` as milliseconds; a number alone is seconds. */
export function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text);
  const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  if (match === null) {
    throw new InvalidArgumentError('It must be a time such as 90s, 10m, 2h or 1d.');
  }
  return Number(match[1]) * units[(match[2] ?? 's') as keyof typeof units];
}

/** A moment as milliseconds since the epoch; without a time zone it is one of this machine's. */
export function moment(text: string): number {
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text.length === 10 ? `${text}T00:00` : text) : NaN;
  if (Number.isNaN(at)) {
    throw new InvalidArgumentError(
      'It must be a time such as 2026-12-24T10:00, or with a zone 2026-12-24T10:00+01:00.',
    );
  }
  return at;
}

export function numberIn(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
    if (!(value >= least && value <= most)) {
      throw new InvalidArgumentError(`It must be a number from ${least} to ${most}.`);
    }
    return value;
  };
}

export function integerIn(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = numberIn(least, most)(text);
    if (!Number.isInteger(value)) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}
