import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Version in package.json, from src/ as well as from dist/src/. */
export function packageVersion(): string {
  for (let folder = __dirname; folder !== path.dirname(folder); folder = path.dirname(folder)) {
    const file = path.join(folder, 'package.json');
    if (existsSync(file)) {
      const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version?: string };
      return version ?? 'unknown';
    }
  }
  return 'unknown';
}
