import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { newToken } from '../../lib/ids';

/** The text of a file, or undefined if there is none. Other errors are thrown. */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

/** Replaces a file in one step, readable by its owner only: a reader sees the old text or the new one, never half. */
export async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.${newToken(6)}`;
  await writeFile(temporary, text, { mode: 0o600 });
  await rename(temporary, file);
}

/**
 * Creates a file unless another process was first, and returns the text that is then in it. `link` fails when the name
 * is taken, which makes exactly one winner.
 */
export async function createOnce(file: string, make: () => Promise<string>): Promise<string> {
  const text = await make();
  const temporary = `${file}.${newToken(6)}`;
  await writeFile(temporary, text, { mode: 0o600 });
  try {
    await link(temporary, file);

    return text;
  } catch (error) {
    const winner = (error as NodeJS.ErrnoException).code === 'EEXIST' ? await readIfThere(file) : undefined;
    if (winner === undefined) {
      throw error;
    }

    return winner;
  } finally {
    await rm(temporary, { force: true });
  }
}
