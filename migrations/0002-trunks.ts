import { comment, NAME_CHECK, run, type Migration } from './sql';

export const trunks: Migration = {
  name: '0002-trunks',
  async up(knex) {
    await run(
      knex,
      `
      create table trunks (
        id uuid primary key default gen_random_uuid(),
        tenant_id uuid references tenants (id),
        name text not null check (name ${NAME_CHECK}),
        kind text not null check (kind in ('carrier', 'teams', 'pbx', 'web')),
        enabled boolean not null default true,
        settings jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
        created_at timestamptz(3) not null default clock_timestamp(),
        removed_at timestamptz(3),
        unique (id, kind)
      );
      create unique index trunks_name on trunks (name) where removed_at is null;`,
    );
    await comment(knex, 'trunks', 'A way in or out: a carrier, Teams Direct Routing, a PBX, browser softphones.', {
      tenant_id: 'Null: shared by all tenants.',
      name: 'Natural key among the trunks that are not removed.',
      enabled: 'A disabled trunk neither takes nor makes calls.',
      settings:
        'What the kind needs, as in docs/configuration.md. Secrets are named by environment variable, never stored.',
      created_at: 'When the row was made.',
      removed_at: 'Set instead of deleting, since calls refer to the row.',
    });
  },
};
