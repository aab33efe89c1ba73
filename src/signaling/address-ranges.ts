import { BlockList, isIP } from 'node:net';

/** Addresses and CIDR ranges, IPv4 and IPv6, asked for whether they hold an address. */
export class AddressRanges {
  readonly #list = new BlockList();

  constructor(ranges: readonly string[]) {
    for (const range of ranges) {
      const [address = '', prefix] = range.split('/');
      const type = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      this.#list.addSubnet(address, prefix === undefined ? (type === 'ipv6' ? 128 : 32) : Number(prefix), type);
    }
  }

  /** False also for what is no address. An IPv4 address written as IPv6 (`::ffff:…`) is the IPv4 address. */
  has(address: string): boolean {
    const plain = address.replace(/^::ffff:/i, '').replace(/^\[|\]$/g, '');
    const family = isIP(plain);
    return family !== 0 && this.#list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  }
}
