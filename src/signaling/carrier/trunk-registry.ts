import { BlockList, isIP } from 'node:net';
import { CallLimits } from './call-limits';

/** What inbound recognition needs of a carrier trunk's configuration. */
export interface CarrierTrunk {
  readonly id: string;
  readonly name: string;
  /** Undefined: serves the numbers of every tenant. */
  readonly tenantId: string | undefined;
  readonly sources: readonly string[];
  readonly country: string | undefined;
  readonly digest: { readonly username: string; readonly passwordFrom: string } | undefined;
  readonly maxCalls: number;
  readonly callsPerSecond: number;
  readonly sessionExpiresSeconds: number;
}

interface Range {
  readonly trunk: CarrierTrunk;
  readonly bits: number;
  readonly list: BlockList;
}

/** Carrier trunks by source address; the narrowest range that holds the address wins. */
export class TrunkRegistry {
  #ranges: readonly Range[] = [];
  #limits = new Map<string, CallLimits>();

  /** Takes a new configuration; counts of running calls stay. */
  load(trunks: readonly CarrierTrunk[], now: number): void {
    const limits = new Map<string, CallLimits>();
    for (const trunk of trunks) {
      const known = this.#limits.get(trunk.id);
      known?.change(trunk.maxCalls, trunk.callsPerSecond);
      limits.set(trunk.id, known ?? new CallLimits(trunk.maxCalls, trunk.callsPerSecond, now));
    }
    this.#limits = limits;
    this.#ranges = trunks
      .flatMap((trunk) => trunk.sources.map((source) => rangeOf(trunk, source)))
      .sort((a, b) => b.bits - a.bits || (a.trunk.name < b.trunk.name ? -1 : 1));
  }

  /** The trunk that a source address belongs to, or undefined: such a caller is refused. */
  recognise(address: string): CarrierTrunk | undefined {
    const plain = address.replace(/^::ffff:/i, '').replace(/^\[|\]$/g, '');
    const family = isIP(plain);
    if (family === 0) {
      return undefined;
    }
    return this.#ranges.find((range) => range.list.check(plain, family === 6 ? 'ipv6' : 'ipv4'))?.trunk;
  }

  limits(trunkId: string): CallLimits | undefined {
    return this.#limits.get(trunkId);
  }
}

function rangeOf(trunk: CarrierTrunk, source: string): Range {
  const [address = '', prefix] = source.split('/');
  const type = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  const bits = prefix === undefined ? (type === 'ipv6' ? 128 : 32) : Number(prefix);
  const list = new BlockList();
  list.addSubnet(address, bits, type);
  return { trunk, bits, list };
}
