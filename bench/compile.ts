/**
 * Compiles the sources once into plain JavaScript, so that the processes under test run as they do in production, without a
 * loader in them, and whatever is edited during a run does not reach it.
 */
import { transformFile } from '@swc/core';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const ROOMS = ['src', 'migrations', 'bench'];

/** Returns the folder that holds the compiled rooms; it lies inside the checkout, where node finds the packages. */
export async function compileSources(root: string): Promise<string> {
  const parent = path.join(root, '.sidekick', 'bench');
  mkdirSync(parent, { recursive: true });
  const out = mkdtempSync(path.join(parent, 'js-'));
  for (const room of ROOMS) {
    for (const file of typescriptFiles(path.join(root, room))) {
      const { code } = await transformFile(file, {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'commonjs', ignoreDynamic: true },
        configFile: false,
        swcrc: false,
      });
      const target = path.join(out, path.relative(root, file)).replace(/\.ts$/, '.js');
      mkdirSync(path.dirname(target), { recursive: true });
      writeFileSync(target, code);
    }
  }
  return out;
}

/**
 * Runs `main` in a process of plain JavaScript: a loader in it would take part in what is timed. Ends this process with the other's
 * exit code.
 * @param file the benchmark, `__filename`
 */
export async function runCompiled(file: string, main: (args: readonly string[]) => unknown): Promise<void> {
  const args = process.argv.slice(2);
  if (file.endsWith('.js')) {
    await main(args);
    return;
  }
  const root = path.resolve(__dirname, '..');
  const out = await compileSources(root);
  try {
    const script = path.join(out, path.relative(root, file)).replace(/\.ts$/, '.js');
    const { status } = spawnSync(process.execPath, [...profiling(), script, ...args], { stdio: 'inherit' });
    process.exitCode = status ?? 1;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** Flags such as --cpu-prof are meant for the process that works. */
function profiling(): string[] {
  return process.execArgv.filter((flag) => flag.startsWith('--cpu-prof') || flag.startsWith('--heap-prof'));
}

function typescriptFiles(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(directory, entry.name);
    if (entry.isDirectory()) {
      return typescriptFiles(file);
    }
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts') ? [file] : [];
  });
}
