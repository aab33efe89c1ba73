import { EXIT_REASONS, type Action } from '../flows/flow';
import { estimatedWaitMs } from './estimated-wait';
import type { ExitAction, ExitReason, QueueStatus } from './types';

/** What is known of a queue, by its name. */
export type StatusByName = (name: string) => QueueStatus | undefined;

/** What can send a call away at the door, in the order in which it is asked (routing rules, section 5). */
type EntryReason = Exclude<ExitReason, 'maxWait'>;
const ON_ENTRY: Readonly<Record<EntryReason, (queue: QueueStatus) => boolean>> = {
  closed: (queue) => queue.hours?.open === false,
  paused: (queue) => queue.paused !== undefined,
  full: (queue) => queue.maxWaiting !== undefined && queue.waiting >= queue.maxWaiting,
  noAgents: (queue) => queue.signedIn === 0,
  noPresence: (queue) => queue.present === 0,
  estimatedWait: (queue) =>
    queue.estimatedWaitOverMs !== undefined && (estimatedWaitMs(queue, queue.waiting) ?? 0) > queue.estimatedWaitOverMs,
};
const ENTRY_REASONS = EXIT_REASONS.filter((reason): reason is EntryReason => reason !== 'maxWait');

/**
 * What becomes of a call that is about to enter a queue: sent away for the first reason that holds and has an action, or undefined
 * where it may wait. A queue that is full ends the call where nothing else is configured.
 */
export function exitOnEntry(
  queue: QueueStatus,
  statuses: StatusByName,
): { readonly reason: ExitReason; readonly action: ExitAction } | undefined {
  return entryExit(queue, statuses, new Set([queue.name]));
}

function entryExit(
  queue: QueueStatus,
  statuses: StatusByName,
  seen: ReadonlySet<string>,
): { readonly reason: ExitReason; readonly action: ExitAction } | undefined {
  for (const reason of ENTRY_REASONS) {
    const action = ON_ENTRY[reason](queue) ? actionFor(queue, reason) : undefined;
    const seenThrough = action && lookAhead(action, statuses, seen);
    if (seenThrough) {
      return { reason, action: seenThrough };
    }
  }
  return undefined;
}

/** The action of an exit. Two limits that are given as numbers hold even where no action is: the call is ended. */
export function actionFor(queue: Pick<QueueStatus, 'exits'>, reason: ExitReason): Action | undefined {
  const action = queue.exits?.[reason];
  return action ?? (reason === 'maxWait' || reason === 'full' ? { hangUp: true } : undefined);
}

/** Whether a call that came now would better not: something holds that sends calls away, with an action or without. */
export function isOverflowing(queue: QueueStatus): boolean {
  return ENTRY_REASONS.some((reason) => ON_ENTRY[reason](queue));
}

/**
 * Looks through an action: of a list of queues the first that is not itself overflowing. If all are, what the last of them does with a
 * call at its door; if it does nothing, the call waits there. undefined: it would come back to where it has been.
 */
export function lookAhead(action: Action, statuses: StatusByName, seen: ReadonlySet<string>): ExitAction | undefined {
  if (!('queues' in action)) {
    return action;
  }
  const targets = action.queues.flatMap((name) => {
    const status = seen.has(name) ? undefined : statuses(name);
    return status ? [status] : [];
  });
  const passedOver: string[] = [];
  for (const target of targets) {
    if (!isOverflowing(target)) {
      return toQueue(target, passedOver);
    }
    passedOver.push(target.name);
  }
  const last = targets.at(-1);
  if (!last) {
    return undefined;
  }
  const onward = entryExit(last, statuses, new Set([...seen, ...passedOver]));
  if (!onward) {
    return toQueue(last, passedOver.slice(0, -1));
  }
  return 'queue' in onward.action
    ? { ...onward.action, passedOver: [...passedOver, ...(onward.action.passedOver ?? [])] }
    : onward.action;
}

function toQueue({ name, queueId }: QueueStatus, passedOver: readonly string[]): ExitAction {
  return { queue: name, queueId, ...(passedOver.length > 0 ? { passedOver } : {}) };
}
