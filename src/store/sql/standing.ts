/** Where one waiting call stands, read while it waits: the order that decisions serve by, the figures that the exits use. */
import { estimatedWaitMs } from '../../routing/estimated-wait';
import { statusOf } from '../../routing/queue-status';
import type { Store } from '../api';
import { BEFORE } from './queue-visits';
import { AGENT_LIST, ASKED, MEAN_HANDLING, MEMBERS, NOW, QUEUE_LIST } from './snapshot';
import { toSnapshot, type SnapshotRow } from './snapshot-rows';

/** $1: the queue, $2: the call. A call that is being rung for is in nobody's way any more. */
const PLACE = `
place as materialized (
  select 1 + count(v.id)::int as place,
    (count(v.id) filter (where not exists (select from offers o where o.call_id = v.call_id and o.ended_at is null)))::int as ahead
  from queue_visits s left join queue_visits v
    on v.queue_id = s.queue_id and v.ended_at is null and v.call_id <> s.call_id and ${BEFORE}
  where s.queue_id = $1 and s.call_id = $2 and s.ended_at is null
  group by s.id
)`;

/** The queue and its people alone. */
const ESTIMATE = `
with ${PLACE}, ${ASKED}, scope as materialized (
  select id as queue_id from asked
), reach as materialized (
  select queue_id from scope
), waiting as materialized (
  select v.* from queue_visits v where false
), ${MEMBERS}
select place.place, place.ahead, asked.id as "queueId", ${NOW} as now, (${QUEUE_LIST}) as queues, coalesce((${AGENT_LIST}), '[]') as agents,
  (select ${MEAN_HANDLING} from queues qu where qu.id = asked.id) as "meanHandlingMs"
from place cross join asked`;

interface PlaceRow {
  readonly place: number;
  readonly ahead: number;
}

interface EstimateRow extends PlaceRow, Pick<SnapshotRow, 'queueId' | 'now' | 'queues' | 'agents'> {
  readonly meanHandlingMs: number | null;
}

export const standing: Store['standing'] = async (q, callId, queueId, estimate) => {
  if (!estimate) {
    const { rows } = await q.query<PlaceRow>(`with ${PLACE} select place from place`, [queueId, callId], {
      name: 'standing-place',
      idempotent: true,
    });
    return rows[0] && { place: rows[0].place };
  }
  const { rows } = await q.query<EstimateRow>(ESTIMATE, [queueId, callId], {
    name: 'standing-estimate',
    idempotent: true,
  });
  const row = rows[0];
  return row && { place: row.place, estimatedWaitMs: estimateOf(row) };
};

function estimateOf(row: EstimateRow): number | undefined {
  const snapshot = toSnapshot({ ...row, seed: 0, calls: [] });
  const rules = snapshot.queues[0];
  if (!rules || row.meanHandlingMs === null) {
    return undefined;
  }
  const { working } = statusOf(snapshot, rules);
  // As for the exits: an agent who is free and was not given to a call that waits does not shorten its wait.
  return estimatedWaitMs({ working, free: 0, meanHandlingMs: row.meanHandlingMs }, row.ahead);
}
