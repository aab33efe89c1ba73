import { Document as YamlDocument, isCollection, isMap, isScalar, isSeq, visit, type Node } from 'yaml';
import { LISTS, type Item, type List } from './canonical';
import { compactDocument, compactItem } from './compact';
import type { Document } from './schema';

/** What fits into a line stands in one. */
const LINE_WIDTH = 100;

/** A canonical document as YAML: always the same text for the same configuration. */
export function documentYaml(document: Document): string {
  const compact = compactDocument(document);
  const lists = LISTS.flatMap((list) => (compact[list] === undefined ? [] : [[list, compact[list]] as const]));
  return `apiVersion: ${document.apiVersion}\n${lists.map(([list, items]) => yaml({ [list]: items })).join('')}`;
}

/** One entry as lines, as it stands in the YAML of the document. */
export function itemLines(list: List, item: Item, several: boolean): readonly string[] {
  return yaml([compactItem(list, item, several)])
    .trimEnd()
    .split('\n');
}

function yaml(value: unknown): string {
  const document = new YamlDocument(value, { aliasDuplicateObjects: false });
  visit(document, {
    Collection: (_key, node, ancestors) => {
      // The lists and their entries are spread out; below them a line holds what fits.
      const depth = ancestors.filter((ancestor) => isCollection(ancestor)).length;
      if (depth >= 2 && isShort(node)) {
        node.flow = true;
        return visit.SKIP;
      }
      return undefined;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: true, singleQuote: true });
}

/** A map of plain values, or a list of them, that fits into a line; never a list of maps, which is easier to compare in lines. */
function isShort(node: Node): boolean {
  if (isSeq(node)) {
    return node.items.every((item) => isScalar(item)) && JSON.stringify(node).length <= LINE_WIDTH;
  }
  return isMap(node) && JSON.stringify(node).length <= LINE_WIDTH && !JSON.stringify(node).includes('[{');
}
