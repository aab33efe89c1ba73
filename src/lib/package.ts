import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Folder of package.json, from src/ as well as from dist/src/. */
export function packageFolder(): string {
  let folder = __dirname;
  while (!existsSync(path.join(folder, 'package.json')) && folder !== path.dirname(folder)) {
    folder = path.dirname(folder);
  }
  return folder;
}

/** Version in package.json. */
export function packageVersion(): string {
  const file = path.join(packageFolder(), 'package.json');
  if (!existsSync(file)) {
    return 'unknown';
  }
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version?: string };
  return version ?? 'unknown';
}
