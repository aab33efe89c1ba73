import { run, type Migration } from './sql';

interface Audited {
  readonly table: string;
  readonly noun: string;
  /** SQL over the row `r`. */
  readonly name: string;
  readonly tenant: string;
  /** Columns whose value is nobody's business; shown as `***`. */
  readonly hidden?: readonly string[];
  /** Only changes of these columns count; default: of every column. */
  readonly columns?: string;
}

const NAME_OF_USER = '(select u.name from users u where u.id = r.user_id)';

const AUDITED: readonly Audited[] = [
  { table: 'secrets', noun: 'secret', name: 'r.name', tenant: 'r.tenant_id', hidden: ['nonce', 'sealed'] },
  { table: 'users', noun: 'user', name: 'r.name', tenant: 'null' },
  { table: 'user_scopes', noun: 'user scope', name: NAME_OF_USER, tenant: 'r.tenant_id' },
  {
    table: 'user_tokens',
    noun: 'user token',
    name: `${NAME_OF_USER} || ' ' || r.name`,
    tenant: 'null',
    hidden: ['digest'],
    columns: 'digest',
  },
];

/** Who was let in, and who set a secret, stands in the audit log as every other change does; what is secret does not. */
export const accessAudit: Migration = {
  name: '0057-access-audit',
  async up(knex) {
    await run(
      knex,
      `
      -- Arguments: noun, name and tenant as SQL over r, hidden columns with commas between them.
      create function audit_access() returns trigger language plpgsql as $$
      declare
        r record := case when tg_op = 'DELETE' then old else new end;
        hidden text[] := string_to_array(tg_argv[3], ',');
        was jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
        is_now jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
        called text;
        tenant uuid;
      begin
        execute format('select (%s)::text, (%s)::uuid from (select ($1).*) r', tg_argv[1], tg_argv[2]) into called, tenant using r;
        if tg_op = 'UPDATE' then
          select jsonb_object_agg(n.key, was -> n.key), jsonb_object_agg(n.key, n.value) into was, is_now
          from jsonb_each(is_now) n where n.value is distinct from was -> n.key;
          if is_now is null then
            return null;
          end if;
        end if;
        insert into audit_log (by, via, tenant_id, noun, name, what, before, after)
        values (audit_by(), current_setting('application_name'), tenant, tg_argv[0], coalesce(called, ''),
          case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'change' else 'remove' end,
          hide_columns(was, hidden), hide_columns(is_now, hidden));
        return null;
      end $$;

      create function hide_columns(body jsonb, hidden text[]) returns jsonb language sql immutable as $$
        select case when body is null then null else (
          select coalesce(jsonb_object_agg(e.key, case when e.key = any (hidden) then '"***"'::jsonb else e.value end), '{}')
          from jsonb_each(body) e) end
      $$;`,
    );
    for (const { table, noun, name, tenant, hidden = [], columns } of AUDITED) {
      const words = [noun, name, tenant, hidden.join(',')].map((text) => `'${text.replaceAll("'", "''")}'`).join(', ');
      const update = columns === undefined ? 'update' : `update of ${columns}`;
      await run(
        knex,
        `create trigger audit_access after insert or delete or ${update} on ${table}
           for each row execute function audit_access(${words});`,
      );
    }
  },
};
