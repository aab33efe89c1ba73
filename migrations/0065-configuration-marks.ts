import { comment, run, type Migration } from './sql';

const TABLES = [
  'tenants',
  'trunks',
  'prompts',
  'hours',
  'skills',
  'flows',
  'queues',
  'numbers',
  'agents',
  'agent_endpoints',
  'agent_skills',
  'queue_members',
];

/**
 * A version says up to which line of the audit log it is what the rows say, so that the next change reads only what was touched
 * since then. Whatever leaves no lines there, such as a truncate or a new column, makes the next change read everything again.
 */
export const configurationMarks: Migration = {
  name: '0065-configuration-marks',
  async up(knex) {
    await run(
      knex,
      `
      alter table config_versions
        add audit_id bigint check (audit_id >= 0),
        add schema_step text;

      create function forget_configuration_mark() returns trigger language plpgsql as $$
      begin
        update config_versions set audit_id = null where audit_id is not null;
        return null;
      end $$;`,
    );
    for (const table of TABLES) {
      await run(
        knex,
        `create trigger forget_configuration_mark after truncate on ${table}
           for each statement execute function forget_configuration_mark();`,
      );
    }
    await comment(knex, 'config_versions', 'Every state that the configuration was in, newest version last.', {
      audit_id: 'Up to this line of the audit log the version is what the rows say; null: not known.',
      schema_step: 'Last migration of the schema when the version was written; null: not known.',
    });
  },
};
