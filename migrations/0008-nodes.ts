import { comment, run, type Migration } from './sql';

export const nodes: Migration = {
  name: '0008-nodes',
  async up(knex) {
    await run(
      knex,
      `
      create table nodes (
        id uuid primary key default gen_random_uuid(),
        name text not null check (length(name) between 1 and 200),
        version text not null default '',
        started_at timestamptz(3) not null default clock_timestamp(),
        heartbeat_at timestamptz(3) not null default clock_timestamp(),
        stopped_at timestamptz(3),
        stop_reason text check (stop_reason in ('stopped', 'lost')),
        check ((stopped_at is null) = (stop_reason is null))
      );
      create index nodes_running on nodes (heartbeat_at) where stopped_at is null;

      create table trunk_status (
        trunk_id uuid not null references trunks (id) on delete cascade,
        node_id uuid not null references nodes (id) on delete cascade,
        up boolean not null,
        detail text not null default '',
        changed_at timestamptz(3) not null default clock_timestamp(),
        checked_at timestamptz(3) not null default clock_timestamp(),
        primary key (trunk_id, node_id)
      );

      create table leases (
        name text primary key check (length(name) between 1 and 100),
        node_id uuid not null references nodes (id) on delete cascade,
        until timestamptz(3) not null
      );`,
    );
    await comment(knex, 'nodes', 'One running process. A new start is a new row.', {
      name: 'Host and role, for people.',
      started_at: 'When the process registered.',
      heartbeat_at: 'Last sign of life.',
      stopped_at: 'When it ended or was given up by the others.',
      stop_reason: 'stopped: it said so; lost: its heartbeat stopped.',
    });
    await comment(
      knex,
      'trunk_status',
      'Whether a node reaches the far end of a trunk. No row: not checked, counts as up.',
      {
        detail: 'What the last check saw.',
        changed_at: 'When up last changed.',
        checked_at: 'When the last check ended.',
      },
    );
    await comment(knex, 'leases', 'A task that one node at a time does, such as reading presence.', {
      until: 'The task is free again then, unless its holder renews it.',
    });
  },
};
