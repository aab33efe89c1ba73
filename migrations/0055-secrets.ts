import { comment, NAME_CHECK, run, type Migration } from './sql';

export const secrets: Migration = {
  name: '0055-secrets',
  async up(knex) {
    await run(
      knex,
      `
      create table secrets (
        id uuid primary key default gen_random_uuid(),
        tenant_id uuid references tenants (id) on delete cascade,
        name text not null check (name ${NAME_CHECK}),
        key_id text not null check (key_id ~ '^[0-9a-f]{8}$'),
        nonce bytea not null check (length(nonce) = 12),
        sealed bytea not null check (length(sealed) between 17 and 16384),
        updated_at timestamptz(3) not null default clock_timestamp(),
        updated_by text not null check (length(updated_by) between 1 and 200),
        unique nulls not distinct (tenant_id, name)
      );
      create trigger announce_config after insert or update or delete or truncate on secrets
        for each statement execute function announce_config();`,
    );
    await comment(knex, 'secrets', 'Passwords and tokens, encrypted; the key is never in the database.', {
      tenant_id: 'Whose it is; null: shared by all.',
      name: 'What a configuration document calls it: passwordFrom: secret:NAME.',
      key_id: 'Which key it was encrypted with: the first eight hexadecimal digits of a digest of the key.',
      nonce: 'Of AES-256-GCM, 12 random bytes, new for each value.',
      sealed: 'The encrypted text and its tag of 16 bytes; tenant and name are authenticated with it.',
      updated_at: 'When the value was last set, or encrypted with another key.',
      updated_by: 'Who did.',
    });
  },
};
