import { SidekickError } from '../../lib/errors';
import type { Queryable } from '../../store/types';
import { EMPTY } from './canonical';
import type { Change } from './changes';
import { latestVersion } from './change-configuration';
import { documentChanges } from './changes';
import { readConfiguration } from './export-document';
import type { Document } from './schema';

export interface Version {
  readonly version: number;
  /** Undefined: the first. */
  readonly base: number | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly by: string;
  readonly what: string;
  readonly pruned: boolean;
  readonly changes: readonly Change[];
}

interface VersionRow extends Omit<Version, 'version' | 'base'> {
  readonly version: string;
  readonly base: string | null;
}

/** Versions, newest first; with `only` that one alone. */
export async function listVersions(q: Queryable, limit: number, only?: number): Promise<readonly Version[]> {
  const { rows } = await q.query<VersionRow>(
    `select version, base_version as base, round(extract(epoch from applied_at) * 1000)::float8 as at, applied_by as by, what, pruned, changes
     from config_versions where $2::bigint is null or version = $2 order by version desc limit $1`,
    [limit, only ?? null],
    { idempotent: true },
  );
  return rows.map((row) => ({
    ...row,
    version: Number(row.version),
    base: row.base === null ? undefined : Number(row.base),
  }));
}

/** The configuration as it was at a version; of version 0 nothing. @throws SK_NOT_FOUND */
export async function documentAt(q: Queryable, version: number): Promise<Document> {
  if (version === 0) {
    return EMPTY;
  }
  const { rows } = await q.query<{ document: Document }>(
    'select document from config_versions where version = $1',
    [version],
    { idempotent: true },
  );
  const row = rows[0];
  if (row === undefined) {
    throw new SidekickError('SK_NOT_FOUND', `There is no version ${version} of the configuration`, {
      next: '`sidekick config history` lists them',
    });
  }
  return row.document;
}

/** What is configured now. */
export interface Current {
  readonly document: Document;
  /** The version that a change of it would be based on. */
  readonly version: number;
  /** Whether somebody changed rows by hand since the last version; that becomes a version with the next change. */
  readonly changedByHand: boolean;
}

export async function currentConfiguration(q: Queryable): Promise<Current> {
  const document = await readConfiguration(q);
  const last = await latestVersion(q);
  const changedByHand = documentChanges(last.document, document).length > 0;
  return { document, version: changedByHand ? last.version + 1 : last.version, changedByHand };
}
