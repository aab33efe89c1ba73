import { comment, NAME_CHECK, run, type Migration } from './sql';

export const prompts: Migration = {
  name: '0003-prompts',
  async up(knex) {
    await run(
      knex,
      `
      create table prompts (
        id uuid primary key default gen_random_uuid(),
        tenant_id uuid not null references tenants (id),
        name text not null check (name ${NAME_CHECK}),
        kind text not null check (kind in ('file', 'tone', 'stream')),
        source text not null check (length(source) between 1 and 1000),
        created_at timestamptz(3) not null default clock_timestamp(),
        unique (tenant_id, name),
        unique (tenant_id, id)
      );`,
    );
    await comment(knex, 'prompts', 'A sound that callers hear: a file, a tone pattern or an endless stream of music.', {
      name: 'Natural key within the tenant.',
      kind: 'file: source is a path; tone: a tone pattern; stream: the name of a music stream.',
      source: 'What is played, without a URL scheme.',
      created_at: 'When the row was made.',
    });
  },
};
