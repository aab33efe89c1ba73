/**
 * Rights of database roles, so that nobody needs those of the owner for daily work. Roles themselves, and their passwords, are made
 * by whoever runs Postgres; docs/security.md says how.
 */
import pg from 'pg';
import { SidekickError } from '../lib/errors';
import type { Queryable } from './types';

export const GRANT_LEVELS = ['viewer', 'ops', 'admin', 'node'] as const;
export type GrantLevel = (typeof GRANT_LEVELS)[number];

/** Written by those who change configuration and steer agents, queues and calls by command. */
const OPS_WRITE: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'tenants',
      'trunks',
      'prompts',
      'hours',
      'skills',
      'flows',
      'queues',
      'numbers',
      'agents',
      'agent_endpoints',
      'agent_skills',
      'queue_members',
      'secrets',
      'presence',
      'agent_states',
    ].map((table) => [table, 'insert, update, delete']),
  ),
  config_versions: 'insert',
  audit_log: 'insert',
  agent_state_log: 'insert',
  queue_member_log: 'insert',
  call_commands: 'insert',
  voicemails: 'update',
};

/** What is secret in a table; nobody but nodes and administrators reads it. */
const HIDDEN: Readonly<Record<string, readonly string[]>> = {
  secrets: ['nonce', 'sealed'],
  user_tokens: ['digest'],
  graph_subscriptions: ['client_state'],
};

/** Nobody takes back what is written there, and nobody but the owner migrates. */
const APPEND_ONLY = ['audit_log', 'config_versions'];
const OWNERS = ['schema_migrations', 'schema_migrations_lock', 'granted_roles'];
/** Nodes use the tokens of users and let nobody in by themselves. */
const ADMIN_ONLY = ['users', 'user_scopes', 'secrets'];

/** Rights on one table, as SQL lists them; `columns` are all of it. */
export function rightsOn(level: GrantLevel, table: string, columns: readonly string[]): readonly string[] {
  if (OWNERS.includes(table)) {
    return ['select'];
  }
  if (level === 'viewer' || level === 'ops') {
    const hidden = HIDDEN[table];
    const read = hidden === undefined ? 'select' : `select (${columns.filter((c) => !hidden.includes(c)).join(', ')})`;
    const write = level === 'ops' ? OPS_WRITE[table] : undefined;
    return write === undefined ? [read] : [read, write];
  }
  if (APPEND_ONLY.includes(table)) {
    return ['select, insert'];
  }
  return level === 'node' && ADMIN_ONLY.includes(table) ? ['select'] : ['select, insert, update, delete'];
}

/**
 * Gives a role exactly the rights of a level, and takes what it had before. To be run by the owner of the tables; a
 * migration gives it again.
 * @throws SidekickError SK_NOT_FOUND for an unknown role, SK_CONFLICT for one whose rights cannot be limited
 */
export async function grantRights(db: Queryable, role: string, level: GrantLevel): Promise<number> {
  const quoted = pg.escapeIdentifier(role);
  return db.transaction(async (tx) => {
    await requireLimited(tx, role);
    const { rows: tables } = await tx.query<{ name: string; columns: readonly string[] }>(
      `select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v') group by c.relname order by c.relname`,
    );
    const statements = [
      `revoke all on schema public from ${quoted}`,
      `revoke create on schema public from public`,
      `revoke all on all tables in schema public from ${quoted}`,
      `revoke all on all sequences in schema public from ${quoted}`,
      `grant usage on schema public to ${quoted}`,
      ...(level === 'viewer' ? [] : [`grant usage on all sequences in schema public to ${quoted}`]),
      ...tables.flatMap(({ name, columns }) =>
        rightsOn(level, name, columns).map((right) => `grant ${right} on ${pg.escapeIdentifier(name)} to ${quoted}`),
      ),
    ];
    for (const statement of statements) {
      await tx.query(statement);
    }
    await tx.query(
      `insert into granted_roles (role, level) values ($1, $2)
       on conflict (role) do update set level = excluded.level, granted_at = excluded.granted_at`,
      [role, level],
    );
    return tables.length;
  });
}

/** Gives every role that was given a level that level again, for the tables that are new. Roles that are gone are forgotten. */
export async function grantAgain(db: Queryable): Promise<readonly string[]> {
  await db.query('delete from granted_roles where role not in (select rolname from pg_roles)');
  const { rows } = await db.query<{ role: string; level: GrantLevel }>(
    'select role, level from granted_roles order by role',
  );
  for (const { role, level } of rows) {
    await grantRights(db, role, level);
  }
  return rows.map(({ role }) => role);
}

async function requireLimited(tx: Queryable, role: string): Promise<void> {
  const { rows } = await tx.query<{ super: boolean; owner: boolean }>(
    `select r.rolsuper as super, exists (
       select from pg_class c where c.relnamespace = 'public'::regnamespace and pg_has_role(r.oid, c.relowner, 'member')) as owner
     from pg_roles r where r.rolname = $1`,
    [role],
  );
  const [found] = rows;
  if (found === undefined) {
    throw new SidekickError('SK_NOT_FOUND', `Postgres has no role ${role}`, {
      next: `make it first: create role "${role}" login password '…'`,
    });
  }
  if (found.super || found.owner) {
    throw new SidekickError('SK_CONFLICT', `the rights of ${role} cannot be limited`, {
      why: found.super ? 'it is a superuser' : 'it owns the tables, or belongs to a role that does',
      next: 'make a role of its own for this',
    });
  }
}
