import { SidekickError } from '../../lib/errors';
import { migrate, migrationStatus } from '../../store';
import { GRANT_LEVELS, grantAgain, grantRights } from '../../store/grants';
import { say } from '../context';
import type { CommonOptions, Context, ListOptions } from '../context';
import { databaseUrlFor, withDatabase } from '../database';
import { line } from '../io';
import type { ListView } from '../output/list';
import { outputFormat, printList } from '../output/list';

interface Step {
  readonly name: string;
  readonly state: 'applied' | 'pending' | 'unknown';
}

const VIEW: ListView<Step> = {
  noun: 'migrations',
  columns: [
    { title: 'migration', text: (s) => s.name },
    { title: 'state', text: (s) => s.state },
  ],
  name: (s) => s.name,
  json: (s) => s,
  empty: 'this version has no migrations',
};

/** Exit code 0: up to date; 1: some are missing, or some are of a newer version. */
export async function migrateStatus(context: Context, options: ListOptions): Promise<number> {
  const format = outputFormat(context.io, options);
  const status = await migrationStatus(databaseUrlFor(context, options));
  const known = status.applied.filter((name) => !status.unknown.includes(name));
  const steps: Step[] = [
    ...known.map((name): Step => ({ name, state: 'applied' })),
    ...status.unknown.map((name): Step => ({ name, state: 'unknown' })),
    ...status.pending.map((name): Step => ({ name, state: 'pending' })),
  ];
  printList(context.io, VIEW, steps, format);
  if (status.unknown.length > 0) {
    line(context.io.stderr, `${status.unknown.length} migrations are of a newer version of sidekick than this one`);
  }
  if (status.pending.length > 0) {
    line(context.io.stderr, `${status.pending.length} migrations are missing: run \`sidekick migrate up\``);
  }
  return status.pending.length + status.unknown.length > 0 ? 1 : 0;
}

export interface GrantOptions extends CommonOptions {
  readonly as: string;
}

/** @throws SidekickError SK_USAGE, SK_NOT_FOUND, SK_CONFLICT */
export async function migrateGrant(context: Context, role: string, options: GrantOptions): Promise<number> {
  const level = GRANT_LEVELS.find((one) => one === options.as);
  if (level === undefined) {
    throw new SidekickError('SK_USAGE', `there is no level "${options.as}"`, {
      why: `the levels are ${GRANT_LEVELS.join(', ')}`,
      next: 'docs/security.md says what each may do',
    });
  }
  return withDatabase(context, options, async (db) => {
    const tables = await grantRights(db, role, level);
    line(context.io.stdout, `${role} has the rights of ${level} on ${tables} tables`);
    say(context, '`sidekick migrate up` gives them on new tables too');
    return 0;
  });
}

export async function migrateUp(context: Context, options: CommonOptions): Promise<number> {
  const { applied } = await migrate(databaseUrlFor(context, options));
  applied.forEach((name) => line(context.io.stdout, name));
  if (applied.length > 0) {
    const roles = await withDatabase(context, options, grantAgain);
    roles.forEach((role) => say(context, `${role} has its rights on the new tables too`));
  }
  line(context.io.stderr, applied.length === 0 ? 'the database is up to date' : `${applied.length} migrations applied`);
  return 0;
}
