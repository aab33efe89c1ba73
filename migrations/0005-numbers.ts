import { comment, E164_CHECK, run, type Migration } from './sql';

export const numbers: Migration = {
  name: '0005-numbers',
  async up(knex) {
    await run(
      knex,
      `
      create table numbers (
        e164 text primary key check (e164 ${E164_CHECK}),
        tenant_id uuid not null references tenants (id),
        queue_id uuid not null,
        greeting_prompt_id uuid,
        created_at timestamptz(3) not null default clock_timestamp(),
        foreign key (tenant_id, queue_id) references queues (tenant_id, id),
        foreign key (tenant_id, greeting_prompt_id) references prompts (tenant_id, id)
      );
      create index numbers_queue on numbers (queue_id);`,
    );
    await comment(
      knex,
      'numbers',
      'A number that callers dial. Belongs to one tenant; leads to a queue of the same tenant.',
      {
        e164: 'The number in E.164 with its plus.',
        greeting_prompt_id: 'Played once before the caller waits; null: none.',
        created_at: 'When the row was made.',
      },
    );
  },
};
