import { isDeepStrictEqual } from 'node:util';
import { allSkills, canonical, type Item, type List } from './canonical';
import { documentSchema, type Document } from './schema';
import { bare, defaultOf, elementOf, entryOf, optionFor, shapeOf, type Schema } from './schema-walk';

type Plain = Record<string, unknown>;

/**
 * A canonical document as a person would write it: keys in the order of the docs, what is default left out, tenants named only
 * where there are several.
 */
export function compactDocument(document: Document): Plain {
  const lists = compact(documentSchema, document) as Record<List, Plain[] | undefined> & Plain;
  const several = document.tenants.length > 1;
  const shorten = (list: List): void => {
    lists[list]?.forEach((item, i) => {
      const full = document[list][i];
      if (full !== undefined) {
        shortenItem(item, full, several);
      }
    });
  };
  (['prompts', 'hours', 'skills', 'flows', 'queues', 'agents', 'numbers'] as const).forEach(shorten);
  if (lists.skills !== undefined && skillsAreImplied(document)) {
    delete (lists as Plain)['skills'];
  }
  return lists;
}

/** One entry as it stands in `compactDocument`. */
export function compactItem(list: List, item: Item, several: boolean): Plain {
  const element = elementOf(shapeOf(documentSchema)?.[list] ?? documentSchema);
  const plain = { ...(compact(element ?? documentSchema, item) as Plain) };
  if (list !== 'tenants' && list !== 'trunks') {
    shortenItem(plain, item, several);
  }
  return plain;
}

function shortenItem(plain: Plain, item: Item, several: boolean): void {
  if (!several) {
    delete plain['tenant'];
  }
  if ('displayName' in item && item.displayName === item.name) {
    delete plain['displayName'];
  }
  if ('members' in item) {
    (plain['members'] as Plain[] | undefined)?.forEach((member, i) => {
      if (member['position'] === i + 1) {
        delete member['position'];
      }
    });
  }
}

/** Whether leaving the list of skills out says the same. */
function skillsAreImplied(document: Document): boolean {
  const implied = canonical({ ...document, skills: allSkills({ ...document, skills: [] }) }).skills;
  return isDeepStrictEqual(implied, document.skills);
}

function compact(schema: Schema, value: unknown): unknown {
  const inner = optionFor(bare(schema), value);
  const element = elementOf(inner);
  if (Array.isArray(value)) {
    return element === undefined ? value : value.map((item) => compact(element, item));
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const shape = shapeOf(inner);
  if (shape !== undefined) {
    return compactObject(shape, value as Plain);
  }
  const entry = entryOf(inner);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, entry === undefined ? item : compact(entry, item)]),
  );
}

function compactObject(shape: Readonly<Record<string, Schema>>, value: Plain): Plain {
  const result: Plain = {};
  for (const [key, schema] of Object.entries(shape)) {
    if (value[key] === undefined) {
      continue;
    }
    const plain = compact(schema, value[key]);
    const fallback = defaultOf(schema);
    const empty = fallback?.filled === true && isDeepStrictEqual(plain, {});
    if (!empty && !(fallback?.filled === false && isDeepStrictEqual(value[key], fallback.value))) {
      result[key] = plain;
    }
  }
  return result;
}
