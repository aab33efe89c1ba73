import { run, type Migration } from './sql';

/**
 * Queues and flows that send a call on to each other without its caller choosing it would do so for ever. The commands refuse it; this
 * refuses it to whoever writes rows by hand, at the end of the transaction. What went round before stays until it is changed.
 */
export const callsNeverGoRound: Migration = {
  name: '0066-calls-never-go-round',
  async up(knex) {
    await run(
      knex,
      `
      -- Where steps lead by themselves; a key that is pressed in a menu is a choice.
      create function steps_lead_to(steps jsonb) returns table (kind text, name text) language plpgsql immutable as $$
      declare
        step jsonb;
      begin
        if jsonb_typeof(steps) is distinct from 'array' then
          return;
        end if;
        for step in select jsonb_array_elements(steps) loop
          continue when jsonb_typeof(step) <> 'object';
          if step ? 'enqueue' then
            return query select 'queue', step ->> 'enqueue';
          end if;
          if step ? 'flow' then
            return query select 'flow', step ->> 'flow';
          end if;
          return query select * from steps_lead_to(step -> 'closed');
          return query select * from steps_lead_to(step #> '{menu,noInput}');
        end loop;
      end $$;

      create function leads_to(tenant uuid, from_kind text, from_name text) returns table (kind text, name text) language sql stable as $$
        select 'queue', v #>> '{}' from queues q, lateral jsonb_path_query(q.exits - 'keys', '$.*.queues[*]') v
        where from_kind = 'queue' and q.tenant_id = tenant and q.name = from_name and q.removed_at is null
        union all
        select 'flow', v #>> '{}' from queues q, lateral jsonb_path_query(q.exits - 'keys', '$.*.flow') v
        where from_kind = 'queue' and q.tenant_id = tenant and q.name = from_name and q.removed_at is null
        union all
        select s.kind, s.name from flows f, lateral steps_lead_to(f.steps) s
        where from_kind = 'flow' and f.tenant_id = tenant and f.name = from_name
      $$;

      create function check_goes_round() returns trigger language plpgsql as $$
      declare
        own text := rtrim(tg_table_name, 's');
        round boolean;
      begin
        with recursive reached(kind, name) as (
          select * from leads_to(new.tenant_id, own, new.name)
          union
          select n.* from reached r, lateral leads_to(new.tenant_id, r.kind, r.name) n
        )
        select exists (select from reached where kind = own and name = new.name) into round;
        if round then
          raise exception using errcode = '23514', message = format('%s "%s" would send calls round for ever', own, new.name),
            detail = 'A call that nobody takes comes back to it without its caller choosing anything.';
        end if;
        return null;
      end $$;

      create constraint trigger check_goes_round_new after insert on queues deferrable initially deferred
        for each row when (new.exits <> '{}' and new.removed_at is null) execute function check_goes_round();
      create constraint trigger check_goes_round after update on queues deferrable initially deferred
        for each row when (new.removed_at is null
          and (old.exits is distinct from new.exits or old.name <> new.name or old.removed_at is not null))
        execute function check_goes_round();
      create constraint trigger check_goes_round_new after insert on flows deferrable initially deferred
        for each row execute function check_goes_round();
      create constraint trigger check_goes_round after update on flows deferrable initially deferred
        for each row when (old.steps is distinct from new.steps or old.name <> new.name) execute function check_goes_round();`,
    );
  },
};
