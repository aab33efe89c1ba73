/** What an agent does in one queue alone: signed in or out of it, paused in it. As the member inputs of src/agents/agent-state.ts. */
import { SidekickError } from '../../lib/errors';
import type { Store } from '../api';
import type { MemberStateChange, Queryable } from '../types';
import { notify, orUndefined } from './fragments';

interface Change {
  readonly signedIn?: boolean;
  /** null: ends the pause. */
  readonly pauseReason?: string | null;
}

/** $3 signed in, null: as it is; $4 whether the pause changes, $5 to which reason; $6 by. */
const SET_MEMBER = `
with old as (
  select m.* from queue_members m where m.queue_id = $1 and m.agent_id = $2 for update
), new as (
  update queue_members m set signed_in = coalesce($3::boolean, old.signed_in),
    paused = case when $4 then $5::text is not null else old.paused end,
    pause_reason = case when $4 then $5::text else old.pause_reason end,
    changed_at = clock_timestamp(), changed_by = $6
  from old where m.queue_id = old.queue_id and m.agent_id = old.agent_id
    and (old.signed_in, old.pause_reason) is distinct from
      (coalesce($3::boolean, old.signed_in), case when $4 then $5::text else old.pause_reason end)
  returning m.*
)
select new.agent_id is not null as changed, coalesce(new.signed_in, old.signed_in) as "signedIn",
  case when new.agent_id is null then old.pause_reason else new.pause_reason end as "pauseReason",
  (select ${notify('agent', 'new.agent_id')} from new)
from old left join new on true`;

async function setMember(
  q: Queryable,
  { agentId, queueId, by }: { readonly agentId: string; readonly queueId: string; readonly by: string },
  change: Change,
): Promise<MemberStateChange> {
  const { rows } = await q.query<{ changed: boolean; signedIn: boolean; pauseReason: string | null }>(SET_MEMBER, [
    queueId,
    agentId,
    change.signedIn ?? null,
    change.pauseReason !== undefined,
    change.pauseReason ?? null,
    by,
  ]);
  const row = rows[0];
  if (!row) {
    throw new SidekickError('SK_NOT_FOUND', 'The agent is not a member of this queue', {
      next: 'add the agent to the members of the queue in the configuration',
      context: { agentId, queueId },
    });
  }
  return { changed: row.changed, signedIn: row.signedIn, pauseReason: orUndefined(row.pauseReason) };
}

export const signInQueue: Store['signInQueue'] = (q, member) => setMember(q, member, { signedIn: true });

export const signOutQueue: Store['signOutQueue'] = (q, member) => setMember(q, member, { signedIn: false });

export const pauseInQueue: Store['pauseInQueue'] = (q, member, reason) => setMember(q, member, { pauseReason: reason });

export const resumeInQueue: Store['resumeInQueue'] = (q, member) => setMember(q, member, { pauseReason: null });
