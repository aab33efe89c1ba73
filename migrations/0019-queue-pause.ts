import { comment, run, type Migration } from './sql';

export const queuePause: Migration = {
  name: '0019-queue-pause',
  async up(knex) {
    await run(
      knex,
      `
      alter table queues
        add paused_at timestamptz(3),
        add paused_by text check (length(paused_by) between 1 and 200),
        add pause_reason text check (length(pause_reason) between 1 and 200),
        add check ((paused_at is null) = (paused_by is null)),
        add check (pause_reason is null or paused_at is not null);`,
    );
    await comment(knex, 'queues', 'A line of waiting callers and the rules by which agents get them.', {
      paused_at: 'Since when the queue takes no new calls; null: it takes them.',
      paused_by: 'Who paused it.',
      pause_reason: 'Why, for people.',
    });
  },
};
