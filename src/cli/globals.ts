/** Reads the options that every command has, and the context that they or the contexts file name. */
import type { Command } from 'commander';
import type * as Contexts from './contexts';
import { hasContexts } from './contexts-path';
import type { GlobalOptions, Target } from './context';
import type { Io } from './io';

interface Given {
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color?: boolean;
  readonly timeout?: number;
  readonly server?: string;
  readonly context?: string;
}

/** @throws SidekickError SK_NOT_FOUND for an unknown context, SK_USAGE for an unreadable file of contexts */
export function readGlobals(io: Io, program: Command, acting: Command): GlobalOptions {
  const given = program.opts<Given>();
  const dataSource = acting.getOptionValueSource('data');
  return {
    quiet: given.quiet === true,
    verbose: given.verbose === true,
    color: given.color !== false && (io.env['NO_COLOR'] ?? '') === '' && io.env['TERM'] !== 'dumb',
    timeoutMs: given.timeout === undefined ? undefined : given.timeout * 1000,
    server: given.server ?? orNothing(io.env['SIDEKICK_SERVER']),
    target: acting.parent?.name() === 'context' ? undefined : chosen(io, given.context),
    dataGiven: dataSource === 'cli' || dataSource === 'env',
  };
}

function chosen(io: Io, flag: string | undefined): Target | undefined {
  const named = flag ?? orNothing(io.env['SIDEKICK_CONTEXT']);
  if (named === undefined && !hasContexts(io.env)) {
    return undefined;
  }
  // What reads YAML takes its time to load; most machines have no such file.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const contexts = require('./contexts') as typeof Contexts;
  const file = contexts.readContexts(io.env);
  const name = named ?? file.current;
  if (name === undefined) {
    return undefined;
  }
  const { database, server } = contexts.findContext(file, name);
  return { name, database, server, named: named !== undefined };
}

function orNothing(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text.trim();
}
