import { readFileSync } from 'node:fs';
import path from 'node:path';
import { buildProgram } from '../../src/cli/program';
import { commandEntries, globalOptions } from '../support/command-tree';
import { tableRows } from '../support/markdown-table';
import { testIo } from '../support/test-io';

describe('docs/cli.md', () => {
  const doc = readFileSync(path.join(__dirname, '../../docs/cli.md'), 'utf8');
  const runtime = { startNode: () => Promise.reject(new Error()), startEmbedded: () => Promise.reject(new Error()) };
  const program = buildProgram({ io: testIo(), runtime }, () => undefined);
  const entries = commandEntries(program);
  const sections = new Map(
    doc
      .split(/^### /m)
      .slice(1)
      .map((text) => [text.split('\n')[0]!.replaceAll('`', '').trim(), text]),
  );

  it('lists the options of every command', () => {
    const section = doc.split(/^## Options of every command$/m)[1]?.split(/^## /m)[0] ?? '';
    const options = globalOptions(program).map((o) => [o.flags, o.description.replaceAll('`', ''), o.default]);
    expect(tableRows(section, 'option')).toEqual(options);
  });

  it('has a section for every command, in the order of the help, and for no other', () => {
    expect([...sections.keys()]).toEqual(entries.map((entry) => entry.usage));
    expect(entries.length).toBeGreaterThan(15);
  });

  it.each(entries.map((entry) => [entry.usage, entry] as const))('describes %s as its help does', (usage, entry) => {
    const section = sections.get(usage) ?? '';
    const plain = (text: string): string => text.replaceAll('`', '').replaceAll(/\s+/g, ' ').toLowerCase();
    expect(plain(section)).toContain(plain(entry.description));
    const options = entry.options.map((o) => [o.flags, o.description.replaceAll('`', ''), o.default]);
    expect(entry.options.length === 0 ? [] : tableRows(section, 'option')).toEqual(options);
  });
});
