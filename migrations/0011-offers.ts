import { comment, run, type Migration } from './sql';

export const offers: Migration = {
  name: '0011-offers',
  async up(knex) {
    await run(
      knex,
      `
      create table offers (
        id uuid primary key default gen_random_uuid(),
        tenant_id uuid not null references tenants (id),
        call_id uuid not null,
        visit_id uuid not null references queue_visits (id),
        queue_id uuid not null,
        agent_id uuid not null,
        node_id uuid not null references nodes (id),
        state text not null default 'reserved' check (state in ('reserved', 'ringing', 'connected', 'ended')),
        media_server text,
        channel_uuid text,
        agent_dialog_id text,
        media_dialog_id text,
        last_sdp_sent text,
        last_sdp_received text,
        reserved_at timestamptz(3) not null default clock_timestamp(),
        ringing_at timestamptz(3),
        answered_at timestamptz(3),
        ended_at timestamptz(3),
        outcome text check (outcome in ('answered', 'no-answer', 'declined', 'busy', 'unreachable', 'failed', 'canceled')),
        cancel_reason text check (cancel_reason in ('elsewhere', 'caller-gone', 'withdrawn')),
        sip_status integer check (sip_status between 100 and 699),
        ring_timeout_ms integer not null check (ring_timeout_ms > 0),
        explanation jsonb,
        unique (call_id, id),
        foreign key (tenant_id, call_id) references calls (tenant_id, id),
        foreign key (tenant_id, queue_id) references queues (tenant_id, id),
        foreign key (tenant_id, agent_id) references agents (tenant_id, id),
        check ((state = 'ended') = (ended_at is not null)),
        check ((ended_at is null) = (outcome is null)),
        check ((outcome = 'canceled') = (cancel_reason is not null)),
        check (state <> 'connected' or answered_at is not null),
        check (ended_at is null or (outcome = 'answered') = (answered_at is not null))
      );
      create unique index offers_one_per_agent on offers (agent_id) where ended_at is null;
      create unique index offers_one_winner on offers (call_id) where state = 'connected';
      create index offers_open_by_call on offers (call_id) where ended_at is null;
      create index offers_open_by_node on offers (node_id) where ended_at is null;
      create index offers_call on offers (call_id);
      create index offers_agent on offers (agent_id, reserved_at);

      alter table calls add constraint calls_connected_offer foreign key (id, connected_offer_id)
        references offers (call_id, id);`,
    );
    await comment(
      knex,
      'offers',
      'A call offered to an agent: reserved, rung, perhaps connected. An agent has at most one that has not ended.',
      {
        node_id: 'The node that makes the offer; the owner of the call.',
        state: 'reserved: nothing sent yet; ringing: INVITE sent; connected: talking; ended.',
        media_server: 'FreeSWITCH that carries the agent leg, host:port of its event socket.',
        channel_uuid: 'Channel of the agent leg; we choose it, so it is known before the leg exists.',
        agent_dialog_id: 'Dialog between us and the agent in drachtio.',
        media_dialog_id: 'Dialog between FreeSWITCH and us in drachtio.',
        last_sdp_sent: 'Last session description sent to the agent.',
        last_sdp_received: 'Last session description received from the agent.',
        reserved_at: 'When the match was made.',
        ringing_at: 'When the INVITE was sent.',
        answered_at: 'When the agent won the call.',
        ended_at: 'When the agent was free again.',
        outcome: 'How it ended.',
        cancel_reason: 'Why it was taken back.',
        sip_status: 'Final SIP status of the agent leg.',
        ring_timeout_ms: 'How long this agent may be rung, milliseconds.',
        explanation: 'Who was considered and why each was chosen or not.',
      },
    );
  },
};
