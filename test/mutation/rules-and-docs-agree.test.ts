import { readFileSync } from 'node:fs';
import path from 'node:path';
import { occurrences, titlesOf } from './check';
import { ROOT } from './load-tests';
import { RULES } from './rules';

const plain = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();
const page = readFileSync(path.join(ROOT, 'docs/routing.md'), 'utf8');
const said = RULES.map(({ says }) => plain(says));

/** Paragraphs, list items and rows of tables of each section. */
const parts = page
  .split(/^## /m)
  .slice(1)
  .flatMap((section) => {
    const [heading = '', ...lines] = section.split('\n');
    const text = lines.join('\n').replaceAll(/^(?=\||\d+\. )/gm, '\n');
    return text
      .split(/\n\s*\n/)
      .map((part) => [heading, plain(part)] as const)
      .filter(([, part]) => part !== '' && !/^\|[ -]+\|[ -|]+$/.test(part) && !part.startsWith('Example:'));
  });

describe('the rules of docs/routing.md', () => {
  it('are quoted word by word', () => {
    expect(said.filter((words) => !plain(page).includes(words))).toEqual([]);
  });

  it.each(parts)('%s: %s', (_heading, part) => {
    const isHead = /^\| (reason|strategy|outcome) /.test(part);
    expect(isHead || said.some((words) => part.includes(words))).toBe(true);
  });

  it('have each a name of their own and at least one mutant', () => {
    expect(new Set(RULES.map(({ rule }) => rule)).size).toBe(RULES.length);
    expect(RULES.filter(({ mutants }) => mutants.length === 0)).toEqual([]);
  });

  it('are broken by mutants of code that is there, exactly once', () => {
    const all = RULES.flatMap(({ mutants }) => mutants);
    expect(all.filter((mutant) => occurrences(mutant) !== 1)).toEqual([]);
    expect(all.filter(({ find, replace }) => find === replace)).toEqual([]);
  });

  it('are guarded by tests with their name', () => {
    for (const { rule, mutants } of RULES) {
      for (const mutant of mutants) {
        const titles = titlesOf(mutant);
        expect(titles).not.toEqual([]);
        expect([rule, titles.filter((title) => !title.toLowerCase().includes(rule.toLowerCase()))]).toEqual([rule, []]);
      }
    }
  });
});
