import { comment, NAME_CHECK, run, type Migration } from './sql';

const seconds = (name: string, low: number, high: number, fallback: number): string =>
  `${name} integer not null default ${fallback} check (${name} between ${low} and ${high})`;

export const queues: Migration = {
  name: '0004-queues',
  async up(knex) {
    await run(
      knex,
      `
      create table queues (
        id uuid primary key default gen_random_uuid(),
        tenant_id uuid not null references tenants (id),
        name text not null check (name ${NAME_CHECK}),
        strategy text not null default 'longest-idle' check (strategy in ('longest-idle')),
        ${seconds('ring_timeout_seconds', 3, 300, 20)},
        ${seconds('wrap_up_seconds', 0, 3600, 10)},
        presence_accept text[] not null default '{Available,AvailableIdle}'
          check (cardinality(presence_accept) > 0 and array_position(presence_accept, null) is null),
        ${seconds('stale_after_seconds', 1, 3600, 30)},
        presence_unknown text not null default 'refuse' check (presence_unknown in ('accept', 'refuse')),
        ${seconds('presence_grace_seconds', 0, 600, 15)},
        misses_before_not_ready integer not null default 2 check (misses_before_not_ready between 1 and 100),
        ${seconds('no_answer_retry_seconds', 1, 3600, 60)},
        ${seconds('declined_retry_seconds', 1, 3600, 30)},
        ${seconds('busy_retry_seconds', 1, 3600, 30)},
        ${seconds('unreachable_retry_seconds', 1, 3600, 30)},
        ${seconds('failed_retry_seconds', 1, 3600, 5)},
        max_wait_seconds integer check (max_wait_seconds between 1 and 86400),
        music_prompt_id uuid,
        priority_seconds integer not null default 0 check (priority_seconds between 0 and 86400),
        created_at timestamptz(3) not null default clock_timestamp(),
        removed_at timestamptz(3),
        unique (tenant_id, id),
        foreign key (tenant_id, music_prompt_id) references prompts (tenant_id, id)
      );
      create unique index queues_name on queues (tenant_id, name) where removed_at is null;`,
    );
    await comment(knex, 'queues', 'A line of waiting callers and the rules by which agents get them.', {
      name: 'Natural key within the tenant among the queues that are not removed.',
      strategy: 'Which agent gets the next call.',
      ring_timeout_seconds: 'How long one agent is rung, seconds; an endpoint may allow less.',
      wrap_up_seconds: 'Rest after a call before the next one, seconds.',
      presence_accept: 'Teams availabilities with which an agent is offered calls.',
      stale_after_seconds: 'A presence read longer ago than this counts as unknown, seconds.',
      presence_unknown: 'What an unknown presence means.',
      presence_grace_seconds: 'For so long after our own call a Busy that is older than its end is ignored, seconds.',
      misses_before_not_ready: 'Unanswered offers in a row after which the agent is made not ready.',
      no_answer_retry_seconds: 'After an unanswered offer the agent is not offered the same call for so long, seconds.',
      declined_retry_seconds: 'After declining, the agent is offered nothing for so long, seconds.',
      busy_retry_seconds: 'After a busy answer, the agent is offered nothing for so long, seconds.',
      unreachable_retry_seconds: 'After not being reachable, the agent is offered nothing for so long, seconds.',
      failed_retry_seconds: 'After another failure, the agent is offered nothing for so long, seconds.',
      max_wait_seconds: 'A caller waits at most so long, seconds; null: without limit.',
      music_prompt_id: 'What waiting callers hear; null: the music of the media server.',
      priority_seconds: 'Head start of every call of this queue, seconds of waiting.',
      created_at: 'When the row was made.',
      removed_at: 'Set instead of deleting, since visits and offers refer to the row.',
    });
  },
};
