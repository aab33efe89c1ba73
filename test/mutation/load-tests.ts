/**
 * Loads a test file with one source file changed, and runs single tests of it. Everything of this repository that the file imports is
 * loaded anew for each change; packages are those of the process. A change is never written to disk.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { format } from 'node:util';
import { transformSync } from '@swc/core';

export const ROOT = path.join(__dirname, '../..');

type Hook = () => unknown;
type Body = () => unknown;

export interface LoadedTest {
  /** With the names of the blocks around it, a blank between them. */
  readonly name: string;
  run(): Promise<void>;
}

interface Block {
  readonly name: string;
  readonly before: Hook[];
  readonly after: Hook[];
  readonly parent: Block | undefined;
}

export interface Around {
  /** Changed text by absolute path. */
  readonly changes: ReadonlyMap<string, string>;
  /** Modules that are given instead of being loaded, by absolute path. */
  readonly given: ReadonlyMap<string, unknown>;
}

const packages = module.require.bind(module) as (name: string) => unknown;
const compiled = new Map<string, string>();

/** Tests of a file, by a path from the root. `close` runs what the file wants done at its end. */
export function loadTests(
  file: string,
  around: Around,
): { readonly tests: readonly LoadedTest[]; readonly close: () => Promise<void> } {
  const tests: LoadedTest[] = [];
  const opened: Hook[] = [];
  const closing: Hook[] = [];
  let opening: Promise<void> | undefined;
  let block: Block = { name: '', before: [], after: [], parent: undefined };

  const add = (name: string, body: Body): void => {
    const mine = block;
    tests.push({
      name: [...lineOf(mine).map((b) => b.name), name].filter(Boolean).join(' '),
      run: async () => {
        await (opening ??= inTurn(opened));
        try {
          await inTurn(lineOf(mine).flatMap((b) => b.before));
          await body();
        } finally {
          await inTurn([...lineOf(mine)].reverse().flatMap((b) => b.after));
        }
      },
    });
  };
  const it = Object.assign(add, {
    each: (rows: readonly unknown[]) => (title: string, body: (...args: unknown[]) => unknown) => {
      for (const row of rows) {
        const args = Array.isArray(row) ? row : [row];
        add(format(title, ...args.slice(0, title.split('%').length - 1)), () => body(...args));
      }
    },
  });
  const describe = (name: string, body: () => void): void => {
    const outer = block;
    block = { name, before: [], after: [], parent: outer };
    body();
    block = outer;
  };
  const globals = {
    it,
    test: it,
    describe,
    beforeAll: (hook: Hook) => opened.push(hook),
    afterAll: (hook: Hook) => closing.unshift(hook),
    beforeEach: (hook: Hook) => block.before.push(hook),
    afterEach: (hook: Hook) => block.after.push(hook),
  };
  load(path.join(ROOT, file), globals, around, new Map());
  return {
    tests,
    close: async () => {
      if (opening) {
        await inTurn(closing);
      }
    },
  };
}

function lineOf(block: Block): Block[] {
  return block.parent ? [...lineOf(block.parent), block] : [block];
}

async function inTurn(hooks: readonly Hook[]): Promise<void> {
  for (const hook of hooks) {
    await hook();
  }
}

interface Module {
  exports: unknown;
}

function load(file: string, globals: object, around: Around, loaded: Map<string, Module>): unknown {
  if (around.given.has(file)) {
    return around.given.get(file);
  }
  const known = loaded.get(file);
  if (known) {
    return known.exports;
  }
  const module: Module = { exports: {} };
  loaded.set(file, module);
  const names = Object.keys(globals);
  const own = (name: string): unknown =>
    name.startsWith('.') ? load(resolve(path.join(path.dirname(file), name)), globals, around, loaded) : packages(name);
  // Only a function of this very realm has its Array and Error, which `expect` compares.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const body = new Function(
    'module',
    'exports',
    'require',
    '__filename',
    '__dirname',
    ...names,
    `(() => {\n${codeOf(file, around)}\n})();`,
  );
  body(module, module.exports, own, file, path.dirname(file), ...Object.values(globals));
  return module.exports;
}

function resolve(base: string): string {
  const found = [`${base}.ts`, path.join(base, 'index.ts'), base].find((f) => existsSync(f) && statSync(f).isFile());
  if (found === undefined) {
    throw new Error(`there is no module ${base}`);
  }
  return found;
}

function codeOf(file: string, around: Around): string {
  const changed = around.changes.get(file);
  if (changed !== undefined) {
    return compile(file, changed);
  }
  let code = compiled.get(file);
  if (code === undefined) {
    code = compile(file, readFileSync(file, 'utf8'));
    compiled.set(file, code);
  }
  return code;
}

function compile(file: string, text: string): string {
  if (file.endsWith('.json')) {
    return `module.exports = ${text}`;
  }
  return transformSync(text, {
    filename: file,
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
  }).code;
}
