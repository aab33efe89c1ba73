import { comment, run, type Migration } from './sql';

export const facts: Migration = {
  name: '0015-facts',
  async up(knex) {
    await run(
      knex,
      `
      create table call_events (
        id bigint generated always as identity primary key,
        tenant_id uuid not null,
        call_id uuid not null,
        at timestamptz(3) not null,
        kind text not null check (length(kind) between 1 and 100),
        data jsonb not null default '{}',
        foreign key (tenant_id, call_id) references calls (tenant_id, id)
      );
      create index call_events_call on call_events (call_id, at, id);

      create table connections (
        id bigint generated always as identity primary key,
        tenant_id uuid not null,
        call_id uuid not null,
        offer_id uuid not null unique references offers (id),
        queue_id uuid not null,
        agent_id uuid not null,
        started_at timestamptz(3) not null,
        ended_at timestamptz(3) not null,
        ended_by text not null check (ended_by in ('caller', 'agent', 'system', 'node-lost')),
        foreign key (tenant_id, call_id) references calls (tenant_id, id),
        foreign key (tenant_id, agent_id) references agents (tenant_id, id),
        foreign key (tenant_id, queue_id) references queues (tenant_id, id),
        check (ended_at >= started_at)
      );
      create index connections_call on connections (call_id);
      create index connections_agent on connections (agent_id, started_at);

      create function refuse_change_of_fact() returns trigger language plpgsql as $$
      begin
        raise exception 'facts in % are written once and never changed', tg_table_name using errcode = 'restrict_violation';
      end $$;`,
    );
    for (const table of ['call_events', 'connections', 'agent_state_log']) {
      await run(
        knex,
        `create trigger written_once before update on ${table} for each statement execute function refuse_change_of_fact();`,
      );
    }
    await comment(knex, 'call_events', 'What happened in a call, in order.', {
      at: 'When it happened.',
      kind: 'noun:verb.',
    });
    await comment(knex, 'connections', 'A caller and an agent talked. Written once, when it is over.', {
      started_at: 'When the agent won the call.',
      ended_at: 'When the first of the two legs ended.',
      ended_by: 'Who ended it.',
    });
  },
};
