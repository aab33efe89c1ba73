import { comment, run, type Migration } from './sql';

export const voicemails: Migration = {
  name: '0078-voicemails',
  async up(knex) {
    await run(
      knex,
      `
      create table voicemails (
        id uuid primary key,
        tenant_id uuid not null references tenants (id),
        queue_id uuid not null,
        call_id uuid references calls (id) on delete set null,
        caller_number text,
        caller_name text,
        media_server text not null check (length(media_server) between 1 and 300),
        file text not null unique check (file ~ '^[0-9a-f-]{36}[.]wav$'),
        state text not null default 'recording' check (state in ('recording', 'new', 'heard', 'done')),
        started_at timestamptz(3) not null default clock_timestamp(),
        over_by timestamptz(3) not null,
        ended_at timestamptz(3),
        length_ms integer check (length_ms >= 0),
        keep_until timestamptz(3) not null,
        changed_by text check (length(changed_by) between 1 and 200),
        changed_at timestamptz(3),
        removed_at timestamptz(3),
        foreign key (tenant_id, queue_id) references queues (tenant_id, id),
        check ((state = 'recording') = (ended_at is null)),
        check ((changed_by is null) = (changed_at is null))
      );
      create index voicemails_queue on voicemails (queue_id, started_at) where removed_at is null;
      create index voicemails_call on voicemails (call_id);
      create index voicemails_recording on voicemails (over_by) where state = 'recording';
      create index voicemails_keep_until on voicemails (keep_until);
      create index voicemails_removed on voicemails (removed_at) where removed_at is not null;

      -- What people do with a message; what nodes do while it is being left is no change.
      create trigger audit_update after update of state, removed_at on voicemails for each row
        when (old.state <> 'recording' and (old.state, old.removed_at) is distinct from (new.state, new.removed_at))
        execute function audit_row('voicemail', 'r.id::text', 'r.tenant_id');`,
    );
    await comment(
      knex,
      'voicemails',
      'Messages that callers left for a queue. The sound is a file on the media server; the row stands before it begins.',
      {
        call_id: 'The call in which it was left; null: that is not kept any more.',
        caller_number: 'E.164, null where the caller withheld it.',
        caller_name: 'As the carrier said it.',
        media_server: 'Media server whose folder of recordings has the file, host:port.',
        file: 'Name of the file in that folder.',
        state: 'recording while the caller speaks, then new, heard or done.',
        started_at: 'When the tone came.',
        over_by: 'When the recording is over at the latest; later, whatever sound there is becomes a message.',
        ended_at: 'When the message was over; null: it is not.',
        length_ms: 'Length of the sound, milliseconds; null: not known.',
        keep_until: 'When it is deleted, row and file.',
        changed_by: 'Who said last what its state is; null: nobody has.',
        changed_at: 'When that was said.',
        removed_at: 'When it was deleted or thrown away; a node then deletes the file, and the row last.',
      },
    );
  },
};
