import { comment, run, type Migration } from './sql';

export const memberRuntime: Migration = {
  name: '0030-member-runtime',
  async up(knex) {
    await run(
      knex,
      `
      alter table queue_members
        add column signed_in boolean not null default true,
        add column paused boolean not null default false,
        add column pause_reason text check (length(pause_reason) between 1 and 100),
        add column changed_at timestamptz(3) not null default clock_timestamp(),
        add column changed_by text not null default 'configuration',
        add column last_offered_at timestamptz(3),
        add column day date,
        add column calls_today integer not null default 0 check (calls_today >= 0),
        add column base_calls integer not null default 0 check (base_calls >= 0),
        add constraint queue_members_pause check (paused = (pause_reason is not null));

      create table queue_member_log (
        id bigint generated always as identity primary key,
        tenant_id uuid not null,
        queue_id uuid not null references queues (id),
        agent_id uuid not null references agents (id),
        at timestamptz(3) not null,
        signed_in boolean not null,
        pause_reason text,
        by text not null
      );
      create index queue_member_log_agent on queue_member_log (agent_id, at);
      create trigger written_once before update on queue_member_log for each statement execute function refuse_change_of_fact();

      create function log_queue_member() returns trigger language plpgsql as $$
      begin
        insert into queue_member_log (tenant_id, queue_id, agent_id, at, signed_in, pause_reason, by)
        values (new.tenant_id, new.queue_id, new.agent_id, new.changed_at, new.signed_in, new.pause_reason, new.changed_by);
        return null;
      end $$;
      create trigger log_queue_member after update on queue_members for each row
        when ((new.signed_in, new.pause_reason) is distinct from (old.signed_in, old.pause_reason))
        execute function log_queue_member();`,
    );
    await comment(
      knex,
      'queue_members',
      'Which agents serve a queue and in which order; what an agent does in this queue alone, and what the queue remembers of the agent.',
      {
        signed_in: 'False: the agent signed out of this queue only.',
        paused: 'True: the agent is paused in this queue only.',
        pause_reason: 'Why; given with the pause.',
        changed_at: 'When sign-in or pause in this queue last changed.',
        changed_by: 'Who or what changed it.',
        last_offered_at: 'When the agent was last offered a call of this queue; null: never.',
        day: 'Day, in the time zone of the tenant, to which the two counts belong; on another day they count as 0.',
        calls_today: 'Calls of this queue that the agent answered that day.',
        base_calls: 'Calls that are added for comparison: who signs in late starts at the mean of the others.',
      },
    );
    await comment(knex, 'queue_member_log', 'Every change of sign-in or pause in one queue, written once.', {
      at: 'When it changed.',
      signed_in: 'Whether the agent is signed in to the queue from then on.',
      pause_reason: 'Null: not paused.',
      by: 'Who or what changed it.',
    });
  },
};
