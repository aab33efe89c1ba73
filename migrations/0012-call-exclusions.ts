import { comment, run, type Migration } from './sql';

export const callExclusions: Migration = {
  name: '0012-call-exclusions',
  async up(knex) {
    await run(
      knex,
      `
      create table call_exclusions (
        call_id uuid not null references calls (id) on delete cascade,
        agent_id uuid not null references agents (id) on delete cascade,
        until timestamptz(3) not null,
        primary key (call_id, agent_id)
      );`,
    );
    await comment(
      knex,
      'call_exclusions',
      'Agents who are not offered a call again for a while, because they let it ring.',
      {
        until: 'From then on the call may be offered to the agent again.',
      },
    );
  },
};
