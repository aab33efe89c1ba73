import type { CallRow, StoredCallEvent } from './types';

/** What the API and the command show of a call. Handles of channels and dialogs are for other nodes, not for readers. */
export function callView(call: CallRow): Record<string, unknown> {
  return {
    id: call.id,
    tenant: call.tenant,
    state: call.state,
    callerNumber: call.callerNumber ?? null,
    callerName: call.callerName ?? null,
    dialledNumber: call.dialledNumber,
    trunk: call.trunk ?? null,
    queue: call.queue ?? null,
    agent: call.agent ?? null,
    sipCallId: call.sipCallId,
    createdAt: iso(call.createdAt),
    answeredAt: iso(call.answeredAt),
    queuedAt: iso(call.queuedAt),
    connectedAt: iso(call.connectedAt),
    endedAt: iso(call.endedAt),
    result: call.result ?? null,
    reason: call.reason ?? null,
  };
}

export function eventView({ at, kind, data }: StoredCallEvent): Record<string, unknown> {
  return { at: iso(at), kind, data };
}

/** ISO 8601 in UTC, or null for what has not happened. */
function iso(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
