import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { buildProgram } from '../../src/cli/program';
import { commandEntries } from '../support/command-tree';
import { testIo } from '../support/test-io';

const ROOT = path.join(__dirname, '../..');
const pairing = readFileSync(path.join(ROOT, 'docs/pairing.md'), 'utf8');

describe('docs/pairing.md', () => {
  it('names steps of sidekick doctor that there are', () => {
    const checks = path.join(ROOT, 'src/doctor/checks');
    const steps = readdirSync(checks).flatMap((file) =>
      [...readFileSync(path.join(checks, file), 'utf8').matchAll(/step: '([a-z-]+)'/g)].map((match) => match[1]),
    );
    const named = [...pairing.matchAll(/\bsteps?\b[^.]*?((?:\*\*[a-z-]+\*\*[,\s]*)+)/gi)].flatMap((match) =>
      [...(match[1] ?? '').matchAll(/\*\*([a-z-]+)\*\*/g)].map((step) => step[1]),
    );
    expect(named.length).toBeGreaterThan(6);
    expect(named.filter((step) => !steps.includes(step))).toEqual([]);
  });

  it('proves each step, and by commands that there are', () => {
    const sections = pairing.split(/^## \d+\. /m).slice(1);
    expect(sections).toHaveLength(10);
    expect(sections.filter((section) => !section.includes('**Proof:**'))).toEqual([]);
    const runtime = { startNode: () => Promise.reject(new Error()), startEmbedded: () => Promise.reject(new Error()) };
    const commands = commandEntries(buildProgram({ io: testIo(), runtime }, () => undefined)).map(({ usage }) =>
      usage.replace(/ [<[].*$/, ''),
    );
    const used = [...pairing.matchAll(/sidekick ((?:[a-z-]+ ?)+)/g)].map((match) => (match[1] ?? '').trim().split(' '));
    for (const [noun = '', verb = ''] of used) {
      expect(
        commands.some((command) => command === `sidekick ${noun}` || command.startsWith(`sidekick ${noun} ${verb}`)),
      ).toBe(true);
    }
  });

  it('calls scripts that there are, with parameters that they have', () => {
    const calls = [...pairing.matchAll(/\.\/(sbc-config\/teams\/[a-z-]+\.ps1)([^\n]*)/g)];
    expect(calls.length).toBeGreaterThan(4);
    for (const [, script = '', rest = ''] of calls) {
      const text = readFileSync(path.join(ROOT, script), 'utf8');
      for (const [, name] of rest.matchAll(/ -([A-Z][A-Za-z]+)/g)) {
        expect(name === 'WhatIf' ? text.includes('SupportsShouldProcess') : text.includes(`$${name}`)).toBe(true);
      }
    }
  });
});
