import { comment, run, type Migration } from './sql';

export const parallelOffers: Migration = {
  name: '0032-parallel-offers',
  async up(knex) {
    await run(
      knex,
      `
      alter table offers add column slot smallint not null default 0 check (slot between 0 and 99);
      create unique index offers_one_per_slot on offers (call_id, slot) where state in ('reserved', 'ringing');
      create index offers_pending_by_queue on offers (queue_id) where ended_at is null;`,
    );
    await comment(
      knex,
      'offers',
      'A call offered to an agent: reserved, rung, perhaps connected. An agent has at most one that has not ended.',
      {
        slot: 'Place among the agents who ring for the call at once. Where one agent rings at a time it is always 0, so that a second cannot be rung.',
      },
    );
  },
};
