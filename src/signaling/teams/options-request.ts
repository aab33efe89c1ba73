import { allowFor } from '../agent-invite';
import { routeTo } from './teams-trunk';
import type { TeamsProxy, TeamsTrunk } from './teams-trunk';

export interface OptionsRequest {
  readonly uri: string;
  readonly proxy: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The OPTIONS by which Teams learns that our trunk lives: no user in the request URI, no telephone number in From and To, and
 * the FQDN of the SBC in Contact, which is what Teams looks up and then asks back. `port` is the one that Teams reaches us on.
 */
export function optionsRequest(trunk: TeamsTrunk, proxy: TeamsProxy, port: number): OptionsRequest {
  const transport = trunk.transport === 'udp' ? '' : `;transport=${trunk.transport}`;
  const uri = `sip:${proxy.host}:${proxy.port}${transport}`;
  const contact = `<sip:${trunk.sbcName}:${port}${transport}>`;
  return {
    uri,
    proxy: routeTo(trunk, proxy),
    headers: {
      From: contact,
      To: `<sip:${proxy.host}:${proxy.port}>`,
      Contact: contact,
      Allow: allowFor(trunk.refer),
      'User-Agent': 'Sidekick',
    },
  };
}
