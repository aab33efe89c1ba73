import { readFileSync } from 'node:fs';
import path from 'node:path';
import { tableRows } from '../../support/markdown-table';

const ROOT = path.join(__dirname, '../../..');

describe('docs/complaints.md', () => {
  const rows = tableRows(readFileSync(path.join(ROOT, 'docs/complaints.md'), 'utf8'), '#');

  it('has every row, in order', () => {
    expect(rows.map((row) => row[0])).toEqual(Array.from({ length: 27 }, (_, i) => String(i + 1)));
  });

  it.each(rows.map((row) => [row[0]!, row[3]!] as const))('row %s names tests that are there', (_row, tests) => {
    const named = tests.split(' · ').map((one) => /^(test\/\S+\.ts): (.+)$/.exec(one) ?? []);
    for (const [, file, title] of named) {
      expect(readFileSync(path.join(ROOT, file!), 'utf8')).toContain(`'${title!}`);
    }
  });
});
