import { comment, run, type Migration } from './sql';

/** Which roles were given which rights, so that a migration can give them those of its new tables too. */
export const grantedRoles: Migration = {
  name: '0067-granted-roles',
  async up(knex) {
    await run(
      knex,
      `
      create table granted_roles (
        role text primary key,
        level text not null check (level in ('viewer', 'ops', 'admin', 'node')),
        granted_at timestamptz(3) not null default clock_timestamp()
      );`,
    );
    await comment(
      knex,
      'granted_roles',
      'Roles of Postgres that were given a level of rights; each migration gives it again.',
      {
        role: 'Name of the role.',
        level: 'viewer, ops, admin or node.',
        granted_at: 'When it was last given.',
      },
    );
  },
};
