import type { Knex } from 'knex';

/** One step of the schema. Steps only go forward: a mistake is corrected by a later step. */
export interface Migration {
  readonly name: string;
  up(knex: Knex): Promise<void>;
}

/** Runs SQL as it stands. `?` would be a binding for knex, so it is escaped. */
export async function run(knex: Knex, sql: string): Promise<void> {
  await knex.raw(sql.replaceAll('?', '\\?'));
}

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Says on the table and its columns what they hold and in which unit. */
export async function comment(
  knex: Knex,
  table: string,
  about: string,
  columns: Readonly<Record<string, string>>,
): Promise<void> {
  const lines = [`comment on table ${table} is ${quote(about)};`];
  for (const [column, text] of Object.entries(columns)) {
    lines.push(`comment on column ${table}.${column} is ${quote(text)};`);
  }
  await run(knex, lines.join('\n'));
}

/** What a name that people type may look like; the same rule as in the configuration document. */
export const NAME_CHECK = String.raw`~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'`;

/** ITU-T E.164: a plus, a country code that does not start with 0, 15 digits at most. */
export const E164_CHECK = String.raw`~ '^\+[1-9][0-9]{5,14}$'`;
