// Builds dist/ with the TypeScript compiler. `npm ci` runs it through `prepare`, so that a checkout is ready to start.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
if (!existsSync(tsc)) {
  console.error(
    'sidekick: the TypeScript compiler is not installed; dist/ is left as it is (run `npm ci` with dev dependencies to build)',
  );
  if (existsSync(path.join(root, 'dist', 'src', 'main.js'))) {
    linkCommand();
  }
  process.exit(0);
}
rmSync(path.join(root, 'dist'), { recursive: true, force: true });
const result = spawnSync(process.execPath, [tsc, '-p', path.join(root, 'tsconfig.build.json')], { stdio: 'inherit' });
if (result.status === 0) {
  linkCommand();
}
process.exit(result.status ?? 1);

// npm links the commands of dependencies, not those of the project itself: `npx sidekick` in a checkout needs this link.
function linkCommand() {
  const folder = path.join(root, 'node_modules', '.bin');
  const link = path.join(folder, 'sidekick');
  mkdirSync(folder, { recursive: true });
  rmSync(link, { force: true });
  if (process.platform === 'win32') {
    writeFileSync(`${link}.cmd`, '@node "%~dp0\\..\\..\\bin\\sidekick.js" %*\r\n');
  } else {
    symlinkSync(path.join('..', '..', 'bin', 'sidekick.js'), link);
  }
}
