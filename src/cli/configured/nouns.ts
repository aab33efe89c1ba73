/** What can be configured by noun: where it stands in the document, and what its list shows. One table instead of nine copies. */
import { isOpen } from '../../flows/hours';
import type { List } from '../../config/documents/canonical';
import type { Document } from '../../config/documents/schema';
import type { Column } from '../output/list';
import { isoTime } from '../output/list';

export const NOUNS = [
  'tenants',
  'trunks',
  'numbers',
  'flows',
  'hours',
  'queues',
  'agents',
  'skills',
  'prompts',
] as const;
export type Noun = (typeof NOUNS)[number];
export type ItemOf<N extends Noun> = Document[N][number];

/** One of them. */
export const SINGULAR: Readonly<Record<Noun, string>> = {
  tenants: 'tenant',
  trunks: 'trunk',
  numbers: 'number',
  flows: 'flow',
  hours: 'hours',
  queues: 'queue',
  agents: 'agent',
  skills: 'skill',
  prompts: 'prompt',
};

/** By which an item is known. */
export function nameOf(item: ItemOf<Noun>): string {
  return 'number' in item ? item.number : item.name;
}

export function tenantOf(item: ItemOf<Noun>): string | undefined {
  return 'tenant' in item ? item.tenant : undefined;
}

export interface ListContext {
  /** With the lists that `READ_FOR` names; the others are empty. */
  readonly document: Document;
  readonly now: number;
  /** How many agents have a skill, by tenant and name with a slash between them. */
  readonly agentsBySkill: ReadonlyMap<string, number>;
}

const tenant = {
  title: 'tenant',
  text: (i: { readonly tenant?: string | undefined }): string => i.tenant ?? '(shared)',
};

/** Queues and agents have lists of their own, which show what they do. */
export type ListedNoun = Exclude<Noun, 'queues' | 'agents'>;

/** What a list reads: it shows nothing else. */
export const READ_FOR: Readonly<Record<ListedNoun, readonly List[]>> = {
  tenants: ['tenants'],
  trunks: ['trunks'],
  numbers: ['numbers'],
  flows: ['flows', 'numbers'],
  hours: ['hours', 'tenants'],
  skills: ['skills'],
  prompts: ['prompts'],
};

type Columns = { readonly [N in ListedNoun]: (context: ListContext) => readonly Column<ItemOf<N>>[] };

export const COLUMNS: Columns = {
  tenants: () => [
    { title: 'name', text: (t) => t.name },
    { title: 'country', text: (t) => t.country },
    { title: 'time zone', text: (t) => t.timeZone },
    { title: 'may call', text: (t) => t.allowNumbers.join(' ') || '-', plain: (t) => t.allowNumbers.join(' ') },
  ],
  trunks: () => [
    { title: 'name', text: (t) => t.name },
    { title: 'kind', text: (t) => t.kind },
    { title: 'enabled', text: (t) => (t.enabled ? 'yes' : 'no'), tone: (t) => (t.enabled ? undefined : 'watch') },
    { title: 'far end', text: farEnd },
    tenant,
  ],
  numbers: () => [
    { title: 'number', text: (n) => n.number },
    { title: 'leads to', text: (n) => (n.queue === undefined ? `flow ${n.flow ?? ''}` : `queue ${n.queue}`) },
    { title: 'greeting', text: (n) => n.greeting ?? '' },
    tenant,
  ],
  flows: ({ document }) => [
    { title: 'name', text: (f) => f.name },
    { title: 'steps', text: (f) => f.steps.map((step) => Object.keys(step)[0]).join(' > ') },
    {
      title: 'numbers',
      text: (f) =>
        document.numbers
          .filter((n) => n.flow === f.name && n.tenant === f.tenant)
          .map((n) => n.number)
          .join(' '),
    },
    tenant,
  ],
  hours: ({ document, now }) => [
    { title: 'name', text: (h) => h.name },
    {
      title: 'now',
      text: (h) => (openAt(document, h, now).open ? 'open' : 'closed'),
      tone: (h) => (openAt(document, h, now).open ? 'good' : 'watch'),
    },
    { title: 'until', text: (h) => isoTime(openAt(document, h, now).nextChangeAt) },
    { title: 'why', text: (h) => openAt(document, h, now).reason },
    { title: 'time zone', text: (h) => zoneOf(document, h) },
    { title: 'holidays', text: (h) => String(h.holidays.length) },
    tenant,
  ],
  skills: ({ agentsBySkill }) => [
    { title: 'name', text: (s) => s.name },
    { title: 'agents', text: (s) => String(agentsBySkill.get(`${s.tenant ?? ''}/${s.name}`) ?? 0) },
    { title: 'description', text: (s) => s.description },
    tenant,
  ],
  prompts: () => [
    { title: 'name', text: (p) => p.name },
    { title: 'kind', text: (p) => (p.file === undefined ? (p.tone === undefined ? 'stream' : 'tone') : 'file') },
    { title: 'source', text: (p) => p.file ?? p.tone ?? p.stream ?? '' },
    tenant,
  ],
};

export function zoneOf(document: Document, hours: ItemOf<'hours'>): string {
  const owner = document.tenants.find((t) => t.name === (hours.tenant ?? document.tenants[0]?.name));
  return hours.timeZone ?? owner?.timeZone ?? 'UTC';
}

export function openAt(document: Document, hours: ItemOf<'hours'>, at: number): ReturnType<typeof isOpen> {
  return isOpen({ ...hours, timeZone: zoneOf(document, hours) }, at);
}

function farEnd(trunk: ItemOf<'trunks'>): string {
  switch (trunk.kind) {
    case 'carrier': {
      return trunk.sources.join(' ');
    }
    case 'teams': {
      return trunk.sbcName;
    }
    case 'pbx': {
      return `${trunk.transport}:${trunk.host}${trunk.port === undefined ? '' : `:${trunk.port}`}`;
    }
    case 'web': {
      return '';
    }
  }
}
