import { SidekickError } from '../../lib/errors';
import type { Store } from '../api';
import type { CallCommand } from '../types';
import { ms, notify, orUndefined } from './fragments';

export const addCallCommand: Store['addCallCommand'] = async (q, command) => {
  const { rows } = await q.query<{ id: string }>(
    `with added as (
       insert into call_commands (tenant_id, call_id, kind, args, by)
       select c.tenant_id, c.id, $2, $3::jsonb, $4 from calls c where c.id = $1 and c.ended_at is null
       returning id, call_id
     )
     select id, ${notify('call', 'call_id')} from added`,
    [command.callId, command.kind, JSON.stringify(command.args), command.by],
  );
  const row = rows[0];
  if (!row) {
    throw new SidekickError('SK_NOT_FOUND', 'There is no such call, or it is over', {
      next: '`sidekick calls list` shows the calls that live',
      context: { callId: command.callId },
    });
  }
  return { commandId: row.id };
};

type Nullable = { readonly [K in keyof CallCommand]: CallCommand[K] | null };

const ROW = `id, call_id as "callId", kind, args, by, ${ms('created_at')} as "createdAt", ${ms('done_at')} as "doneAt", outcome`;

function toCommand(row: Nullable): CallCommand {
  return Object.fromEntries(
    Object.entries(row).map(([key, value]) => [key, orUndefined<unknown>(value)]),
  ) as unknown as CallCommand;
}

export const findCallCommand: Store['findCallCommand'] = async (q, commandId) => {
  const { rows } = await q.query<Nullable>(`select ${ROW} from call_commands where id = $1`, [commandId], {
    idempotent: true,
  });
  return rows[0] && toCommand(rows[0]);
};

export const openCallCommands: Store['openCallCommands'] = async (q, nodeId) => {
  const { rows } = await q.query<Nullable>(
    `select ${ROW} from call_commands where done_at is null and call_id in (select id from calls where node_id = $1)
     order by created_at, id`,
    [nodeId],
    { name: 'open-call-commands', idempotent: true },
  );
  return rows.map(toCommand);
};

export const finishCallCommand: Store['finishCallCommand'] = async (q, commandId, outcome) => {
  const { rowCount } = await q.query(
    `update call_commands set done_at = greatest(clock_timestamp(), created_at), outcome = $2 where id = $1 and done_at is null`,
    [commandId, outcome.slice(0, 200)],
    { name: 'finish-call-command', idempotent: true },
  );
  return rowCount === 1;
};
