import { comment, run, type Migration } from './sql';

export const configVersions: Migration = {
  name: '0007-config-versions',
  async up(knex) {
    await run(
      knex,
      `
      create table config_versions (
        version bigint primary key check (version >= 1),
        document jsonb not null,
        applied_by text not null check (length(applied_by) between 1 and 200),
        applied_at timestamptz(3) not null default clock_timestamp(),
        pruned boolean not null
      );

      create function announce_config() returns trigger language plpgsql as $$
      begin
        perform pg_notify('sidekick', '{"k":"config"}');
        return null;
      end $$;`,
    );
    // Nodes hear of every change, also of one that somebody made by hand in SQL. Equal notices in one transaction are one.
    const tables = ['tenants', 'trunks', 'prompts', 'queues', 'numbers', 'agents', 'agent_endpoints', 'queue_members'];
    for (const table of tables) {
      await run(
        knex,
        `create trigger announce_config after insert or update or delete or truncate on ${table}
           for each statement execute function announce_config();`,
      );
    }
    await comment(knex, 'config_versions', 'Every document that was applied, newest version last.', {
      version: 'Counts up by one with each apply.',
      document: 'The document as it was applied, without secrets.',
      applied_by: 'Who applied it.',
      applied_at: 'When.',
      pruned: 'Whether what the document does not name was removed.',
    });
  },
};
