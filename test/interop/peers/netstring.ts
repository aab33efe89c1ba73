/** Netstrings, `length:bytes,`: how baresip's control socket frames its JSON. */

/** No message of the control socket comes near it; more means that we have lost the frame. */
const MOST = 1_000_000;

export function writeNetstring(text: string): Buffer {
  const body = Buffer.from(text, 'utf8');
  return Buffer.concat([Buffer.from(`${body.length}:`, 'latin1'), body, Buffer.from(',')]);
}

/** Takes the whole netstrings off the front. @throws Error on anything that is none */
export function readNetstrings(buffer: Buffer): { readonly texts: readonly string[]; readonly rest: Buffer } {
  const texts: string[] = [];
  let at = 0;
  while (at < buffer.length) {
    const colon = buffer.indexOf(0x3a, at);
    const digits = buffer.toString('latin1', at, colon === -1 ? buffer.length : colon);
    if (!/^\d{1,7}$/.test(digits) || Number(digits) > MOST) {
      throw new Error(`not a netstring: ${JSON.stringify(digits.slice(0, 40))}`);
    }
    const end = colon + 1 + Number(digits);
    if (colon === -1 || end >= buffer.length) {
      break;
    }
    if (buffer[end] !== 0x2c) {
      throw new Error('a netstring does not end with a comma');
    }
    texts.push(buffer.toString('utf8', colon + 1, end));
    at = end + 1;
  }
  return { texts, rest: buffer.subarray(at) };
}
