import { holds, ruleFor, unreachableRules } from '../../../src/flows/announcements';
import type { AnnouncementRule } from '../../../src/flows/announcements';

const NEXT: AnnouncementRule = { prompt: 'next', place: { to: 1 } };
const SOON: AnnouncementRule = { prompt: 'soon', place: { from: 2, to: 3 } };
const SHORT: AnnouncementRule = { prompt: 'short', estimatedWaitSeconds: { to: 120 } };
const LONG: AnnouncementRule = { prompt: 'long', estimatedWaitSeconds: { from: 121 } };
const COMFORT: AnnouncementRule = { prompt: 'comfort' };

const said = (
  rules: readonly AnnouncementRule[],
  place: number,
  estimatedWaitMs?: number,
  told?: number,
): string | undefined => ruleFor(rules, { place, estimatedWaitMs }, told)?.prompt;

describe('what a waiting caller is told', () => {
  it('is the first rule that holds; where none does it is nothing', () => {
    const rules = [NEXT, SOON, SHORT];
    expect([1, 2, 3, 4].map((place) => said(rules, place))).toEqual(['next', 'soon', 'soon', undefined]);
    expect(said(rules, 4, 60_000)).toBe('short');
    expect(said([COMFORT, NEXT], 1)).toBe('comfort');
  });

  it('an estimate counts in begun seconds, so that no wait falls between two ranges', () => {
    expect([119_999, 120_000, 120_001, 121_500].map((ms) => said([SHORT, LONG], 9, ms))).toEqual([
      'short',
      'short',
      'long',
      'long',
    ]);
  });

  it('without an estimate no rule holds that asks for one', () => {
    expect(said([SHORT, LONG], 1)).toBeUndefined();
    expect(said([SHORT, LONG, COMFORT], 1)).toBe('comfort');
    expect(said([{ prompt: 'none', estimatedWaitSeconds: { to: 0 } }], 1, 0)).toBe('none');
  });

  it('both conditions of a rule have to hold', () => {
    const both = { prompt: 'both', place: { to: 2 }, estimatedWaitSeconds: { to: 60 } };
    expect(holds(both, { place: 2, estimatedWaitMs: 60_000 })).toBe(true);
    expect(holds(both, { place: 3, estimatedWaitMs: 60_000 })).toBe(false);
    expect(holds(both, { place: 2, estimatedWaitMs: 61_000 })).toBe(false);
  });

  it('onlyIfBetter: a place that is no better leaves the word to the rules behind it', () => {
    const rules = [{ ...SOON, onlyIfBetter: true }, COMFORT];
    expect(said(rules, 3)).toBe('soon');
    expect(said(rules, 3, undefined, 3)).toBe('comfort');
    expect(said(rules, 2, undefined, 3)).toBe('soon');
    expect(said(rules, 3, undefined, 2)).toBe('comfort');
  });
});

describe('rules that are never said', () => {
  it.each<[string, readonly AnnouncementRule[], readonly number[]]>([
    ['none, where each has its own places', [NEXT, SOON, COMFORT], []],
    ['what stands behind one that always holds', [COMFORT, NEXT], [1]],
    [
      'what stands behind places that are all taken',
      [{ ...SOON, place: { to: 3 } }, { ...LONG, place: { from: 4 } }, NEXT],
      [2],
    ],
    ['places between two ranges that meet', [NEXT, { prompt: 'x', place: { from: 2 } }, COMFORT], [2]],
    ['not the comfort behind estimates, which may not be known', [SHORT, LONG, COMFORT], []],
    ['estimates behind estimates', [SHORT, LONG, { prompt: 'x', estimatedWaitSeconds: { from: 60, to: 500 } }], [2]],
    [
      'not what stands behind a place that is said once',
      [
        { ...NEXT, onlyIfBetter: true },
        { prompt: 'x', place: { to: 1 } },
      ],
      [],
    ],
    ['the same again', [NEXT, { ...NEXT }], [1]],
  ])('%s', (_name, rules, expected) => {
    expect(unreachableRules(rules)).toEqual(expected);
  });
});
