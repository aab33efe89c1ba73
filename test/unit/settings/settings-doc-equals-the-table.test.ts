import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SETTINGS } from '../../../src/config/settings';
import { tableRows } from '../../support/markdown-table';

describe('docs/settings.md', () => {
  it('lists every setting with meaning, unit, default, secrecy and example as the code has them, in its order', () => {
    const doc = readFileSync(path.join(__dirname, '../../../docs/settings.md'), 'utf8');
    const expected = SETTINGS.map((s) =>
      [s.name, s.meaning, s.unit, s.default, s.secret ? 'yes' : 'no', s.example].map((cell) =>
        cell.replaceAll('`', ''),
      ),
    );
    expect(tableRows(doc, 'name')).toEqual(expected);
  });
});
