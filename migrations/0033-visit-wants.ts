import { comment, run, type Migration } from './sql';

export const visitWants: Migration = {
  name: '0033-visit-wants',
  async up(knex) {
    await run(
      knex,
      `
      alter table queue_visits
        add column extra_ms bigint not null default 0,
        add column needs jsonb check (jsonb_typeof(needs) = 'array'),
        add column prefer_agents text[] not null default '{}',
        add column last_agent_id uuid references agents (id),
        add column last_agent_ended_at timestamptz(3),
        add column resumed_visit_id uuid references queue_visits (id);
      create unique index queue_visits_resumed_once on queue_visits (resumed_visit_id) where resumed_visit_id is not null;
      create index calls_of_caller on calls (tenant_id, caller_number, ended_at) where caller_number is not null;`,
    );
    await comment(knex, 'queue_visits', 'A stay of a call in a queue. A call waits in one queue at a time.', {
      first_queued_at:
        'When the call first waited, in whichever queue, or when the earlier call did that it resumes. Never moves forward.',
      extra_ms: 'Head start given to this call on top of that of the queue, milliseconds; kept when it moves.',
      needs: 'Skills that this call needs beyond those of its queue: a list of {skill, atLeast}; null: none.',
      prefer_agents: 'Names of agents who are asked first, in this order.',
      last_agent_ended_at: 'When that talk ended.',
      last_agent_id: 'The agent who spoke to this caller last, where the queue prefers that one.',
      resumed_visit_id: 'The stay of an earlier call of the same caller whose place this one took over.',
    });
  },
};
