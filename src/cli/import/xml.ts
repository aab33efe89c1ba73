/** As much XML as configuration files need: elements with attributes, comments, character references. No entities of one's own. */
import { SidekickError } from '../../lib/errors';

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
}

const TOKEN =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[[\s\S]*?\]\]>|<!DOCTYPE[^>]*>|<(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>/g;
const ATTRIBUTE = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const MAX_DEPTH = 64;

/** The root element. @throws SidekickError SK_USAGE with the line of what is wrong */
export function readXml(text: string): Element {
  const root = { name: '', attributes: {}, children: [] as Element[] };
  const open: { name: string; attributes: Record<string, string>; children: Element[] }[] = [root];
  let end = 0;
  for (const token of text.matchAll(TOKEN)) {
    if (text.slice(end, token.index).includes('<')) {
      throw wrong(text, text.indexOf('<', end), 'a tag is not well formed');
    }
    end = token.index + token[0].length;
    const [, slash, name, attributes = '', empty] = token;
    if (name === undefined) {
      continue;
    }
    if (slash === '/') {
      const closed = open.pop();
      if (closed?.name !== name || open.length === 0) {
        throw wrong(text, token.index, `</${name}> closes nothing`);
      }
      continue;
    }
    const element = { name, attributes: attributesOf(attributes), children: [] as Element[] };
    open.at(-1)?.children.push(element);
    if (empty !== '/') {
      open.push(element);
      if (open.length > MAX_DEPTH) {
        throw wrong(text, token.index, `elements are nested deeper than ${MAX_DEPTH}`);
      }
    }
  }
  if (text.slice(end).includes('<')) {
    throw wrong(text, text.indexOf('<', end), 'a tag is not well formed');
  }
  if (open.length > 1) {
    throw wrong(text, text.length, `<${open.at(-1)?.name ?? ''}> is not closed`);
  }
  const [first] = root.children;
  if (first === undefined) {
    throw wrong(text, 0, 'there is no element');
  }
  return first;
}

/** All elements of this name, at any depth, in order. */
export function elementsOf(root: Element, name: string): readonly Element[] {
  return root.children.flatMap((child) => [...(child.name === name ? [child] : []), ...elementsOf(child, name)]);
}

function attributesOf(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(ATTRIBUTE)].map(([, name = '', double, single]) => [name, decoded(double ?? single ?? '')]),
  );
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decoded(text: string): string {
  return text.replaceAll(/&(#x?[0-9a-f]+|\w+);/gi, (whole, name: string) => {
    const code = /^#x/i.test(name) ? parseInt(name.slice(2), 16) : name.startsWith('#') ? Number(name.slice(1)) : NaN;
    return Number.isInteger(code) && code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : (NAMED[name] ?? whole);
  });
}

function wrong(text: string, at: number, what: string): SidekickError {
  const line = text.slice(0, Math.max(0, at)).split('\n').length;
  return new SidekickError('SK_USAGE', 'the file is not XML that can be read', {
    why: `line ${line}: ${what}`,
    next: 'give the callcenter.conf.xml as FreeSWITCH reads it',
  });
}
