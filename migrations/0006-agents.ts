import { comment, E164_CHECK, run, type Migration } from './sql';

export const agents: Migration = {
  name: '0006-agents',
  async up(knex) {
    await run(
      knex,
      `
      create table agents (
        id uuid primary key default gen_random_uuid(),
        tenant_id uuid not null references tenants (id),
        name text not null check (name = btrim(name) and length(name) between 1 and 100),
        display_name text not null check (length(display_name) between 1 and 200),
        signed_in_by_default boolean not null default false,
        created_at timestamptz(3) not null default clock_timestamp(),
        removed_at timestamptz(3),
        unique (tenant_id, id)
      );
      create unique index agents_name on agents (tenant_id, name) where removed_at is null;

      create table agent_endpoints (
        agent_id uuid not null,
        tenant_id uuid not null,
        position integer not null default 1 check (position >= 1),
        kind text not null check (kind in ('teams', 'pbx', 'web')),
        trunk_id uuid,
        number text check (number ${E164_CHECK}),
        entra_user_id uuid,
        sip_user text check (sip_user ~ '^[^[:space:][:cntrl:]@;<>"]{1,128}$'),
        max_ring_seconds integer check (max_ring_seconds between 3 and 300),
        primary key (agent_id, position),
        foreign key (tenant_id, agent_id) references agents (tenant_id, id) on delete cascade,
        foreign key (trunk_id, kind) references trunks (id, kind),
        check (kind <> 'teams' or (trunk_id is not null and number is not null and entra_user_id is not null and sip_user is null)),
        check (kind <> 'pbx' or (trunk_id is not null and sip_user is not null and number is null and entra_user_id is null)),
        check (kind <> 'web' or (trunk_id is null and number is null and entra_user_id is null and sip_user is null))
      );
      create unique index agent_endpoints_entra_user on agent_endpoints (tenant_id, entra_user_id) where entra_user_id is not null;
      create unique index agent_endpoints_number on agent_endpoints (trunk_id, number) where number is not null;
      create unique index agent_endpoints_sip_user on agent_endpoints (trunk_id, sip_user) where sip_user is not null;

      create table queue_members (
        queue_id uuid not null,
        agent_id uuid not null,
        tenant_id uuid not null,
        level integer not null default 1 check (level >= 1),
        position integer not null default 1 check (position >= 1),
        primary key (queue_id, agent_id),
        foreign key (tenant_id, queue_id) references queues (tenant_id, id) on delete cascade,
        foreign key (tenant_id, agent_id) references agents (tenant_id, id) on delete cascade
      );
      create index queue_members_agent on queue_members (agent_id);`,
    );
    await comment(knex, 'agents', 'A person who takes calls.', {
      name: 'Natural key within the tenant among the agents who are not removed.',
      display_name: 'How the agent is shown.',
      signed_in_by_default: 'The work state that a new agent starts with: ready or signed out.',
      created_at: 'When the row was made.',
      removed_at: 'Set instead of deleting, since offers and connections refer to the row.',
    });
    await comment(knex, 'agent_endpoints', 'Where an agent is rung: a Teams number, a user of a PBX, a browser.', {
      position: 'The endpoint with position 1 is rung first.',
      number: 'Teams: the number of the user in E.164.',
      entra_user_id: 'Teams: object id of the user, by which presence is read.',
      sip_user: 'PBX: user part of the SIP address on the trunk.',
      max_ring_seconds: 'Cap on the ring timeout of the queue, seconds; null: none.',
    });
    await comment(knex, 'queue_members', 'Which agents serve a queue, and in which order.', {
      level: 'Lower levels are asked first; from 1.',
      position: 'Order among equals within a level; from 1.',
    });
  },
};
