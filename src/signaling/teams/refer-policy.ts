import { AddressRanges } from '../address-ranges';
import type { ReferPolicy } from '../agent-refer';
import { MICROSOFT } from './microsoft';
import type { TeamsTrunk } from './teams-trunk';

/**
 * What REFER may do on a trunk: go back into the queue whose number the agent dialled (nothing leaves us then), or back to Teams
 * as a new INVITE, which also serves telephone numbers. Any other host is refused: a REFER must not make us call elsewhere.
 */
export function referPolicy(
  trunk: TeamsTrunk,
  queueOfNumber: (e164: string) => Promise<string | undefined>,
): ReferPolicy {
  const ranges = new AddressRanges(trunk.sources);
  const hosts = new Set([
    ...trunk.proxies.map((proxy) => proxy.host.toLowerCase()),
    ...Object.values(MICROSOFT).flatMap((cloud) => cloud.proxies),
    trunk.sbcName.toLowerCase(),
  ]);
  return {
    accepts: (address) => ranges.has(address),
    target: async (refer) => {
      const e164 = /^\+[1-9]\d{4,14}$/.exec(refer.user ?? '')?.[0];
      const queueId = e164 === undefined ? undefined : await queueOfNumber(e164);
      if (queueId !== undefined) {
        return { kind: 'queue', queueId };
      }
      if (!hosts.has(refer.host)) {
        return undefined;
      }
      return { kind: 'refer', trunkId: trunk.id, referTo: refer.uri, referredBy: refer.referredBy };
    },
  };
}
