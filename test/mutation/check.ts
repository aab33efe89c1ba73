import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { silentLog } from '../../src/lib/log';
import { openDatabase } from '../../src/store/pool';
import { emptyDatabase, testDatabase, type TestDatabase } from '../support/database';
import { loadTests, ROOT, type Around, type LoadedTest } from './load-tests';
import type { Mutant } from './rule';

// Properties try the same values each time: whether a test notices does not depend on luck.
fc.configureGlobal({ seed: 1, numRuns: 400 });

/** How often the words stand in the file. */
export function occurrences({ file, find }: Mutant): number {
  return readFileSync(path.join(ROOT, file), 'utf8').split(find).length - 1;
}

let shared: Promise<TestDatabase> | undefined;

/** One database for all tests of the run, which empty it after themselves; connections of their own, as statements differ. */
async function sharedDatabase(): Promise<TestDatabase> {
  const { url } = await (shared ??= testDatabase({ max: 1 }));
  const db = openDatabase({ url, log: silentLog(), max: 12 });
  return { url, db, close: () => db.close() };
}

/** Drops what the tests shared. */
export async function closeShared(): Promise<void> {
  await (await shared)?.close();
}

const GIVEN = new Map<string, unknown>([
  [path.join(ROOT, 'test/support/database.ts'), { testDatabase: sharedDatabase, emptyDatabase }],
]);
const AS_IT_IS: Around = { changes: new Map(), given: GIVEN };

function changed({ file, find, replace }: Mutant): Around {
  const absolute = path.join(ROOT, file);
  return { changes: new Map([[absolute, readFileSync(absolute, 'utf8').replace(find, () => replace)]]), given: GIVEN };
}

/** The full titles of the tests that are to notice. */
export function titlesOf({ killedBy: [file, title] }: Mutant): readonly string[] {
  return named(loadTests(file, AS_IT_IS).tests, title).map((test) => test.name);
}

function named(tests: readonly LoadedTest[], title: string): readonly LoadedTest[] {
  return tests.filter((test) => test.name.includes(title));
}

async function failures(file: string, title: string, around: Around): Promise<readonly string[]> {
  const { tests, close } = loadTests(file, around);
  const failed: string[] = [];
  try {
    for (const test of named(tests, title)) {
      await test.run().catch(() => failed.push(test.name));
    }
  } finally {
    await close();
  }
  return failed;
}

/** Tests that fail with the change. */
export function noticedBy(mutant: Mutant): Promise<readonly string[]> {
  return failures(...mutant.killedBy, changed(mutant));
}

const sound = new Map<string, Promise<readonly string[]>>();

/** Tests that fail without any change; asked once for each title. */
export function brokenAnyway({ killedBy: [file, title] }: Mutant): Promise<readonly string[]> {
  const key = `${file} ${title}`;
  let result = sound.get(key);
  if (!result) {
    result = failures(file, title, AS_IT_IS);
    sound.set(key, result);
  }
  return result;
}
