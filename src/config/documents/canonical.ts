import type { Document } from './schema';
import { tenantOf } from './tenant-of';

/** Lists of a document in the order in which it is written. */
export const LISTS = [
  'tenants',
  'trunks',
  'prompts',
  'hours',
  'skills',
  'flows',
  'queues',
  'agents',
  'numbers',
] as const;
export type List = (typeof LISTS)[number];

/** What one entry of a list is called. */
export const NOUNS = {
  tenants: 'tenant',
  trunks: 'trunk',
  prompts: 'prompt',
  hours: 'hours',
  skills: 'skill',
  flows: 'flow',
  queues: 'queue',
  agents: 'agent',
  numbers: 'number',
} as const satisfies Record<List, string>;

export type Item<L extends List = List> = Document[L][number];

export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Name of an entry; of a number the number. */
export function nameOf(item: Item): string {
  return 'number' in item ? item.number : item.name;
}

/** Tells the entries of a list apart. Tenants and trunks are unique in the whole document, numbers in the world. */
export function keyOf(list: List, item: Item): string {
  return keyOfName(list, 'tenant' in item ? item.tenant : undefined, nameOf(item));
}

/** `keyOf` of the entry that has this tenant and name. */
export function keyOfName(list: List, tenant: string | undefined, name: string): string {
  const shared = list === 'tenants' || list === 'trunks' || list === 'numbers';
  return shared ? name : `${tenant ?? ''}/${name}`;
}

/**
 * The one form that documents of the same meaning have: every default filled in, tenants named, lists in the order of their
 * names, members in the order in which they are asked. Two documents say the same if their canonical forms are equal.
 */
export function canonical(document: Document): Document {
  const owned = <T extends { readonly tenant?: string | undefined }>(item: T): T => {
    const tenant = tenantOf(document, item);
    return tenant === undefined ? item : { ...item, tenant };
  };
  const sorted = <L extends List>(list: L, items: readonly Item<L>[]): Item<L>[] =>
    [...items].sort((a, b) => byText(keyOf(list, a), keyOf(list, b)));
  return withoutKeysOf(undefined, {
    apiVersion: document.apiVersion,
    tenants: sorted('tenants', document.tenants),
    trunks: sorted('trunks', document.trunks),
    prompts: sorted('prompts', document.prompts.map(owned)),
    hours: sorted(
      'hours',
      document.hours.map((hours) => ({
        ...owned(hours),
        holidays: [...hours.holidays].sort((a, b) => byText(a.date, b.date)),
      })),
    ),
    skills: sorted('skills', allSkills(document)),
    flows: sorted('flows', document.flows.map(owned)),
    queues: sorted(
      'queues',
      document.queues.map((queue) => ({ ...owned(queue), members: orderedMembers(queue) })),
    ),
    agents: sorted(
      'agents',
      document.agents.map((agent) => ({ ...owned(agent), displayName: agent.displayName ?? agent.name })),
    ),
    numbers: sorted('numbers', document.numbers.map(owned)),
  });
}

/** Skills of the list, and those that only agents name. */
export function allSkills(document: Document): Document['skills'] {
  const skills = new Map<string, Item<'skills'>>();
  const add = (skill: Item<'skills'>): void => {
    skills.set(`${skill.tenant ?? ''}/${skill.name}`, skill);
  };
  for (const agent of document.agents) {
    const tenant = tenantOf(document, agent);
    Object.keys(agent.skills).forEach((name) => add({ name, tenant, description: '' }));
  }
  for (const skill of document.skills) {
    add({ ...skill, tenant: tenantOf(document, skill) });
  }
  return [...skills.values()];
}

function orderedMembers(queue: Item<'queues'>): Item<'queues'>['members'] {
  return queue.members
    .map((member, i) => ({ ...member, position: member.position ?? i + 1 }))
    .sort((a, b) => a.level - b.level || a.position - b.position || byText(a.agent, b.agent));
}

/** Without keys that have this value: JSON would leave undefined out, and rows say null where a document leaves the key out. */
export function withoutKeysOf<T>(blank: null | undefined, value: T): T {
  if (Array.isArray(value)) {
    return value.map((inner: unknown) => withoutKeysOf(blank, inner)) as T;
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== blank)
      .map(([key, inner]) => [key, withoutKeysOf(blank, inner as unknown)]),
  ) as T;
}

/** What the configuration will be when `wanted` is applied to `current`; both canonical. */
export function afterApply(current: Document, wanted: Document, prune: boolean): Document {
  const merge = <L extends List>(list: L): Item<L>[] => {
    const items = new Map<string, Item<L>>();
    const lists: readonly (readonly Item<L>[])[] = prune ? [wanted[list]] : [current[list], wanted[list]];
    lists.flat().forEach((item) => items.set(keyOf(list, item), item));
    return [...items.values()];
  };
  return canonical({
    apiVersion: wanted.apiVersion,
    tenants: merge('tenants'),
    trunks: merge('trunks'),
    prompts: merge('prompts'),
    hours: merge('hours'),
    skills: merge('skills'),
    flows: merge('flows'),
    queues: merge('queues'),
    agents: merge('agents'),
    numbers: merge('numbers'),
  });
}

/** The configuration of a database in which nothing was ever configured. */
export const EMPTY: Document = {
  apiVersion: 'sidekick/v1',
  tenants: [],
  trunks: [],
  prompts: [],
  hours: [],
  skills: [],
  flows: [],
  queues: [],
  agents: [],
  numbers: [],
};
