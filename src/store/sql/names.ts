import type { Store } from '../api';

export const namesByNoun: Store['namesByNoun'] = async (q) => {
  const { rows } = await q.query<{ noun: string; names: readonly string[] }>(
    `select noun, array_agg(distinct name order by name) as names from (
       select 'queues' as noun, name from queues where removed_at is null
       union all select 'agents', name from agents where removed_at is null
       union all select 'tenants', name from tenants where removed_at is null
       union all select 'trunks', name from trunks where removed_at is null
       union all select 'hours', name from hours
       union all select 'flows', name from flows
       union all select 'skills', name from skills
       union all select 'prompts', name from prompts
       union all select 'numbers', e164 from numbers
       union all select 'callbacks', call_id::text from callbacks where ended_at is null
       union all select 'calls', id::text from (select id from calls order by created_at desc limit 50) c
       union all select 'voicemails', id::text from (
         select id from voicemails where state <> 'recording' and removed_at is null order by started_at desc limit 50) v
     ) n group by noun`,
    [],
    { idempotent: true },
  );
  return Object.fromEntries(rows.map(({ noun, names }) => [noun, names]));
};
