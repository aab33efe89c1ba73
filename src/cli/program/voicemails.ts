import { Argument, Option } from 'commander';
import type { Command } from 'commander';
import type * as Voicemails from '../commands/voicemails';
import { VOICEMAIL_STATES } from '../../store/voicemail-types';
import type { VoicemailState } from '../../store/voicemail-types';
import type { CommonOptions, Context, ListOptions } from '../context';
import { examples, integerIn, withData, withList, withWatch, withYes } from './shared';
import type { Run } from './shared';

const loadVoicemails = (): typeof Voicemails => require('../commands/voicemails') as typeof Voicemails;
const ID = ['<id>', 'id of the message'] as const;

export function addVoicemails(program: Command, context: Context, run: Run): void {
  const voicemails = program
    .command('voicemails')
    .alias('voicemail')
    .description('messages that callers left for queues; their sound is at GET /api/v1/voicemails/ID/audio');
  withWatch(voicemails.command('list'))
    .description('messages that are new or heard, newest first')
    .option('--queue <name>', 'only of this queue')
    .option('--tenant <name>', 'only of this tenant')
    .addOption(new Option('--state <state>', 'only in this state').choices(VOICEMAIL_STATES))
    .option('--all', 'also those that are done')
    .option('--limit <n>', 'at most so many', integerIn(1, 10_000), 50)
    .addHelpText('after', examples('sidekick voicemails list', 'sidekick voicemails list --queue support -o json'))
    .action((options: Voicemails.VoicemailsListOptions) =>
      run(loadVoicemails, (m) => m.listVoicemails(context, options)),
    );
  withList(voicemails.command('get'))
    .description('one message')
    .argument(...ID)
    .addHelpText(
      'after',
      examples('sidekick voicemails get 0b2a9bd6-7a4e-4d51-9f0e-6a7dbb5d1b11', 'sidekick voicemails get … -o json'),
    )
    .action((id: string, options: ListOptions) => run(loadVoicemails, (m) => m.getVoicemail(context, id, options)));
  withData(voicemails.command('set-state'))
    .description('say that a message is new, heard or done')
    .argument(...ID)
    .addArgument(new Argument('<state>', 'what it is from now on').choices(VOICEMAIL_STATES))
    .addHelpText(
      'after',
      examples('sidekick voicemails set-state 0b2a9bd6-… heard', 'sidekick voicemails set-state 0b2a9bd6-… done'),
    )
    .action((id: string, state: VoicemailState, options: CommonOptions) =>
      run(loadVoicemails, (m) => m.setVoicemailState(context, id, state, options)),
    );
  withYes(withData(voicemails.command('delete')))
    .description('delete a message and its sound; says which, and asks')
    .argument(...ID)
    .addHelpText(
      'after',
      examples('sidekick voicemails delete 0b2a9bd6-…', 'sidekick voicemails delete 0b2a9bd6-… --yes'),
    )
    .action((id: string, options: Voicemails.DeleteVoicemailOptions) =>
      run(loadVoicemails, (m) => m.deleteVoicemail(context, id, options)),
    );
}
