/** Random contact centers for property tests: every kind of entry, every kind of reference, always free of contradictions. */
import fc from 'fast-check';
import { documentSchema, type Document, type DocumentInput } from '../../src/config/documents/schema';
import { STRATEGIES } from '../../src/routing/types';

type Queue = NonNullable<DocumentInput['queues']>[number];

const AGENTS = ['Anna', 'Ben', 'Clara', 'Dörte von A.', 'Émile'];
const QUEUES = ['desk', 'sales', 'support'];
const SKILLS = ['german', 'billing', 'x-ray'];

const some = <T>(values: readonly T[]): fc.Arbitrary<T[]> => fc.subarray([...values]);
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const whole = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

const window = fc
  .tuple(whole(0, 22), whole(1, 23))
  .filter(([from, to]) => from !== to)
  .map(([from, to]) => `${String(from).padStart(2, '0')}:00-${String(to).padStart(2, '0')}:30`);

const hours = fc.record({
  name: fc.constant('office'),
  timeZone: maybe(fc.constantFrom('Europe/Berlin', 'America/New_York')),
  weekly: fc.record({ mon: fc.array(window, { maxLength: 1 }), sat: fc.array(window, { maxLength: 1 }) }),
  holidays: fc.uniqueArray(
    fc.record({
      date: fc.constantFrom('2026-12-24', '2027-01-01', '2028-02-29'),
      name: fc.constantFrom('Christmas Eve', "New Year's, 1st"),
      open: maybe(fc.array(window, { maxLength: 1 })),
    }),
    { selector: ({ date }) => date },
  ),
});

const flow = fc.constantFrom<NonNullable<DocumentInput['flows']>[number]['steps']>(
  [{ play: 'hello' }, { enqueue: 'desk' }],
  [{ hours: 'office', closed: [{ play: 'hello' }, { hangUp: { sip: 480 } }] }, { enqueue: 'desk' }],
  [{ menu: { prompt: 'hello', keys: { '1': [{ enqueue: 'desk' }], '*': [{ number: '+49301234567' }] }, tries: 2 } }],
  [{ set: { class: 3, headStartSeconds: 60, preferAgents: ['Anna'] } }, { enqueue: 'desk' }],
);

/** Exits lead to queues of an earlier name only, so that none goes round. */
function exits(queue: string): fc.Arbitrary<Queue['exits']> {
  const earlier = QUEUES.filter((other) => other < queue);
  const action = fc.oneof(
    fc.constant({ hangUp: true as const }),
    fc.constant({ announce: 'hello' }),
    fc.constant({ number: '+49301234567' }),
    ...(earlier.length === 0 ? [] : [fc.constant({ queues: earlier })]),
  );
  return fc.record({
    closed: maybe(action),
    full: maybe(action),
    maxWait: maybe(action),
    keys: fc.dictionary(fc.constantFrom('1', '9', '#'), action, { maxKeys: 2 }),
  });
}

/** `from` and `to`, either of them alone, or no range. */
const range = (low: number): fc.Arbitrary<{ from?: number; to?: number } | undefined> =>
  maybe(fc.tuple(whole(low, 9), whole(low, 9))).map(
    (ends) =>
      ends &&
      (ends[0] > ends[1] ? { from: ends[0] } : ends[0] === 5 ? { to: ends[1] } : { from: ends[0], to: ends[1] }),
  );

