/**
 * Last step of the build: makes `npx sidekick` work in a checkout. npm links the commands of dependencies, not those of the
 * project itself.
 */
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(__dirname, '..', '..', '..');
const main = path.join('dist', 'src', 'main.js');
const folder = path.join(root, 'node_modules', '.bin');
const link = path.join(folder, 'sidekick');

mkdirSync(folder, { recursive: true });
rmSync(link, { force: true });
chmodSync(path.join(root, main), 0o755);
if (process.platform === 'win32') {
  writeFileSync(`${link}.cmd`, `@node "%~dp0\\..\\..\\${main}" %*\r\n`);
} else {
  symlinkSync(path.join('..', '..', main), link);
}
