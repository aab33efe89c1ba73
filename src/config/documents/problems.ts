import type { z } from 'zod';
import { didYouMean } from './did-you-mean';
import { pathText } from './path-text';
import { documentSchema } from './schema';
import { allowedKeys, alternativesOf, schemaAt, variantsOf } from './schema-walk';
import type { Path, Position, YamlSource } from './yaml-source';

/** One mistake in a document: where, what is wrong, what would be right. */
export interface Problem extends Position {
  /** Such as `queues[0].strategy`. */
  readonly path: string;
  readonly what: string;
  /** What is allowed, or what was probably meant. */
  readonly hint: string | undefined;
}

export function problemAt(source: YamlSource, path: Path, what: string, hint?: string, key = false): Problem {
  return { ...source.at(path, key), path: pathText(path), what, hint };
}

/** `file:line:column path: what (hint)` */
export function formatProblem(fileName: string, problem: Problem): string {
  const place = problem.path === '' ? '' : ` ${problem.path}:`;
  return `${fileName}:${problem.line}:${problem.column}:${place} ${problem.what}${problem.hint === undefined ? '' : ` (${problem.hint})`}`;
}

/** "accepted: a, b; did you mean a?" */
export function accepted(written: unknown, values: readonly string[], label = 'accepted'): string {
  const meant = typeof written === 'string' ? didYouMean(written, values) : undefined;
  const list = values.length > 12 ? `${values.slice(0, 12).join(', ')}, …` : values.join(', ');
  return `${label}: ${list || 'none'}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? `"${value}"` : (JSON.stringify(value) ?? 'nothing');
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, step) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[step] : undefined),
    root,
  );
}

/** What the schema found, in words and with places. */
export function explainIssue(
  source: YamlSource,
  issue: z.core.$ZodIssue,
  schema: z.core.$ZodType = documentSchema,
): readonly Problem[] {
  const { path } = issue;
  const value = valueAt(source.value, path);
  switch (issue.code) {
    case 'unrecognized_keys': {
      return issue.keys.map((key) => unknownKey(source, path, key, schema));
    }
    case 'invalid_type': {
      return [wrongType(source, path, value, issue.expected)];
    }
    case 'invalid_value': {
      const values = issue.values.map(String);
      return [
        value === undefined
          ? problemAt(source, path, 'is missing', accepted(undefined, values))
          : problemAt(source, path, `${shown(value)} is not accepted`, accepted(value, values)),
      ];
    }
    case 'invalid_key': {
      const key = String(path.at(-1));
      return [
        problemAt(source, path, `"${key}" ${issue.issues[0]?.message ?? 'is not accepted as a key'}`, undefined, true),
      ];
    }
    case 'invalid_union': {
      return wrongVariant(source, issue, value);
    }
    case 'too_small':
    case 'too_big': {
      return [outOfRange(source, issue, value)];
    }
    default: {
      const known = issue.message.startsWith('must') || issue.message.startsWith('needs');
      return [
        problemAt(
          source,
          path,
          known && typeof value !== 'object' ? `${shown(value)} ${issue.message}` : issue.message,
        ),
      ];
    }
  }
}

function unknownKey(source: YamlSource, path: Path, key: string, schema: z.core.$ZodType): Problem {
  const at = [...path, key];
  if (/^(password|secret)$/i.test(key)) {
    const hint =
      'a document holds no secrets; name the environment variable that does, or secret:NAME, with passwordFrom';
    return problemAt(source, at, 'is not accepted', hint, true);
  }
  return problemAt(
    source,
    at,
    'is not a known key',
    accepted(key, allowedKeys(schema, path, source.value) ?? [], 'known'),
    true,
  );
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys with values',
};

function typeWord(value: unknown): string {
  if (value === null) {
    return 'nothing';
  }
  const kind = Array.isArray(value) ? 'array' : typeof value;
  return TYPE_WORDS[kind] ?? kind;
}

function wrongType(source: YamlSource, path: Path, value: unknown, expected: string): Problem {
  const wanted = TYPE_WORDS[expected] ?? expected;
  if (value === undefined) {
    return problemAt(source, path, 'is missing', `expected ${wanted}`);
  }
  const numberInsteadOfText = expected === 'string' && typeof value === 'number' ? '; put it in quotes' : '';
  const got = describe(value);
  return problemAt(source, path, `expected ${wanted}, found ${got}${numberInsteadOfText}`);
}

/** What fits none of several forms: told by the form that was begun, as its first key or its kind says. */
function wrongVariant(source: YamlSource, issue: z.core.$ZodIssueInvalidUnion, value: unknown): readonly Problem[] {
  const { path } = issue;
  const schema = schemaAt(documentSchema, path, source.value);
  const union = schema && variantsOf(schema);
  // The place of a wrong kind is the kind, that of anything else the value.
  const kinds = variantsOf(schemaAt(documentSchema, path.slice(0, -1), source.value) ?? documentSchema) ?? union;
  if (kinds && path.at(-1) === kinds.key) {
    const names = kinds.variants.map((variant) => variant.value);
    return [
      value === undefined || typeof value === 'object'
        ? problemAt(source, path, 'has no kind', accepted(undefined, names))
        : problemAt(source, path, `${shown(value)} is not a known kind`, accepted(value, names)),
    ];
  }
  const forms = schema ? alternativesOf(schema) : [];
  const names = forms.map((form) => form.key);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [problemAt(source, path, `expected keys with values, found ${describe(value)}`, accepted(value, names))];
  }
  const written = Object.keys(value);
  const begun = names.filter((name) => written.includes(name));
  const [first, second] = begun;
  if (first === undefined) {
    return [
      problemAt(source, path, `has none of the keys that say what is done here`, accepted(written[0], names, 'one of')),
    ];
  }
  if (second !== undefined) {
    return [
      problemAt(source, path, `has both ${first} and ${second}`, 'one of them is enough; write two entries for two'),
    ];
  }
  const inner = issue.errors[names.indexOf(first)] ?? [];
  return inner.flatMap((one) => explainIssue(source, { ...one, path: [...path, ...one.path] }));
}

const describe = (value: unknown): string =>
  typeof value === 'object' ? typeWord(value) : `${shown(value)}, which is ${typeWord(value)}`;

function outOfRange(
  source: YamlSource,
  issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig,
  value: unknown,
): Problem {
  const { path, message } = issue;
  if (/^(must|needs|may)/.test(message)) {
    return problemAt(source, path, message);
  }
  const small = issue.code === 'too_small';
  const bound = issue.code === 'too_small' ? issue.minimum : issue.maximum;
  const inclusive = issue.inclusive !== false;
  if (issue.origin === 'string') {
    return problemAt(source, path, small ? 'must not be empty' : `must not be longer than ${String(bound)} characters`);
  }
  if (issue.origin === 'array') {
    return problemAt(
      source,
      path,
      small ? `needs at least ${String(bound)} entry` : `may have at most ${String(bound)} entries`,
    );
  }
  const limit = small ? (inclusive ? 'at least' : 'more than') : inclusive ? 'at most' : 'less than';
  return problemAt(
    source,
    path,
    `${shown(value)} is ${small ? 'too small' : 'too large'}`,
    `${limit} ${String(bound)}`,
  );
}
