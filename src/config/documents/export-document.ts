import type { Queryable } from '../../store/types';
import { canonical, LISTS, type List } from './canonical';
import { namedEntries } from './named-entries';
import { readNamedRows, readRows, type EntryNames } from './read-rows';
import { documentSchema, type Document } from './schema';

/**
 * The configuration as the rows say it, in canonical form: all of it, or these lists and the others empty. The rows are the
 * truth, however they came about: what somebody wrote by hand that no document may say is exported as it stands.
 */
export async function readConfiguration(q: Queryable, lists: readonly List[] = LISTS): Promise<Document> {
  return onlyLists(normalized(await readRows(q, lists)), lists);
}

/** Those of the named entries that there are, each as it stands in `readConfiguration`. */
export async function readEntries(q: Queryable, names: EntryNames): Promise<Document> {
  return normalizedEntries(await readNamedRows(q, names), names);
}

/** Those of the named entries that the document has, each as it stands in `readConfiguration`. */
export function normalizedEntries(document: Document, names: EntryNames): Document {
  return namedEntries(normalized(namedEntries(document, names)), names);
}

/** Canonical, and each list that is valid with its keys in the order of the schema. */
function normalized(document: Document): Document {
  const lists = LISTS.filter((list) => document[list].length > 0).map((list) => {
    const parsed = documentSchema.shape[list].safeParse(document[list]);
    return [list, parsed.success ? parsed.data : document[list]] as const;
  });
  return canonical({ ...document, ...Object.fromEntries(lists) });
}

/** Skills that only agents name are no list that was asked for. */
function onlyLists(document: Document, lists: readonly List[]): Document {
  return lists.includes('skills') ? document : { ...document, skills: [] };
}
