import type { CallerIdentity } from '../../calls/ports';
import { AGENT_ALLOW, displayPart, sessionTimerHeaders } from '../agent-invite';
import type { AgentInvite } from '../agent-invite';

export interface TeamsTrunk {
  readonly sbcName: string;
  readonly proxies: readonly { readonly host: string; readonly port: number; readonly address?: string | undefined }[];
}

/**
 * The INVITEs that offer a call to a Teams user over Direct Routing, one per proxy in the order of preference: +E.164 with
 * `user=phone` in the request URI, our SBC name (never an address) in From and Contact, no `sips:`, no Record-Route.
 * `tlsPort` is the port that Microsoft reaches us on.
 */
export function teamsInvites(
  trunk: TeamsTrunk,
  number: string,
  caller: CallerIdentity,
  tlsPort: number,
): AgentInvite[] {
  const user = caller.number ?? 'anonymous';
  const phone = caller.number === undefined ? '' : ';user=phone';
  const contact = `<sip:${user}@${trunk.sbcName}:${tlsPort};transport=tls>`;
  return trunk.proxies.map((proxy) => ({
    uri: `sip:${number}@${proxy.host};user=phone;transport=tls`,
    proxy: `sip:${proxy.address ?? `${proxy.host}:${proxy.port}`};transport=tls;lr`,
    contact,
    headers: {
      From: `${displayPart(caller)}<sip:${user}@${trunk.sbcName};transport=tls${phone}>`,
      To: `<sip:${number}@${proxy.host};user=phone>`,
      Contact: contact,
      Allow: AGENT_ALLOW,
      'User-Agent': 'Sidekick',
      ...(caller.number === undefined ? { Privacy: 'id' } : {}),
      ...sessionTimerHeaders,
    },
  }));
}
