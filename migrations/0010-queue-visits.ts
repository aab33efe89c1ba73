import { comment, run, type Migration } from './sql';

export const queueVisits: Migration = {
  name: '0010-queue-visits',
  async up(knex) {
    await run(
      knex,
      `
      create table queue_visits (
        id uuid primary key default gen_random_uuid(),
        tenant_id uuid not null references tenants (id),
        call_id uuid not null,
        queue_id uuid not null,
        first_queued_at timestamptz(3) not null,
        queued_at timestamptz(3) not null default clock_timestamp(),
        class smallint not null default 0 check (class between 0 and 9),
        head_start_ms bigint not null default 0,
        ended_at timestamptz(3),
        outcome text check (outcome in ('answered', 'abandoned', 'timed-out', 'overflowed', 'moved', 'ended', 'failed', 'node-lost')),
        foreign key (tenant_id, call_id) references calls (tenant_id, id),
        foreign key (tenant_id, queue_id) references queues (tenant_id, id),
        check (first_queued_at <= queued_at),
        check ((ended_at is null) = (outcome is null))
      );
      create unique index queue_visits_one_at_a_time on queue_visits (call_id) where ended_at is null;
      create index queue_visits_waiting on queue_visits (queue_id) where ended_at is null;
      create index queue_visits_call on queue_visits (call_id);
      create index queue_visits_queue on queue_visits (queue_id, queued_at);`,
    );
    await comment(knex, 'queue_visits', 'A stay of a call in a queue. A call waits in one queue at a time.', {
      first_queued_at: 'When the call began to wait anywhere; never moves forward.',
      queued_at: 'When this stay began.',
      class: 'From 0 to 9; higher classes are strictly first.',
      head_start_ms: 'Added to the waiting time when calls are ordered, milliseconds.',
      ended_at: 'End of the stay; null while the call waits.',
      outcome: 'Why the stay ended.',
    });
  },
};
