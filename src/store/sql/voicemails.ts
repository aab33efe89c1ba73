/** Messages that callers left for a queue. */
import type { Store } from '../api';
import type { VoicemailFile, VoicemailRow } from '../voicemail-types';
import { interval, ms, orUndefined, UUID } from './fragments';

export const beginVoicemail: Store['beginVoicemail'] = async (q, voicemail) => {
  await q.query(
    `insert into voicemails (id, tenant_id, queue_id, call_id, caller_number, caller_name, media_server, file, over_by, keep_until)
     select $1, $2, $3, $4, $5, $6, $7, $8, m.over_by, m.over_by + $10::integer * interval '1 day'
     from (select clock_timestamp() + ${interval('$9::float8')} as over_by) m
     on conflict (id) do nothing`,
    [
      voicemail.voicemailId,
      voicemail.tenantId,
      voicemail.queueId,
      voicemail.callId,
      voicemail.callerNumber ?? null,
      voicemail.callerName ?? null,
      voicemail.mediaServer,
      voicemail.file,
      voicemail.maxMs,
      voicemail.keepDays,
    ],
    { name: 'begin-voicemail', idempotent: true },
  );
};

export const endVoicemail: Store['endVoicemail'] = async (q, voicemailId, { lengthMs, kept }) => {
  const { rowCount } = await q.query(
    `update voicemails set state = 'new', ended_at = greatest(clock_timestamp(), started_at), length_ms = $2,
       removed_at = case when not $3 then clock_timestamp() end
     where id = $1 and state = 'recording'`,
    [voicemailId, lengthMs ?? null, kept],
    { name: 'end-voicemail', idempotent: true },
  );
  return rowCount === 1;
};

const FILE = `v.id as "voicemailId", v.media_server as "mediaServer", v.file`;

export const lostVoicemails: Store['lostVoicemails'] = async (q, limit) => {
  const { rows } = await q.query<VoicemailFile>(
    `select ${FILE} from voicemails v
     where v.state = 'recording' and v.over_by < clock_timestamp()
       and not exists (select from calls c where c.id = v.call_id and c.ended_at is null)
     order by v.over_by limit $1`,
    [limit],
    { name: 'lost-voicemails', idempotent: true },
  );
  return rows;
};

export const voicemailsToDelete: Store['voicemailsToDelete'] = async (q, limit) => {
  const { rows } = await q.query<VoicemailFile & { overdueMs: number }>(
    `select ${FILE}, greatest(0, ${ms('clock_timestamp()')} - ${ms('least(v.removed_at, v.keep_until)')}) as "overdueMs"
     from voicemails v
     where v.state <> 'recording' and (v.removed_at is not null or v.keep_until < clock_timestamp())
     order by least(v.removed_at, v.keep_until) limit $1`,
    [limit],
    { name: 'voicemails-to-delete', idempotent: true },
  );
  return rows;
};

export const forgetVoicemail: Store['forgetVoicemail'] = async (q, voicemailId) => {
  await q.query(
    `delete from voicemails where id = $1 and state <> 'recording' and (removed_at is not null or keep_until < clock_timestamp())`,
    [voicemailId],
    { idempotent: true },
  );
};

/** What people see: neither what is being recorded nor what is deleted. */
const VOICEMAILS = `
  select v.id, tn.name as tenant, qu.name as queue, v.call_id as "callId", v.caller_number as "callerNumber", v.caller_name as "callerName",
    v.state, ${ms('v.started_at')} as "leftAt", v.length_ms as "lengthMs", v.media_server as "mediaServer", v.file,
    v.changed_by as "changedBy", ${ms('v.changed_at')} as "changedAt", ${ms('v.keep_until')} as "keepUntil"
  from voicemails v join tenants tn on tn.id = v.tenant_id join queues qu on qu.id = v.queue_id
  where v.state <> 'recording' and v.removed_at is null and v.keep_until > statement_timestamp()`;

type NullableVoicemail = { readonly [K in keyof VoicemailRow]: VoicemailRow[K] | null };

const toVoicemail = (row: NullableVoicemail): VoicemailRow =>
  Object.fromEntries(
    Object.entries(row).map(([key, value]) => [key, orUndefined<unknown>(value)]),
  ) as unknown as VoicemailRow;

export const listVoicemails: Store['listVoicemails'] = async (q, { tenant, queue, states, limit }) => {
  const { rows } = await q.query<NullableVoicemail>(
    `${VOICEMAILS} and ($1::text is null or tn.name = $1) and ($2::text is null or qu.name = $2)
       and ($3::text[] is null or v.state = any($3))
     order by v.started_at desc, v.id limit $4`,
    [tenant ?? null, queue ?? null, states ?? null, limit],
    { idempotent: true },
  );
  return rows.map(toVoicemail);
};

export const findVoicemail: Store['findVoicemail'] = async (q, voicemailId) => {
  if (!UUID.test(voicemailId)) {
    return undefined;
  }
  const { rows } = await q.query<NullableVoicemail>(`${VOICEMAILS} and v.id = $1`, [voicemailId], { idempotent: true });
  return rows[0] && toVoicemail(rows[0]);
};

export const setVoicemailState: Store['setVoicemailState'] = async (q, voicemailId, state, by) => {
  const { rowCount } = await q.query(
    `update voicemails set state = $2, changed_by = $3, changed_at = clock_timestamp()
     where id = $1 and state not in ('recording', $2) and removed_at is null`,
    [voicemailId, state, by],
    { idempotent: true },
  );
  return rowCount === 1;
};

export const removeVoicemail: Store['removeVoicemail'] = async (q, voicemailId, by) => {
  const { rowCount } = await q.query(
    `update voicemails set removed_at = clock_timestamp(), changed_by = $2, changed_at = clock_timestamp()
     where id = $1 and state <> 'recording' and removed_at is null`,
    [voicemailId, by],
    { idempotent: true },
  );
  return rowCount === 1;
};
