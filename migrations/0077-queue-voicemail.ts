import { comment, run, type Migration } from './sql';

/**
 * Messages that callers leave for a queue: how they are taken, and exits and flow steps that lead there. Functions of earlier
 * migrations that know the forms of actions and the names in them learn the new one.
 */
export const queueVoicemail: Migration = {
  name: '0077-queue-voicemail',
  async up(knex) {
    await run(
      knex,
      `
      create function valid_voicemail(rules jsonb) returns boolean language sql immutable as $$
        select jsonb_path_exists(rules, '$ ? (@.maxSeconds >= 5 && @.maxSeconds <= 1800 && @.silenceSeconds >= 1 && @.silenceSeconds <= 60
          && @.minSeconds >= 0 && @.minSeconds <= 30 && @.keepDays >= 1 && @.keepDays <= 3650)')
      $$;

      alter table queues add voicemail jsonb check (valid_voicemail(voicemail));

      create or replace function valid_action(action jsonb) returns boolean language sql immutable as $$
        select jsonb_typeof(action) = 'object'
          and (select count(*) from jsonb_object_keys(case jsonb_typeof(action) when 'object' then action else '{}' end)) = 1
          and jsonb_path_exists(action, '$ ? (@.flow.type() == "string" || @.announce.type() == "string" || @.hangUp == true
            || @.voicemail.type() == "string"
            || @.number like_regex "^\\\\+[1-9][0-9]{5,14}$" || (@.queues.type() == "array" && exists(@.queues[0])))')
          and not jsonb_path_exists(action, '$.queues[*] ? (@.type() != "string")')
      $$;

      create or replace function names_in(body jsonb) returns table (kind text, name text) language sql immutable as $$
        select p.kind, v #>> '{}' from (values
          ('prompt', '$.**.play'::jsonpath), ('prompt', '$.**.prompt'), ('prompt', '$.**.invalid'), ('prompt', '$.**.announce'),
          ('prompt', '$.**.greeting'), ('prompt', '$.**.thanks'),
          ('hours', '$.**.hours'), ('queue', '$.**.enqueue'), ('queue', '$.**.queues[*]'), ('queue', '$.**.voicemail'), ('flow', '$.**.flow')
        ) as p(kind, path), lateral jsonb_path_query(body, p.path) as v
        where jsonb_typeof(v) = 'string'
      $$;

      -- All of a queue that has names in it.
      create function queue_body(exits jsonb, voicemail jsonb) returns jsonb language sql immutable as $$
        select jsonb_build_array(exits, voicemail)
      $$;

      create or replace function check_names() returns trigger language plpgsql as $$
      declare
        body jsonb;
        missing record;
      begin
        if tg_table_name = 'flows' then
          select steps into body from flows where id = new.id;
        else
          select queue_body(exits, voicemail) into body from queues where id = new.id and removed_at is null;
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
          select 'queue', q.name, queue_body(q.exits, q.voicemail) from queues q
          where q.tenant_id = old.tenant_id and q.removed_at is null and (q.exits <> '{}' or q.voicemail is not null)
        ) u where exists (select from names_in(u.body) n where n.kind = tg_argv[0] and n.name = old.name) limit 1;
        if found then
          raise exception using errcode = '23503', message = format('%s "%s" is still used', tg_argv[0], old.name),
            detail = format('The %s "%s" names it.', user_of.kind, user_of.name);
        end if;
        return null;
      end $$;

      drop trigger check_names on queues;
      create constraint trigger check_names after insert or update of exits, voicemail, removed_at on queues deferrable initially deferred
        for each row execute function check_names();`,
    );
    await comment(knex, 'queues', 'A line of waiting callers and the rules by which agents get them.', {
      voicemail:
        'How callers leave messages for the queue: greeting and thanks by the names of prompts, maxSeconds, silenceSeconds and minSeconds in seconds, keepDays in days; null: they cannot.',
    });
  },
};
