import { SidekickError } from '../../lib/errors';
import type { Queryable } from '../../store/types';
import { EMPTY, nameOf, NOUNS, type List } from './canonical';
import { documentChanges, type Change } from './changes';
import { checkDocument } from './check-document';
import { normalizedEntries, readConfiguration, readEntries } from './export-document';
import type { Finding } from './findings';
import { withEntries } from './named-entries';
import { explainConstraint } from './refusals';
import { documentSchema, type Document } from './schema';
import { pathText } from './path-text';
import { newestAuditLine, touchedSince, type Touched } from './touched-entries';

export interface ChangeRequest {
  /** Who changes it, for the history and the audit log. */
  readonly by: string;
  /** What is done, in a few words, such as `queues set sales`. */
  readonly what: string;
  /** Refuse if the configuration is at another version by now. */
  readonly expectedVersion?: number | undefined;
  /** Whether what a document did not name was removed. */
  readonly pruned?: boolean;
}

export interface ChangeResult<T> {
  /** Version that is in force now; 0 when nothing was ever configured. */
  readonly version: number;
  /** False: the configuration is as it was. */
  readonly changed: boolean;
  readonly changes: readonly Change[];
  readonly result: T;
}

/** Two changes never interleave: the second waits for the first. The triggers of the tables take the same lock. */
const CONFIGURATION_LOCK = 7_113_002;

/** What a change starts from. */
export interface Base {
  readonly tx: Queryable;
  /** The configuration as it is, canonical. */
  readonly before: Document;
  /**
   * Says before anything is written what will be in force, so that what contradicts itself is refused in its own words.
   * @throws SK_CONFIG_INVALID
   */
  readonly plan: (after: Document) => void;
}

/**
 * The one way to change the configuration: runs `fn`, which writes rows in any way it likes, in a transaction under the
 * configuration lock. The result is checked as a document would be, and kept in the history; the audit log is written by
 * triggers; running nodes hear of it when it commits. What was changed by hand in SQL before comes into the history first.
 * Only entries that the audit log names are read, unless it cannot tell.
 * @throws SK_CONFLICT when the version is not the expected one or the database refuses the rows,
 * SK_CONFIG_INVALID when the result contradicts itself
 */
export async function changeConfiguration<T>(
  db: Queryable,
  request: ChangeRequest,
  fn: (tx: Queryable, base: Base) => Promise<T>,
): Promise<ChangeResult<T>> {
  try {
    return await db.transaction(async (tx) => {
      await tx.query(`select pg_advisory_xact_lock($1), set_config('sidekick.by', $2, true)`, [
        CONFIGURATION_LOCK,
        request.by,
      ]);
      const { version, document: before } = await caughtUp(tx);
      checkBase(version, request.expectedVersion);
      let planned: Document | undefined;
      const plan = (after: Document): void => {
        refuseContradictions(before, after);
        planned = after;
      };
      const auditId = await newestAuditLine(tx);
      const result = await fn(tx, { tx, before, plan });
      // Names inside of JSON are checked now, so that a refusal is told as one of this change.
      await tx.query('set constraints all immediate');
      const { document: after, changes } = await readAfter(tx, before, await touchedSince(tx, auditId));
      if (changes.length === 0) {
        return { version, changed: false, changes, result };
      }
      if (planned === undefined || documentChanges(planned, after).length > 0) {
        refuseContradictions(before, after);
      }
      await insertVersion(tx, { version: version + 1, document: after, base: version, changes, ...request });
      return { version: version + 1, changed: true, changes, result };
    });
  } catch (error) {
    throw explainConstraint(error);
  }
}

interface Read {
  readonly document: Document;
  /** What differs from the document before. */
  readonly changes: readonly Change[];
}

/** The configuration as rows say it, where it was `before` and these entries were touched since. */
async function readAfter(tx: Queryable, before: Document, touched: Touched): Promise<Read> {
  if (touched === 'everything') {
    const document = await readConfiguration(tx);
    return { document, changes: documentChanges(before, document) };
  }
  const now = await readEntries(tx, touched);
  // In the form that those that were read have, so that a difference is one of what they say.
  const old = normalizedEntries(before, touched);
  return { document: withEntries(before, touched, now), changes: documentChanges(old, now) };
}

