import { comment, run, type Migration } from './sql';

/**
 * What queues tell those who wait. The prompts are named inside of JSON, where a foreign key cannot look.
 * The estimated wait is read for announcements all the time, so the talks of the last hour are found by an index.
 */
export const announcements: Migration = {
  name: '0076-announcements',
  async up(knex) {
    await run(
      knex,
      `
      create function valid_announcements(body jsonb) returns boolean language sql immutable as $$
        select jsonb_path_exists(body, '$ ? (@.firstAfterSeconds.type() == "number" && @.firstAfterSeconds >= 0 && @.firstAfterSeconds <= 3600
            && @.everySeconds.type() == "number" && @.everySeconds >= 10 && @.everySeconds <= 3600
            && @.rules.type() == "array" && exists(@.rules[0]))')
          and not jsonb_path_exists(body, '$.rules[*] ? (!(@.prompt.type() == "string"))')
          and not jsonb_path_exists(body, '$.rules[*].place.keyvalue() ? (!(@.key == "from" || @.key == "to") || !(@.value.type() == "number" && @.value >= 1))')
          and not jsonb_path_exists(body,
            '$.rules[*].estimatedWaitSeconds.keyvalue() ? (!(@.key == "from" || @.key == "to") || !(@.value.type() == "number" && @.value >= 0))')
      $$;

      alter table queues add announcements jsonb check (valid_announcements(announcements));

      -- What check_names and check_unnamed do for flows and exits.
      create function check_announced() returns trigger language plpgsql as $$
      declare
        missing text;
      begin
        select r ->> 'prompt' into missing from queues q, lateral jsonb_array_elements(q.announcements -> 'rules') r
        where q.id = new.id and q.removed_at is null and q.announcements is not null
          and not exists (select from prompts p where p.tenant_id = q.tenant_id and p.name = r ->> 'prompt') limit 1;
        if found then
          raise exception using errcode = '23503', message = format('queue "%s" names what is not there', new.name),
            detail = format('There is no prompt "%s".', missing);
        end if;
        return null;
      end $$;

      create function check_not_announced() returns trigger language plpgsql as $$
      declare
        queue text;
      begin
        if exists (select from prompts where tenant_id = old.tenant_id and name = old.name) then
          return null;
        end if;
        select q.name into queue from queues q
        where q.tenant_id = old.tenant_id and q.removed_at is null and q.announcements is not null
          and jsonb_path_exists(q.announcements, '$.rules[*] ? (@.prompt == $name)', jsonb_build_object('name', old.name)) limit 1;
        if found then
          raise exception using errcode = '23503', message = format('prompt "%s" is still used', old.name),
            detail = format('The queue "%s" names it.', queue);
        end if;
        return null;
      end $$;

      create constraint trigger check_announced after insert or update of announcements, removed_at on queues
        deferrable initially deferred for each row execute function check_announced();
      create constraint trigger check_not_announced after delete or update of name on prompts
        deferrable initially deferred for each row execute function check_not_announced();

      create index connections_of_queue on connections (queue_id, ended_at);`,
    );
    await comment(knex, 'queues', 'A line of waiting callers and the rules by which agents get them.', {
      announcements:
        'What waiting callers are told, and how often: {firstAfterSeconds, everySeconds, rules}; null: they hear music only.',
    });
  },
};
