import { z } from 'zod';
import { documentSchema } from '../../src/config/documents/schema';

/** A JSON Schema node, as far as it is used here. */
interface Node {
  readonly type?: string;
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly default?:
    string | number | boolean | readonly (string | { readonly host: string; readonly port: number })[] | object;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly oneOf?: readonly Node[];
}

export interface KeyTable {
  /** `tenants[]`, `trunks[] of kind carrier`, … */
  readonly title: string;
  /** key, value, default, meaning */
  readonly rows: readonly (readonly string[])[];
}

/** Every key of the configuration document as the docs list it, straight from the schema. */
export function documentKeys(): readonly KeyTable[] {
  const root = z.toJSONSchema(documentSchema, { io: 'input', unrepresentable: 'any' }) as Node;
  const tables: KeyTable[] = [];
  const add = (title: string, object: Node): void => {
    tables.push({ title, rows: rowsOf('', object) });
    for (const [key, node] of Object.entries(object.properties ?? {})) {
      addList(title === 'document' ? `${key}[]` : `${title.replace(/ of kind.*/, '')}.${key}[]`, node.items);
    }
  };
  const addList = (title: string, items: Node | undefined): void => {
    if (items?.oneOf) {
      for (const variant of items.oneOf) {
        add(`${title} of kind ${variant.properties?.['kind']?.const ?? ''}`, variant);
      }
    } else if (items?.properties) {
      add(title, items);
    }
  };
  add('document', root);
  return tables;
}

function rowsOf(prefix: string, object: Node): string[][] {
  return Object.entries(object.properties ?? {}).flatMap(([key, node]) => {
    const name = `${prefix}${key}`;
    const required = object.required?.includes(key) ?? false;
    const row = [name, valueText(node), defaultText(node, required), node.description ?? ''];
    return node.properties ? [row, ...rowsOf(`${name}.`, node)] : [row];
  });
}

function valueText(node: Node): string {
  if (node.const !== undefined) {
    return node.const;
  }
  if (node.enum) {
    return node.enum.join(', ');
  }
  if (node.type === 'array') {
    const item =
      node.items && !node.items.properties && !node.items.oneOf ? `list of: ${valueText(node.items)}` : 'list';
    return item;
  }
  if (node.type === 'integer' || node.type === 'number') {
    const word = node.type === 'integer' ? 'whole number' : 'number';
    const low = node.minimum === undefined ? `above ${String(node.exclusiveMinimum)}` : String(node.minimum);
    return `${word}, ${low} to ${String(node.maximum)}`;
  }
  return { string: 'text', boolean: 'true or false', object: 'keys' }[node.type ?? ''] ?? 'text';
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
      : value.map((item) => (typeof item === 'object' ? `${item.host}:${item.port}` : String(item))).join(', ');
  }
  return typeof value === 'object' ? '' : String(value);
}
