import { comment, run, type Migration } from './sql';

export const callCommands: Migration = {
  name: '0040-call-commands',
  async up(knex) {
    await run(
      knex,
      `
      create table call_commands (
        id uuid primary key default gen_random_uuid(),
        tenant_id uuid not null,
        call_id uuid not null,
        kind text not null check (kind in ('hangup', 'transfer')),
        args jsonb not null default '{}' check (jsonb_typeof(args) = 'object'),
        by text not null check (length(by) between 1 and 200),
        created_at timestamptz(3) not null default clock_timestamp(),
        done_at timestamptz(3),
        outcome text check (length(outcome) between 1 and 200),
        foreign key (tenant_id, call_id) references calls (tenant_id, id) on delete cascade,
        check ((done_at is null) = (outcome is null))
      );
      create index call_commands_open on call_commands (call_id) where done_at is null;
      create index call_commands_call on call_commands (call_id, created_at);`,
    );
    await comment(
      knex,
      'call_commands',
      'What somebody asked to be done with a call that lives. The node that owns the call does it and writes what came of it.',
      {
        kind: 'hangup or transfer.',
        args: 'Of a transfer: the target.',
        by: 'Who asked.',
        created_at: 'When it was asked.',
        done_at: 'When it was done, or refused; null: not yet.',
        outcome: 'done, or why not.',
      },
    );
  },
};
