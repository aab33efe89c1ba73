/**
 * Compiles the sources once into plain JavaScript, so that the processes under test run as they do in production, without a
 * loader in them, and whatever is edited during a run does not reach it.
 */
import { transformFile } from '@swc/core';
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
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

function typescriptFiles(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(directory, entry.name);
    if (entry.isDirectory()) {
      return typescriptFiles(file);
    }
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts') ? [file] : [];
  });
}
