import { comment, run, type Migration } from './sql';

interface Audited {
  readonly table: string;
  readonly noun: string;
  /** SQL over the row `r`: what people call it. */
  readonly name: string;
  readonly tenant?: string;
  /** Only changes of these columns count; default: of every column. */
  readonly columns?: string;
}

const NAME_OF_AGENT = '(select a.name from agents a where a.id = r.agent_id)';
const NAME_OF_QUEUE = '(select q.name from queues q where q.id = r.queue_id)';

const AUDITED: readonly Audited[] = [
  { table: 'tenants', noun: 'tenant', name: 'r.name', tenant: 'r.id' },
  { table: 'trunks', noun: 'trunk', name: 'r.name' },
  { table: 'prompts', noun: 'prompt', name: 'r.name' },
  { table: 'hours', noun: 'hours', name: 'r.name' },
  { table: 'skills', noun: 'skill', name: 'r.name' },
  { table: 'flows', noun: 'flow', name: 'r.name' },
  { table: 'queues', noun: 'queue', name: 'r.name' },
  { table: 'agents', noun: 'agent', name: 'r.name' },
  { table: 'agent_endpoints', noun: 'endpoint', name: NAME_OF_AGENT },
  { table: 'agent_skills', noun: 'agent skill', name: `${NAME_OF_AGENT} || ' ' || r.skill` },
  {
    table: 'queue_members',
    noun: 'member',
    name: `${NAME_OF_QUEUE} || ' ' || ${NAME_OF_AGENT}`,
    columns: 'queue_id, agent_id, level, position, priority',
  },
  { table: 'numbers', noun: 'number', name: 'r.e164' },
];

/** Whoever changes a row, by a command, over the API or in SQL, leaves a line: written by triggers, so none can be forgotten. */
export const auditLog: Migration = {
  name: '0023-audit-log',
  async up(knex) {
    await run(
      knex,
      `
      create table audit_log (
        id bigint generated always as identity primary key,
        at timestamptz(3) not null default clock_timestamp(),
        by text not null,
        via text not null default '',
        tenant_id uuid references tenants (id),
        noun text not null,
        name text not null,
        what text not null check (what in ('create', 'change', 'remove')),
        before jsonb,
        after jsonb,
        check ((what = 'create') = (before is null)),
        check ((what = 'remove') = (after is null))
      );
      create index audit_log_at on audit_log (at);
      create index audit_log_name on audit_log (noun, name);

      -- Who: said by the transaction, or else the user of the database.
      create function audit_by() returns text language sql stable as $$
        select left(coalesce(nullif(current_setting('sidekick.by', true), ''), session_user), 200)
      $$;

      -- Arguments: noun, name and tenant as SQL over r. Rows that come or go, all of a statement at once.
      create function audit_rows() returns trigger language plpgsql as $$
      begin
        execute format(
          'insert into audit_log (by, via, tenant_id, noun, name, what, %I)
           select $1, $2, %s, $3, coalesce(%s, ''''), $4, to_jsonb(r) from rows r',
          case tg_op when 'INSERT' then 'after' else 'before' end, tg_argv[2], tg_argv[1])
        using audit_by(), current_setting('application_name'), tg_argv[0], case tg_op when 'INSERT' then 'create' else 'remove' end;
        return null;
      end $$;

      -- The columns of a row that became others.
      create function audit_row() returns trigger language plpgsql as $$
      begin
        execute format(
          'insert into audit_log (by, via, tenant_id, noun, name, what, before, after)
           select $1, $2, %s, $3, coalesce(%s, ''''), ''change'', d.before, d.after
           from (select ($4).*) r,
             lateral (select jsonb_object_agg(n.key, $5 -> n.key) as before, jsonb_object_agg(n.key, n.value) as after
               from jsonb_each(to_jsonb(r)) n where n.value is distinct from $5 -> n.key) d
           where d.after is not null', tg_argv[2], tg_argv[1])
        using audit_by(), current_setting('application_name'), tg_argv[0], new, to_jsonb(old);
        return null;
      end $$;`,
    );
    for (const { table, noun, name, tenant, columns } of AUDITED) {
      const words = [noun, name, tenant ?? 'r.tenant_id'].map((text) => `'${text.replaceAll("'", "''")}'`).join(', ');
      await run(
        knex,
        `
        create trigger audit_insert after insert on ${table} referencing new table as rows
          for each statement execute function audit_rows(${words});
        create trigger audit_delete after delete on ${table} referencing old table as rows
          for each statement execute function audit_rows(${words});
        create trigger audit_update after update ${columns === undefined ? '' : `of ${columns}`} on ${table}
          for each row when (old.* is distinct from new.*) execute function audit_row(${words});`,
      );
    }
    await comment(knex, 'audit_log', 'Every change of a row of the configuration, whoever made it and however.', {
      at: 'When.',
      by: 'Who: as the command or the API says, else the user of the database.',
      via: 'Name of the program that was connected.',
      tenant_id: 'Whose row it is; null: shared by all.',
      noun: 'What kind of thing.',
      name: 'What people call it.',
      what: 'create, change or remove. What past calls refer to is removed by setting its removed_at.',
      before: 'The row as it was; of a change the columns that differ.',
      after: 'The row as it became; of a change the columns that differ.',
    });
  },
};
