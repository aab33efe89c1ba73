import { comment, run, type Migration } from './sql';

export const users: Migration = {
  name: '0056-users',
  async up(knex) {
    await run(
      knex,
      `
      create table users (
        id uuid primary key default gen_random_uuid(),
        name text not null check (name ~ '^[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}$'),
        display_name text not null default '' check (length(display_name) <= 200),
        role text not null check (role in ('viewer', 'supervisor', 'ops', 'admin')),
        everywhere boolean not null default false,
        entra_user_id uuid unique,
        disabled_at timestamptz(3),
        created_at timestamptz(3) not null default clock_timestamp()
      );
      create unique index users_name on users (lower(name));

      create table user_scopes (
        user_id uuid not null references users (id) on delete cascade,
        tenant_id uuid not null references tenants (id) on delete cascade,
        queue_id uuid,
        foreign key (tenant_id, queue_id) references queues (tenant_id, id) on delete cascade,
        unique nulls not distinct (user_id, tenant_id, queue_id)
      );

      create table user_tokens (
        id uuid primary key default gen_random_uuid(),
        user_id uuid not null references users (id) on delete cascade,
        name text not null check (length(name) between 1 and 100),
        digest bytea not null unique check (length(digest) = 32),
        created_at timestamptz(3) not null default clock_timestamp(),
        created_by text not null check (length(created_by) between 1 and 200),
        expires_at timestamptz(3) not null,
        used_at timestamptz(3),
        check (expires_at > created_at),
        unique (user_id, name)
      );`,
    );
    await comment(knex, 'users', 'People and programs that use the API.', {
      name: 'What they are called in commands and in the audit.',
      role: 'viewer looks, supervisor also steers agents, queues and calls, ops also reads configuration and audit, admin everything.',
      everywhere: 'For all tenants; else for those in user_scopes alone.',
      entra_user_id: 'Object id in Entra of a user who signs in there.',
      disabled_at: 'Since when the user may do nothing; null: active.',
      created_at: 'When the user was made.',
    });
    await comment(knex, 'user_scopes', 'Where a user who is not for all tenants may look and act.', {
      queue_id: 'One queue; null: all of the tenant.',
    });
    await comment(knex, 'user_tokens', 'Tokens of the API; the tokens themselves are kept nowhere.', {
      name: 'What it is for.',
      digest: 'SHA-256 of the token, which is 32 random bytes.',
      created_at: 'When it was made, or replaced by a new one.',
      created_by: 'Who made it.',
      expires_at: 'It is refused from then on.',
      used_at: 'When it was last taken, to the minute.',
    });
  },
};
