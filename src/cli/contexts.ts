/**
 * Installations by name: `$XDG_CONFIG_HOME/sidekick/config.yaml` (else `~/.config/…`), readable by its owner only, since a
 * database URL may hold a password.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { didYouMean } from '../config/documents/did-you-mean';
import { SidekickError } from '../lib/errors';
import { newToken } from '../lib/ids';
import { contextsPath } from './contexts-path';
import type { Io } from './io';

export interface NamedContext {
  readonly database?: string;
  readonly server?: string;
}

export interface ContextsFile {
  readonly current?: string;
  readonly contexts: Readonly<Record<string, NamedContext>>;
}

/** @throws SidekickError SK_USAGE for a file that cannot be understood */
export function readContexts(env: Io['env']): ContextsFile {
  const file = contextsPath(env);
  if (file === undefined || !existsSync(file)) {
    return { contexts: {} };
  }
  try {
    const read = parse(readFileSync(file, 'utf8')) as Partial<ContextsFile> | null;
    const contexts = read?.contexts ?? {};
    if (typeof contexts !== 'object' || Object.values(contexts).some((one) => typeof one !== 'object')) {
      throw new Error('`contexts` must hold a name and its keys for each');
    }
    return { contexts, ...(typeof read?.current === 'string' ? { current: read.current } : {}) };
  } catch (error) {
    throw new SidekickError('SK_USAGE', 'the file of contexts cannot be understood', {
      why: `${file}: ${(error as Error).message.split('\n')[0] ?? ''}`,
      next: 'correct or delete that file; `sidekick context set` writes it anew',
      cause: error,
    });
  }
}

/** @throws SidekickError SK_USAGE without a home folder */
export function writeContexts(env: Io['env'], contents: ContextsFile): string {
  const file = contextsPath(env);
  if (file === undefined) {
    throw new SidekickError('SK_USAGE', 'there is no place for contexts', {
      why: 'neither XDG_CONFIG_HOME nor HOME is set',
      next: 'set HOME, or name the database with SIDEKICK_DATABASE_URL',
    });
  }
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const half = `${file}.${newToken(4)}`;
  writeFileSync(half, stringify(contents), { mode: 0o600 });
  renameSync(half, file);
  return file;
}

/** @throws SidekickError SK_NOT_FOUND */
export function findContext({ contexts }: ContextsFile, name: string): NamedContext {
  const found = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (found === undefined) {
    const meant = didYouMean(name, Object.keys(contexts));
    throw new SidekickError('SK_NOT_FOUND', `there is no context ${name}`, {
      next: meant === undefined ? '`sidekick context list` shows those there are' : `did you mean ${meant}?`,
    });
  }
  return found;
}
