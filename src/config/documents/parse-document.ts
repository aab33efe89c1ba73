import { SidekickError } from '../../lib/errors';
import { explainIssue, formatProblem, problemAt, type Problem } from './problems';
import { checkDocument } from './check-document';
import type { Finding } from './findings';
import { API_VERSION, documentSchema, type Document } from './schema';
import { YamlSource } from './yaml-source';

export type ParseResult =
  | {
      readonly ok: true;
      readonly document: Document;
      /** What would work but hardly as meant, one line each. */
      readonly warnings: readonly string[];
    }
  | {
      readonly ok: false;
      readonly problems: readonly Problem[];
      /** One line for each problem: file, line, column, what, hint. */
      readonly lines: readonly string[];
    };

/** Reads and checks a configuration document. All that is wrong is told at once, in the order of the file. */
export function parseDocument(text: string, fileName: string): ParseResult {
  const source = new YamlSource(text);
  const failed = (problems: readonly Problem[]): ParseResult => {
    const sorted = inOrder(problems);
    return { ok: false, problems: sorted, lines: sorted.map((problem) => formatProblem(fileName, problem)) };
  };
  if (source.problems.length > 0) {
    return failed(source.problems.map((problem) => ({ ...problem, path: '', hint: undefined })));
  }
  if (typeof source.value !== 'object' || source.value === null || Array.isArray(source.value)) {
    return failed([
      problemAt(source, [], 'this is not a configuration document', `it begins with apiVersion: ${API_VERSION}`),
    ]);
  }
  const parsed = documentSchema.safeParse(source.value);
  if (!parsed.success) {
    return failed(parsed.error.issues.flatMap((issue) => explainIssue(source, issue)));
  }
  const findings = checkDocument(parsed.data);
  const placed = (warning: boolean): Problem[] =>
    findings.filter((finding) => (finding.warning ?? false) === warning).map((finding) => place(source, finding));
  const problems = placed(false);
  return problems.length > 0
    ? failed(problems)
    : {
        ok: true,
        document: parsed.data,
        warnings: inOrder(placed(true)).map((warning) => formatProblem(fileName, warning)),
      };
}

const inOrder = (problems: readonly Problem[]): readonly Problem[] =>
  [...problems].sort((a, b) => a.line - b.line || a.column - b.column);

function place(source: YamlSource, { path, what, hint, firstAt }: Finding): Problem {
  return problemAt(source, path, what, firstAt === undefined ? hint : `first in line ${source.at(firstAt).line}`);
}

/** As `parseDocument`, for those who cannot go on with a bad one. @throws SK_CONFIG_INVALID with every problem */
export function readDocument(text: string, fileName: string): Document {
  const result = parseDocument(text, fileName);
  if (!result.ok) {
    throw new SidekickError('SK_CONFIG_INVALID', `${fileName} is not a valid configuration`, {
      why: result.lines.join('\n'),
      next: 'correct the lines named above; docs/configuration.md describes every key',
      context: { problems: result.problems.length },
    });
  }
  return result.document;
}
