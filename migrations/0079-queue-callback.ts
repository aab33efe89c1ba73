import { comment, run, type Migration } from './sql';

/**
 * How a queue calls back, and exits and flow steps that lead there. Functions of earlier migrations that know the forms of actions and
 * the names in them learn the new one; a queue is looked through by its columns, whichever of them there are.
 */
export const queueCallback: Migration = {
  name: '0079-queue-callback',
  async up(knex) {
    await run(
      knex,
      `
      create function valid_callback(rules jsonb) returns boolean language sql immutable as $$
        select jsonb_path_exists(rules, '$ ? (@.ask.type() == "string" && @.key like_regex "^[0-9*#]$"
          && @.tries >= 1 && @.tries <= 10 && @.retryAfterSeconds >= 1 && @.retryAfterSeconds <= 86400
          && @.ringSeconds >= 5 && @.ringSeconds <= 120 && @.expireAfterSeconds >= 60 && @.expireAfterSeconds <= 604800)')
      $$;

      alter table queues add callback jsonb check (valid_callback(callback));

      create or replace function valid_action(action jsonb) returns boolean language sql immutable as $$
        select jsonb_typeof(action) = 'object'
          and (select count(*) from jsonb_object_keys(case jsonb_typeof(action) when 'object' then action else '{}' end)) = 1
          and jsonb_path_exists(action, '$ ? (@.flow.type() == "string" || @.announce.type() == "string" || @.hangUp == true
            || @.voicemail.type() == "string" || @.callback.type() == "string"
            || @.number like_regex "^\\\\+[1-9][0-9]{5,14}$" || (@.queues.type() == "array" && exists(@.queues[0])))')
          and not jsonb_path_exists(action, '$.queues[*] ? (@.type() != "string")')
      $$;

      create or replace function names_in(body jsonb) returns table (kind text, name text) language sql immutable as $$
        select p.kind, v #>> '{}' from (values
          ('prompt', '$.**.play'::jsonpath), ('prompt', '$.**.prompt'), ('prompt', '$.**.invalid'), ('prompt', '$.**.announce'),
          ('prompt', '$.**.greeting'), ('prompt', '$.**.thanks'), ('prompt', '$.**.ask'), ('prompt', '$.callback.confirm'),
          ('hours', '$.**.hours'), ('queue', '$.**.enqueue'), ('queue', '$.**.queues[*]'), ('queue', '$.**.voicemail'),
          ('queue', '$.**.callback'), ('flow', '$.**.flow')
        ) as p(kind, path), lateral jsonb_path_query(body, p.path) as v
        where jsonb_typeof(v) = 'string'
      $$;

      -- What of a queue has names in it.
      create function named_by_queue(queue jsonb) returns jsonb language sql immutable as $$
        select jsonb_build_object('exits', queue -> 'exits', 'voicemail', queue -> 'voicemail', 'callback', queue -> 'callback')
      $$;

      create or replace function check_names() returns trigger language plpgsql as $$
      declare
        body jsonb;
        missing record;
      begin
        if tg_table_name = 'flows' then
          select steps into body from flows where id = new.id;
        else
          select named_by_queue(to_jsonb(q)) into body from queues q where id = new.id and removed_at is null;
        end if;
        select n.kind, n.name into missing from names_in(body) n where not is_configured(new.tenant_id, n.kind, n.name) limit 1;
        if found then
          raise exception using errcode = '23503', message = format('%s "%s" names what is not there', rtrim(tg_table_name, 's'), new.name),
            detail = format('There is no %s "%s".', missing.kind, missing.name);
        end if;
        return null;
      end $$;

      create or replace function check_unnamed() returns trigger language plpgsql as $$
      declare
        user_of record;
      begin
        if is_configured(old.tenant_id, tg_argv[0], old.name) then
          return null;
        end if;
        select u.kind, u.name into user_of from (
          select 'flow' as kind, f.name, f.steps as body from flows f where f.tenant_id = old.tenant_id
          union all
          select 'queue', q.name, named_by_queue(to_jsonb(q)) from queues q where q.tenant_id = old.tenant_id and q.removed_at is null
        ) u where exists (select from names_in(u.body) n where n.kind = tg_argv[0] and n.name = old.name) limit 1;
        if found then
          raise exception using errcode = '23503', message = format('%s "%s" is still used', tg_argv[0], old.name),
            detail = format('The %s "%s" names it.', user_of.kind, user_of.name);
        end if;
        return null;
      end $$;

      create constraint trigger check_callback_names after update of callback on queues deferrable initially deferred
        for each row execute function check_names();`,
    );
    await comment(knex, 'queues', 'A line of waiting callers and the rules by which agents get them.', {
      callback:
        'How the queue calls back: ask and confirm by the names of prompts, the key that accepts, tries, and retryAfterSeconds, ringSeconds and expireAfterSeconds in seconds; null: it does not.',
    });
  },
};
