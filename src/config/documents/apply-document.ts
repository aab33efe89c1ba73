import { SidekickError, toError } from '../../lib/errors';
import { sqlState } from '../../store/pool';
import type { Queryable } from '../../store/types';
import * as sql from './apply-statements';
import { documentRows, type DocumentRows } from './document-rows';
import type { Document } from './schema';

export interface ApplyOptions {
  /** Who applies it, for the history. */
  readonly by: string;
  /** Also remove what the document does not name. */
  readonly prune?: boolean;
  /** Refuse if another version was applied since this one was read. */
  readonly expectedVersion?: number;
}

export interface ApplyResult {
  /** Version that is in force now; 0 when nothing was ever applied. */
  readonly version: number;
  /** False: everything was as the document says already. */
  readonly changed: boolean;
  /** Rows that were made, changed or removed, by list. */
  readonly counts: Readonly<Record<keyof DocumentRows, number>>;
}

/** Two applies never interleave: the second waits for the first. */
const APPLY_LOCK = 7_113_002;

/**
 * Makes the database what a checked document says, in one transaction; running nodes hear of it when it commits. Calls in
 * progress are not touched.
 * @throws SK_CONFLICT when the base version changed, or when a prune would remove what calls are using
 */
export async function applyDocument(db: Queryable, document: Document, options: ApplyOptions): Promise<ApplyResult> {
  try {
    return await db.transaction(async (tx) => {
      await tx.query('select pg_advisory_xact_lock($1)', [APPLY_LOCK]);
      const before = await currentVersion(tx);
      checkBase(before.version, options.expectedVersion);
      const rows = documentRows(document);
      if (options.prune) {
        await refuseIfInUse(tx, rows);
      }
      const counts = await applyRows(tx, rows);
      if (options.prune) {
        await pruneRows(tx, rows, counts);
      }
      const touched = Object.values(counts).some((count) => count > 0);
      if (!touched && before.document !== undefined && (await isSame(tx, before.version, document))) {
        return { version: before.version, changed: false, counts };
      }
      const version = before.version + 1;
      await tx.query('insert into config_versions (version, document, applied_by, pruned) values ($1, $2, $3, $4)', [
        version,
        JSON.stringify(document),
        options.by,
        options.prune ?? false,
      ]);
      return { version, changed: true, counts };
    });
  } catch (error) {
    throw explained(error);
  }
}

async function currentVersion(tx: Queryable): Promise<{ readonly version: number; readonly document: unknown }> {
  const { rows } = await tx.query<{ version: string; document: unknown }>(
    'select version, document from config_versions order by version desc limit 1',
  );
  return { version: Number(rows[0]?.version ?? 0), document: rows[0]?.document };
}

function checkBase(version: number, expected: number | undefined): void {
  if (expected !== undefined && expected !== version) {
    throw new SidekickError('SK_CONFLICT', `The configuration is version ${version}, not ${expected}`, {
      why: 'somebody applied another document since this one was read',
      next: 'look at the difference, then apply again on top of the new version',
    });
  }
}

/** Compared as jsonb, where the order of keys does not count. */
async function isSame(tx: Queryable, version: number, document: Document): Promise<boolean> {
  const { rowCount } = await tx.query('select from config_versions where version = $1 and document = $2::jsonb', [
    version,
    JSON.stringify(document),
  ]);
  return rowCount === 1;
}

async function refuseIfInUse(tx: Queryable, rows: DocumentRows): Promise<void> {
  const queues = await tx.query<{ name: string; waiting: number }>(sql.BUSY_QUEUES, [JSON.stringify(rows.queues)]);
  const agents = await tx.query<{ name: string }>(sql.BUSY_AGENTS, [JSON.stringify(rows.agents)]);
  const reasons = [
    ...queues.rows.map(
      ({ name, waiting }) => `${waiting} ${waiting === 1 ? 'call is' : 'calls are'} waiting in queue "${name}"`,
    ),
    ...agents.rows.map(({ name }) => `agent "${name}" is in a call or being rung`),
  ];
  if (reasons.length > 0) {
    throw new SidekickError('SK_CONFLICT', 'What the document leaves out is in use', {
      why: reasons.join('; '),
      next: 'wait until those calls are over, or apply without pruning',
    });
  }
}

type Counts = Record<keyof DocumentRows, number>;

async function applyRows(tx: Queryable, rows: DocumentRows): Promise<Counts> {
  const run = async (statement: string, list: readonly object[], ...more: (readonly object[])[]): Promise<number> =>
    (await tx.query(statement, [JSON.stringify(list), ...more.map((other) => JSON.stringify(other))])).rowCount;
  const tenants = await run(sql.APPLY_TENANTS, rows.tenants);
  const trunks = await run(sql.APPLY_TRUNKS, rows.trunks);
  const prompts = await run(sql.APPLY_PROMPTS, rows.prompts);
  const hours = await run(sql.APPLY_HOURS, rows.hours);
  const skills = await run(sql.APPLY_SKILLS, rows.skills);
  const flows = await run(sql.APPLY_FLOWS, rows.flows);
  const queues = await run(sql.APPLY_QUEUES, rows.queues);
  const agents = await run(sql.APPLY_AGENTS, rows.agents);
  const cleared = await run(sql.CLEAR_ENDPOINTS, rows.endpoints);
  const endpoints = Math.max(cleared, await run(sql.APPLY_ENDPOINTS, rows.endpoints));
  const forgotten = await run(sql.CLEAR_AGENT_SKILLS, rows.agentSkills, rows.agents);
  const agentSkills = forgotten + (await run(sql.APPLY_AGENT_SKILLS, rows.agentSkills));
  const left = await run(sql.CLEAR_MEMBERS, rows.members, rows.queues);
  const members = left + (await run(sql.APPLY_MEMBERS, rows.members));
  const numbers = await run(sql.APPLY_NUMBERS, rows.numbers);
  return { tenants, trunks, prompts, hours, skills, flows, queues, agents, endpoints, agentSkills, members, numbers };
}

/** In the order in which things refer to each other. */
async function pruneRows(tx: Queryable, rows: DocumentRows, counts: Counts): Promise<void> {
  const steps = [
    ['numbers', sql.PRUNE_NUMBERS],
    ['queues', sql.PRUNE_QUEUES],
    ['agents', sql.PRUNE_AGENTS],
    ['flows', sql.PRUNE_FLOWS],
    ['hours', sql.PRUNE_HOURS],
    ['skills', sql.PRUNE_SKILLS],
    ['prompts', sql.PRUNE_PROMPTS],
    ['trunks', sql.PRUNE_TRUNKS],
    ['tenants', sql.PRUNE_TENANTS],
  ] as const;
  for (const [list, statement] of steps) {
    counts[list] += (await tx.query(statement, [JSON.stringify(rows[list])])).rowCount;
  }
}

/** Constraints of the database that a checked document can still meet, because of what is not in it. */
function explained(error: unknown): unknown {
  const state = sqlState(error);
  if (state !== '23505' && state !== '23503') {
    return error;
  }
  const { detail } = error as { detail?: string };
  return new SidekickError('SK_CONFLICT', 'The document contradicts what is configured already', {
    why: detail ?? toError(error).message,
    next: 'name the other entry in the document as well, or apply with pruning so that it goes',
    cause: error,
  });
}
