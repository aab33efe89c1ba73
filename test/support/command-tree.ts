import type { Command } from 'commander';

export interface CommandEntry {
  /** Such as `sidekick demo call`. */
  readonly path: string;
  /** With its arguments. */
  readonly usage: string;
  readonly description: string;
  readonly options: readonly { readonly flags: string; readonly description: string; readonly default: string }[];
}

/** Every command that does something itself, in the order of the help. */
export function commandEntries(command: Command, parents: readonly string[] = []): CommandEntry[] {
  const path = [...parents, command.name()];
  const children = command.commands.flatMap((child) => commandEntries(child, path));
  // A group such as `config` has no action of its own.
  const acts =
    'listenerCount' in command && (command as unknown as { _actionHandler: unknown })._actionHandler !== null;
  if (parents.length === 0 || !acts) {
    return children;
  }
  const args = command.registeredArguments.map((arg) => (arg.required ? `<${arg.name()}>` : `[${arg.name()}]`));
  const entry: CommandEntry = {
    path: path.join(' '),
    usage: [...path, ...args].join(' '),
    description: command.description(),
    options: optionsOf(command),
  };
  return [entry, ...children];
}

/** Options that every command has. */
export function globalOptions(program: Command): CommandEntry['options'] {
  return optionsOf(program);
}

function optionsOf(command: Command): CommandEntry['options'] {
  return command.options.map((option) => ({
    flags: option.flags,
    description: option.description,
    default: option.defaultValue === undefined || option.negate ? '' : String(option.defaultValue),
  }));
}
