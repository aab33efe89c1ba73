import type { Store } from '../api';
import type { OpenWork } from '../types';

export const openWork: Store['openWork'] = async (q) => {
  const { rows } = await q.query<OpenWork>(
    `select (select count(*)::int from offers where ended_at is null) as "openOffers",
       (select count(*)::int from calls where ended_at is null) as "liveCalls",
       (select count(*)::int from queue_visits where ended_at is null) as "waitingCalls",
       (select count(distinct agent_id)::int from offers where ended_at is null) as "reservedAgents"`,
    [],
    { idempotent: true },
  );
  return rows[0] ?? { openOffers: 0, liveCalls: 0, waitingCalls: 0, reservedAgents: 0 };
};
