import {
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  visit,
  type Document as YamlDocument,
  type Node,
} from 'yaml';

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

export type Path = readonly PropertyKey[];

export interface SourceProblem extends Position {
  readonly what: string;
}

/** Larger files are refused before they are parsed; 5,000 agents take about 1 MB. */
export const MAX_BYTES = 16 * 1024 * 1024;

/** So many mistakes of syntax are told. */
const MAX_SYNTAX_PROBLEMS = 3;

/** A YAML text as plain values, with the place of every value. */
export class YamlSource {
  readonly value: unknown;
  readonly problems: readonly SourceProblem[];
  readonly #lines: LineCounter;
  readonly #document: YamlDocument.Parsed | undefined;

  constructor(text: string) {
    this.#lines = new LineCounter();
    if (Buffer.byteLength(text) > MAX_BYTES) {
      this.problems = [{ line: 1, column: 1, what: `the file is larger than ${MAX_BYTES / 1024 / 1024} MB` }];
      return;
    }
    const documents = parseAllDocuments(text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: true });
    const [first, second] = Array.isArray(documents) ? (documents as YamlDocument.Parsed[]) : [];
    this.#document = first;
    // What follows the first few is mostly their consequence.
    const problems: SourceProblem[] = [...(first?.errors ?? []), ...(first?.warnings ?? [])]
      .slice(0, MAX_SYNTAX_PROBLEMS)
      .map((error) => ({
        ...this.#position(error.pos[0]),
        what: `not valid YAML: ${readable(error.message)}`,
      }));
    if (second) {
      problems.push({ ...this.#position(second.range[0]), what: 'a second document begins here; a file holds one' });
    }
    if (!first || first.contents === null) {
      problems.push({ line: 1, column: 1, what: 'the file is empty' });
    }
    if (first && problems.length === 0) {
      keepPlus(first);
      this.value = convert(first, problems);
    }
    this.problems = problems;
  }

  /** Where the value at `path` stands; where there is none, its nearest parent. `key`: where the key itself stands. */
  at(path: Path, key = false): Position {
    let node: unknown = this.#document?.contents;
    let offset = rangeStart(node) ?? 0;
    for (const [index, step] of path.entries()) {
      const last = index === path.length - 1;
      if (isMap(node)) {
        const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
        if (!pair) {
          break;
        }
        offset = rangeStart(last && key ? pair.key : (pair.value ?? pair.key)) ?? rangeStart(pair.key) ?? offset;
        node = pair.value;
      } else if (isSeq(node) && typeof step === 'number') {
        node = node.items[step];
        offset = rangeStart(isPair(node) ? node.key : node) ?? offset;
      } else {
        break;
      }
    }
    return this.#position(offset);
  }

  #position(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }
}

function rangeStart(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}

/** YAML reads an unquoted +4930… as a sum of digits; here it is a phone number. */
function keepPlus(document: YamlDocument.Parsed): void {
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value === 'number' && node.source?.startsWith('+')) {
        node.value = node.source;
      }
    },
  });
}

function convert(document: YamlDocument.Parsed, problems: SourceProblem[]): unknown {
  try {
    return document.toJS({ maxAliasCount: 1000 });
  } catch (error) {
    problems.push({ line: 1, column: 1, what: `not usable YAML: ${readable((error as Error).message)}` });
    return undefined;
  }
}

const readable = (message: string): string => message.replaceAll(/\s+/g, ' ').trim();
