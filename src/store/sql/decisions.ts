import { promisify } from 'node:util';
import { brotliCompress, brotliCompressSync, brotliDecompress, constants, gunzip } from 'node:zlib';
import type { BrotliOptions } from 'node:zlib';
import type { Assignment, Explanation, Snapshot } from '../../routing/types';
import type { Store } from '../api';
import type { StoredDecision } from '../types';
import { ms, NO_WAIT_FOR_DISK } from './fragments';

const pack = promisify(brotliCompress);
const unpackBrotli = promisify(brotliDecompress);
const unpackGzip = promisify(gunzip);

/** Snapshots of many agents repeat themselves: the fastest quality makes them five times smaller already, in a tenth of a millisecond. */
const PACKING: BrotliOptions = { params: { [constants.BROTLI_PARAM_QUALITY]: 0 } };
/** So many characters are packed within half a millisecond, less than it takes to hand them to another thread. */
const AT_ONCE = 100_000;

async function packed(value: unknown): Promise<Buffer> {
  const text = JSON.stringify(value);
  return text.length <= AT_ONCE ? brotliCompressSync(text, PACKING) : await pack(text, PACKING);
}

/** Older rows are gzip, which begins with its own two bytes; no brotli stream of ours does. */
async function unpacked(bytes: Buffer): Promise<unknown> {
  const text = bytes[0] === 0x1f && bytes[1] === 0x8b ? await unpackGzip(bytes) : await unpackBrotli(bytes);
  return JSON.parse(text.toString('utf8'));
}

/** Calls whose row is gone meanwhile are left out. */
const RECORD = `
with given as (
  select d.*, qu.tenant_id from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::float8[], $5::text[], $6::bytea[], $7::bytea[], $8::text[])
    as d(id, queue_id, node_id, at, trigger, snapshot, explanations, assignments)
  join queues qu on qu.id = d.queue_id
), stored as (
  insert into decisions (id, tenant_id, queue_id, node_id, at, trigger, snapshot, explanations, assignments)
  select id, tenant_id, queue_id, (select n.id from nodes n where n.id = node_id), to_timestamp(at / 1000), trigger, snapshot,
    explanations, assignments::jsonb from given
  on conflict (id) do nothing
  returning id, tenant_id, at
)
insert into decision_calls (decision_id, tenant_id, call_id, at)
select s.id, s.tenant_id, c.id, s.at
from unnest($9::uuid[], $10::uuid[]) as x(decision_id, call_id)
join stored s on s.id = x.decision_id join calls c on c.id = x.call_id and c.tenant_id = s.tenant_id
on conflict do nothing`;

export const recordDecisions: Store['recordDecisions'] = async (q, decisions) => {
  if (decisions.length === 0) {
    return;
  }
  const calls = decisions.flatMap((d) => d.explanations.map((e) => [d.id, e.callId] as const));
  const [snapshots, explanations] = await Promise.all([
    Promise.all(decisions.map((d) => packed(d.snapshot))),
    Promise.all(decisions.map((d) => packed(d.explanations))),
  ]);
  const values = [
    decisions.map((d) => d.id),
    decisions.map((d) => d.queueId),
    decisions.map((d) => d.nodeId),
    decisions.map((d) => d.at),
    decisions.map((d) => d.trigger),
    snapshots,
    explanations,
    decisions.map((d) => JSON.stringify(d.assignments)),
    calls.map(([decisionId]) => decisionId),
    calls.map(([, callId]) => callId),
  ];
  await q.transaction((tx) => tx.query(RECORD, values, { name: 'record-decisions', last: true }), {
    opening: NO_WAIT_FOR_DISK,
  });
};

interface DecisionRecord {
  readonly id: string;
  readonly tenantId: string;
  readonly queueId: string;
  readonly queue: string;
  readonly nodeId: string | null;
  readonly at: number;
  readonly trigger: string;
  readonly snapshot: Buffer;
  readonly explanations: Buffer;
  readonly assignments: readonly Assignment[];
}

export const decisions: Store['decisions'] = async (q, filter) => {
  const { rows } = await q.query<DecisionRecord>(
    `select d.id, d.tenant_id as "tenantId", d.queue_id as "queueId", qu.name as queue, d.node_id as "nodeId", ${ms('d.at')} as at,
       d.trigger, d.snapshot, d.explanations, d.assignments
     from decisions d join queues qu on qu.id = d.queue_id
     where ($1::uuid is null or d.queue_id = $1)
       and ($2::uuid is null or exists (select from decision_calls x where x.call_id = $2 and x.decision_id = d.id))
       and ($3::float8 is null or d.at >= to_timestamp($3 / 1000)) and ($4::float8 is null or d.at < to_timestamp($4 / 1000))
       and ($5::float8 is null or (d.at, d.id) > (to_timestamp($5 / 1000)::timestamptz(3), $6::uuid))
     order by d.at, d.id limit $7`,
    [
      filter.queueId ?? null,
      filter.callId ?? null,
      filter.from ?? null,
      filter.to ?? null,
      filter.after?.at ?? null,
      filter.after?.id ?? null,
      filter.limit ?? 1_000,
    ],
    { idempotent: true },
  );
  return await Promise.all(rows.map(toDecision));
};

async function toDecision(row: DecisionRecord): Promise<StoredDecision> {
  const [snapshot, explanations] = await Promise.all([unpacked(row.snapshot), unpacked(row.explanations)]);
  return {
    ...row,
    nodeId: row.nodeId ?? '',
    snapshot: snapshot as Snapshot,
    explanations: explanations as readonly Explanation[],
  };
}

export const forgetDecisions: Store['forgetDecisions'] = async (q, olderThanMs, limit) => {
  const { rowCount } = await q.query(
    `with over as (delete from call_exclusions where until < clock_timestamp() - interval '1 hour')
     delete from decisions where id in (
       select id from decisions where at < clock_timestamp() - $1::float8 * interval '1 millisecond' order by at limit $2)`,
    [olderThanMs, limit],
    { idempotent: true },
  );
  return rowCount;
};
