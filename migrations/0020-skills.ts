import { comment, NAME_CHECK, run, type Migration } from './sql';

export const skills: Migration = {
  name: '0020-skills',
  async up(knex) {
    await run(
      knex,
      `
      create table skills (
        tenant_id uuid not null references tenants (id),
        name text not null check (name ${NAME_CHECK}),
        description text not null default '' check (length(description) <= 500),
        created_at timestamptz(3) not null default clock_timestamp(),
        primary key (tenant_id, name)
      );

      create table agent_skills (
        agent_id uuid not null,
        tenant_id uuid not null,
        skill text not null,
        level smallint not null check (level between 1 and 10),
        primary key (agent_id, skill),
        foreign key (tenant_id, agent_id) references agents (tenant_id, id) on delete cascade,
        foreign key (tenant_id, skill) references skills (tenant_id, name)
      );
      create index agent_skills_skill on agent_skills (tenant_id, skill);

      create trigger announce_config after insert or update or delete or truncate on skills
        for each statement execute function announce_config();
      create trigger announce_config after insert or update or delete or truncate on agent_skills
        for each statement execute function announce_config();

      alter table queue_members add priority integer not null default 1 check (priority between 1 and 1000);

      -- What changes with every offer is no news of the configuration.
      drop trigger announce_config on queue_members;
      create trigger announce_config after insert or delete or truncate or update of queue_id, agent_id, level, position, priority
        on queue_members for each statement execute function announce_config();`,
    );
    await comment(knex, 'skills', 'Something that agents know, such as a language or a product.', {
      name: 'Natural key within the tenant.',
      description: 'For people.',
      created_at: 'When the row was made.',
    });
    await comment(knex, 'agent_skills', 'How well an agent knows something.', {
      skill: 'Name of the skill.',
      level: 'From 1, a beginner, to 10, an expert.',
    });
    await comment(knex, 'queue_members', 'Which agents serve a queue, and in which order.', {
      priority: 'Which of several queues an agent serves first: the lower number; from 1.',
    });
  },
};
