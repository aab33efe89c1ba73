import { comment, run, type Migration } from './sql';

/**
 * Callbacks are calls of their own: they wait, are offered and are connected as every call, so that one set of facts tells of all.
 * What only they have stands beside them.
 */
export const callbacks: Migration = {
  name: '0081-callbacks',
  async up(knex) {
    await run(
      knex,
      `
      alter table calls add callback_of uuid references calls (id);
      create index calls_callback_of on calls (callback_of) where callback_of is not null;

      create table callbacks (
        call_id uuid primary key,
        tenant_id uuid not null,
        queue_id uuid not null,
        number text not null check (number ~ '^\\+[1-9][0-9]{5,14}$'),
        tries integer not null default 0 check (tries >= 0),
        next_try_at timestamptz(3),
        reached_at timestamptz(3),
        called_in_by uuid references calls (id),
        created_at timestamptz(3) not null default clock_timestamp(),
        ended_at timestamptz(3),
        foreign key (tenant_id, call_id) references calls (tenant_id, id) on delete cascade,
        foreign key (tenant_id, queue_id) references queues (tenant_id, id)
      );
      create unique index callbacks_one_per_number on callbacks (tenant_id, queue_id, number) where ended_at is null;
      create index callbacks_open on callbacks (call_id) where ended_at is null;
      create index callbacks_created on callbacks (tenant_id, created_at);

      -- However the call ends, the callback has ended with it.
      create function end_callback() returns trigger language plpgsql as $$
      begin
        update callbacks set ended_at = greatest(new.ended_at, created_at) where call_id = new.id and ended_at is null;
        return null;
      end $$;
      create trigger end_callback after update of ended_at on calls for each row
        when (new.callback_of is not null and new.ended_at is not null) execute function end_callback();`,
    );
    await comment(
      knex,
      'calls',
      'One call of a caller, from its INVITE to its end. What a successor of the node needs is stored before a leg is used.',
      { callback_of: 'The call whose caller is to be called back by this one; null: a caller called.' },
    );
    await comment(
      knex,
      'callbacks',
      'A caller who hung up and is called when it is his turn. The call of the same id waits for him; no node is needed for that.',
      {
        queue_id: 'The queue that calls back.',
        number: 'Whom to call, E.164. A queue has at most one open callback to a number.',
        tries: 'How often the customer was called and not reached.',
        next_try_at: 'When it is due again after a try that did not reach him; null: it waits for an agent, or talks.',
        reached_at: 'When the customer and an agent were joined; null: not yet.',
        called_in_by: 'The call in which the customer called himself and took the place; this one ends then.',
        created_at: 'When the caller chose it.',
        ended_at: 'Over; the end itself is that of the call.',
      },
    );
  },
};
