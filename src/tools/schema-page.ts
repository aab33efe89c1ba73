/** docs/schema.md: the tables of a migrated database, as a diagram and as tables with what their comments say. */
import type { Queryable } from '../store/types';
import { markdownTable } from './markdown';

interface Column {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly key: boolean;
  readonly comment: string | null;
}

interface Table {
  readonly name: string;
  readonly comment: string | null;
  readonly columns: readonly Column[];
}

interface Reference {
  readonly from: string;
  readonly to: string;
  readonly columns: readonly string[];
  /** Every row has one. */
  readonly required: boolean;
  /** At most one row has it. */
  readonly single: boolean;
}

/** What knex keeps for itself. */
const FOREIGN = ['schema_migrations', 'schema_migrations_lock'];

const TABLES = `
select c.relname as name, obj_description(c.oid, 'pg_class') as comment,
  (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'required', a.attnotnull,
      'key', coalesce(a.attnum = any(p.conkey), false), 'comment', col_description(c.oid, a.attnum)) order by a.attnum)
    from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
from pg_class c left join pg_constraint p on p.conrelid = c.oid and p.contype = 'p'
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> all ($1::text[])
order by c.relname`;

const REFERENCES = `
select cf.relname as from, ct.relname as to, columns.names as columns, columns.required,
  exists (select from pg_index i where i.indrelid = f.conrelid and i.indisunique and i.indpred is null
    and (i.indkey::int2[])[0:i.indnkeyatts - 1] <@ f.conkey) as single
from pg_constraint f
join pg_class cf on cf.oid = f.conrelid join pg_class ct on ct.oid = f.confrelid,
lateral (select array_agg(a.attname::text order by a.attnum) as names, bool_and(a.attnotnull) as required
  from pg_attribute a where a.attrelid = f.conrelid and a.attnum = any(f.conkey)) as columns
where f.contype = 'f' and f.connamespace = 'public'::regnamespace
order by 1, 2, 3`;

/** The whole page as Prettier would leave it. */
export async function schemaPage(q: Queryable): Promise<string> {
  const { rows: tables } = await q.query<Table>(TABLES, [FOREIGN]);
  const { rows: references } = await q.query<Reference>(REFERENCES);
  return [
    '# The schema of the database',
    'Written by `npm run docs:schema` from a migrated database; a test keeps it equal to the migrations. Times are `timestamptz`; units',
    'stand in the comments, which the database has too (`\\d+ TABLE` in psql).',
    '',
    '## Diagram',
    'A line is a foreign key: `||` one, `o|` none or one, `o{` any number. Lines to `tenants` are left out: every table with a',
    '`tenant_id` has one.',
    '',
    '```mermaid',
    'erDiagram',
    ...references.filter(({ to }) => to !== 'tenants').map((reference) => `  ${lineOf(reference)}`),
    '```',
    '',
    '## Tables',
    ...tables.flatMap((table) => ['', `### ${table.name}`, '', ...sectionOf(table, references)]),
    '',
  ]
    .join('\n')
    .replace('# The schema of the database\n', '# The schema of the database\n\n')
    .replace('## Diagram\n', '## Diagram\n\n');
}

function lineOf({ from, to, columns, required, single }: Reference): string {
  const named = columns.filter((column) => column !== 'tenant_id');
  return `${to} ${required ? '||' : '|o'}--${single ? 'o|' : 'o{'} ${from} : "${(named.length > 0 ? named : columns).join(', ')}"`;
}

function sectionOf(table: Table, references: readonly Reference[]): readonly string[] {
  const targets = new Map<string, string>();
  for (const reference of references.filter(({ from }) => from === table.name)) {
    const own = reference.columns.filter((column) => column !== 'tenant_id' || reference.to === 'tenants');
    own.forEach((column) => targets.set(column, reference.to));
  }
  const rows = table.columns.map(({ name, type, required, key, comment }) => {
    const marks = [key ? 'key' : required ? 'required' : '', targets.has(name) ? `→ ${targets.get(name) ?? ''}` : ''];
    return [`\`${name}\``, type, marks.filter((mark) => mark !== '').join(', '), comment ?? ''];
  });
  return [table.comment ?? '', '', markdownTable(['column', 'type', '', 'meaning'], rows)];
}
