/**
 * What waiting callers are told about their place, as the configuration writes it. Prompts are recordings with a name, so that any
 * language can be spoken and no numbers have to be put together. Pure.
 */

/** From the first to the last that counts, both included; an end that is absent is open. */
export interface Range {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** Said where every condition of it holds; one without conditions always may be. */
export interface AnnouncementRule {
  /** Name of the prompt. */
  readonly prompt: string;
  /** Place in the order of service; who is next has place 1. */
  readonly place?: Range | undefined;
  /** Does not hold while no estimate can be made. */
  readonly estimatedWaitSeconds?: Range | undefined;
  /** Only where the place is better than any that the caller was told in this queue. */
  readonly onlyIfBetter?: boolean | undefined;
}

export interface Announcements {
  /** Since the place was taken. */
  readonly firstAfterSeconds: number;
  /** Of music, between the end of one announcement and the next. */
  readonly everySeconds: number;
  /** The first that holds is said. */
  readonly rules: readonly AnnouncementRule[];
}

/** Where a caller stands. */
export interface Standing {
  readonly place: number;
  /** Milliseconds; undefined: it cannot be estimated. */
  readonly estimatedWaitMs?: number | undefined;
}

/**
 * The rule by which a caller is told something now; undefined: nothing is said.
 * @param told the best place that the caller was told before
 */
export function ruleFor(
  rules: readonly AnnouncementRule[],
  standing: Standing,
  told: number | undefined,
): AnnouncementRule | undefined {
  return rules.find(
    (rule) => holds(rule, standing) && (rule.onlyIfBetter !== true || told === undefined || standing.place < told),
  );
}

/** Whether the place and the estimated wait are as the rule wants them. */
export function holds(rule: AnnouncementRule, { place, estimatedWaitMs }: Standing): boolean {
  if (!within(rule.place, place)) {
    return false;
  }
  // Begun seconds count whole, so that no wait falls between "to 120" and "from 121".
  const seconds = estimatedWaitMs === undefined ? undefined : Math.ceil(estimatedWaitMs / 1_000);
  return (
    rule.estimatedWaitSeconds === undefined || (seconds !== undefined && within(rule.estimatedWaitSeconds, seconds))
  );
}

function within(range: Range | undefined, value: number): boolean {
  return range === undefined || (value >= (range.from ?? 0) && value <= (range.to ?? Infinity));
}

/** Whether it tells the caller a place, or the change of one. */
export function tellsPlace(rule: AnnouncementRule): boolean {
  return rule.place !== undefined || rule.onlyIfBetter === true;
}

/** Whether the estimated wait has to be known to choose among the rules. */
export function asksForEstimate(rules: readonly AnnouncementRule[]): boolean {
  return rules.some((rule) => rule.estimatedWaitSeconds !== undefined);
}

/** Rules that are never said, since at every place and with every estimate an earlier one is: by their index. */
export function unreachableRules(rules: readonly AnnouncementRule[]): readonly number[] {
  // Told place 1 no place is better; told none, every place is.
  const reached = new Set(pointsOf(rules).flatMap((at) => [undefined, 1].map((told) => ruleFor(rules, at, told))));
  return rules.flatMap((rule, i) => (reached.has(rule) ? [] : [i]));
}

/** One standing of each kind that the rules tell apart: where a range begins, where it has ended, and no estimate. */
function pointsOf(rules: readonly AnnouncementRule[]): readonly Standing[] {
  const starts = (ranges: readonly (Range | undefined)[], first: number): number[] => [
    ...new Set([first, ...ranges.flatMap((range) => [range?.from ?? first, (range?.to ?? first) + 1])]),
  ];
  const places = starts(
    rules.map((rule) => rule.place),
    1,
  );
  const waits = starts(
    rules.map((rule) => rule.estimatedWaitSeconds),
    0,
  );
  return places.flatMap((place) => [
    { place },
    ...waits.map((seconds) => ({ place, estimatedWaitMs: seconds * 1_000 })),
  ]);
}
