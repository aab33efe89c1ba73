/** What needs no change of anything: checking a document, the schema for editors, writing down what is configured. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { canonical, LISTS } from '../../config/documents/canonical';
import { currentConfiguration, documentAt, type Current } from '../../config/documents/history';
import { documentJsonSchema } from '../../config/documents/json-schema';
import { parseDocument } from '../../config/documents/parse-document';
import type { Document } from '../../config/documents/schema';
import { documentYaml } from '../../config/documents/write-yaml';
import { errorCodeOf } from '../../lib/errno';
import { SidekickError } from '../../lib/errors';
import type { CommonOptions, Context } from '../context';
import { withDatabase } from '../database';
import { line } from '../io';
import { printJson } from '../output/json';

export interface FileOptions {
  readonly file: string;
}

export interface ValidateOptions extends FileOptions {
  readonly strict?: boolean;
  readonly output?: string;
}

export interface ExportOptions extends CommonOptions {
  readonly output?: string;
  readonly at?: number;
}

/** Exit code 0: valid; 1: valid but odd, with --strict. @throws SK_CONFIG_INVALID with every mistake */
export async function validateConfig(context: Context, { file, strict, output }: ValidateOptions): Promise<number> {
  const { io } = context;
  const asJson = formatOf(output, ['text', 'json']) === 'json';
  const result = parseDocument(await readText(context, file), shownName(file));
  if (asJson) {
    printJson(io, {
      valid: result.ok,
      problems: result.ok ? [] : result.problems,
      warnings: result.ok ? result.warnings : [],
    });
    return result.ok ? (strict === true && result.warnings.length > 0 ? 1 : 0) : 2;
  }
  if (!result.ok) {
    throw invalid(file, result.lines);
  }
  sayWarnings(context, result.warnings);
  line(io.stdout, `${shownName(file)} is valid: ${contents(result.document)}`);
  return strict === true && result.warnings.length > 0 ? 1 : 0;
}

export function printSchema({ io }: Context): Promise<number> {
  line(io.stdout, JSON.stringify(documentJsonSchema(), null, 2));
  return Promise.resolve(0);
}

export async function exportConfig(context: Context, options: ExportOptions): Promise<number> {
  const format = formatOf(options.output, ['yaml', 'json']);
  const { at } = options;
  const document = await withDatabase(context, options, async (db) =>
    at === undefined ? (await currentConfiguration(db)).document : documentAt(db, at),
  );
  if (format === 'json') {
    printJson(context.io, { ...document });
  } else {
    context.io.stdout.write(documentYaml(document));
  }
  return 0;
}

/** Reads and checks the file of a command; what is odd about it goes to stderr. @throws SK_CONFIG_INVALID, SK_USAGE */
export async function readFileOf(context: Context, file: string): Promise<Document> {
  const result = parseDocument(await readText(context, file), shownName(file));
  if (!result.ok) {
    throw invalid(file, result.lines);
  }
  sayWarnings(context, result.warnings);
  return canonical(result.document);
}

/** What the difference is shown against. */
export function baseName({ version, changedByHand }: Current): string {
  if (version === 0) {
    return 'nothing configured';
  }
  return changedByHand
    ? `in force (version ${version - 1}, changed in the database since)`
    : `in force (version ${version})`;
}

export function shownName(file: string): string {
  return file === '-' ? 'standard input' : file;
}

/** @throws SK_USAGE for a format that the command does not have */
export function formatOf<T extends string>(given: string | undefined, formats: readonly [T, ...T[]]): T {
  const format = given === undefined ? formats[0] : formats.find((candidate) => candidate === given);
  if (format === undefined) {
    throw new SidekickError('SK_USAGE', `there is no output format "${given ?? ''}" here`, {
      why: `the formats are ${formats.join(', ')}`,
      next: `leave -o away for ${formats[0]}`,
    });
  }
  return format;
}

function invalid(file: string, lines: readonly string[]): SidekickError {
  return new SidekickError('SK_CONFIG_INVALID', `${shownName(file)} is not a valid configuration`, {
    why: lines.join('\n'),
    next: 'correct the lines named above; docs/configuration.md describes every key',
    context: { problems: lines.length },
  });
}

function sayWarnings({ io }: Context, warnings: readonly string[]): void {
  warnings.forEach((warning) => line(io.stderr, `warning: ${warning}`));
}

async function readText({ io }: Context, file: string): Promise<string> {
  return file === '-' ? io.readStdin() : readNamed(path.resolve(io.cwd, file), file);
}

function readNamed(file: string, given: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SidekickError('SK_USAGE', `${given} cannot be read`, {
      why: errorCodeOf(error) === 'ENOENT' ? 'there is no such file' : (errorCodeOf(error) ?? 'unknown'),
      next: 'give -f the path of a configuration document, or - for standard input',
      cause: error,
    });
  }
}

function contents(document: Document): string {
  return LISTS.filter((list) => document[list].length > 0 || list === 'tenants')
    .map((list) => `${document[list].length} ${list}`)
    .join(', ');
}
