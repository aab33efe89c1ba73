/** Every key of the configuration document as tables, for docs/configuration.md. */
import { z } from 'zod';
import { documentSchema } from '../config/documents/schema';

/** A JSON Schema node, as far as it is used here. */
interface Node {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Node>>;
  readonly type?: string;
  readonly const?: string | boolean;
  readonly enum?: readonly string[];
  readonly default?: string | number | boolean | object;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly oneOf?: readonly Node[];
  readonly anyOf?: readonly Node[];
}

export interface KeyTable {
  /** `tenants[]`, `trunks[] of kind carrier`, `an action`, … */
  readonly title: string;
  /** key, value, default, meaning */
  readonly rows: readonly (readonly string[])[];
}

export const KEY_HEAD = ['key', 'value', 'default', 'meaning'] as const;

/** Every key of the configuration document as the docs list it, straight from the schema. */
export function documentKeys(): readonly KeyTable[] {
  const root = z.toJSONSchema(documentSchema, { io: 'input', unrepresentable: 'any' }) as Node;
  const tables: KeyTable[] = [];
  const add = (title: string, object: Node): void => {
    tables.push({ title, rows: rowsOf('', object) });
    addLists(title === 'document' ? '' : `${title.replace(/ of kind.*/, '')}.`, object);
  };
  const addLists = (prefix: string, object: Node): void => {
    for (const [key, node] of Object.entries(object.properties ?? {})) {
      addList(`${prefix}${key}[]`, node.items);
      addLists(`${prefix}${key}.`, node);
    }
  };
  const addList = (title: string, items: Node | undefined): void => {
    if (items?.oneOf) {
      for (const variant of items.oneOf) {
        add(`${title} of kind ${String(variant.properties?.['kind']?.const ?? '')}`, variant);
      }
    } else if (items?.properties) {
      add(title, items);
    }
  };
  add('document', root);
  // Things that stand in several places and are told apart by their key.
  for (const [id, node] of Object.entries(root.$defs ?? {})) {
    tables.push({ title: withArticle(id), rows: (node.anyOf ?? []).flatMap((variant) => rowsOf('', variant)) });
  }
  return tables;
}

const withArticle = (id: string): string => `${/^[aeiou]/.test(id) ? 'an' : 'a'} ${id}`;

function rowsOf(prefix: string, object: Node): string[][] {
  return Object.entries(object.properties ?? {}).flatMap(([key, node]) => {
    const name = `${prefix}${key}`;
    const required = object.required?.includes(key) ?? false;
    const row = [name, valueText(node), defaultText(node, required), node.description ?? ''];
    return node.properties ? [row, ...rowsOf(`${name}.`, node)] : [row];
  });
}

function valueText(node: Node): string {
  if (node.$ref !== undefined) {
    return withArticle(node.$ref.replace(/^.*\//, ''));
  }
  if (node.const !== undefined) {
    return String(node.const);
  }
  if (node.enum) {
    const plain = node.enum.filter((value) => !value.includes('/'));
    return `${plain.join(', ')}${plain.length < node.enum.length ? ', or one with an activity' : ''}`;
  }
  if (node.type === 'array') {
    return listText(node.items);
  }
  if (node.type === 'integer' || node.type === 'number') {
    const word = node.type === 'integer' ? 'whole number' : 'number';
    const low = node.minimum === undefined ? `above ${String(node.exclusiveMinimum)}` : String(node.minimum);
    return `${word}, ${low} to ${String(node.maximum)}`;
  }
  if (typeof node.additionalProperties === 'object') {
    return `names, each with: ${valueText(node.additionalProperties)}`;
  }
  return { string: 'text', boolean: 'true or false', object: 'keys' }[node.type ?? ''] ?? 'text';
}

function listText(items: Node | undefined): string {
  if (items?.$ref !== undefined) {
    return `list of ${items.$ref.replace(/^.*\//, '')}s`;
  }
  return items && !items.properties && !items.oneOf ? `list of: ${valueText(items)}` : 'list';
}

function defaultText(node: Node, required: boolean): string {
  if (required) {
    return 'required';
  }
  const value = node.default;
  if (value === undefined || node.properties) {
    return '';
  }
  if (Array.isArray(value)) {
    return value.length === 0
      ? 'none'
      : (value as readonly (string | { readonly host: string; readonly port: number })[])
          .map((item) => (typeof item === 'object' ? `${item.host}:${item.port}` : item))
          .join(', ');
  }
  return typeof value === 'object' ? (Object.keys(value).length === 0 ? 'none' : '') : String(value);
}
