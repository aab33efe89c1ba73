import type { CallbackRow } from './callback-types';

/** What commands show of a callback. */
export function callbackView(callback: CallbackRow, state: string): Record<string, unknown> {
  return {
    id: callback.id,
    tenant: callback.tenant,
    state,
    queue: callback.queue,
    number: callback.number,
    callerName: callback.callerName ?? null,
    dialledNumber: callback.dialledNumber,
    fromCall: callback.callId,
    agent: callback.agent ?? null,
    tries: callback.tries,
    createdAt: iso(callback.createdAt),
    firstQueuedAt: iso(callback.firstQueuedAt),
    nextTryAt: iso(callback.nextTryAt),
    reachedAt: iso(callback.reachedAt),
    calledInBy: callback.calledInBy ?? null,
    endedAt: iso(callback.endedAt),
    result: callback.result ?? null,
    reason: callback.reason ?? null,
  };
}

function iso(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
