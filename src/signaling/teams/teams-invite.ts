import type { CallerIdentity } from '../../calls/ports';
import { allowFor, displayPart, sessionTimerHeaders } from '../agent-invite';
import type { AgentInvite } from '../agent-invite';
import { callerDisplay } from './caller-display';
import { routeTo } from './teams-trunk';
import type { TeamsProxy, TeamsTrunk } from './teams-trunk';

export interface TeamsCall {
  readonly caller: CallerIdentity;
  /** Name of the queue for the agent's eyes. */
  readonly queue: string;
  /** The port that Microsoft (or the SBC in front) reaches us on. */
  readonly port: number;
}

/**
 * The INVITEs that offer a call to a Teams user over Direct Routing, one per proxy in configured order: +E.164 with
 * `user=phone` in the request URI, our SBC name (never an address) in From and Contact, no `sips:`, no Record-Route.
 */
export function teamsInvites(trunk: TeamsTrunk, number: string, call: TeamsCall): AgentInvite[] {
  const extra = trunk.uriParameters === undefined ? '' : `;${trunk.uriParameters}`;
  return trunk.proxies.map((proxy) => {
    const host = trunk.form === 'direct' ? proxy.host : `${proxy.host}:${proxy.port}`;
    return inviteVia(trunk, proxy, call, {
      uri: `sip:${number}@${host};user=phone${transportOf(trunk)}${extra}`,
      to: `<sip:${number}@${proxy.host};user=phone>`,
    });
  });
}

export interface ReferredCall {
  /** URI of Refer-To, copied as it came: Teams refuses one that differs. */
  readonly referTo: string;
  /** Referred-By, copied byte for byte. */
  readonly referredBy: string | undefined;
}

/** The INVITEs that carry out a REFER of Teams: back to Teams, also where the target is a telephone number. */
export function referredInvites(trunk: TeamsTrunk, refer: ReferredCall, call: TeamsCall): AgentInvite[] {
  return trunk.proxies.map((proxy) =>
    inviteVia(trunk, proxy, call, {
      uri: refer.referTo,
      to: `<${refer.referTo}>`,
      ...(refer.referredBy === undefined ? {} : { headers: { 'Referred-By': refer.referredBy } }),
    }),
  );
}

function inviteVia(
  trunk: TeamsTrunk,
  proxy: TeamsProxy,
  { caller, queue, port }: TeamsCall,
  target: { readonly uri: string; readonly to: string; readonly headers?: Readonly<Record<string, string>> },
): AgentInvite {
  const user = caller.number ?? 'anonymous';
  const phone = caller.number === undefined ? '' : ';user=phone';
  const contact = `<sip:${user}@${trunk.sbcName}:${port}${transportOf(trunk)}>`;
  const shown = displayPart({ number: caller.number, name: callerDisplay(trunk.showCaller, caller, queue) });
  return {
    uri: target.uri,
    proxy: routeTo(trunk, proxy),
    contact,
    allow: allowFor(trunk.refer),
    headers: {
      From: `${shown}<sip:${user}@${trunk.sbcName}${transportOf(trunk)}${phone}>`,
      To: target.to,
      Contact: contact,
      Allow: allowFor(trunk.refer),
      'User-Agent': 'Sidekick',
      ...(caller.number === undefined ? { Privacy: 'id' } : {}),
      ...sessionTimerHeaders,
      ...target.headers,
    },
  };
}

function transportOf(trunk: TeamsTrunk): string {
  return trunk.transport === 'udp' ? '' : `;transport=${trunk.transport}`;
}
