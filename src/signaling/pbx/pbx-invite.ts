import type { CallerIdentity } from '../../calls/ports';
import { AGENT_ALLOW, displayPart, sessionTimerHeaders } from '../agent-invite';
import type { AgentInvite } from '../agent-invite';

export interface PbxTrunk {
  readonly host: string;
  readonly port: number | undefined;
  readonly transport: 'udp' | 'tcp' | 'tls';
  readonly fromDomain: string | undefined;
  readonly auth: { readonly username: string; readonly password: string } | undefined;
}

/** The INVITE that offers a call to an extension of a PBX. */
export function pbxInvite(trunk: PbxTrunk, user: string, caller: CallerIdentity): AgentInvite {
  const hostPort = trunk.port === undefined ? trunk.host : `${trunk.host}:${trunk.port}`;
  const transport = trunk.transport === 'udp' ? '' : `;transport=${trunk.transport}`;
  const fromHost = trunk.fromDomain ?? 'localhost';
  return {
    uri: `sip:${encodeUser(user)}@${hostPort}${transport}`,
    headers: {
      From: `${displayPart(caller)}<sip:${caller.number ?? 'anonymous'}@${fromHost}>`,
      To: `<sip:${encodeUser(user)}@${hostPort}>`,
      Allow: AGENT_ALLOW,
      'User-Agent': 'Sidekick',
      ...(caller.number === undefined ? { Privacy: 'id' } : {}),
      ...sessionTimerHeaders,
    },
    ...(trunk.auth === undefined ? {} : { auth: trunk.auth }),
  };
}

/** Escapes what may not stand in the user part of a SIP URI (RFC 3261 25.1). */
function encodeUser(user: string): string {
  return user.replace(/[^A-Za-z0-9\-_.!~*'()&=+$,;?/]/g, (c) => encodeURIComponent(c));
}
