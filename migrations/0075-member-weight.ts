import { comment, run, type Migration } from './sql';

const NAME = `(select q.name from queues q where q.id = r.queue_id) || '' '' || (select a.name from agents a where a.id = r.agent_id)`;
const COLUMNS = 'queue_id, agent_id, level, position, priority, weight';

/** Members of unequal share of a random draw; it is configuration, so it is announced, audited and locked as the rest of a member. */
export const memberWeight: Migration = {
  name: '0075-member-weight',
  async up(knex) {
    await run(
      knex,
      `
      alter table queue_members add weight integer not null default 1 check (weight between 1 and 1000);

      drop trigger announce_config on queue_members;
      create trigger announce_config after insert or delete or truncate or update of ${COLUMNS}
        on queue_members for each statement execute function announce_config();
      drop trigger audit_update on queue_members;
      create trigger audit_update after update of ${COLUMNS} on queue_members
        for each row when (old.* is distinct from new.*) execute function audit_row('member', '${NAME}', 'r.tenant_id');
      drop trigger a_lock_configuration on queue_members;
      create trigger a_lock_configuration before insert or delete or update of ${COLUMNS} on queue_members
        for each statement execute function lock_configuration();`,
    );
    await comment(
      knex,
      'queue_members',
      'Which agents serve a queue and in which order; what an agent does in this queue alone, and what the queue remembers of the agent.',
      {
        weight:
          'Share of the draw where the queue is weighted-random: of two members the one with twice the weight is drawn twice as often.',
      },
    );
  },
};
