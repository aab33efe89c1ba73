import type * as Yaml from 'yaml';
import type { Io } from '../io';
import { line } from '../io';

/** Version of the JSON that commands print: what is in it stays in it. */
export const API_VERSION = 'sidekick/v1';

type Value = Readonly<Record<string, unknown>>;

export function printJson(io: Io, value: Value): void {
  line(io.stdout, JSON.stringify({ apiVersion: API_VERSION, ...value }, null, 2));
}

/** One line, for programs that read a stream of them. */
export function printJsonLine(io: Io, value: Value): void {
  line(io.stdout, JSON.stringify({ apiVersion: API_VERSION, ...value }));
}

/** What `printJson` prints, as YAML. */
export function printYaml(io: Io, value: Value): void {
  // Loaded here, since most commands print no YAML.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { stringify } = require('yaml') as typeof Yaml;
  // As JSON first: dates, undefined and the like are then what JSON makes of them.
  io.stdout.write(stringify(JSON.parse(JSON.stringify({ apiVersion: API_VERSION, ...value })), { lineWidth: 0 }));
}

/** Prints one thing as JSON or YAML where that is asked for. False: it was not, and the caller prints it for people. */
export function printData(io: Io, format: string, value: Value): boolean {
  if (format === 'json') {
    printJson(io, value);
    return true;
  }
  if (format === 'yaml') {
    printYaml(io, value);
    return true;
  }
  return false;
}
