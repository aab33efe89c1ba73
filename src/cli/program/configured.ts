/** The verbs that everything has which stands in the configuration. */
import type { Command } from 'commander';
import type * as Configured from '../commands/configured';
import type * as ConfiguredList from '../commands/configured-list';
import type { ListedNoun, Noun } from '../configured/nouns';
import type { Context } from '../context';
import { examples, withList, withTenant, withWatch, withYes } from './shared';
import type { Run } from './shared';

const loadConfiguredList = (): typeof ConfiguredList => require('../commands/configured-list') as typeof ConfiguredList;
const loadConfigured = (): typeof Configured => require('../commands/configured') as typeof Configured;

/** What help says of a noun: one of them, a name, and settings that make and change one. */
export interface Words {
  readonly one: string;
  readonly name: string;
  readonly create: string;
  readonly set: string;
}

/** `list`, for what has no list of its own. */
export function addList(command: Command, noun: ListedNoun, description: string, context: Context, run: Run): void {
  const list = withWatch(command.command('list')).description(description);
  (noun === 'tenants' ? list : withTenant(list))
    .addHelpText('after', examples(`sidekick ${noun} list`, `sidekick ${noun} list -o json`))
    .action((options: ConfiguredList.ConfiguredListOptions) =>
      run(loadConfiguredList, (m) => m.listConfigured(context, noun, options)),
    );
}

/** `get`, `create`, `set`, `delete`. */
export function addVerbs(command: Command, noun: Noun, words: Words, context: Context, run: Run): void {
  const argument = noun === 'numbers' ? '<number>' : '<name>';
  const owned = (made: Command): Command => (noun === 'tenants' ? made : withTenant(made));
  owned(withList(command.command('get')))
    .description(`${words.one} as it stands in a document, with every default`)
    .argument(argument, `which one, such as ${words.name}`)
    .addHelpText('after', examples(`sidekick ${noun} get ${words.name}`, `sidekick ${noun} get ${words.name} -o json`))
    .action((name: string, options: ConfiguredList.ConfiguredGetOptions) =>
      run(loadConfiguredList, (m) => m.getConfigured(context, noun, name, options)),
    );
  withSettings(owned(command.command('create')))
    .description(`make ${words.one}`)
    .argument(argument, `of the new one, such as ${words.name}`)
    .argument('[settings...]', 'key=value, the keys as in docs/configuration.md, the values as in YAML')
    .addHelpText(
      'after',
      examples(
        `sidekick ${noun} create ${words.name} ${words.create}`.trimEnd(),
        `sidekick ${noun} create ${words.name} -f ${noun}.yaml --dry-run`,
      ),
    )
    .action((name: string, settings: string[], options: Configured.ConfiguredChangeOptions) =>
      run(loadConfigured, (m) => m.createConfigured(context, noun, name, settings, options)),
    );
  withSettings(owned(command.command('set')))
    .description(
      `change ${words.one}: key=value sets, key= goes back to the default, key+=value and key-=value change a list`,
    )
    .argument(argument, `which one, such as ${words.name}`)
    .argument('[settings...]', 'key=value, key=, key+=value or key-=value')
    .addHelpText(
      'after',
      examples(
        `sidekick ${noun} set ${words.name} ${words.set}`,
        `sidekick ${noun} set ${words.name} ${words.set} --dry-run`,
      ),
    )
    .action((name: string, settings: string[], options: Configured.ConfiguredChangeOptions) =>
      run(loadConfigured, (m) => m.setConfigured(context, noun, name, settings, options)),
    );
  withYes(owned(withList(command.command('delete'))))
    .description(`remove ${words.one}; refused while calls or other entries use it`)
    .argument(argument, `which one, such as ${words.name}`)
    .option('--dry-run', 'say what would change, and change nothing')
    .addHelpText(
      'after',
      examples(`sidekick ${noun} delete ${words.name}`, `sidekick ${noun} delete ${words.name} --yes`),
    )
    .action((name: string, options: Configured.ConfiguredChangeOptions) =>
      run(loadConfigured, (m) => m.deleteConfigured(context, noun, name, options)),
    );
}

/** Options of every command that changes an entry. */
export function withSettings(command: Command): Command {
  return withList(command)
    .option('-f, --file <file>', 'YAML with the keys of the entry, or - for standard input')
    .option('--dry-run', 'say what would change, and change nothing');
}

const NOUNS: readonly (readonly [noun: ListedNoun, about: string, list: string, words: Words])[] = [
  [
    'tenants',
    'organisations whose calls, queues and agents are kept apart',
    'tenants',
    { one: 'a tenant', name: 'acme', create: 'country=DE timeZone=Europe/Berlin', set: 'allowNumbers+=+49' },
  ],
  [
    'trunks',
    'ways in and out: carriers, Teams, PBXes',
    'trunks with their far ends',
    { one: 'a trunk', name: 'carrier', create: 'kind=carrier sources=[203.0.113.0/24]', set: 'maxCalls=200' },
  ],
  [
    'flows',
    'what callers hear and choose before they wait',
    'flows with the numbers that lead to them',
    { one: 'a flow', name: 'welcome', create: "'steps=[{play: hello}, {enqueue: sales}]'", set: 'steps.0.play=hello' },
  ],
  [
    'skills',
    'what agents can know',
    'skills and how many agents have them',
    { one: 'a skill', name: 'french', create: "'description=Speaks French'", set: "'description=Speaks French well'" },
  ],
  [
    'prompts',
    'sounds that callers hear',
    'prompts with their sources',
    { one: 'a prompt', name: 'hello', create: 'file=hello.wav', set: 'file=hello-2.wav' },
  ],
];

/** Nouns that have nothing but these verbs. */
export function addConfigured(program: Command, context: Context, run: Run): void {
  for (const [noun, about, list, words] of NOUNS) {
    const command = program.command(noun).alias(noun.slice(0, -1)).description(about);
    addList(command, noun, list, context, run);
    addVerbs(command, noun, words, context, run);
  }
}
