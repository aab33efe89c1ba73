import type { z } from 'zod';

export type Schema = z.core.$ZodType;

interface Def {
  readonly type: string;
  readonly innerType?: Schema;
  readonly in?: Schema;
  readonly element?: Schema;
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly options?: readonly Schema[];
  readonly discriminator?: string;
  readonly values?: readonly unknown[];
  readonly valueType?: Schema;
  readonly getter?: () => Schema;
  readonly defaultValue?: unknown;
}

const defOf = (schema: Schema): Def => schema._zod.def;

/** The schema below defaults, optionals and transforms. */
export function bare(schema: Schema): Schema {
  const def = defOf(schema);
  const inner = def.innerType ?? (def.type === 'pipe' ? def.in : undefined) ?? def.getter?.();
  return inner ? bare(inner) : schema;
}

export function shapeOf(schema: Schema): Readonly<Record<string, Schema>> | undefined {
  return defOf(bare(schema)).shape;
}

export function elementOf(schema: Schema): Schema | undefined {
  return defOf(bare(schema)).element;
}

/** Schema of the values of a record. */
export function entryOf(schema: Schema): Schema | undefined {
  return defOf(bare(schema)).valueType;
}

/** The default of a key. `filled`: what is left out counts as empty, and the keys within have their own defaults. */
export function defaultOf(schema: Schema): { readonly value: unknown; readonly filled: boolean } | undefined {
  const def = defOf(schema);
  if (def.type === 'default' || def.type === 'prefault') {
    return { value: def.defaultValue, filled: def.type === 'prefault' };
  }
  return def.innerType && defaultOf(def.innerType);
}

/** The alternatives of a union that are told apart by the key they begin with. */
export function alternativesOf(schema: Schema): readonly { readonly key: string; readonly schema: Schema }[] {
  const { discriminator, options } = defOf(bare(schema));
  if (discriminator !== undefined || !options) {
    return [];
  }
  return options.map((option) => ({ key: Object.keys(shapeOf(option) ?? {})[0] ?? '', schema: option }));
}

/** The alternative of a union that a value belongs to; a schema that is no union as it is. */
export function optionFor(schema: Schema, value: unknown): Schema {
  return chosen(schema, value) ?? schema;
}

export interface Variant {
  readonly value: string;
  readonly schema: Schema;
}

/** The alternatives of a union that a key such as `kind` chooses from. */
export function variantsOf(
  schema: Schema,
): { readonly key: string; readonly variants: readonly Variant[] } | undefined {
  const { discriminator, options } = defOf(bare(schema));
  if (discriminator === undefined || !options) {
    return undefined;
  }
  const variants = options.map((option) => {
    const literal = shapeOf(option)?.[discriminator];
    return { value: String(literal ? defOf(bare(literal)).values?.[0] : ''), schema: option };
  });
  return { key: discriminator, variants };
}

/** The schema of what stands at `path` of `value`, where a union is chosen from by what stands there. */
export function schemaAt(root: Schema, path: readonly PropertyKey[], value: unknown): Schema | undefined {
  let schema: Schema | undefined = root;
  let at: unknown = value;
  for (const step of path) {
    schema = chosen(schema, at);
    if (!schema) {
      return undefined;
    }
    schema = typeof step === 'number' ? elementOf(schema) : (shapeOf(schema)?.[String(step)] ?? entryOf(schema));
    at = typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[step] : undefined;
  }
  return schema;
}

/** The keys that an object at `path` of `value` may have; undefined where no object belongs. */
export function allowedKeys(root: Schema, path: readonly PropertyKey[], value: unknown): readonly string[] | undefined {
  const schema = schemaAt(root, path, value);
  const at = path.reduce<unknown>(
    (inner, step) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<PropertyKey, unknown>)[step] : undefined,
    value,
  );
  const end = chosen(schema, at);
  const shape = end && shapeOf(end);
  return shape && Object.keys(shape);
}

function chosen(schema: Schema | undefined, value: unknown): Schema | undefined {
  const keys = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const union = schema && variantsOf(schema);
  if (union) {
    return union.variants.find((variant) => variant.value === keys[union.key])?.schema;
  }
  const alternatives = schema ? alternativesOf(schema) : [];
  return alternatives.length === 0 ? schema : alternatives.find(({ key }) => key in keys)?.schema;
}
