import { comment, run, type Migration } from './sql';

export const graphSubscriptions: Migration = {
  name: '0052-graph-subscriptions',
  async up(knex) {
    await run(
      knex,
      `
      create table graph_subscriptions (
        id text primary key check (length(id) between 1 and 200),
        scope text not null,
        account text not null check (length(account) between 1 and 200),
        client_state text not null check (length(client_state) between 16 and 128),
        users uuid[] not null,
        created_at timestamptz(3) not null default clock_timestamp(),
        expires_at timestamptz(3) not null,
        patched_at timestamptz(3),
        reauthorize_at timestamptz(3),
        notified_at timestamptz(3)
      );
      create unique index graph_subscriptions_account on graph_subscriptions (scope, account);`,
    );
    await comment(
      knex,
      'graph_subscriptions',
      'Change notifications that Graph was asked for; any node may be the one that receives them.',
      {
        id: 'Id that Graph gave.',
        scope: 'As in presence_scopes.',
        account: 'Name of the signed-in account that asked; Graph allows one subscription for each.',
        client_state: 'Random text that every notification must repeat.',
        users: 'Users at Entra whose presence is told.',
        created_at: 'When it was made.',
        expires_at: 'When it ends unless it is renewed.',
        patched_at: 'When it was last renewed.',
        reauthorize_at: 'Since when Graph waits for a renewed authorization; null: it does not.',
        notified_at: 'When the last notification came.',
      },
    );
  },
};
