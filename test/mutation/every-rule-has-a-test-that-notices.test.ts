import { brokenAnyway, closeShared, noticedBy } from './check';
import type { Mutant } from './rule';
import { RULES } from './rules';

afterAll(closeShared);

const short = (text: string): string => {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 60 ? `${line.slice(0, 57)}…` : line;
};
const rows = RULES.flatMap(({ rule, mutants }) =>
  mutants.map((mutant): [string, Mutant] => [
    `${rule}: ${mutant.file}: ${short(mutant.find)} → ${short(mutant.replace)}`,
    mutant,
  ]),
);

describe('whoever breaks a rule sees a test with its name fail', () => {
  it.each(rows)('%s', async (_what, mutant) => {
    expect(await brokenAnyway(mutant)).toEqual([]);
    expect(await noticedBy(mutant)).not.toEqual([]);
  });
});
