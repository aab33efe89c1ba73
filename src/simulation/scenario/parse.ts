import type { z } from 'zod';
import { formatProblem, explainIssue, problemAt } from '../../config/documents/problems';
import type { Problem } from '../../config/documents/problems';
import { YamlSource } from '../../config/documents/yaml-source';
import { SidekickError } from '../../lib/errors';
import { scenarioSchema } from './schema';
import type { Scenario } from './schema';

/**
 * Reads a scenario file.
 * @throws SK_CONFIG_INVALID with line, column and what would be right, for every mistake
 */
export function parseScenario(text: string, fileName: string): Scenario {
  const source = new YamlSource(text);
  if (source.problems.length > 0) {
    throw invalid(
      fileName,
      source.problems.map((problem) => ({ ...problem, path: '', hint: undefined })),
    );
  }
  const parsed = scenarioSchema.safeParse(source.value);
  if (!parsed.success) {
    throw invalid(
      fileName,
      parsed.error.issues.flatMap((issue) => explainIssue(source, issue, scenarioSchema)),
    );
  }
  const problems = references(source, parsed.data);
  if (problems.length > 0) {
    throw invalid(fileName, problems);
  }
  return parsed.data;
}

/** A scenario that a program made. @throws ZodError */
export function parseScenarioValue(value: z.input<typeof scenarioSchema>): Scenario {
  return scenarioSchema.parse(value);
}

/** With a configuration document beside it, queues are looked for there as well; then the plan finds what is missing. */
function references(source: YamlSource, scenario: Scenario): Problem[] {
  if (scenario.configuration !== undefined) {
    return [];
  }
  const known = new Set(scenario.queues.map((queue) => queue.name));
  const hint =
    known.size === 0 ? 'this file names no queues and no configuration' : `there are: ${[...known].join(', ')}`;
  const missing = (queue: string, path: readonly PropertyKey[]): Problem[] =>
    known.has(queue) ? [] : [problemAt(source, path, `there is no queue "${queue}"`, hint)];
  return [
    ...scenario.traffic.flatMap((traffic, i) => missing(traffic.queue, ['traffic', i, 'queue'])),
    ...scenario.staff.flatMap((group, i) =>
      group.queues.flatMap(({ queue }, j) => missing(queue, ['staff', i, 'queues', j, 'queue'])),
    ),
  ];
}

function invalid(fileName: string, problems: readonly Problem[]): SidekickError {
  const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
  return new SidekickError('SK_CONFIG_INVALID', `${fileName} is not a valid simulation`, {
    why: sorted.map((problem) => formatProblem(fileName, problem)).join('\n'),
    next: 'correct the lines named above; docs/simulation.md describes every key',
    context: { problems: problems.length },
  });
}
