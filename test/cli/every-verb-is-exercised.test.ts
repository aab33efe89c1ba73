import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { buildProgram } from '../../src/cli/program';
import { commandEntries } from '../support/command-tree';

/** Test files that run commands, on a database of their own each, and the page whose commands a test runs word for word. */
const FILES = readdirSync(__dirname)
  .filter((name) => name.endsWith('.test.ts') && name !== path.basename(__filename))
  .map((name) => path.join(__dirname, name));
const PAGE = path.join(__dirname, '../../docs/operations.md');

/** Each command line that a file writes down: the words of arrays, of calls, of strings and, on the page, of lines. */
function commandLines(text: string): readonly (readonly string[])[] {
  // Words in quotes with nothing but commas between them are one command line, whoever runs it.
  const quoted = [...text.matchAll(/'[^'\n]*'(?:\s*,\s*(?:'[^'\n]*'|"[^"\n]*"|`[^`\n]*`|[\w.!]+))*/g)].map((match) =>
    [...match[0].matchAll(/'([^'\n]*)'|"([^"\n]*)"|`([^`\n]*)`|([\w.!]+)/g)].map(
      (word) => word[1] ?? word[2] ?? word[3] ?? '?',
    ),
  );
  const templates = [...text.matchAll(/`([^`\n]*)`/g)].map((match) => [match[1] ?? '']);
  return [...quoted, ...templates].map((words) => words.flatMap((word) => word.split(/\s+/)));
}

const pageLines = readFileSync(PAGE, 'utf8')
  .split('\n')
  .filter((text) => text.startsWith('$ sidekick '))
  .map((text) => text.slice('$ sidekick '.length).split(/\s+/));
const lines = [...FILES.flatMap((file) => commandLines(readFileSync(file, 'utf8'))), ...pageLines];

/** Run by other tests than these. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  serve: 'test/real and the stories start nodes; usage-and-exit-codes.test.ts its settings',
};

const entries = commandEntries(buildProgram({} as never, () => undefined)).map((entry) =>
  entry.path.replace('sidekick ', ''),
);

describe('every verb of the command', () => {
  it.each(entries.filter((name) => !(name in ELSEWHERE)))('%s is run by a test', (name) => {
    const words = name.split(' ');
    const starts = (line: readonly string[]): boolean => words.every((word, i) => line[i] === word);
    expect(lines.filter(starts).length).toBeGreaterThan(0);
  });

  it('that is run elsewhere is one', () => {
    expect(Object.keys(ELSEWHERE).filter((name) => !entries.includes(name))).toEqual([]);
  });
});
