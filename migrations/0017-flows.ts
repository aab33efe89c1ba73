import { comment, NAME_CHECK, run, type Migration } from './sql';

export const flows: Migration = {
  name: '0017-flows',
  async up(knex) {
    await run(
      knex,
      `
      create table flows (
        id uuid primary key default gen_random_uuid(),
        tenant_id uuid not null references tenants (id),
        name text not null check (name ${NAME_CHECK}),
        steps jsonb not null check (jsonb_typeof(steps) = 'array' and jsonb_array_length(steps) >= 1),
        created_at timestamptz(3) not null default clock_timestamp(),
        unique (tenant_id, name),
        unique (tenant_id, id)
      );
      create trigger announce_config after insert or update or delete or truncate on flows
        for each statement execute function announce_config();

      alter table numbers
        alter queue_id drop not null,
        add flow_id uuid,
        add foreign key (tenant_id, flow_id) references flows (tenant_id, id),
        add constraint numbers_lead_to_one_thing check (num_nonnulls(queue_id, flow_id) = 1);
      create index numbers_flow on numbers (flow_id);`,
    );
    await comment(knex, 'flows', 'What a caller hears and chooses before waiting, step by step.', {
      name: 'Natural key within the tenant.',
      steps: 'The steps as in docs/configuration.md; prompts, hours and queues stand in them by name.',
      created_at: 'When the row was made.',
    });
    await comment(
      knex,
      'numbers',
      'A number that callers dial. Belongs to one tenant; leads to a queue or a flow of the same tenant.',
      {
        queue_id: 'Queue in which its callers wait; null: the number leads to a flow.',
        flow_id: 'Flow that its callers go through; null: the number leads to a queue.',
      },
    );
  },
};
