import { comment, run, type Migration } from './sql';

export const decisions: Migration = {
  name: '0034-decisions',
  async up(knex) {
    await run(
      knex,
      `
      create table decisions (
        id uuid primary key default gen_random_uuid(),
        tenant_id uuid not null references tenants (id),
        queue_id uuid not null,
        node_id uuid references nodes (id) on delete set null,
        at timestamptz(3) not null,
        trigger text not null check (length(trigger) between 1 and 60),
        snapshot bytea not null,
        explanations bytea not null,
        assignments jsonb not null check (jsonb_typeof(assignments) = 'array'),
        foreign key (tenant_id, queue_id) references queues (tenant_id, id)
      );
      create index decisions_at on decisions (at);
      create index decisions_queue on decisions (queue_id, at);

      create table decision_calls (
        decision_id uuid not null references decisions (id) on delete cascade,
        tenant_id uuid not null,
        call_id uuid not null,
        at timestamptz(3) not null,
        primary key (call_id, decision_id),
        foreign key (tenant_id, call_id) references calls (tenant_id, id) on delete cascade
      );
      create index decision_calls_decision on decision_calls (decision_id);`,
    );
    await comment(
      knex,
      'decisions',
      'What a match was decided from and what came of it. Written after the match; kept for as long as the setting says.',
      {
        at: 'When the snapshot was taken.',
        trigger: 'What asked for the match.',
        snapshot: 'What the decision was made from: JSON, gzip.',
        explanations: 'For each call who could have taken it and why the others could not: JSON, gzip.',
        assignments: 'Which call went to which agent.',
      },
    );
    await comment(knex, 'decision_calls', 'Which calls a decision says something new about.', {
      at: 'When the snapshot was taken.',
    });
  },
};
