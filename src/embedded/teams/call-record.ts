import type { BrokenRecord } from './rules';
import type { TransferView } from './transfer-book';

/** One tone that was heard. */
export interface HeardTone {
  readonly hz: number;
  /** How long in all, milliseconds. */
  readonly ms: number;
  /** When it was first heard, milliseconds since the epoch. */
  readonly firstAt: number;
}

/** A time without a packet while audio was due. */
export interface HeardGap {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly ms: number;
}

export type CallState = 'offered' | 'ringing' | 'answered' | 'held' | 'ended';

/** Who ended a call: the trunk's side, the agent, Teams itself, or nobody because the network failed. */
export type EndedBy = 'sbc' | 'agent' | 'teams' | 'network';

/** One call as the control API shows it. Times are milliseconds since the epoch; null = has not happened. */
export interface CallView {
  readonly id: string;
  readonly sipCallId: string;
  /** The caller's number as Teams shows it, or `anonymous`. */
  readonly from: string;
  readonly fromName: string | null;
  /** The number that was called. */
  readonly to: string;
  /** Name of the user, null if the number is nobody's. */
  readonly agent: string | null;
  /** Names in the certificate that the trunk showed on the connection of the INVITE. */
  readonly certificateNames: readonly string[];
  readonly state: CallState;
  readonly startedAt: number;
  readonly ringingAt: number | null;
  readonly answeredAt: number | null;
  readonly endedAt: number | null;
  readonly endedBy: EndedBy | null;
  /** Final SIP status of the INVITE; 0 = none was sent. */
  readonly status: number;
  /** Reason header of the CANCEL or BYE that came, if there was one. */
  readonly reason: string | null;
  /** True if the mailbox answered and no person. */
  readonly voicemail: boolean;
  readonly heardTones: readonly HeardTone[];
  readonly gaps: readonly HeardGap[];
  /** Packets of the caller that came, were lost, or failed SRTP authentication. */
  readonly packets: { readonly received: number; readonly lost: number; readonly srtpFailures: number };
  /** re-INVITEs of the trunk that were answered with 200. */
  readonly refreshes: number;
  /** Keys the caller pressed, as RFC 4733 events. */
  readonly digits: string;
  readonly rulesBroken: readonly BrokenRecord[];
  /** The transfer that the agent asked for by REFER. */
  readonly transfer: TransferView | null;
  /** Final status of the INVITE by which Teams forwarded the call over the trunk; 0 = none yet. */
  readonly forwardStatus: number | null;
}
