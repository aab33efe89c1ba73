import fc from 'fast-check';
import { beginAnnouncements, HELD_MS, LOOK_MS, stepAnnouncement } from '../../src/calls/announcement-state';
import type { AnnouncementInput, AnnouncementStep, Ringing } from '../../src/calls/announcement-state';
import { holds, ruleFor, unreachableRules } from '../../src/flows/announcements';
import type { AnnouncementRule, Announcements, Standing } from '../../src/flows/announcements';

const range = (max: number): fc.Arbitrary<AnnouncementRule['place']> =>
  fc.option(
    fc
      .tuple(fc.integer({ min: 1, max }), fc.integer({ min: 1, max }))
      .chain(([a, b]) =>
        fc.constantFrom({ from: Math.min(a, b) }, { to: a }, { from: Math.min(a, b), to: Math.max(a, b) }),
      ),
    { nil: undefined },
  );
const rule: fc.Arbitrary<AnnouncementRule> = fc.record({
  prompt: fc.constantFrom('a', 'b', 'c'),
  place: range(4),
  estimatedWaitSeconds: range(100),
  onlyIfBetter: fc.boolean(),
});
const announcements: fc.Arbitrary<Announcements> = fc.record({
  firstAfterSeconds: fc.integer({ min: 0, max: 60 }),
  everySeconds: fc.integer({ min: 10, max: 60 }),
  rules: fc.array(rule, { minLength: 1, maxLength: 4 }),
});
const standing: fc.Arbitrary<Standing> = fc.record({
  place: fc.integer({ min: 1, max: 6 }),
  estimatedWaitMs: fc.option(fc.integer({ min: 0, max: 120_000 }), { nil: undefined }),
});

/** What the world does in answer to one step. */
interface Turn {
  /** How long reading or playing takes, milliseconds. */
  readonly takesMs: number;
  readonly ringing: Ringing;
  readonly standing: Standing | undefined;
  readonly announcements: Announcements | undefined;
}
const turns = fc.tuple(announcements, fc.boolean()).chain(([fixed, live]) =>
  fc.array(
    fc.record({
      takesMs: fc.integer({ min: 0, max: 8_000 }),
      ringing: fc.oneof(
        { weight: 3, arbitrary: fc.constant<Ringing>('nobody') },
        fc.constantFrom<Ringing>('rings', 'leaving'),
      ),
      standing: fc.option(standing, { nil: undefined, freq: 5 }),
      announcements: live ? fc.option(announcements, { nil: undefined }) : fc.constant(fixed),
    }),
    { minLength: 1, maxLength: 60 },
  ),
);

interface Said {
  readonly at: number;
  readonly until: number;
  readonly rule: AnnouncementRule;
  readonly standing: Standing;
  readonly turn: Turn;
}

/** A wait in which everything that is asked for comes, sooner or later. */
function wait(world: readonly Turn[]): { readonly said: readonly Said[]; readonly steps: readonly AnnouncementStep[] } {
  let at = 0;
  const now = ({ ringing, announcements: plan }: Turn): Omit<Extract<AnnouncementInput, { kind: 'look' }>, 'kind'> => ({
    at,
    ringing,
    announcements: plan,
  });
  const said: Said[] = [];
  const steps = [beginAnnouncements(now(world[0] as Turn), undefined)];
  for (const turn of world) {
    const { state, effect } = steps.at(-1) as AnnouncementStep;
    let input: AnnouncementInput;
    if (effect.kind === 'look-at') {
      expect(effect.at - at).toBeLessThanOrEqual(LOOK_MS);
      at = effect.at;
      input = { kind: 'look', ...now(turn) };
    } else if (effect.kind === 'read-place') {
      at += turn.takesMs;
      input = { kind: 'place-read', standing: turn.standing, ...now(turn) };
    } else {
      at += turn.takesMs;
      input = { kind: 'said', ...now(turn) };
    }
    const step = stepAnnouncement(state, input);
    // Whatever is asked for is expected: nothing gets stuck.
    expect(step).toBeDefined();
    steps.push(step as AnnouncementStep);
    const made = (step as AnnouncementStep).effect;
    if (made.kind === 'say') {
      said.push({ at, until: at, rule: made.rule, standing: made.standing, turn });
    } else if (input.kind === 'said') {
      said.push({ ...(said.pop() as Said), until: at });
    }
  }
  return { said, steps };
}

