import { byText, keyOf, LISTS, nameOf, NOUNS, type Item, type List } from './canonical';
import type { Document } from './schema';
import { itemLines } from './write-yaml';

/** Unchanged lines around a change. */
const CONTEXT = 3;
/** Beyond this many pairs of lines an entry is shown as replaced. */
const MAX_PAIRS = 4_000_000;

/**
 * The difference of two canonical documents as people read it: entry by entry, ` ` for lines that stay, `-` for what goes and
 * `+` for what comes. Empty where nothing differs.
 */
export function unifiedDiff(before: Document, after: Document, names: readonly [string, string]): readonly string[] {
  const several = before.tenants.length > 1 || after.tenants.length > 1;
  const hunks = LISTS.flatMap((list) => listHunks(list, before[list], after[list], several));
  return hunks.length === 0 ? [] : [`--- ${names[0]}`, `+++ ${names[1]}`, ...hunks];
}

function listHunks(list: List, before: readonly Item[], after: readonly Item[], several: boolean): string[] {
  const old = new Map(before.map((item) => [keyOf(list, item), item]));
  const now = new Map(after.map((item) => [keyOf(list, item), item]));
  return [...new Set([...old.keys(), ...now.keys()])].sort(byText).flatMap((key) => {
    const [from, to] = [old.get(key), now.get(key)];
    const item = to ?? from;
    if (item === undefined || JSON.stringify(from) === JSON.stringify(to)) {
      return [];
    }
    const lines = (side: Item | undefined): readonly string[] =>
      side === undefined ? [] : itemLines(list, side, several);
    const shown = compare(lines(from), lines(to));
    return shown.length === 0 ? [] : [`@@ ${title(list, item, several)} @@`, ...shown];
  });
}

function title(list: List, item: Item, several: boolean): string {
  const owner = several && 'tenant' in item && item.tenant !== undefined ? ` of ${item.tenant}` : '';
  return `${NOUNS[list]} ${nameOf(item)}${owner}`;
}

interface Line {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

function compare(before: readonly string[], after: readonly string[]): readonly string[] {
  const lines = lineDiff(before, after);
  const near = lines.map((_, i) => lines.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some((l) => l.sign !== ' '));
  return lines.flatMap(({ sign, text }, i) => {
    if (near[i]) {
      return [`${sign}${text}`];
    }
    return near[i - 1] === true ? [' …'] : [];
  });
}

/** Longest common subsequence of the lines between the common beginning and the common end. */
function lineDiff(before: readonly string[], after: readonly string[]): readonly Line[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) {
    start++;
  }
  let end = 0;
  while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end)) {
    end++;
  }
  const same = (texts: readonly string[]): Line[] => texts.map((text) => ({ sign: ' ', text }));
  return [
    ...same(before.slice(0, start)),
    ...middle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...same(before.slice(before.length - end)),
  ];
}

function middle(before: readonly string[], after: readonly string[]): readonly Line[] {
  const gone = (text: string): Line => ({ sign: '-', text });
  const come = (text: string): Line => ({ sign: '+', text });
  if (before.length * after.length > MAX_PAIRS) {
    return [...before.map(gone), ...after.map(come)];
  }
  const width = after.length + 1;
  const common = new Uint32Array((before.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      common[i * width + j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      lines.push({ sign: ' ', text: before[i++] ?? '' });
      j++;
    } else if (j >= after.length || (i < before.length && at(i + 1, j) >= at(i, j + 1))) {
      lines.push(gone(before[i++] ?? ''));
    } else {
      lines.push(come(after[j++] ?? ''));
    }
  }
  return lines;
}
