import { comment, run, type Migration } from './sql';

/** The new states need other rules than those that 0013 made without names; the names are Postgres' own. */
const RULES = `
alter table agent_states
  drop constraint agent_states_check, drop constraint agent_states_check1, drop constraint agent_states_check2,
  drop constraint agent_states_check3,
  add column forced_by text check (length(forced_by) between 1 and 200),
  add column forced_reason text check (length(forced_reason) between 1 and 100),
  add column signed_in_at timestamptz(3),
  add column day date,
  add column handling_ms bigint not null default 0 check (handling_ms >= 0),
  add column signed_in_ms bigint not null default 0 check (signed_in_ms >= 0);
update agent_states set signed_in_at = changed_at where state <> 'signed-out';
alter table agent_states
  add constraint agent_states_reason check ((state in ('paused', 'not-ready')) = (reason is not null)),
  add constraint agent_states_not_ready check (state <> 'not-ready'
    or reason in ('missed', 'declined', 'busy', 'unreachable', 'failed', 'after-call')),
  add constraint agent_states_wrap_up check (state <> 'wrap-up' or until is not null),
  add constraint agent_states_until check (state in ('wrap-up', 'not-ready') or until is null),
  add constraint agent_states_forced check ((forced_by is null) = (forced_reason is null)),
  add constraint agent_states_held check (forced_by is null or state in ('paused', 'signed-out')),
  add constraint agent_states_signed_in check ((state = 'signed-out') = (signed_in_at is null));`;

/**
 * How long an agent was signed in and busy today, kept by a trigger so that no statement can forget it, and by day of the
 * tenant's time zone, so that nothing has to be reset at midnight. Talking is added where a connection ends.
 */
const DAYS = `
create function tenant_day(tenant uuid, moment timestamptz) returns date language sql stable as $$
  select (moment at time zone t.time_zone)::date from tenants t where t.id = tenant
$$;

create function tenant_midnight(tenant uuid, moment timestamptz) returns timestamptz language sql stable as $$
  select (moment at time zone t.time_zone)::date::timestamp at time zone t.time_zone from tenants t where t.id = tenant
$$;

create function count_agent_day() returns trigger language plpgsql as $$
declare
  today date := tenant_day(new.tenant_id, new.changed_at);
  midnight timestamptz := tenant_midnight(new.tenant_id, new.changed_at);
begin
  if new.day is distinct from today then
    new.day := today;
    new.handling_ms := 0;
    new.signed_in_ms := 0;
  end if;
  if tg_op = 'INSERT' then
    new.signed_in_at := case when new.state = 'signed-out' then null else new.changed_at end;
    return new;
  end if;
  if old.state = 'wrap-up' then
    new.handling_ms := new.handling_ms + greatest(0, extract(epoch from new.changed_at - greatest(old.changed_at, midnight)) * 1000);
  end if;
  if new.state = 'signed-out' and old.state <> 'signed-out' then
    new.signed_in_ms := new.signed_in_ms + greatest(0, extract(epoch from new.changed_at - greatest(old.signed_in_at, midnight)) * 1000);
    new.signed_in_at := null;
  elsif new.state <> 'signed-out' and old.state = 'signed-out' then
    new.signed_in_at := new.changed_at;
  end if;
  return new;
end $$;
create trigger count_agent_day_on_insert before insert on agent_states for each row execute function count_agent_day();
create trigger count_agent_day before update on agent_states for each row
  when (old.state is distinct from new.state) execute function count_agent_day();`;

export const agentStatesRuntime: Migration = {
  name: '0031-agent-states-runtime',
  async up(knex) {
    await run(knex, RULES);
    await run(knex, DAYS);
    await comment(
      knex,
      'agent_states',
      'What an agent does, as far as we decide it. Whether one is rung or in a call follows from the open offer.',
      {
        reason: 'Of a pause: given with it. Of not ready: missed, declined, busy, unreachable, failed, after-call.',
        forced_by: 'Supervisor who paused the agent; while it stands, the agent cannot end the pause.',
        forced_reason: 'Reason of that pause, to which the agent comes back when signing in again.',
        signed_in_at: 'Since when the agent is signed in; null: signed out.',
        day: 'Day, in the time zone of the tenant, to which the two sums belong; on another day they count as 0.',
        handling_ms: 'Talking and wrap-up of that day that are over, milliseconds.',
        signed_in_ms: 'Time signed in of that day until the last sign-out, milliseconds.',
      },
    );
  },
};
