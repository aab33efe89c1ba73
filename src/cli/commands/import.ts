/** `import`: makes a configuration document of what another system has. Nothing is applied. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { parseDocument } from '../../config/documents/parse-document';
import { errorCodeOf } from '../../lib/errno';
import { SidekickError } from '../../lib/errors';
import { count } from '../confirm';
import type { Context } from '../context';
import { say } from '../context';
import { importAsterisk } from '../import/asterisk';
import type { Home, Imported } from '../import/draft';
import { importFreeswitch } from '../import/freeswitch';
import { importTeamsQueue } from '../import/teams-queue';

export interface ImportOptions extends Home {
  readonly host?: string;
  readonly sbcName?: string;
  /** File. */
  readonly users?: string;
}

export type ImportKind = 'asterisk' | 'freeswitch' | 'teams-queue';

/** The document on stdout, what does not map on stderr. @throws SidekickError SK_USAGE, SK_CONFIG_INVALID */
export async function importFile(
  context: Context,
  kind: ImportKind,
  file: string,
  options: ImportOptions,
): Promise<number> {
  const text = await readInput(context, file);
  const imported = await read(context, kind, text, options);
  const yaml = stringify(imported.document, { lineWidth: 0 });
  const checked = parseDocument(yaml, 'the document that was made');
  if (!checked.ok) {
    throw new SidekickError('SK_CONFIG_INVALID', `${file} makes a document that is not valid`, {
      why: checked.lines.join('\n'),
      next: 'correct what is named above in the file, or leave it out',
    });
  }
  context.io.stdout.write(yaml);
  imported.notes.forEach((note) => context.io.stderr.write(`${note}\n`));
  const { queues = [], agents = [] } = imported.document;
  say(
    context,
    `${count(queues.length, 'queue')} and ${count(agents.length, 'agent')} mapped; ${count(imported.notes.length, 'note')} above`,
  );
  say(context, 'look through it, then `sidekick config diff -f FILE` and `sidekick config apply -f FILE`');
  return 0;
}

async function read(context: Context, kind: ImportKind, text: string, options: ImportOptions): Promise<Imported> {
  const { tenant, country, timeZone, host, sbcName, users } = options;
  const home = { tenant, country, timeZone };
  switch (kind) {
    case 'asterisk': {
      return importAsterisk(text, { ...home, host: host ?? 'asterisk.example.com' });
    }
    case 'freeswitch': {
      return importFreeswitch(text, { ...home, host: host ?? 'freeswitch.example.com' });
    }
    case 'teams-queue': {
      const userText = users === undefined ? {} : { users: await readInput(context, users) };
      return importTeamsQueue(text, { ...home, sbcName: sbcName ?? 'sbc.example.com', ...userText });
    }
  }
}

async function readInput({ io }: Context, file: string): Promise<string> {
  if (file === '-') {
    return io.readStdin();
  }
  try {
    const bytes = readFileSync(path.resolve(io.cwd, file));
    // PowerShell redirects as UTF-16.
    return bytes[0] === 0xff && bytes[1] === 0xfe ? bytes.toString('utf16le') : bytes.toString('utf8');
  } catch (error) {
    throw new SidekickError('SK_USAGE', `${file} cannot be read`, {
      why: errorCodeOf(error) === 'ENOENT' ? 'there is no such file' : (errorCodeOf(error) ?? 'unknown'),
      next: 'give the path of the file, or - for standard input',
      cause: error,
    });
  }
}
