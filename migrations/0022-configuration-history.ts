import { comment, run, type Migration } from './sql';

export const configurationHistory: Migration = {
  name: '0022-configuration-history',
  async up(knex) {
    await run(
      knex,
      `
      alter table config_versions
        add what text not null default 'apply' check (length(what) between 1 and 500),
        add base_version bigint references config_versions (version),
        add changes jsonb not null default '[]' check (jsonb_typeof(changes) = 'array'),
        add check (base_version < version);`,
    );
    await comment(knex, 'config_versions', 'Every state that the configuration was in, newest version last.', {
      version: 'Counts up by one with each change.',
      document: 'The whole configuration after the change, with every default filled in and without secrets.',
      applied_by: 'Who changed it.',
      applied_at: 'When.',
      pruned: 'Whether what the document did not name was removed.',
      what: 'What was done, such as apply or the command.',
      base_version: 'The version that was changed; null: the first.',
      changes: 'What differs from the version before: a list of {noun, name, change, before, after}.',
    });
  },
};
