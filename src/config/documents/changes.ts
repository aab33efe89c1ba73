import { isDeepStrictEqual } from 'node:util';
import { byText, keyOf, LISTS, nameOf, NOUNS, type Item, type List } from './canonical';
import type { Document } from './schema';

/** One entry of the configuration that came, went or became another. */
export interface Change {
  readonly list: List;
  /** What it is, such as `queue`. */
  readonly noun: string;
  readonly name: string;
  /** Undefined: shared by all, or a tenant itself. */
  readonly tenant: string | undefined;
  readonly change: 'create' | 'change' | 'remove';
  /** The whole entry, or of a change the keys that differ. */
  readonly before: Readonly<Record<string, unknown>> | undefined;
  readonly after: Readonly<Record<string, unknown>> | undefined;
}

/** What differs between two canonical documents, in the order of the document. */
export function documentChanges(before: Document, after: Document): readonly Change[] {
  return LISTS.flatMap((list) => listChanges(list, before[list], after[list]));
}

function listChanges(list: List, before: readonly Item[], after: readonly Item[]): Change[] {
  const old = new Map(before.map((item) => [keyOf(list, item), item]));
  const now = new Map(after.map((item) => [keyOf(list, item), item]));
  const keys = [...new Set([...old.keys(), ...now.keys()])].sort(byText);
  return keys.flatMap((key) => itemChange(list, old.get(key), now.get(key)) ?? []);
}

function itemChange(list: List, before: Item | undefined, after: Item | undefined): Change | undefined {
  const item = after ?? before;
  if (item === undefined) {
    return undefined;
  }
  const base = {
    list,
    noun: NOUNS[list],
    name: nameOf(item),
    tenant: 'tenant' in item ? item.tenant : undefined,
  };
  if (before === undefined || after === undefined) {
    return { ...base, change: before === undefined ? 'create' : 'remove', before: copy(before), after: copy(after) };
  }
  const [old, now] = [copy(before) ?? {}, copy(after) ?? {}];
  const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter(
    (key) => !isDeepStrictEqual(old[key], now[key]),
  );
  const only = (from: Readonly<Record<string, unknown>>): Record<string, unknown> =>
    Object.fromEntries(keys.filter((key) => key in from).map((key) => [key, from[key]]));
  return keys.length === 0 ? undefined : { ...base, change: 'change', before: only(old), after: only(now) };
}

const copy = (item: Item | undefined): Readonly<Record<string, unknown>> | undefined => item && { ...item };

/** `1 tenant, 2 queues changed, 3 agents new, 1 number removed`, or `nothing`. */
export function summary(changes: readonly Pick<Change, 'noun' | 'change'>[]): string {
  const words = { create: 'new', change: 'changed', remove: 'removed' } as const;
  const counts = new Map<string, { noun: string; change: keyof typeof words; count: number }>();
  for (const { noun, change } of changes) {
    const entry = counts.get(`${change} ${noun}`) ?? { noun, change, count: 0 };
    entry.count++;
    counts.set(`${change} ${noun}`, entry);
  }
  const parts = [...counts.values()].map(
    ({ noun, change, count }) => `${count} ${count === 1 || noun === 'hours' ? noun : `${noun}s`} ${words[change]}`,
  );
  return parts.join(', ') || 'nothing';
}
