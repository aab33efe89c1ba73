import { comment, run, type Migration } from './sql';

export const tenantRules: Migration = {
  name: '0021-tenant-rules',
  async up(knex) {
    await run(
      knex,
      `
      alter table tenants
        add allow_numbers text[] not null default '{}'
          check (array_to_string(allow_numbers, ',') ~ '^$|^\\+[1-9][0-9]{0,14}(,\\+[1-9][0-9]{0,14})*$'
            and array_position(allow_numbers, null) is null),
        add removed_at timestamptz(3);`,
    );
    await comment(
      knex,
      'tenants',
      'An organisation whose calls, queues and agents are kept apart from those of others.',
      {
        allow_numbers: 'Beginnings of the numbers that calls may be sent to outside, in E.164; empty: to none.',
        removed_at: 'Set instead of deleting, since past calls refer to the row.',
      },
    );
  },
};
