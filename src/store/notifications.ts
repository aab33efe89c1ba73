/** The one channel on which nodes hint at changes to each other. */
export const CHANNEL = 'sidekick';

/**
 * A hint that something changed. Never the only way to learn of it: the sweep finds what a lost hint would have told.
 * - `queue`: its waiting calls changed; match it. With `node`: only that node need to, since a call of its own may have to leave.
 * - `agent`: the agent may be able to take calls now, or no longer; match the queues of this agent.
 * - `offer`: an offer was reserved for a call of `node`.
 * - `call`: `node` should look at its call again (an order from outside, such as hang up).
 * - `config`: configuration changed; load again what is used.
 * - `trunk`: the reachability of a trunk changed.
 */
export type Notification =
  | { readonly k: 'queue'; readonly id: string; readonly node?: string }
  | { readonly k: 'agent'; readonly id: string }
  | { readonly k: 'offer'; readonly id: string; readonly call: string; readonly node: string }
  | { readonly k: 'call'; readonly id: string; readonly node: string }
  | { readonly k: 'config' }
  | { readonly k: 'trunk'; readonly id: string };

const isText = (value: unknown): value is string => typeof value === 'string' && value.length > 0;

/** Reads the payload of a notice; `undefined` for what this version does not know. */
export function parseNotification(payload: string): Notification | undefined {
  let value: unknown;
  try {
    value = JSON.parse(payload);
  } catch (error) {
    if (error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
  if (typeof value !== 'object' || value === null) {
    return undefined;
  }
  const { k, id, call, node } = value as Record<string, unknown>;
  switch (k) {
    case 'config': {
      return { k };
    }
    case 'queue': {
      return isText(id) ? { k, id, ...(isText(node) ? { node } : {}) } : undefined;
    }
    case 'agent':
    case 'trunk': {
      return isText(id) ? { k, id } : undefined;
    }
    case 'offer': {
      return isText(id) && isText(call) && isText(node) ? { k, id, call, node } : undefined;
    }
    case 'call': {
      return isText(id) && isText(node) ? { k, id, node } : undefined;
    }
    default: {
      return undefined;
    }
  }
}