describe('announcements, whatever happens while a caller waits', () => {
  it('never come sooner than the configuration of that moment says', () => {
    fc.assert(
      fc.property(turns, (world) => {
        const { said } = wait(world);
        for (const [i, one] of said.entries()) {
          const { firstAfterSeconds = 0, everySeconds = 0 } = one.turn.announcements ?? {};
          const before = said[i - 1];
          // Live changes may fall between the moment it was due and the moment it is said; the lowest bound always holds.
          const fixed = world.every((turn) => turn.announcements === world[0]?.announcements);
          if (before) {
            expect(one.at - before.until).toBeGreaterThanOrEqual(fixed ? everySeconds * 1_000 : 10_000);
          } else if (fixed) {
            expect(one.at).toBeGreaterThanOrEqual(firstAfterSeconds * 1_000);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('are made by the first rule that holds, and never with a worse place than one that was told, where that is asked for', () => {
    fc.assert(
      fc.property(turns, (world) => {
        const told: number[] = [];
        for (const { rule: one, standing: where, turn } of wait(world).said) {
          const best = told.length === 0 ? undefined : Math.min(...told);
          expect(one).toEqual(ruleFor(turn.announcements?.rules ?? [], where, best));
          expect(holds(one, where)).toBe(true);
          if (one.onlyIfBetter === true && best !== undefined) {
            expect(where.place).toBeLessThan(best);
          }
          if (one.onlyIfBetter === true || one.place !== undefined) {
            told.push(where.place);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('never begin once an agent has answered, and while one rings only after having waited for it', () => {
    fc.assert(
      fc.property(turns, (world) => {
        const { said, steps } = wait(world);
        for (const one of said) {
          expect(one.turn.ringing).not.toBe('leaving');
        }
        for (const [i, { state, effect }] of steps.entries()) {
          if (effect.kind === 'read-place' && world[i - 1]?.ringing === 'rings') {
            expect(state.kind).toBe('asking');
            expect(steps[i - 1]?.state.kind).toBe('held');
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('are held up by ringing no longer than so', () => {
    fc.assert(
      fc.property(announcements, standing, (plan, where) => {
        const always: Turn = { takesMs: 0, ringing: 'rings', standing: where, announcements: plan };
        const { said } = wait(Array.from({ length: 60 }, () => always));
        const due = plan.firstAfterSeconds * 1_000;
        if (ruleFor(plan.rules, where, undefined)) {
          expect(said[0]?.at).toBeGreaterThanOrEqual(due + HELD_MS);
          expect(said[0]?.at).toBeLessThanOrEqual(due + HELD_MS + 1_000);
        } else {
          expect(said).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('rules that are told to be never said', () => {
  it('are those that no standing reaches', () => {
    fc.assert(
      fc.property(fc.array(rule, { minLength: 1, maxLength: 5 }), (rules) => {
        const reached = new Set<number>();
        for (let place = 1; place <= 6; place++) {
          for (const seconds of [undefined, ...Array.from({ length: 103 }, (_, s) => s)]) {
            const at = { place, estimatedWaitMs: seconds === undefined ? undefined : seconds * 1_000 };
            for (const told of [undefined, 1]) {
              const one = ruleFor(rules, at, told);
              if (one) {
                reached.add(rules.indexOf(one));
              }
            }
          }
        }
        expect(unreachableRules(rules)).toEqual(rules.map((_, i) => i).filter((i) => !reached.has(i)));
      }),
      { numRuns: 300 },
    );
  });
});
