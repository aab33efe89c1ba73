import type { FlowStep } from '../../flows/flow';
import type { Item, List } from './canonical';
import type { Document } from './schema';
import { tenantOf } from './tenant-of';
import type { Path } from './yaml-source';

/** Lists whose entries are named by others within a tenant. */
export type NamedList = Exclude<List, 'tenants' | 'trunks' | 'numbers'>;

/** A place in the document that names something else. */
export interface Naming {
  readonly list: NamedList;
  readonly name: string;
  readonly path: Path;
}

/** An action of a queue's exits, or the destination of a step. */
export type Action = NonNullable<Item<'queues'>['exits']['closed']>;

/** Everything that a queue names. */
export function namedByQueue(queue: Item<'queues'>, path: Path): readonly Naming[] {
  return [
    ...(queue.music === undefined ? [] : [naming('prompts', queue.music, [...path, 'music'])]),
    ...(['greeting', 'thanks'] as const).flatMap((key) => {
      const prompt = queue.voicemail?.[key];
      return prompt === undefined ? [] : [naming('prompts', prompt, [...path, 'voicemail', key])];
    }),
    ...(['ask', 'confirm'] as const).flatMap((key) => {
      const prompt = queue.callback?.[key];
      return prompt === undefined ? [] : [naming('prompts', prompt, [...path, 'callback', key])];
    }),
    ...(queue.hours === undefined ? [] : [naming('hours', queue.hours, [...path, 'hours'])]),
    ...queue.members.map((member, j) => naming('agents', member.agent, [...path, 'members', j, 'agent'])),
    ...queue.needs.map((need, j) => naming('skills', need.skill, [...path, 'needs', j, 'skill'])),
    ...queue.relaxations.map((step, j) => naming('skills', step.skill, [...path, 'relaxations', j, 'skill'])),
    ...actionsOf(queue, path).flatMap(({ action, path: at }) => namedByAction(action, at)),
    ...(queue.announcements?.rules ?? []).map((rule, j) =>
      naming('prompts', rule.prompt, [...path, 'announcements', 'rules', j, 'prompt']),
    ),
  ];
}

const naming = (list: NamedList, name: string, path: Path): Naming => ({ list, name, path });

export interface PlacedAction {
  /** `closed`, `full`, …, or `keys`. */
  readonly reason: string;
  readonly action: Action;
  readonly path: Path;
}

/** The exits of a queue and its keys, with their places. */
export function actionsOf(queue: Item<'queues'>, path: Path): readonly PlacedAction[] {
  const { keys, ...exits } = queue.exits;
  const placed = Object.entries(exits).flatMap(([reason, action]) =>
    action === undefined ? [] : [{ reason, action, path: [...path, 'exits', reason] }],
  );
  const pressed = Object.entries(keys).map(([key, action]) => ({
    reason: 'keys',
    action,
    path: [...path, 'exits', 'keys', key],
  }));
  return [...placed, ...pressed];
}

function namedByAction(action: Action, path: Path): readonly Naming[] {
  if ('queues' in action) {
    return action.queues.map((name, i) => naming('queues', name, [...path, 'queues', i]));
  }
  if ('flow' in action) {
    return [naming('flows', action.flow, [...path, 'flow'])];
  }
  if ('voicemail' in action) {
    return [naming('queues', action.voicemail, [...path, 'voicemail'])];
  }
  if ('callback' in action) {
    return [naming('queues', action.callback, [...path, 'callback'])];
  }
  return 'announce' in action ? [naming('prompts', action.announce, [...path, 'announce'])] : [];
}

/** A step with its place; `chosen`: only a caller who pressed a key comes here. */
export interface PlacedStep {
  readonly step: FlowStep;
  readonly path: Path;
  readonly chosen: boolean;
}

/** All steps of a flow, the inner ones after the one that holds them. */
export function stepsOf(steps: readonly FlowStep[], path: Path, chosen = false): readonly PlacedStep[] {
  return steps.flatMap((step, i) => {
    const at = [...path, i];
    const own = { step, path: at, chosen };
    if ('closed' in step) {
      return [own, ...stepsOf(step.closed, [...at, 'closed'], chosen)];
    }
    if ('menu' in step) {
      const keys = Object.entries(step.menu.keys).flatMap(([key, inner]) =>
        stepsOf(inner, [...at, 'menu', 'keys', key], true),
      );
      return [own, ...keys, ...stepsOf(step.menu.noInput ?? [], [...at, 'menu', 'noInput'], chosen)];
    }
    return [own];
  });
}

/** Everything that a flow names. */
export function namedByFlow(flow: Item<'flows'>, path: Path): readonly Naming[] {
  return stepsOf(flow.steps, [...path, 'steps']).flatMap(({ step, path: at }) => namedByStep(step, at));
}

function namedByStep(step: FlowStep, path: Path): readonly Naming[] {
  if ('play' in step) {
    return [naming('prompts', step.play, [...path, 'play'])];
  }
  if ('hours' in step) {
    return [naming('hours', step.hours, [...path, 'hours'])];
  }
  if ('menu' in step) {
    const { prompt, invalid } = step.menu;
    const first = naming('prompts', prompt, [...path, 'menu', 'prompt']);
    return invalid === undefined ? [first] : [first, naming('prompts', invalid, [...path, 'menu', 'invalid'])];
  }
  if ('set' in step) {
    return [
      ...(step.set.needs ?? []).map((need, i) => naming('skills', need.skill, [...path, 'set', 'needs', i, 'skill'])),
      ...(step.set.preferAgents ?? []).map((name, i) => naming('agents', name, [...path, 'set', 'preferAgents', i])),
    ];
  }
  if ('flow' in step) {
    return [naming('flows', step.flow, [...path, 'flow'])];
  }
  if ('voicemail' in step) {
    return [naming('queues', step.voicemail, [...path, 'voicemail'])];
  }
  if ('callback' in step) {
    return [naming('queues', step.callback, [...path, 'callback'])];
  }
  return 'enqueue' in step ? [naming('queues', step.enqueue, [...path, 'enqueue'])] : [];
}

/** A place where queues and flows send calls by this key, such as `voicemail` or `number`, and to what. */
export function targetsOf(
  document: Document,
  key: 'voicemail' | 'callback' | 'number',
): readonly { readonly tenant: string; readonly to: string; readonly path: Path }[] {
  const target = (
    owner: { readonly tenant?: string | undefined },
    what: object,
    path: Path,
  ): readonly { readonly tenant: string; readonly to: string; readonly path: Path }[] =>
    key in what
      ? [
          {
            tenant: tenantOf(document, owner) ?? '',
            to: String((what as Readonly<Record<string, unknown>>)[key]),
            path: [...path, key],
          },
        ]
      : [];
  return [
    ...document.queues.flatMap((queue, i) =>
      actionsOf(queue, ['queues', i]).flatMap(({ action, path }) => target(queue, action, path)),
    ),
    ...document.flows.flatMap((flow, i) =>
      stepsOf(flow.steps, ['flows', i, 'steps']).flatMap(({ step, path }) => target(flow, step, path)),
    ),
  ];
}
