import { readFileSync } from 'node:fs';
import { tableRows } from '../../support/markdown-table';

describe('docs/field-pains.md', () => {
  const rows = tableRows(readFileSync('docs/field-pains.md', 'utf8'), 'pain');

  it.each(rows)('%s: has its test', (_pain, _answer, file, words) => {
    expect(readFileSync(file ?? '', 'utf8')).toContain(words);
  });

  it('names each pain once', () => {
    expect(new Set(rows.map(([pain]) => pain)).size).toBe(rows.length);
  });
});
