/** Which entries of the configuration were touched since a line of the audit log, which the triggers of every table write. */
import type { Queryable } from '../../store/types';
import type { List } from './canonical';
import type { EntryName, EntryNames } from './read-rows';

/** What the lines of the audit log say; `everything`: they do not tell, and all rows have to be looked at. */
export type Touched = EntryNames | 'everything';

interface Line {
  readonly noun: string;
  readonly name: string;
  readonly tenant: string | null;
  /** Columns whose change makes an entry another one, or changes entries that the line does not name. */
  readonly keys: readonly string[];
}

/** More lines than this are not worth looking at one by one. */
const MOST_LINES = 2_000;

const plain = (name: string): string => name;
/** Names of queues and skills hold no space; those of agents may. */
const firstWord = (name: string): string => name.split(' ', 1)[0] ?? '';
const allButLastWord = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf(' ')));

interface Audited {
  readonly list: List;
  readonly entry: (name: string) => string;
  /** A change of one of these does more than change the entry that is named. */
  readonly keys: readonly string[];
}

const AUDITED: Readonly<Record<string, Audited>> = {
  tenant: { list: 'tenants', entry: plain, keys: ['name', 'removed_at'] },
  trunk: { list: 'trunks', entry: plain, keys: ['name'] },
  prompt: { list: 'prompts', entry: plain, keys: ['name', 'tenant_id'] },
  hours: { list: 'hours', entry: plain, keys: ['name', 'tenant_id'] },
  skill: { list: 'skills', entry: plain, keys: ['name', 'tenant_id'] },
  flow: { list: 'flows', entry: plain, keys: ['name', 'tenant_id'] },
  queue: { list: 'queues', entry: plain, keys: ['name', 'tenant_id'] },
  agent: { list: 'agents', entry: plain, keys: ['name', 'tenant_id', 'removed_at'] },
  endpoint: { list: 'agents', entry: plain, keys: ['agent_id', 'tenant_id'] },
  'agent skill': { list: 'agents', entry: allButLastWord, keys: ['agent_id', 'tenant_id', 'skill'] },
  member: { list: 'queues', entry: firstWord, keys: ['queue_id', 'agent_id', 'tenant_id'] },
  number: { list: 'numbers', entry: plain, keys: ['e164'] },
};

/** What stands in the audit log and in no document. */
const ELSEWHERE = ['secret', 'user', 'user scope', 'user token'];

/** The newest line of the audit log; 0 when it is empty. */
export async function newestAuditLine(q: Queryable): Promise<number> {
  const { rows } = await q.query<{ id: string }>('select coalesce(max(id), 0) as id from audit_log');
  return Number(rows[0]?.id ?? 0);
}

/** Whether the newest version has a mark, and the audit log goes on from where it was: neither is so after a truncate. */
async function isMarked(q: Queryable, auditId: number): Promise<boolean> {
  const { rows } = await q.query<{ marked: boolean }>(
    `select audit_id is not null and (select coalesce(max(id), 0) from audit_log) >= greatest(audit_id, $1) as marked
     from config_versions order by version desc limit 1`,
    [auditId],
  );
  return rows[0]?.marked === true;
}

/** Entries that a line after this one names. The caller holds the lock of the configuration. */
export async function touchedSince(q: Queryable, auditId: number): Promise<Touched> {
  if (!(await isMarked(q, auditId))) {
    return 'everything';
  }
  const { rows } = await q.query<Line>(
    `select l.noun, l.name, tn.name as tenant,
       array(select k from jsonb_object_keys(case l.what when 'change' then l.before else '{}' end) k) as keys
     from audit_log l left join tenants tn on tn.id = l.tenant_id
     where l.id > $1 and l.noun <> all ($2) order by l.id limit $3`,
    [auditId, ELSEWHERE, MOST_LINES + 1],
  );
  if (rows.length > MOST_LINES) {
    return 'everything';
  }
  const names = new Map<List, Map<string, EntryName>>();
  for (const { noun, name, tenant, keys } of rows) {
    const audited = AUDITED[noun];
    const entry = audited?.entry(name) ?? '';
    if (audited === undefined || entry === '' || keys.some((key) => audited.keys.includes(key))) {
      return 'everything';
    }
    const list = names.get(audited.list) ?? new Map<string, EntryName>();
    list.set(`${tenant ?? ''}/${entry}`, { tenant: tenant ?? undefined, name: entry });
    names.set(audited.list, list);
  }
  return new Map([...names].map(([list, entries]) => [list, [...entries.values()]]));
}
