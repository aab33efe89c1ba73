import { readFileSync } from 'node:fs';
import path from 'node:path';
import { readDocument } from '../../../src/config/documents/parse-document';
import { documentKeys } from '../../../src/tools/configuration-tables';
import { tableRows } from '../../support/markdown-table';

const text = readFileSync(path.join(__dirname, '../../../docs/configuration.md'), 'utf8');

/** The part of the page below the heading, up to the next one. */
function section(title: string): string {
  const heading = new RegExp(`^#+ ${title.replace(/[[\].]/g, '\\$&')}$`, 'm');
  const begin = text.search(heading);
  if (begin < 0) {
    throw new Error(`docs/configuration.md has no section "${title}"`);
  }
  const rest = text.slice(begin).replace(/^.*\n/, '');
  const end = rest.search(/^#/m);
  return end < 0 ? rest : rest.slice(0, end);
}

describe('docs/configuration.md', () => {
  it.each(documentKeys().map((table) => [table.title, table.rows] as const))(
    'lists the keys of %s as they are',
    (title, rows) => {
      expect(tableRows(section(title), 'key')).toEqual(rows.map((row) => row.map((cell) => cell.replaceAll('`', ''))));
    },
  );

  it('has no section that the format does not have', () => {
    const titles = [...text.matchAll(/^### (.*)$/gm)].map((match) => match[1]);
    expect(titles).toEqual(documentKeys().map((table) => table.title));
  });

  it('has only examples that are accepted', () => {
    const examples = [...text.matchAll(/```yaml\n([^]*?)```/g)].map((match) => match[1] ?? '');
    expect(examples.length).toBeGreaterThanOrEqual(2);
    for (const example of examples) {
      expect(readDocument(example, 'docs/configuration.md').numbers.length).toBeGreaterThan(0);
    }
  });
});
