import { startFlow, stepFlow } from '../../../src/flows/flow-state';
import type { FlowFacts, FlowInput, FlowProgress } from '../../../src/flows/flow-state';
import type { Flow, FlowStep } from '../../../src/flows/flow';

const flows: readonly Flow[] = [
  { name: 'info', steps: [{ play: 'info' }] },
  { name: 'to-sales', steps: [{ enqueue: 'sales' }] },
  { name: 'round', steps: [{ flow: 'round' }] },
];
const facts = (open: boolean): FlowFacts => ({
  flow: (name) => flows.find((flow) => flow.name === name),
  isOpen: () => ({ open, reason: 'the test says so' }),
});

function run(steps: readonly FlowStep[], inputs: readonly FlowInput[] = [], open = true): FlowProgress {
  let progress = startFlow(steps, facts(open));
  for (const input of inputs) {
    const next = stepFlow(progress.state, input, facts(open));
    if (!next) {
      throw new Error(`${input.kind} is not expected in ${progress.state.kind}`);
    }
    progress = next;
  }
  return progress;
}

const played: FlowInput = { kind: 'played' };
const key = (pressed: string | undefined): FlowInput => ({ kind: 'key', key: pressed });
const end = ({ state }: FlowProgress): unknown => (state.kind === 'done' ? state.end : state.kind);
const heard = ({ effects }: FlowProgress): readonly string[] =>
  effects.flatMap((e) => (e.kind === 'play' || e.kind === 'ask' ? [`${e.kind} ${e.prompt}`] : []));

describe('a flow', () => {
  it('plays, then puts the caller into the queue', () => {
    const steps: FlowStep[] = [{ play: 'hello' }, { enqueue: 'support' }];
    expect(heard(run(steps))).toEqual(['play hello']);
    expect(end(run(steps, [played]))).toEqual({ kind: 'enqueue', queue: 'support' });
  });

  it('that comes to its end hangs up', () => {
    expect(end(run([{ play: 'hello' }], [played]))).toEqual({ kind: 'hang-up', sip: undefined });
    expect(end(run([]))).toEqual({ kind: 'hang-up', sip: undefined });
  });

  it('runs the closed steps instead of the rest outside the hours, also from within another list', () => {
    const steps: FlowStep[] = [{ hours: 'office', closed: [{ hangUp: { sip: 480 } }] }, { enqueue: 'support' }];
    expect(end(run(steps, [], true))).toEqual({ kind: 'enqueue', queue: 'support' });
    expect(end(run(steps, [], false))).toEqual({ kind: 'hang-up', sip: 480 });
    const silent: FlowStep[] = [{ hours: 'office', closed: [{ play: 'closed' }] }, { enqueue: 'support' }];
    expect(end(run(silent, [played], false))).toEqual({ kind: 'hang-up', sip: undefined });
  });

  it('goes on after another flow that has no end of its own, and stops where that has one', () => {
    const steps = (flow: string): FlowStep[] => [{ flow }, { enqueue: 'support' }];
    expect(end(run(steps('info'), [played]))).toEqual({ kind: 'enqueue', queue: 'support' });
    expect(end(run(steps('to-sales')))).toEqual({ kind: 'enqueue', queue: 'sales' });
  });

  it('that goes round without waiting, or names a flow that is not there, is broken and says so', () => {
    expect(end(run([{ flow: 'round' }]))).toMatchObject({ kind: 'broken' });
    expect(end(run([{ flow: 'nowhere' }]))).toEqual({ kind: 'broken', why: 'there is no flow "nowhere"' });
  });

  it('tells what it sets, in the order of its steps', () => {
    const { effects } = run([{ set: { class: 3 } }, { set: { headStartSeconds: 60 } }, { enqueue: 'support' }]);
    expect(effects.filter((e) => e.kind === 'set')).toEqual([
      { kind: 'set', traits: { class: 3 } },
      { kind: 'set', traits: { headStartSeconds: 60 } },
    ]);
  });
});

describe('a menu', () => {
  const menu = (more: object = {}): FlowStep[] => [
    { menu: { prompt: 'choose', keys: { 1: [{ enqueue: 'support' }], 2: [{ play: 'news' }] }, tries: 2, ...more } },
    { enqueue: 'sales' },
  ];

  it('leads where the key says; after steps without an end the flow goes on', () => {
    expect(heard(run(menu()))).toEqual(['ask choose']);
    expect(end(run(menu(), [key('1')]))).toEqual({ kind: 'enqueue', queue: 'support' });
    expect(end(run(menu(), [key('2'), played]))).toEqual({ kind: 'enqueue', queue: 'sales' });
  });

  it('asks again after no key or a key that leads nowhere, until the tries are over', () => {
    expect(heard(run(menu(), [key('9')]))).toEqual(['ask choose']);
    expect(heard(run(menu(), [key(undefined)]))).toEqual(['ask choose']);
    expect(end(run(menu(), [key(undefined), key('9')]))).toEqual({ kind: 'hang-up', sip: undefined });
    const noInput = { noInput: [{ play: 'nobody-there' }] };
    expect(end(run(menu(noInput), [key(undefined), key(undefined), played]))).toEqual({
      kind: 'enqueue',
      queue: 'sales',
    });
  });

  it('says so first where a prompt for invalid keys is named, but not to one who pressed nothing', () => {
    const invalid = { invalid: 'wrong-key' };
    expect(heard(run(menu(invalid), [key('9')]))).toEqual(['play wrong-key']);
    expect(heard(run(menu(invalid), [key('9'), played]))).toEqual(['ask choose']);
    expect(heard(run(menu(invalid), [key(undefined)]))).toEqual(['ask choose']);
  });

  it('waits for a key for as long as it says, five seconds by default', () => {
    const asked = (more: object): unknown => run(menu(more)).effects.find((e) => e.kind === 'ask');
    expect(asked({})).toMatchObject({ timeoutMs: 5_000 });
    expect(asked({ timeoutSeconds: 2 })).toMatchObject({ timeoutMs: 2_000 });
  });
});
