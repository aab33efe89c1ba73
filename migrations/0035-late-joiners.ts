import { comment, run, type Migration } from './sql';

/**
 * Who comes late must not be flooded with calls because of a low count: the count for comparison starts at the mean of those who
 * are signed in. Nothing else ever changes it, so a pause resets nothing.
 */
export const lateJoiners: Migration = {
  name: '0035-late-joiners',
  async up(knex) {
    await run(
      knex,
      `
      create function queue_mean_calls(queue uuid, but_for uuid, today date) returns integer language sql stable as $$
        select coalesce(floor(avg(case when m.day = today then m.calls_today + m.base_calls else 0 end)), 0)::integer
        from queue_members m join agent_states s on s.agent_id = m.agent_id and s.state <> 'signed-out'
        where m.queue_id = queue and m.agent_id <> but_for and m.signed_in
      $$;

      create function start_at_mean() returns trigger language plpgsql as $$
      declare
        today date := tenant_day(new.tenant_id, clock_timestamp());
        mean integer := queue_mean_calls(new.queue_id, new.agent_id, today);
      begin
        if new.day is distinct from today then
          new.day := today;
          new.calls_today := 0;
          new.base_calls := 0;
        end if;
        new.base_calls := greatest(new.base_calls, mean - new.calls_today);
        return new;
      end $$;
      create trigger start_at_mean_as_member before insert on queue_members for each row execute function start_at_mean();
      create trigger start_at_mean_signed_in before update on queue_members for each row
        when (new.signed_in and not old.signed_in) execute function start_at_mean();

      create function member_signs_in() returns trigger language plpgsql as $$
      begin
        update queue_members m set day = x.day, calls_today = x.calls_today, base_calls = greatest(x.base_calls, x.mean - x.calls_today)
        from (
          select o.queue_id, tenant_day(o.tenant_id, new.changed_at) as day,
            case when o.day = tenant_day(o.tenant_id, new.changed_at) then o.calls_today else 0 end as calls_today,
            case when o.day = tenant_day(o.tenant_id, new.changed_at) then o.base_calls else 0 end as base_calls,
            queue_mean_calls(o.queue_id, o.agent_id, tenant_day(o.tenant_id, new.changed_at)) as mean
          from queue_members o where o.agent_id = new.agent_id and o.signed_in
        ) x
        where m.queue_id = x.queue_id and m.agent_id = new.agent_id;
        return null;
      end $$;
      create trigger member_signs_in after update on agent_states for each row
        when (old.state = 'signed-out' and new.state <> 'signed-out') execute function member_signs_in();

      alter table queue_visits add column own_class smallint check (own_class between 0 and 9);`,
    );
    await comment(knex, 'queue_visits', 'A stay of a call in a queue. A call waits in one queue at a time.', {
      own_class: 'Class that was given to this call itself, kept when it moves; null: that of the queue counts.',
    });
  },
};