const announcements = fc.record({
  firstAfterSeconds: whole(0, 3600),
  everySeconds: whole(10, 3600),
  rules: fc.array(
    fc.record({
      prompt: fc.constant('hello'),
      place: range(1),
      estimatedWaitSeconds: range(0),
      onlyIfBetter: fc.boolean(),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

function queue(name: string): fc.Arbitrary<Queue> {
  const rules = fc.record({
    strategy: fc.constantFrom(...STRATEGIES),
    levels: fc.constantFrom('strict' as const, 'merged' as const),
    levelAfterSeconds: fc.dictionary(fc.constantFrom('2', '3'), whole(0, 600), { maxKeys: 2 }),
    skipEmptyLevels: fc.boolean(),
    ringTimeoutSeconds: whole(3, 300),
    wrapUpSeconds: whole(0, 3600),
    weight: whole(0, 1000),
    priorityClass: whole(0, 9),
    ageCapSeconds: maybe(whole(1, 86_400)),
    needs: some(SKILLS).map((list) => list.map((skill) => ({ skill, atLeast: 3 }))),
    relaxations: maybe(fc.constant<NonNullable<Queue['relaxations']>>([{ afterSeconds: 60, skill: 'german' }])),
    preferLastAgent: maybe(fc.record({ withinDays: whole(1, 365), waitSeconds: whole(0, 3600) })),
    maxWaiting: maybe(whole(1, 1000)),
    maxWaitSeconds: maybe(whole(1, 86_400)),
    hours: maybe(fc.constant('office')),
    music: maybe(fc.constant('hello')),
    presence: fc.record({ accept: some(['Available', 'Busy/InAMeeting', 'Away']).filter((list) => list.length > 0) }),
    callback: maybe(
      fc.record({
        ask: fc.constant('hello'),
        key: fc.constantFrom('1', '#'),
        confirm: maybe(fc.constant('hello')),
        tries: whole(1, 10),
        expireAfterSeconds: whole(60, 604_800),
      }),
    ),
    exits: exits(name),
    announcements: maybe(announcements),
  });
  const members = some(AGENTS).chain((agents) =>
    fc.tuple(
      ...agents.map((agent) =>
        fc.record({
          agent: fc.constant(agent),
          level: whole(1, 3),
          position: maybe(whole(1, 9)),
          priority: whole(1, 3),
          weight: whole(1, 3),
        }),
      ),
    ),
  );
  return fc.tuple(rules, members).map(([rest, list]) => ({ name, ...rest, members: list }));
}

/** Of the tenant `acme`, or with a second one beside it that shares the carrier. */
export const randomDocument: fc.Arbitrary<Document> = fc
  .record({
    tenants: fc.constantFrom(1, 2),
    hours,
    flow,
    queues: fc.tuple(...QUEUES.map(queue)),
    keep: fc.record({ sales: fc.boolean(), support: fc.boolean(), flow: fc.boolean(), skills: fc.boolean() }),
    levels: fc.array(whole(1, 10), { minLength: AGENTS.length, maxLength: AGENTS.length }),
    maxCalls: whole(1, 100_000),
    greeting: maybe(fc.constant('hello')),
  })
  .map((parts) => {
    const mine = parts.tenants === 1 ? {} : { tenant: 'acme' };
    const all = parts.keep.sales && parts.keep.support;
    // Exits name earlier queues, so later ones go first.
    const queues = parts.queues.filter(({ name }) => name === 'desk' || all || (name === 'sales' && parts.keep.sales));
    const skills = SKILLS.map((name) => ({ ...mine, name, description: `Knows "${name}": yes` }));
    return documentSchema.parse({
      apiVersion: 'sidekick/v1',
      tenants: [
        { name: 'acme', country: 'DE', timeZone: 'Europe/Berlin', allowNumbers: ['+4930'] },
        { name: 'other', country: 'AT', timeZone: 'Europe/Vienna' },
      ].slice(0, parts.tenants),
      trunks: [
        { name: 'carrier', kind: 'carrier', sources: ['203.0.113.0/24'], maxCalls: parts.maxCalls },
        { name: 'pbx', kind: 'pbx', host: 'pbx.example.com', ...mine },
      ],
      prompts: [{ ...mine, name: 'hello', tone: '%(400,200,440)' }],
      hours: [{ ...mine, ...parts.hours }],
      // All agents together have every skill, so that the list may be left out.
      ...(parts.keep.skills ? { skills } : {}),
      flows: parts.keep.flow ? [{ ...mine, name: 'welcome', steps: parts.flow }] : [],
      queues: queues.map((one) => ({ ...mine, ...one })),
      agents: AGENTS.map((name, i) => ({
        ...mine,
        name,
        ...(i % 2 === 0 ? { displayName: `${name}: "the first", #${i}` } : {}),
        skills: { [SKILLS[i % SKILLS.length]!]: parts.levels[i]! },
        endpoints: [{ kind: 'pbx', trunk: 'pbx', user: `${parts.levels[i]! % 2}0${i}` }],
      })),
      numbers: [
        { ...mine, number: '+49301000100', queue: 'desk', greeting: parts.greeting },
        ...(parts.keep.flow ? [{ ...mine, number: '+49301000101', flow: 'welcome' }] : []),
      ],
    });
  });
