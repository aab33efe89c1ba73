import { run, type Migration } from './sql';

/**
 * Flows and exits name prompts, hours, queues and flows inside of JSON, where a foreign key cannot look. These triggers do what
 * a deferred foreign key would: at the end of a transaction every name must lead somewhere.
 */
export const configurationNames: Migration = {
  name: '0025-configuration-names',
  async up(knex) {
    await run(
      knex,
      `
      create function names_in(body jsonb) returns table (kind text, name text) language sql immutable as $$
        select p.kind, v #>> '{}' from (values
          ('prompt', '$.**.play'::jsonpath), ('prompt', '$.**.prompt'), ('prompt', '$.**.invalid'), ('prompt', '$.**.announce'),
          ('hours', '$.**.hours'), ('queue', '$.**.enqueue'), ('queue', '$.**.queues[*]'), ('flow', '$.**.flow')
        ) as p(kind, path), lateral jsonb_path_query(body, p.path) as v
        where jsonb_typeof(v) = 'string'
      $$;

      create function is_configured(tenant uuid, kind text, wanted text) returns boolean language sql stable as $$
        select case kind
          when 'prompt' then exists (select from prompts where tenant_id = tenant and name = wanted)
          when 'hours' then exists (select from hours where tenant_id = tenant and name = wanted)
          when 'flow' then exists (select from flows where tenant_id = tenant and name = wanted)
          else exists (select from queues where tenant_id = tenant and name = wanted and removed_at is null) end
      $$;

      -- A flow or a queue that was written names nothing that is not there.
      create function check_names() returns trigger language plpgsql as $$
      declare
        body jsonb;
        missing record;
      begin
        if tg_table_name = 'flows' then
          select steps into body from flows where id = new.id;
        else
          select exits into body from queues where id = new.id and removed_at is null;
        end if;
        select n.kind, n.name into missing from names_in(body) n where not is_configured(new.tenant_id, n.kind, n.name) limit 1;
        if found then
          raise exception using errcode = '23503', message = format('%s "%s" names what is not there', rtrim(tg_table_name, 's'), new.name),
            detail = format('There is no %s "%s".', missing.kind, missing.name);
        end if;
        return null;
      end $$;

      -- What went is named by nobody. Argument: its kind.
      create function check_unnamed() returns trigger language plpgsql as $$
      declare
        user_of record;
      begin
        if is_configured(old.tenant_id, tg_argv[0], old.name) then
          return null;
        end if;
        select u.kind, u.name into user_of from (
          select 'flow' as kind, f.name, f.steps as body from flows f where f.tenant_id = old.tenant_id
          union all
          select 'queue', q.name, q.exits from queues q where q.tenant_id = old.tenant_id and q.removed_at is null and q.exits <> '{}'
        ) u where exists (select from names_in(u.body) n where n.kind = tg_argv[0] and n.name = old.name) limit 1;
        if found then
          raise exception using errcode = '23503', message = format('%s "%s" is still used', tg_argv[0], old.name),
            detail = format('The %s "%s" names it.', user_of.kind, user_of.name);
        end if;
        return null;
      end $$;

      create constraint trigger check_names after insert or update on flows deferrable initially deferred
        for each row execute function check_names();
      create constraint trigger check_names after insert or update of exits, removed_at on queues deferrable initially deferred
        for each row execute function check_names();
      create constraint trigger check_unnamed after delete or update of name on flows deferrable initially deferred
        for each row execute function check_unnamed('flow');
      create constraint trigger check_unnamed after delete or update of name, removed_at on queues deferrable initially deferred
        for each row execute function check_unnamed('queue');
      create constraint trigger check_unnamed after delete or update of name on hours deferrable initially deferred
        for each row execute function check_unnamed('hours');
      create constraint trigger check_unnamed after delete or update of name on prompts deferrable initially deferred
        for each row execute function check_unnamed('prompt');`,
    );
  },
};
