/**
 * The run of a flow, step by step. Pure: `startFlow` and `stepFlow` give the next state and what is to be done now.
 *
 *   running ──play──▶ playing ──played──▶ running          a step that takes no time is gone through at once
 *      │
 *      ├──menu──▶ asking ──key that is in the menu──▶ running (its steps, then on)
 *      │            ├──other key──▶ [invalid prompt] ──▶ asking again, until the tries are over
 *      │            └──no key──────────────────────────▶ asking again, until the tries are over: noInput, then on
 *      │
 *      └──enqueue, number, voicemail, callback, hangUp, end of the last flow──▶ done
 *      └──enqueue, number, callback, hangUp, end of the last flow──▶ done
 *
 * What hours say and what another flow's steps are is looked up in `facts` at the moment of the step.
 */
import { MAX_STEPS_WITHOUT_WAIT, MENU_TIMEOUT_SECONDS, MENU_TRIES } from './flow';
import type { CallTraits, Flow, FlowStep, Menu } from './flow';

export interface FlowFacts {
  flow(name: string): Flow | undefined;
  isOpen(hours: string): { readonly open: boolean; readonly reason: string };
}

export type FlowEnd =
  | { readonly kind: 'enqueue'; readonly queue: string }
  | { readonly kind: 'number'; readonly e164: string }
  | { readonly kind: 'voicemail'; readonly queue: string }
  | { readonly kind: 'callback'; readonly queue: string }
  | { readonly kind: 'hang-up'; readonly sip: number | undefined }
  /** A flow that is not there, or one that goes round without ever waiting. */
  | { readonly kind: 'broken'; readonly why: string };

export type FlowState =
  | { readonly kind: 'playing'; readonly rest: Rest }
  | { readonly kind: 'asking'; readonly menu: Menu; readonly triesLeft: number; readonly rest: Rest }
  | { readonly kind: 'invalid'; readonly menu: Menu; readonly triesLeft: number; readonly rest: Rest }
  | { readonly kind: 'done'; readonly end: FlowEnd };

export type FlowInput = { readonly kind: 'played' } | { readonly kind: 'key'; readonly key: string | undefined };

export type FlowEffect =
  | { readonly kind: 'play'; readonly prompt: string }
  | { readonly kind: 'ask'; readonly prompt: string; readonly timeoutMs: number }
  | { readonly kind: 'set'; readonly traits: CallTraits }
  /** A fact for the story of the call. */
  | { readonly kind: 'note'; readonly event: string; readonly data: Readonly<Record<string, unknown>> };

export interface FlowProgress {
  readonly state: FlowState;
  readonly effects: readonly FlowEffect[];
}

/** Steps still to come, innermost list first. */
type Rest = readonly (readonly FlowStep[])[];

export function startFlow(steps: readonly FlowStep[], facts: FlowFacts): FlowProgress {
  return run([steps], facts, []);
}

/** Undefined: not expected now. */
export function stepFlow(state: FlowState, input: FlowInput, facts: FlowFacts): FlowProgress | undefined {
  switch (state.kind) {
    case 'playing': {
      return input.kind === 'played' ? run(state.rest, facts, []) : undefined;
    }
    case 'asking': {
      return input.kind === 'key' ? keyPressed(state, input.key, facts) : undefined;
    }
    case 'invalid': {
      return input.kind === 'played' ? ask(state.menu, state.triesLeft, state.rest, []) : undefined;
    }
    case 'done': {
      return undefined;
    }
  }
}

function run(rest: Rest, facts: FlowFacts, effects: readonly FlowEffect[]): FlowProgress {
  let stack = rest;
  let done = effects;
  for (let steps = 0; steps < MAX_STEPS_WITHOUT_WAIT; steps++) {
    const [list, ...outer] = stack;
    if (!list) {
      return { state: { kind: 'done', end: { kind: 'hang-up', sip: undefined } }, effects: done };
    }
    const [step, ...after] = list;
    if (!step) {
      stack = outer;
      continue;
    }
    const next = runStep(step, after.length > 0 ? [after, ...outer] : outer, facts, done);
    if ('state' in next) {
      return next;
    }
    stack = next.rest;
    done = next.effects;
  }
  return broken('the flow goes round without waiting for anything', done);
}

