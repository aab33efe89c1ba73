import { comment, run, type Migration } from './sql';

export const presenceWrites: Migration = {
  name: '0051-presence-writes',
  async up(knex) {
    await run(
      knex,
      `
      create table presence_writes (
        agent_id uuid primary key,
        tenant_id uuid not null,
        entra_user_id uuid not null,
        reason text not null check (reason in ('call', 'wrap-up')),
        since timestamptz(3) not null default clock_timestamp(),
        expires_at timestamptz(3),
        retry_at timestamptz(3),
        failures integer not null default 0 check (failures >= 0),
        error text,
        foreign key (tenant_id, agent_id) references agents (tenant_id, id) on delete cascade
      );
      alter table agent_states add column presence_cleared_at timestamptz(3);`,
    );
    await comment(
      knex,
      'presence_writes',
      'Agents whom we show, or may be showing, as busy in Teams. Written before Graph is asked, so that another node can take it back.',
      {
        entra_user_id: 'The user at Entra for whom the session was made.',
        reason: 'call: in a call on another platform; wrap-up: resting after a call.',
        since: 'Since when the agent should be shown as busy.',
        expires_at: 'When the session at Microsoft ends by itself; null: none was made yet, or it is not known.',
        retry_at: 'Graph is not asked about this agent before; null: at once.',
        failures: 'Attempts in a row that failed.',
        error: 'What the last attempt failed with.',
      },
    );
    await comment(
      knex,
      'agent_states',
      'What an agent does, as far as we decide it. Whether one is rung or in a call follows from the open offer.',
      {
        presence_cleared_at:
          'When we last took back a Busy that we had shown in Teams; Graph may show it for some more seconds.',
      },
    );
  },
};
