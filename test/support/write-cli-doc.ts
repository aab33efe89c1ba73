/**
 * Writes the sections of docs/cli.md anew from the commands and their options (`npm run docs:cli`). What a section says besides
 * its first paragraph and its table of options stays.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildProgram } from '../../src/cli/program';
import { commandEntries, globalOptions, type CommandEntry } from './command-tree';
import { testIo } from './test-io';

const file = path.join(__dirname, '../../docs/cli.md');
const plain = (text: string): string => text.replaceAll('`', '').replaceAll(/\s+/g, ' ').toLowerCase();

function tableOf(options: CommandEntry['options']): string {
  const rows = options.map((o) => {
    const fallback = o.default === '' ? '' : `\`${o.default}\``;
    return `| \`${o.flags.replaceAll('|', '\\|')}\` | ${o.description.replaceAll('|', '\\|')} | ${fallback} |`;
  });
  return ['| option | meaning | default |', '| --- | --- | --- |', ...rows].join('\n');
}

/** Paragraphs of a section that are neither its first nor its table. */
function more(section: string | undefined): { first: string; rest: string[] } {
  const [first = '', ...rest] = (section ?? '').trim().split(/\n\n+/);
  return { first, rest: rest.filter((text) => !text.startsWith('| option')) };
}

function sectionOf(entry: CommandEntry, old: string | undefined): string {
  const { first, rest } = more(old);
  const { description } = entry;
  const said = plain(first).includes(plain(description)) && first !== '';
  const opening = said ? first : `${description.charAt(0).toUpperCase()}${description.slice(1)}.`;
  const table = entry.options.length === 0 ? [] : [tableOf(entry.options)];
  return [`### \`${entry.usage}\``, opening, ...table, ...rest].join('\n\n');
}

const doc = readFileSync(file, 'utf8');
const program = buildProgram(
  {
    io: testIo(),
    runtime: { startNode: () => Promise.reject(new Error()), startEmbedded: () => Promise.reject(new Error()) },
  },
  () => undefined,
);
const [before = '', tail = ''] = doc.split(/^## Commands$/m);
const end = tail.search(/^## /m);
const commands = end < 0 ? tail : tail.slice(0, end);
const after = end < 0 ? '' : tail.slice(end);
const old = new Map(
  commands
    .split(/^### /m)
    .slice(1)
    .map((text) => [text.split('\n')[0]?.replaceAll('`', '').trim() ?? '', text.split('\n').slice(1).join('\n')]),
);
const [intro = ''] = before.split(/^## Options of every command$/m);
writeFileSync(
  file,
  [
    intro.trim(),
    '## Options of every command',
    'They may stand anywhere on the command line.',
    tableOf(globalOptions(program)),
    '## Commands',
    ...commandEntries(program).map((entry) => sectionOf(entry, old.get(entry.usage))),
    after.trim(),
  ].join('\n\n') + '\n',
);
