import { comment, NAME_CHECK, run, type Migration } from './sql';

export const tenants: Migration = {
  name: '0001-tenants',
  async up(knex) {
    await run(
      knex,
      `
      create table tenants (
        id uuid primary key default gen_random_uuid(),
        name text not null unique check (name ${NAME_CHECK}),
        country text not null check (country ~ '^[A-Z]{2}$'),
        time_zone text not null,
        created_at timestamptz(3) not null default clock_timestamp()
      );`,
    );
    await comment(
      knex,
      'tenants',
      'An organisation whose calls, queues and agents are kept apart from those of others.',
      {
        name: 'Natural key, used in documents and on the command line.',
        country: 'ISO 3166 code; decides how national numbers are read.',
        time_zone: 'IANA name; decides what "today" means.',
        created_at: 'When the row was made.',
      },
    );
  },
};
