import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { XMLParser, XMLValidator } from 'fast-xml-parser';

export const repo = path.resolve(__dirname, '../../..');
export const sbcConfig = path.join(repo, 'sbc-config');

export type Param = { name: string; value: string };
export type Action = { application: string; data?: string };

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseAttributeValue: false,
  parseTagValue: false,
  isArray: (name) =>
    ['param', 'action', 'extension', 'load', 'list', 'node', 'contact', 'X-PRE-PROCESS', 'directory'].includes(name),
});

export function readText(relative: string): string {
  return readFileSync(path.join(sbcConfig, relative), 'utf8');
}

/** @throws when the file is not well-formed XML. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the shape of each file is what the tests are about
export function readXml(relative: string): any {
  const text = readText(relative);
  const verdict = XMLValidator.validate(text);
  if (verdict !== true) {
    throw new Error(`${relative}: ${verdict.err.msg} (line ${verdict.err.line})`);
  }
  return parser.parse(text);
}

/** The `<param name value>` of a `<settings>` element as a map. @throws on a name that occurs twice. */
export function params(list: Param[]): Map<string, string> {
  const map = new Map<string, string>();
  for (const { name, value } of list) {
    if (map.has(name)) {
      throw new Error(`${name} is set twice`);
    }
    map.set(name, value);
  }
  return map;
}

/** Every file below sbc-config, relative to it. */
export function allFiles(dir = sbcConfig): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(dir, entry.name);
    return entry.isDirectory() ? allFiles(full) : [path.relative(sbcConfig, full)];
  });
}
