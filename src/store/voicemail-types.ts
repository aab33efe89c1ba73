/** Messages that callers left for a queue. */
export type { NewVoicemail } from '../calls/ports';
import type { Millis } from '../routing/types';

export const VOICEMAIL_STATES = ['new', 'heard', 'done'] as const;
export type VoicemailState = (typeof VOICEMAIL_STATES)[number];

/** Where the sound of a message is. */
export interface VoicemailFile {
  readonly voicemailId: string;
  readonly mediaServer: string;
  readonly file: string;
}

export interface VoicemailRow {
  readonly id: string;
  readonly tenant: string;
  readonly queue: string;
  /** Undefined: the call is not kept any more. */
  readonly callId: string | undefined;
  readonly callerNumber: string | undefined;
  readonly callerName: string | undefined;
  readonly state: VoicemailState;
  readonly leftAt: Millis;
  /** Milliseconds; undefined: not known. */
  readonly lengthMs: number | undefined;
  readonly mediaServer: string;
  readonly file: string;
  readonly changedBy: string | undefined;
  readonly changedAt: Millis | undefined;
  readonly keepUntil: Millis;
}

export interface VoicemailFilter {
  readonly tenant?: string;
  readonly queue?: string;
  readonly states?: readonly VoicemailState[];
  readonly limit: number;
}
