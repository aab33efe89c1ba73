import type { VoicemailRow } from './voicemail-types';

/** What the API and the command show of a message. */
export function voicemailView(row: VoicemailRow): Record<string, unknown> {
  return {
    id: row.id,
    tenant: row.tenant,
    queue: row.queue,
    callId: row.callId ?? null,
    callerNumber: row.callerNumber ?? null,
    callerName: row.callerName ?? null,
    state: row.state,
    leftAt: iso(row.leftAt),
    lengthMs: row.lengthMs ?? null,
    mediaServer: row.mediaServer,
    file: row.file,
    changedBy: row.changedBy ?? null,
    changedAt: iso(row.changedAt),
    keepUntil: iso(row.keepUntil),
  };
}

/** ISO 8601 in UTC, or null for what has not happened. */
function iso(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
