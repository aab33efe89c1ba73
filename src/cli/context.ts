import type { Io } from './io';
import type { Runtime } from './ports';

/** What the process hands to the command line. */
export interface Outside {
  readonly io: Io;
  readonly runtime: Runtime;
}

/** What every command gets. */
export interface Context extends Outside {
  readonly global: GlobalOptions;
}

/** Options that stand anywhere on the command line and mean the same for every command. */
export interface GlobalOptions {
  /** No words besides the result and errors. */
  readonly quiet: boolean;
  /** Say on stderr what is done. */
  readonly verbose: boolean;
  readonly color: boolean;
  /** How long to wait for a server, milliseconds; undefined: each command's own default. */
  readonly timeoutMs: number | undefined;
  /** Base URL of a node's HTTP. */
  readonly server: string | undefined;
  /** The installation that was chosen by name. */
  readonly target: Target | undefined;
  /** `--data` or SIDEKICK_DATA was given, so that it wins over a context that is only the usual one. */
  readonly dataGiven: boolean;
}

/** An installation with a name, from the contexts file. */
export interface Target {
  readonly name: string;
  readonly database: string | undefined;
  readonly server: string | undefined;
  /** Named for this command, by `--context` or SIDEKICK_CONTEXT, not just the usual one. */
  readonly named: boolean;
}

export const DEFAULT_GLOBALS: GlobalOptions = {
  quiet: false,
  verbose: false,
  color: true,
  timeoutMs: undefined,
  server: undefined,
  target: undefined,
  dataGiven: false,
};

/** Options that every command knows. */
export interface CommonOptions {
  readonly data: string;
}

export interface ListOptions extends CommonOptions {
  readonly output?: string;
  readonly json?: boolean;
}

export interface WatchedListOptions extends ListOptions {
  /** Between two readings, milliseconds; undefined: once. */
  readonly watch?: number | true;
}

/** A word on the side: on stderr, and not with `--quiet`. */
export function say({ io, global }: Pick<Context, 'io' | 'global'>, text: string): void {
  if (!global.quiet) {
    io.stderr.write(`${text}\n`);
  }
}

/** As `say`, only with `--verbose`. */
export function sayMore(context: Pick<Context, 'io' | 'global'>, text: string): void {
  if (context.global.verbose) {
    say(context, text);
  }
}
