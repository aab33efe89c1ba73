import { readFileSync } from 'node:fs';
import { misbehaviourSchema } from '../../../src/embedded/teams/misbehaviour';
import { playScenario, requireScenario, SCENARIOS } from '../../../src/embedded/teams/scenarios';
import type { ScenarioName } from '../../../src/embedded/teams/scenarios';
import { demoUsers, parseScript } from '../../../src/embedded/teams/users';
import { tableRows } from '../../support/markdown-table';

test('docs/simulated-teams.md has the same table of scenarios', () => {
  const rows = tableRows(readFileSync('docs/simulated-teams.md', 'utf8'), 'scenario');
  expect(rows).toEqual(Object.entries(SCENARIOS).map(([name, { about }]) => [name, about]));
});

test.each(Object.keys(SCENARIOS) as ScenarioName[])('%s can be played on the demo’s tenant', (name) => {
  const known = demoUsers().map((user) => user.name);
  const done: string[] = [];
  playScenario(
    {
      setScript: (user, script) => {
        expect(known).toContain(user);
        done.push(parseScript(script).kind);
      },
      misbehave: (command) => done.push(misbehaviourSchema.parse(command).what),
    },
    name,
  );
  expect(done.length).toBeGreaterThan(0);
});

test('a scenario that there is not is refused with the names of those that there are', () => {
  expect(() => requireScenario('constructor')).toThrow(expect.objectContaining({ code: 'SK_USAGE' }));
});
