import { z } from 'zod';
import { API_VERSION, documentSchema } from './schema';

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  oneOf?: readonly { readonly required: readonly string[] }[];
}

/** The configuration document as JSON Schema (draft 2020-12), by which editors complete and check. */
export function documentJsonSchema(): object {
  const schema = z.toJSONSchema(documentSchema, { io: 'input', target: 'draft-2020-12', unrepresentable: 'any' });
  const node = schema as Node;
  exactlyOne(node.properties?.['prompts']?.items, ['file', 'tone', 'stream']);
  exactlyOne(node.properties?.['numbers']?.items, ['queue', 'flow']);
  return {
    ...schema,
    $id: `https://sidekick.invalid/schemas/${API_VERSION}.json`,
    title: `Sidekick configuration document, ${API_VERSION}`,
  };
}

function exactlyOne(node: Node | undefined, keys: readonly string[]): void {
  if (node !== undefined) {
    node.oneOf = keys.map((key) => ({ required: [key] }));
  }
}
