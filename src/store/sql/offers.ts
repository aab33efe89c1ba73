import type { Store } from '../api';
import type { AnswerResult, Offer, OfferHandles, OfferRef } from '../types';
import { handleAssignments, statementName } from './calls';
import { hint, interval, ms } from './fragments';
import { offerRows } from './insert-offers';

const HANDLE_COLUMNS = {
  mediaServer: 'media_server',
  channelUuid: 'channel_uuid',
  agentDialogId: 'agent_dialog_id',
  mediaDialogId: 'media_dialog_id',
  lastSdpSent: 'last_sdp_sent',
  lastSdpReceived: 'last_sdp_received',
} as const satisfies Record<keyof OfferHandles, string>;

export const pendingOffers: Store['pendingOffers'] = async (q, nodeId, olderThanMs = 0) => {
  const { rows } = await q.query<Offer>(
    `${offerRows(`(select * from offers where node_id = $1 and ended_at is null and state in ('reserved', 'ringing')
       and reserved_at <= clock_timestamp() - ${interval('$2::float8')})`)} order by o.reserved_at, o.id`,
    [nodeId, olderThanMs],
    { name: 'pending-offers', idempotent: true },
  );
  return rows;
};

export const findOffer: Store['findOffer'] = async (q, offerId) => {
  const { rows } = await q.query<Offer>(offerRows('(select * from offers where id = $1)'), [offerId], {
    name: 'find-offer',
    idempotent: true,
  });
  return rows[0];
};

export const updateOffer: Store['updateOffer'] = async (q, offerId, handles) => {
  const values: unknown[] = [offerId];
  const sets = handleAssignments(HANDLE_COLUMNS, handles, values);
  const open = 'id = $1 and ended_at is null';
  const text =
    sets.length > 0 ? `update offers set ${sets.join(', ')} where ${open}` : `select from offers where ${open}`;
  const { rowCount } = await q.query(text, values, { idempotent: true });
  return rowCount === 1;
};

export const markRinging: Store['markRinging'] = async (q, offerId, handles = {}) => {
  const values: unknown[] = [offerId];
  const sets = [
    `state = case when state = 'reserved' then 'ringing' else state end`,
    'ringing_at = coalesce(ringing_at, clock_timestamp())',
    ...handleAssignments(HANDLE_COLUMNS, handles, values),
  ];
  const { rowCount } = await q.query(
    `update offers set ${sets.join(', ')} where id = $1 and ended_at is null`,
    values,
    { name: statementName('mark-ringing', HANDLE_COLUMNS, handles), idempotent: true },
  );
  return rowCount === 1;
};

/**
 * The winner is whoever sets calls.connected_offer_id, which is free for one at a time: a second answer waits for the first
 * one's row lock, finds it set, and changes nothing. Locks come in the order call, stay, agent, offer, as everywhere.
 */
function answerStatement(handleSets: readonly string[]): string {
  return `
with asked as (
  select id, call_id, agent_id, queue_id from offers where id = $1
), held as materialized (
  select c.id from calls c join asked on asked.call_id = c.id for no key update of c
), stay as materialized (
  select v.id from held join queue_visits v on v.call_id = held.id and v.ended_at is null for no key update of v
), agent as materialized (
  select s.agent_id from asked join agent_states s on s.agent_id = asked.agent_id
  where (select count(*) from stay) >= 0 for no key update of s
), mine as materialized (
  select o.id, o.call_id, o.agent_id, o.queue_id, o.tenant_id from agent join offers o on o.agent_id = agent.agent_id
  where o.id = $1 and o.state in ('reserved', 'ringing') for no key update of o
), won as (
  update calls c set connected_offer_id = mine.id, state = 'connected', connected_at = coalesce(c.connected_at, clock_timestamp())
  from mine
  where c.id = mine.call_id and c.ended_at is null and c.connected_offer_id is null
    and not exists (select from offers x where x.call_id = c.id and x.state = 'connected')
  returning c.id
), left_queue as (
  update queue_visits v set ended_at = greatest(clock_timestamp(), v.queued_at), outcome = 'answered'
  from won where v.call_id = won.id and v.ended_at is null returning v.queue_id
), forgiven as (
  update agent_states s set missed_in_row = 0 from mine, won where s.agent_id = mine.agent_id and s.missed_in_row > 0
), counted as (
  update queue_members m set day = d.today, calls_today = case when m.day = d.today then m.calls_today else 0 end + 1,
    base_calls = case when m.day = d.today then m.base_calls else 0 end
  from (select mine.*, tenant_day(mine.tenant_id, clock_timestamp()) as today from mine, won) d
  where m.queue_id = d.queue_id and m.agent_id = d.agent_id
), answered as (
  update offers o set ${["state = 'connected'", 'answered_at = clock_timestamp()', ...handleSets].join(', ')}
  from mine, won where o.id = mine.id returning o.answered_at
)
select ${ms('answered.answered_at')} as "answeredAt",
  coalesce((
    select json_agg(json_build_object('offerId', o.id, 'agentId', o.agent_id, 'state', o.state) order by o.reserved_at, o.id)
    from offers o join mine on o.call_id = mine.call_id and o.id <> mine.id where o.ended_at is null
  ), '[]') as others,
  (select ${hint('queue', 'left_queue.queue_id')} from left_queue)
from answered`;
}

export const markAnswered: Store['markAnswered'] = async (q, offerId, handles = {}) => {
  const values: unknown[] = [offerId];
  const statement = answerStatement(handleAssignments(HANDLE_COLUMNS, handles, values));
  const { rows } = await q.query<{ answeredAt: number; others: readonly OfferRef[] }>(statement, values, {
    name: statementName('mark-answered', HANDLE_COLUMNS, handles),
  });
  const row = rows[0];
  return row ? { won: true, answeredAt: row.answeredAt, others: row.others } : whyLost(q, offerId);
};

async function whyLost(q: Parameters<Store['markAnswered']>[0], offerId: string): Promise<AnswerResult> {
  const { rows } = await q.query<{ over: boolean; gone: boolean }>(
    'select o.ended_at is not null as over, c.ended_at is not null as gone from offers o join calls c on c.id = o.call_id where o.id = $1',
    [offerId],
    { idempotent: true },
  );
  const state = rows[0];
  if (!state || state.gone) {
    return { won: false, why: 'call-gone' };
  }
  return { won: false, why: state.over ? 'offer-ended' : 'answered-elsewhere' };
}
