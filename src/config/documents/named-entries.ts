/** Some entries of a document, and a document with some entries replaced. Both canonical. */
import { byText, EMPTY, keyOf, keyOfName, LISTS, nameOf, type Item, type List } from './canonical';
import type { EntryName, EntryNames } from './read-rows';
import type { Document } from './schema';

/** Those of the named entries that the document has. */
export function namedEntries(document: Document, names: EntryNames): Document {
  const lists = [...names].map(([list, entries]) => {
    const keys = keysOf(list, entries);
    return [list, document[list].filter((item) => keys.has(keyOf(list, item)))] as const;
  });
  return { ...EMPTY, ...Object.fromEntries(lists) };
}

/** The document in which the named entries are those of `now`; a named one that `now` has not is gone. */
export function withEntries(document: Document, names: EntryNames, now: Document): Document {
  const lists = [...names].map(([list, entries]) => {
    const keys = keysOf(list, entries);
    const rest = document[list].filter((item) => !keys.has(keyOf(list, item)));
    return [list, sorted(list, [...rest, ...now[list]])] as const;
  });
  return { ...document, ...Object.fromEntries(lists) };
}

/** The document with these entries in place of those of the same name. */
export function afterEntries(document: Document, entries: Document): Document {
  const names = LISTS.filter((list) => entries[list].length > 0).map(
    (list) => [list, entries[list].map(entryName)] as const,
  );
  return withEntries(document, new Map(names), entries);
}

function entryName(item: Item): EntryName {
  return {
    tenant: 'tenant' in item ? item.tenant : undefined,
    name: nameOf(item),
  };
}

function keysOf(list: List, entries: readonly EntryName[]): ReadonlySet<string> {
  return new Set(entries.map(({ tenant, name }) => keyOfName(list, tenant, name)));
}

function sorted(list: List, items: readonly Item[]): readonly Item[] {
  const keyed = items.map((item) => ({ key: keyOf(list, item), item }));
  return keyed.sort((a, b) => byText(a.key, b.key)).map(({ item }) => item);
}
