import { comment, run, type Migration } from './sql';

export const presence: Migration = {
  name: '0014-presence',
  async up(knex) {
    await run(
      knex,
      `
      create table presence (
        agent_id uuid primary key,
        tenant_id uuid not null,
        availability text not null check (length(availability) between 1 and 100),
        activity text not null check (length(activity) between 1 and 100),
        sequence_number text check (length(sequence_number) between 1 and 200),
        read_at timestamptz(3) not null,
        changed_at timestamptz(3) not null,
        source text not null check (source in ('graph-poll', 'graph-subscription')),
        foreign key (tenant_id, agent_id) references agents (tenant_id, id) on delete cascade
      );
      create index presence_read on presence (read_at);`,
    );
    await comment(knex, 'presence', 'Last presence of an agent as Microsoft Graph told it.', {
      sequence_number: 'Version that Graph gave; an older one is dropped.',
      read_at: 'When it was last read or told.',
      changed_at: 'When availability or activity last changed.',
    });
  },
};
