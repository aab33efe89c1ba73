import { readFileSync } from 'node:fs';
import path from 'node:path';
import { applyDocument } from '../../config/documents/apply-document';
import { readDocument } from '../../config/documents/parse-document';
import type { Document } from '../../config/documents/schema';
import { errorCodeOf } from '../../lib/errno';
import { SidekickError } from '../../lib/errors';
import type { CommonOptions, Context } from '../context';
import { byWhom, withDatabase } from '../database';
import { line } from '../io';

export interface ValidateOptions {
  readonly file: string;
}

export interface ApplyCommandOptions extends CommonOptions {
  readonly file: string;
  readonly prune?: boolean;
}

export async function validateConfig(context: Context, { file }: ValidateOptions): Promise<number> {
  const document = await read(context, file);
  line(context.io.stdout, `${shownName(file)} is valid: ${contents(document)}`);
  return 0;
}

export async function applyConfig(context: Context, options: ApplyCommandOptions): Promise<number> {
  const document = await read(context, options.file);
  const result = await withDatabase(context, options, (db) =>
    applyDocument(db, document, { by: byWhom(), prune: options.prune === true }),
  );
  if (!result.changed) {
    line(context.io.stdout, `nothing to change; version ${result.version} is in force`);
    return 0;
  }
  const counts = Object.entries(result.counts)
    .filter(([, count]) => count > 0)
    .map(([list, count]) => `${count} ${list}`);
  line(context.io.stdout, `version ${result.version} is in force; changed: ${counts.join(', ') || 'nothing of note'}`);
  return 0;
}

async function read(context: Context, file: string): Promise<Document> {
  const text = file === '-' ? await context.io.readStdin() : readText(path.resolve(context.io.cwd, file), file);
  return readDocument(text, shownName(file));
}

function readText(file: string, given: string): string {
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

function shownName(file: string): string {
  return file === '-' ? 'standard input' : file;
}

function contents(document: Document): string {
  const lists = ['tenants', 'trunks', 'prompts', 'queues', 'agents', 'numbers'] as const;
  return lists.map((list) => `${document[list].length} ${list}`).join(', ');
}
