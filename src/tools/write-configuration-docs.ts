/** Writes the tables of docs/configuration.md anew from the schema: everything below its heading "All keys". */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { documentKeys, KEY_HEAD } from './configuration-tables';
import { markdownTable } from './markdown';

const HEADING = '## All keys\n';

const file = path.join(__dirname, '../../docs/configuration.md');
const text = readFileSync(file, 'utf8');
const above = text.slice(0, text.indexOf(HEADING) + HEADING.length);
const tables = documentKeys().map(
  ({ title, rows }) =>
    `### ${title}\n\n${markdownTable(
      KEY_HEAD,
      rows.map(([key = '', ...rest]) => [`\`${key}\``, ...rest]),
    )}\n`,
);
writeFileSync(file, `${above}\n${tables.join('\n')}`);