/** One step: either where it stops for something, or what is left after it. */
function runStep(
  step: FlowStep,
  rest: Rest,
  facts: FlowFacts,
  effects: readonly FlowEffect[],
): FlowProgress | { readonly rest: Rest; readonly effects: readonly FlowEffect[] } {
  if ('play' in step) {
    return { state: { kind: 'playing', rest }, effects: [...effects, { kind: 'play', prompt: step.play }] };
  }
  if ('hours' in step) {
    const { open, reason } = facts.isOpen(step.hours);
    const noted = [...effects, note('flow:hours', { hours: step.hours, open, reason })];
    return { rest: open ? rest : [step.closed], effects: noted };
  }
  if ('menu' in step) {
    return ask(step.menu, step.menu.tries ?? MENU_TRIES, rest, effects);
  }
  if ('set' in step) {
    return { rest, effects: [...effects, { kind: 'set', traits: step.set }, note('flow:set', { ...step.set })] };
  }
  if ('flow' in step) {
    const flow = facts.flow(step.flow);
    return flow
      ? { rest: [flow.steps, ...rest], effects: [...effects, note('flow:entered', { flow: flow.name })] }
      : broken(`there is no flow "${step.flow}"`, effects);
  }
  return { state: { kind: 'done', end: endOf(step) }, effects };
}

type LastStep = Extract<
  FlowStep,
  { enqueue: string } | { number: string } | { voicemail: string } | { callback: string } | { hangUp: object }
>;

function endOf(step: LastStep): FlowEnd {
  if ('enqueue' in step) {
    return { kind: 'enqueue', queue: step.enqueue };
  }
  if ('voicemail' in step) {
    return { kind: 'voicemail', queue: step.voicemail };
  }
  if ('callback' in step) {
    return { kind: 'callback', queue: step.callback };
  }
  return 'number' in step ? { kind: 'number', e164: step.number } : { kind: 'hang-up', sip: step.hangUp.sip };
}

function ask(menu: Menu, triesLeft: number, rest: Rest, effects: readonly FlowEffect[]): FlowProgress {
  const timeoutMs = (menu.timeoutSeconds ?? MENU_TIMEOUT_SECONDS) * 1_000;
  return {
    state: { kind: 'asking', menu, triesLeft: triesLeft - 1, rest },
    effects: [...effects, { kind: 'ask', prompt: menu.prompt, timeoutMs }],
  };
}

function keyPressed(
  { menu, triesLeft, rest }: Extract<FlowState, { kind: 'asking' }>,
  key: string | undefined,
  facts: FlowFacts,
): FlowProgress {
  const steps = key === undefined ? undefined : menu.keys[key];
  if (steps) {
    return run([steps, ...rest], facts, [note('flow:key', { key })]);
  }
  const noted = note('flow:key', { key: key ?? 'none', valid: false });
  if (triesLeft <= 0) {
    return run(menu.noInput ? [menu.noInput, ...rest] : [], facts, [noted]);
  }
  return key !== undefined && menu.invalid !== undefined
    ? { state: { kind: 'invalid', menu, triesLeft, rest }, effects: [noted, { kind: 'play', prompt: menu.invalid }] }
    : ask(menu, triesLeft, rest, [noted]);
}

function broken(why: string, effects: readonly FlowEffect[]): FlowProgress {
  return { state: { kind: 'done', end: { kind: 'broken', why } }, effects };
}

function note(event: string, data: Readonly<Record<string, unknown>>): FlowEffect {
  return { kind: 'note', event, data };
}
