import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv2020 from 'ajv/dist/2020';
import { parse } from 'yaml';
import { documentJsonSchema } from '../../../src/config/documents/json-schema';
import { parseDocument } from '../../../src/config/documents/parse-document';
import { documentSchema } from '../../../src/config/documents/schema';

const folder = path.join(__dirname, '../../fixtures/config-mistakes');
const files = readdirSync(folder).sort();
const read = (file: string): string => readFileSync(path.join(folder, file), 'utf8');
/** The first line of each file says what must be said of it. */
const EXPECTED = /^# (error|warning) in line (\d+): (.*)$/m;

/** The same file put right: the base that all of them were made from. */
const GOOD = read('warning-exit-that-never-happens.yaml').replace(
  '    maxWaitSeconds',
  '    maxWaiting: 20\n    maxWaitSeconds',
);

describe('a mistaken file', () => {
  it('is one of at least sixty, made from one that is right', () => {
    expect(files.length).toBeGreaterThanOrEqual(60);
    expect(parseDocument(GOOD, 'good.yaml')).toMatchObject({ ok: true, warnings: [] });
  });

  it.each(files)('%s is told with its line and a sentence', (file) => {
    const text = read(file);
    const [, kind, lineNumber, sentence = ''] = EXPECTED.exec(text) ?? [];
    const result = parseDocument(text, file);
    expect(result.ok).toBe(kind === 'warning');
    const lines = result.ok ? result.warnings : result.lines;
    expect(lines[0]?.replace(/:\d+: /, ': ')).toBe(`${file}:${lineNumber}: ${sentence}`);
    // What is wrong and what is right instead: a sentence, not a word.
    expect(sentence.split(' ').length).toBeGreaterThanOrEqual(4);
  });
});

describe('the JSON Schema for editors', () => {
  const accepts = new Ajv2020({ strict: true, strictRequired: false }).compile(documentJsonSchema());

  it('takes what is right', () => {
    expect(accepts(parse(GOOD))).toBe(true);
  });

  it('is of draft 2020-12 and refuses nothing that only a look at other entries can tell', () => {
    expect(documentJsonSchema()).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema' });
    const shapely = files.filter((file) => documentSchema.safeParse(valueOf(file)).success);
    expect(shapely.length).toBeGreaterThan(20);
    expect(shapely.filter((file) => !accepts(valueOf(file)))).toEqual([]);
  });

  it('refuses what has the wrong form', () => {
    const formal = new Set([
      'unrecognized_keys',
      'invalid_type',
      'invalid_value',
      'invalid_union',
      'too_small',
      'too_big',
    ]);
    const misshapen = files.filter((file) => {
      const result = documentSchema.safeParse(valueOf(file));
      return !result.success && result.error.issues.some((issue) => formal.has(issue.code));
    });
    expect(misshapen.length).toBeGreaterThan(15);
    expect(misshapen.filter((file) => accepts(valueOf(file)))).toEqual([]);
    expect(accepts(valueOf('number-with-queue-and-flow.yaml'))).toBe(false);
    expect(accepts(valueOf('prompt-without-source.yaml'))).toBe(false);
  });
});

function valueOf(file: string): unknown {
  try {
    return parse(read(file));
  } catch (error) {
    if (error instanceof Error && error.name.startsWith('YAML')) {
      return 'not YAML';
    }
    throw error;
  }
}
