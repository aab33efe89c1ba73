import { comment, run, type Migration } from './sql';

export const calls: Migration = {
  name: '0009-calls',
  async up(knex) {
    await run(
      knex,
      `
      create table calls (
        id uuid primary key default gen_random_uuid(),
        tenant_id uuid not null references tenants (id),
        node_id uuid not null references nodes (id),
        trunk_id uuid references trunks (id),
        caller_number text check (length(caller_number) between 1 and 128),
        caller_name text check (length(caller_name) <= 256),
        dialled_number text not null check (length(dialled_number) between 1 and 128),
        sip_call_id text not null check (length(sip_call_id) between 1 and 1024),
        state text not null default 'arrived' check (state in ('arrived', 'answered', 'waiting', 'connected', 'ended')),
        media_server text,
        caller_channel_uuid text,
        carrier_dialog_id text,
        media_dialog_id text,
        last_sdp_sent text,
        last_sdp_received text,
        connected_offer_id uuid,
        created_at timestamptz(3) not null default clock_timestamp(),
        answered_at timestamptz(3),
        queued_at timestamptz(3),
        connected_at timestamptz(3),
        ended_at timestamptz(3),
        result text check (result in ('success', 'abandoned', 'client-error', 'server-error', 'upstream-error', 'indeterminate')),
        reason text check (length(reason) between 1 and 200),
        unique (tenant_id, id),
        check ((state = 'ended') = (ended_at is not null)),
        check ((ended_at is null) = (result is null)),
        check ((ended_at is null) = (reason is null)),
        check ((state = 'connected') = (connected_offer_id is not null))
      );
      create index calls_live on calls (node_id) where ended_at is null;
      create index calls_sip_call_id on calls (sip_call_id);
      create index calls_created on calls (tenant_id, created_at);`,
    );
    await comment(
      knex,
      'calls',
      'One call of a caller, from its INVITE to its end. What a successor of the node needs is stored before a leg is used.',
      {
        node_id: 'The node that owns the call.',
        caller_number: 'E.164 where it could be read so; null: the caller is anonymous.',
        dialled_number: 'E.164.',
        sip_call_id: 'Call-ID of the INVITE.',
        state: 'How far the call is.',
        media_server: 'FreeSWITCH that carries the caller, host:port of its event socket.',
        caller_channel_uuid: 'Channel of the caller in FreeSWITCH.',
        carrier_dialog_id: 'Dialog between the carrier and us in drachtio.',
        media_dialog_id: 'Dialog between us and FreeSWITCH in drachtio.',
        last_sdp_sent: 'Last session description sent to the carrier.',
        last_sdp_received: 'Last session description received from the carrier.',
        connected_offer_id:
          'The offer whose agent talks with the caller now; set once at a time, which makes one winner.',
        created_at: 'INVITE seen.',
        answered_at: '200 sent to the caller.',
        queued_at: 'First time in a queue.',
        connected_at: 'First time connected with an agent.',
        ended_at: 'Over.',
        result: 'Class of the end.',
        reason: 'Reason of the end, one of the terminations of the product.',
      },
    );
  },
};
