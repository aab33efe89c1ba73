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
}

/** Session-Expires of the legs that we start: 30 minutes (Microsoft refuses less), refreshed by us. */
export const AGENT_SESSION_SECONDS = 1_800;

export const AGENT_ALLOW = 'INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY';

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
