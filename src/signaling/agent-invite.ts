import type { CallerIdentity } from '../calls/ports';

/** One INVITE to an agent's platform, ready to be sent; several are tried in order. */
export interface AgentInvite {
  readonly uri: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Where to send it, whatever the URI says. */
  readonly proxy?: string;
  readonly auth?: { readonly username: string; readonly password: string };
  /** Contact for later answers in this dialog, where ours is not the SIP server's default. */
  readonly contact?: string;
  /** Allow of later answers in this dialog. Default: AGENT_ALLOW. */
  readonly allow?: string;
  /** Who learns how the next hop behaves, and can be asked whether it lives. */
  readonly peer?: InvitePeer;
}

/** What is known of the next hop of an INVITE. */
export interface InvitePeer {
  readonly name: string;
  /** Asks it now. False: no answer in good time. */
  alive(): Promise<boolean>;
  /** A provisional or final response came from it. */
  answered(status: number, retryAfterSeconds: number | undefined): void;
  silent(): void;
  unreachable(detail: string): void;
}

/** Session-Expires of the legs that we start: 30 minutes (Microsoft refuses less), refreshed by us. */
export const AGENT_SESSION_SECONDS = 1_800;

export const AGENT_ALLOW = 'INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY';

/** Allow of a platform's dialogs. REFER in it makes Teams send transfers to us; NOTIFY always stays. */
export function allowFor(refer: boolean): string {
  return refer ? `${AGENT_ALLOW}, REFER` : AGENT_ALLOW;
}

/** `"Name" ` in front of an address, or nothing. */
export function displayPart(caller: CallerIdentity): string {
  if (caller.number === undefined && caller.name === undefined) {
    return '"Anonymous" ';
  }
  return caller.name === undefined ? '' : `"${caller.name.replace(/["\\]/g, '')}" `;
}

export const sessionTimerHeaders: Readonly<Record<string, string>> = {
  Supported: 'timer',
  'Session-Expires': `${AGENT_SESSION_SECONDS};refresher=uac`,
  'Min-SE': '90',
};
