import { run, type Migration } from './sql';

/** Columns by which a statement is one on the configuration; undefined: all. */
const TABLES: readonly (readonly [table: string, columns?: string])[] = [
  ['tenants'],
  ['trunks'],
  ['prompts'],
  ['hours'],
  ['skills'],
  ['flows'],
  ['queues'],
  ['numbers'],
  ['agents'],
  ['agent_endpoints'],
  ['agent_skills'],
  ['queue_members', 'queue_id, agent_id, level, position, priority'],
];

/**
 * Changes of the configuration happen one after the other, also those that somebody makes by hand in SQL: whoever writes a
 * row holds the lock until the end of the transaction, so that what was checked is what is committed.
 */
export const configurationLock: Migration = {
  name: '0024-configuration-lock',
  async up(knex) {
    await run(
      knex,
      `
      create function lock_configuration() returns trigger language plpgsql as $$
      begin
        perform pg_advisory_xact_lock(7113002);
        return null;
      end $$;`,
    );
    for (const [table, columns] of TABLES) {
      const update = columns === undefined ? 'update' : `update of ${columns}`;
      await run(
        knex,
        `create trigger a_lock_configuration before insert or delete or ${update} on ${table}
           for each statement execute function lock_configuration();`,
      );
    }
  },
};
