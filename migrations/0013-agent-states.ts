import { comment, run, type Migration } from './sql';

const STATES = `('signed-out', 'ready', 'paused', 'not-ready', 'wrap-up')`;

export const agentStates: Migration = {
  name: '0013-agent-states',
  async up(knex) {
    await run(
      knex,
      `
      create table agent_states (
        agent_id uuid primary key,
        tenant_id uuid not null,
        state text not null check (state in ${STATES}),
        reason text check (length(reason) between 1 and 100),
        until timestamptz(3),
        ready_since timestamptz(3) not null default clock_timestamp(),
        missed_in_row integer not null default 0 check (missed_in_row >= 0),
        last_call_ended_at timestamptz(3),
        changed_at timestamptz(3) not null default clock_timestamp(),
        changed_by text not null default 'system',
        foreign key (tenant_id, agent_id) references agents (tenant_id, id) on delete cascade,
        check ((state in ('paused', 'not-ready')) = (reason is not null)),
        check (state <> 'not-ready' or reason in ('missed', 'declined', 'busy', 'unreachable', 'failed')),
        check (state <> 'wrap-up' or until is not null),
        check (state in ('wrap-up', 'not-ready') or until is null)
      );
      create index agent_states_due on agent_states (until) where until is not null;

      create table agent_state_log (
        id bigint generated always as identity primary key,
        tenant_id uuid not null,
        agent_id uuid not null references agents (id),
        at timestamptz(3) not null,
        from_state text check (from_state in ${STATES}),
        to_state text not null check (to_state in ${STATES}),
        reason text,
        until timestamptz(3),
        by text not null
      );
      create index agent_state_log_agent on agent_state_log (agent_id, at);

      create function log_agent_state() returns trigger language plpgsql as $$
      begin
        if tg_op = 'INSERT' then
          insert into agent_state_log (tenant_id, agent_id, at, from_state, to_state, reason, until, by)
          values (new.tenant_id, new.agent_id, new.changed_at, null, new.state, new.reason, new.until, new.changed_by);
        elsif (new.state, new.reason, new.until) is distinct from (old.state, old.reason, old.until) then
          insert into agent_state_log (tenant_id, agent_id, at, from_state, to_state, reason, until, by)
          values (new.tenant_id, new.agent_id, new.changed_at, old.state, new.state, new.reason, new.until, new.changed_by);
        end if;
        return null;
      end $$;
      create trigger log_agent_state after insert or update on agent_states
        for each row execute function log_agent_state();

      create function start_agent_state() returns trigger language plpgsql as $$
      begin
        insert into agent_states (agent_id, tenant_id, state, changed_by)
        values (new.id, new.tenant_id, case when new.signed_in_by_default then 'ready' else 'signed-out' end, 'configuration');
        return null;
      end $$;
      create trigger start_agent_state after insert on agents for each row execute function start_agent_state();`,
    );
    await comment(
      knex,
      'agent_states',
      'What an agent does, as far as we decide it. Whether one is rung or in a call follows from the open offer.',
      {
        state: 'Work state; kept through offers and calls.',
        reason: 'Of a pause: given by the agent. Of not ready: missed, declined, busy, unreachable, failed.',
        until: 'When wrap-up or a retry delay ends by itself; null: does not.',
        ready_since: 'When the agent last became able to take a call; an offer that the agent let pass moves it.',
        missed_in_row: 'Offers in a row that rang out.',
        last_call_ended_at: 'End of the last call with us.',
        changed_at: 'When the state last changed.',
        changed_by: 'Who or what changed it.',
      },
    );
    await comment(knex, 'agent_state_log', 'Every change of a work state, written once.', {
      at: 'When it changed.',
      from_state: 'Null: the agent is new.',
      until: 'When the new state ends by itself.',
      by: 'Who or what changed it.',
    });
  },
};
