import { comment, run, type Migration } from './sql';

export const presenceScopes: Migration = {
  name: '0050-presence-scopes',
  async up(knex) {
    await run(
      knex,
      `
      -- No statement looks for old readings; without this index an update of read_at stays within its page.
      drop index presence_read;
      alter table presence set (fillfactor = 70);

      create table presence_scopes (
        scope text primary key check (length(scope) between 1 and 63),
        node_id uuid references nodes (id) on delete set null,
        agents integer not null default 0,
        read_at timestamptz(3),
        error text,
        paused_until timestamptz(3),
        requests_per_minute integer not null default 0,
        lag_ms float8,
        lag_at timestamptz(3),
        push text not null default 'off' check (push in ('off', 'starting', 'live', 'silent', 'failed')),
        push_detail text,
        notified_at timestamptz(3),
        written integer not null default 0,
        updated_at timestamptz(3) not null default clock_timestamp()
      );`,
    );
    await comment(
      knex,
      'presence_scopes',
      'How reading presence goes for one app registration; written by the node that holds its lease.',
      {
        scope: 'Name of the tenant that has a registration of its own; * for all others.',
        node_id: 'The node that reads.',
        agents: 'Agents whose presence is read.',
        read_at: 'When Graph last answered a read.',
        error: 'What the last read failed with; null: it did not.',
        paused_until: 'Nothing is asked of Graph until then.',
        requests_per_minute: 'Requests to Graph in the last minute.',
        lag_ms:
          'Median of the last measured lags, milliseconds: from the moment an agent took a call of ours in Teams until Graph said so.',
        lag_at: 'When a lag was last measured.',
        push: 'Change notifications: off, starting, live, silent (they stopped coming), failed.',
        push_detail: 'One line about them.',
        notified_at: 'When the last notification came.',
        written: 'Agents whom we show as busy in Teams now.',
        updated_at: 'When this row was written.',
      },
    );
  },
};
