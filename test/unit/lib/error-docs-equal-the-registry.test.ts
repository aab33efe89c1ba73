import { readFileSync } from 'node:fs';
import path from 'node:path';
import { EXIT_CODES } from '../../../src/cli/exit-codes';
import { ERROR_KINDS } from '../../../src/lib/errors';
import { tableRows } from '../../support/markdown-table';

describe('docs/errors.md', () => {
  const doc = readFileSync(path.join(__dirname, '../../../docs/errors.md'), 'utf8');

  it('lists every error code with its SIP and HTTP status, exit code and whether to retry, and no other', () => {
    const rows = tableRows(doc, 'code');
    const expected = Object.entries(ERROR_KINDS).map(([code, kind]) => [
      code,
      String(kind.sip),
      String(kind.http),
      String(kind.exit),
      kind.retry ? 'yes' : 'no',
    ]);
    expect(rows.map((row) => row.slice(0, 5)).sort()).toEqual(expected.sort());
    for (const [code, , , , , meaning] of rows) {
      expect([code, (meaning ?? '').length > 20]).toEqual([code, true]);
    }
  });

  it('lists the exit codes as the command has them', () => {
    const expected = Object.entries(EXIT_CODES).map(([code, meaning]) => [code, meaning.replaceAll('`', '')]);
    expect(tableRows(doc, 'exit')).toEqual(expected);
  });

  it('every error leads to a listed exit code', () => {
    for (const kind of Object.values(ERROR_KINDS)) {
      expect(Object.keys(EXIT_CODES)).toContain(String(kind.exit));
    }
  });
});
