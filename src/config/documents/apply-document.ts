import { SidekickError } from '../../lib/errors';
import type { Queryable } from '../../store/types';
import * as sql from './apply-statements';
import { changeConfiguration } from './change-configuration';
import type { Change } from './changes';
import { documentRows, type DocumentRows } from './document-rows';
import type { Document } from './schema';

export interface ApplyOptions {
  /** Who applies it, for the history. */
  readonly by: string;
  /** Default: `apply`. */
  readonly what?: string;
  /** Also remove what the document does not name. */
  readonly prune?: boolean;
  /** Refuse if another version was applied since this one was read. */
  readonly expectedVersion?: number | undefined;
  /** Told before each list is written, for a display. */
  readonly progress?: (step: ApplyStep) => void;
}

export interface ApplyStep {
  readonly list: keyof DocumentRows;
  readonly rows: number;
  /** From 1. */
  readonly step: number;
  readonly steps: number;
}

export interface ApplyResult {
  /** Version that is in force now; 0 when nothing was ever applied. */
  readonly version: number;
  /** False: everything was as the document says already. */
  readonly changed: boolean;
  readonly changes: readonly Change[];
  /** Rows that were made, changed or removed, by list. */
  readonly counts: Readonly<Record<keyof DocumentRows, number>>;
}

/**
 * Makes the database what a checked document says, in one transaction; running nodes hear of it when it commits. Calls in
 * progress are not touched.
 * @throws SK_CONFLICT when the base version changed, or when a prune would remove what calls are using
 */
export async function applyDocument(db: Queryable, document: Document, options: ApplyOptions): Promise<ApplyResult> {
  const rows = documentRows(document);
  const { by, what = 'apply', prune = false, expectedVersion } = options;
  const done = await changeConfiguration(db, { by, what, expectedVersion, pruned: prune }, async (tx) => {
    if (prune) {
      await refuseIfInUse(tx, rows);
    }
    const counts = await applyRows(tx, rows, options.progress);
    if (prune) {
      await pruneRows(tx, rows, counts);
    }
    return counts;
  });
  return { version: done.version, changed: done.changed, changes: done.changes, counts: done.result };
}

/**
 * Writes the entries of a checked document and leaves every other as it is. Runs inside of `changeConfiguration`. A list of
 * members, endpoints or skills is whole: what is not in it goes.
 */
export async function writeEntries(tx: Queryable, entries: Document): Promise<void> {
  await applyRows(tx, documentRows(entries));
}

/**
 * Removes from one list what `remaining` does not name. Runs inside of `changeConfiguration`.
 * @throws SK_CONFLICT when calls are using it
 */
export async function removeEntries(tx: Queryable, list: PrunedList, remaining: Document): Promise<void> {
  const rows = documentRows(remaining);
  await refuseIfInUse(tx, rows);
  const [, statement] = PRUNES.find(([name]) => name === list) ?? [];
  if (statement !== undefined) {
    await tx.query(statement, [JSON.stringify(rows[list])]);
  }
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

/** The lists in the order in which they refer to each other, each with the statements that write it. */
const STEPS: readonly (readonly [list: keyof DocumentRows, statement: string, other?: keyof DocumentRows])[] = [
  ['tenants', sql.APPLY_TENANTS],
  ['trunks', sql.APPLY_TRUNKS],
  ['prompts', sql.APPLY_PROMPTS],
  ['hours', sql.APPLY_HOURS],
  ['skills', sql.APPLY_SKILLS],
  ['flows', sql.APPLY_FLOWS],
  ['queues', sql.APPLY_QUEUES],
  ['agents', sql.APPLY_AGENTS],
  ['endpoints', sql.CLEAR_ENDPOINTS],
  ['endpoints', sql.APPLY_ENDPOINTS],
  ['agentSkills', sql.CLEAR_AGENT_SKILLS, 'agents'],
  ['agentSkills', sql.APPLY_AGENT_SKILLS],
  ['members', sql.CLEAR_MEMBERS, 'queues'],
  ['members', sql.APPLY_MEMBERS],
  ['numbers', sql.APPLY_NUMBERS],
];

async function applyRows(tx: Queryable, rows: DocumentRows, progress?: (step: ApplyStep) => void): Promise<Counts> {
  const counts = Object.fromEntries(Object.keys(rows).map((list) => [list, 0])) as Counts;
  for (const [i, [list, statement, other]] of STEPS.entries()) {
    progress?.({ list, rows: rows[list].length, step: i + 1, steps: STEPS.length });
    const values = other === undefined ? [rows[list]] : [rows[list], rows[other]];
    const { rowCount } = await tx.query(
      statement,
      values.map((value) => JSON.stringify(value)),
    );
    // An endpoint that is replaced is one change, not two.
    counts[list] = statement === sql.APPLY_ENDPOINTS ? Math.max(counts[list], rowCount) : counts[list] + rowCount;
  }
  return counts;
}

/** In the order in which things refer to each other. */
const PRUNES = [
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

export type PrunedList = (typeof PRUNES)[number][0];

async function pruneRows(tx: Queryable, rows: DocumentRows, counts: Counts): Promise<void> {
  for (const [list, statement] of PRUNES) {
    counts[list] += (await tx.query(statement, [JSON.stringify(rows[list])])).rowCount;
  }
}
