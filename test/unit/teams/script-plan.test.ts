import fc from 'fast-check';
import { planOffer, planTalk, type Step } from '../../../src/embedded/teams/script-plan';
import { agentScriptSchema, type AgentScriptInput } from '../../../src/embedded/teams/scripts';
import { completedElsewhere, reasonHeader } from '../../../src/embedded/teams/reason';

const steps = (input: AgentScriptInput, plan = planOffer): string[] =>
  plan(agentScriptSchema.parse(input)).map((step: Step) => `${step.afterMs} ${step.do}`);

test('an agent with three devices rings on each and answers once', () => {
  expect(steps({ kind: 'answer', afterMs: 500, devices: 3 })).toEqual(['0 ring', '40 ring', '80 ring', '500 answer']);
});

test('early media comes with the first ringing', () => {
  expect(steps({ kind: 'answer', afterMs: 500, earlyMedia: true })).toEqual(['0 ring', '0 early-media', '500 answer']);
});

test('a mailbox that answers at once rings nowhere', () => {
  expect(steps({ kind: 'voicemail', afterMs: 0 })).toEqual(['0 answer']);
  expect(steps({ kind: 'voicemail' })).toEqual(['0 ring', '20000 answer']);
});

test.each<[AgentScriptInput, string[]]>([
  [{ kind: 'busy' }, ['0 refuse']],
  [{ kind: 'signed-out' }, ['0 refuse']],
  [{ kind: 'unavailable' }, ['0 refuse']],
  [{ kind: 'refuse', status: 404 }, ['0 refuse']],
  [{ kind: 'refuse', status: 404, afterMs: 10 }, ['0 ring', '10 refuse']],
  [{ kind: 'decline' }, ['0 ring', '1500 refuse']],
  [{ kind: 'ring-out' }, ['0 ring', '120000 refuse']],
  [{ kind: 'answer-on-cancel' }, ['0 ring']],
  [{ kind: 'silent' }, []],
])('%j becomes %j', (script, expected) => {
  expect(steps(script)).toEqual(expected);
});

test('after the answer the steps come in the order of their times', () => {
  const script = { kind: 'answer', holdAfterMs: 300, holdForMs: 100, refreshAfterMs: 50, hangUpAfterMs: 350 } as const;
  expect(steps(script, planTalk)).toEqual(['50 refresh', '300 hold', '350 hang-up', '400 unhold']);
  expect(steps({ kind: 'answer', transferAfterMs: 5 }, planTalk)).toEqual([]);
  expect(steps({ kind: 'decline' }, planTalk)).toEqual([]);
});

test('no script both answers and refuses, and none rings after its end', () => {
  const kinds = ['answer', 'decline', 'voicemail', 'refuse', 'ring-out'] as const;
  const script = fc.record({
    kind: fc.constantFrom(...kinds),
    ms: fc.integer({ min: 0, max: 5000 }),
    devices: fc.integer({ min: 0, max: 25 }),
    earlyMedia: fc.boolean(),
  });
  fc.assert(
    fc.property(script, ({ kind, ms, devices, earlyMedia }) => {
      const time = kind === 'ring-out' ? { giveUpAfterMs: ms } : { afterMs: ms };
      const status = kind === 'refuse' ? { status: 500 } : {};
      const plan = planOffer(agentScriptSchema.parse({ kind, devices, earlyMedia, ...time, ...status }));
      expect(plan.filter((step) => step.do === 'answer' || step.do === 'refuse')).toHaveLength(1);
      expect(plan.map((step) => step.afterMs)).toEqual(plan.map((step) => step.afterMs).sort((a, b) => a - b));
    }),
  );
});

test.each([
  ['SIP;cause=200;text="Call completed elsewhere"', true],
  ['sip ; cause = 200', true],
  ['Q.850;cause=200', false],
  ['SIP;cause=2000', false],
  ['SIP;cause=487;text="ORIGINATOR_CANCEL"', false],
  [undefined, false],
])('the reason %s means "somebody else took it": %s', (reason, expected) => {
  expect(completedElsewhere(reason)).toBe(expected);
});

test('a reason cannot break out of its quotes', () => {
  expect(reasonHeader(16, 'a "b\\')).toMatch(/^Q\.850;cause=16;text="[0-9a-f-]{36};a 'b'"$/);
});