/** The version in force and what the rows say; a difference between the two becomes a version of its own. */
async function caughtUp(tx: Queryable): Promise<{ readonly version: number; readonly document: Document }> {
  const last = await latestVersion(tx);
  const touched = last.auditId === undefined ? 'everything' : await touchedSince(tx, last.auditId);
  const { document, changes } = await readAfter(tx, last.document, touched);
  if (changes.length === 0) {
    return { version: last.version, document };
  }
  await insertVersion(tx, {
    version: last.version + 1,
    base: last.version,
    document,
    changes,
    by: 'database',
    what: 'changed in the database',
  });
  return { version: last.version + 1, document };
}

export interface LatestVersion {
  readonly version: number;
  readonly document: Document;
  /** Up to this line of the audit log it is what the rows say; undefined: that is not known. */
  readonly auditId: number | undefined;
}

/** The version that the history ends with; 0 and nothing configured when it is empty. */
export async function latestVersion(q: Queryable): Promise<LatestVersion> {
  const { rows } = await q.query<{ version: string; document: Document; auditId: string | null }>(
    `select version, document, case when schema_step = ${SCHEMA_STEP} then audit_id end as "auditId"
     from config_versions order by version desc limit 1`,
    [],
    { idempotent: true },
  );
  const row = rows[0];
  return row === undefined
    ? { version: 0, document: EMPTY, auditId: undefined }
    : {
        version: Number(row.version),
        document: row.document,
        auditId: row.auditId === null ? undefined : Number(row.auditId),
      };
}

/** A version of an older schema lacks what a migration added to the rows. */
const SCHEMA_STEP = '(select name from schema_migrations order by id desc limit 1)';

function checkBase(version: number, expected: number | undefined): void {
  if (expected !== undefined && expected !== version) {
    throw new SidekickError('SK_CONFLICT', `The configuration is version ${version}, not ${expected}`, {
      why: 'somebody changed it since this one was read',
      next: 'look at the difference, then apply again on top of the new version',
    });
  }
}

interface NewVersion extends ChangeRequest {
  readonly version: number;
  readonly base: number;
  readonly document: Document;
  readonly changes: readonly Change[];
}

async function insertVersion(tx: Queryable, input: NewVersion): Promise<void> {
  await tx.query(
    `insert into config_versions (version, document, applied_by, pruned, what, base_version, changes, audit_id, schema_step)
     values ($1, $2, $3, $4, $5, nullif($6::bigint, 0), $7, (select coalesce(max(id), 0) from audit_log), ${SCHEMA_STEP})`,
    [
      input.version,
      JSON.stringify(input.document),
      input.by,
      input.pruned ?? false,
      input.what,
      input.base,
      JSON.stringify(input.changes),
    ],
  );
}

/**
 * What a change makes wrong is refused; what was wrong before may stay, so that it can be put right step by step.
 * @throws SK_CONFIG_INVALID
 */
export function refuseContradictions(before: Document, after: Document): void {
  const found = contradictions(after);
  if (found.length === 0) {
    return;
  }
  const known = new Set(contradictions(before));
  const wrong = found.filter((text) => !known.has(text));
  if (wrong.length > 0) {
    throw new SidekickError('SK_CONFIG_INVALID', 'This would contradict the configuration', {
      why: wrong.join('\n'),
      next: 'correct the other entry first, or change both in one document',
    });
  }
}

/** What is wrong with a configuration that is not a file, by the names of its entries. */
export function contradictions(document: Document): readonly string[] {
  const parsed = documentSchema.safeParse(document);
  const findings: readonly Finding[] = parsed.success
    ? checkDocument(parsed.data)
    : parsed.error.issues.map((issue) => ({ path: issue.path, what: issue.message }));
  return findings
    .filter(({ path, warning }) => warning !== true && path.length > 1)
    .map(({ path, what, hint }) => `${entryText(document, path)}: ${what}${hint === undefined ? '' : ` (${hint})`}`);
}

/** `queue "sales" exits.full` instead of `queues[3].exits.full`. */
export function entryText(document: Document, path: readonly PropertyKey[]): string {
  const [list, index, ...rest] = path;
  const item = document[list as List]?.[index as number];
  const place = pathText(rest);
  return item === undefined
    ? pathText(path)
    : `${NOUNS[list as List]} "${nameOf(item)}"${place === '' ? '' : ` ${place}`}`;
}
