import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Io } from './io';

/** Undefined: this user has no home folder. */
export function contextsPath(env: Io['env']): string | undefined {
  const base = env['XDG_CONFIG_HOME'] ?? (env['HOME'] === undefined ? undefined : path.join(env['HOME'], '.config'));
  return base === undefined || base === '' ? undefined : path.join(base, 'sidekick', 'config.yaml');
}

export function hasContexts(env: Io['env']): boolean {
  const file = contextsPath(env);
  return file !== undefined && existsSync(file);
}
