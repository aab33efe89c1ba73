/** What may stand where the cursor is: words of the command tree, and names of what there is. Pure, but for `names`. */
import type { Argument, Command, Option } from 'commander';

/** Says to the script that a file may stand there. */
export const FILES = ':files';

/** Names of a noun, such as `queues`; `settings/queues` are the keys that one may set. */
export type Names = (kind: string) => Promise<readonly string[]>;

/** Options whose value is the name of something. */
const NAMED_OPTIONS: Readonly<Record<string, string>> = {
  '--queue': 'queues',
  '--from': 'queues',
  '--to': 'queues',
  '--agent': 'agents',
  '--tenant': 'tenants',
  '--context': 'contexts',
  '--call': 'calls',
};
const FORMATS = ['table', 'wide', 'json', 'yaml', 'csv', 'name', 'tsv'];

/** @param words what was typed after `sidekick`, the last one unfinished, perhaps empty */
export async function candidates(program: Command, words: readonly string[], names: Names): Promise<readonly string[]> {
  const current = words.at(-1) ?? '';
  const { command, positional, pending } = walk(program, words.slice(0, -1));
  const found = await possible(program, command, positional, pending, current, names);
  return [...new Set(found)].filter((word) => word === FILES || word.startsWith(current));
}

interface Place {
  readonly command: Command;
  /** How many arguments stand there already. */
  readonly positional: number;
  /** An option that still wants its value. */
  readonly pending: Option | undefined;
}

function walk(program: Command, words: readonly string[]): Place {
  let command = program;
  let positional = 0;
  let pending: Option | undefined;
  for (const word of words) {
    if (pending !== undefined) {
      pending = undefined;
    } else if (word.startsWith('-') && word !== '-') {
      const option = optionsOf(program, command).find((o) => o.short === word || o.long === word);
      pending = option?.required === true ? option : undefined;
    } else {
      const child = command.commands.find((c) => c.name() === word || c.aliases().includes(word));
      command = child ?? command;
      positional = child === undefined ? positional + 1 : 0;
    }
  }
  return { command, positional, pending };
}

const optionsOf = (program: Command, command: Command): readonly Option[] =>
  command === program ? program.options : [...command.options, ...program.options];

async function possible(
  program: Command,
  command: Command,
  positional: number,
  pending: Option | undefined,
  current: string,
  names: Names,
): Promise<readonly string[]> {
  if (pending !== undefined) {
    return valuesOf(pending, names);
  }
  if (current.startsWith('-')) {
    return [...optionsOf(program, command).flatMap((o) => o.long ?? []), '--help'];
  }
  if (command.commands.length > 0 && positional === 0) {
    return command.commands.map((c) => c.name());
  }
  const args = command.registeredArguments;
  const argument = args[positional] ?? (args.at(-1)?.variadic === true ? args.at(-1) : undefined);
  return argument === undefined ? [] : argumentValues(command, argument, names);
}

function valuesOf(option: Option, names: Names): Promise<readonly string[]> | readonly string[] {
  if (option.argChoices !== undefined) {
    return option.argChoices;
  }
  if (option.long === '--output') {
    return FORMATS;
  }
  if (/<(file|dir)>/.test(option.flags)) {
    return [FILES];
  }
  const kind = NAMED_OPTIONS[option.long ?? ''];
  return kind === undefined ? [] : names(kind);
}

function argumentValues(
  command: Command,
  argument: Argument,
  names: Names,
): Promise<readonly string[]> | readonly string[] {
  if (argument.argChoices !== undefined) {
    return argument.argChoices;
  }
  const noun = nounOf(command);
  switch (argument.name()) {
    case 'file': {
      return [FILES];
    }
    case 'queue': {
      return names('queues');
    }
    case 'agent':
    case 'agents':
    case 'names': {
      return names('agents');
    }
    case 'id':
    case 'name':
    case 'number': {
      // What is made has no name yet.
      return command.name() === 'create' ? [] : names(noun === 'context' ? 'contexts' : noun);
    }
    case 'settings': {
      return names(`settings/${noun}`);
    }
    default: {
      return [];
    }
  }
}

/** `queues` of `sidekick queues members add`. */
function nounOf(command: Command): string {
  let at = command;
  while (at.parent?.parent) {
    at = at.parent;
  }
  return at.name();
}
