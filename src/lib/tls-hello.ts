/**
 * What a TLS server answers to the first message of a handshake: version, cipher suite, certificates, and the proof that the key of
 * its certificate is its own (RFC 5246 7.4). Servers that demand a certificate of ours, as Direct Routing does, refuse whoever has
 * none only later, so all of this can be seen without one. TLS 1.2 and older; there these messages are not encrypted.
 */
import { constants, createVerify, randomBytes, X509Certificate } from 'node:crypto';
import { connect, isIP } from 'node:net';

export interface HelloPeer {
  readonly host: string;
  readonly port: number;
  /** Sent as SNI, where it is a name. */
  readonly serverName?: string;
}

export interface Hello {
  readonly version: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2';
  /** Numbers of cipher suites, in order of preference. */
  readonly suites: readonly number[];
}

export interface ServerGreeting {
  /** The suite that the server chose. */
  readonly suite: number;
  /** Its own certificate first. */
  readonly certificates: readonly X509Certificate[];
  /** True if it signed our random number with the key of its certificate. Always false for suites without ECDHE. */
  readonly proven: boolean;
}

const VERSIONS = { TLSv1: 0x0301, 'TLSv1.1': 0x0302, 'TLSv1.2': 0x0303 } as const;
const HANDSHAKE = 22;
const ALERT = 21;
const SERVER_HELLO = 2;
const CERTIFICATE = 11;
const KEY_EXCHANGE = 12;
const HELLO_DONE = 14;
/** A server that sends more than this is no TLS server, bytes. */
const MOST_BYTES = 65_536;

/**
 * rsa_pss_rsae and rsa_pkcs1 with SHA-256, 384 and 512, and rsa_pkcs1_sha1, which some servers still choose; RFC 8446 4.2.3. In order
 * of preference. What cannot be verified here is not offered: a good server would be taken for one without proof.
 */
const SIGNATURES: ReadonlyMap<number, { readonly hash: string; readonly pss: boolean }> = new Map([
  [0x0804, { hash: 'sha256', pss: true }],
  [0x0805, { hash: 'sha384', pss: true }],
  [0x0806, { hash: 'sha512', pss: true }],
  [0x0401, { hash: 'sha256', pss: false }],
  [0x0501, { hash: 'sha384', pss: false }],
  [0x0601, { hash: 'sha512', pss: false }],
  [0x0201, { hash: 'sha1', pss: false }],
]);

/**
 * Sends one ClientHello and reads what the server says up to its ServerHelloDone. `undefined`: it refused with an alert.
 * @throws Error where nobody answers in time, or what answers does not speak TLS
 */
export function greetServer(peer: HelloPeer, hello: Hello, timeoutMs: number): Promise<ServerGreeting | undefined> {
  const random = randomBytes(32);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: peer.host, port: peer.port });
    const reader = new HandshakeReader();
    const timer = setTimeout(() => socket.destroy(new Error(`no TLS answer within ${timeoutMs} ms`)), timeoutMs);
    let settled = false;
    const finish = (act: () => void): void => {
      if (!settled) {
        settled = true;
        clearTimeout(timer);
        socket.destroy();
        act();
      }
    };
    const tell = (): void => {
      try {
        const greeting = read(reader.messages, random);
        finish(() => resolve(greeting));
      } catch (error) {
        finish(() => reject(error instanceof Error ? error : new Error(String(error))));
      }
    };
    socket.once('connect', () => socket.write(clientHello(hello, random, peer.serverName)));
    socket.on('data', (chunk) => {
      switch (reader.take(chunk)) {
        case 'more': {
          return;
        }
        case 'done': {
          return tell();
        }
        case 'alert': {
          return finish(() => resolve(undefined));
        }
        case 'garbage': {
          return finish(() => reject(new Error('what answers there does not speak TLS')));
        }
      }
    });
    socket.once('error', (error) => finish(() => reject(error)));
    socket.once('close', () => finish(() => reject(new Error('the connection was closed before an answer'))));
  });
}

/** Puts handshake messages together from records, whatever pieces they come in. */
class HandshakeReader {
  readonly messages = new Map<number, Buffer>();
  #bytes: Buffer = Buffer.alloc(0);
  #handshake: Buffer = Buffer.alloc(0);

  take(chunk: Buffer): 'more' | 'done' | 'alert' | 'garbage' {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length >= 5) {
      const type = this.#bytes.readUInt8(0);
      if ((type !== HANDSHAKE && type !== ALERT) || this.#bytes.readUInt8(1) !== 3) {
        return 'garbage';
      }
      const length = this.#bytes.readUInt16BE(3);
      if (this.#bytes.length < 5 + length) {
        break;
      }
      const content = this.#bytes.subarray(5, 5 + length);
      this.#bytes = this.#bytes.subarray(5 + length);
      if (type === ALERT) {
        return 'alert';
      }
      this.#handshake = Buffer.concat([this.#handshake, content]);
      if (this.#unpack()) {
        return 'done';
      }
    }
    return this.#bytes.length + this.#handshake.length > MOST_BYTES ? 'garbage' : 'more';
  }

  #unpack(): boolean {
    while (this.#handshake.length >= 4) {
      const end = 4 + this.#handshake.readUIntBE(1, 3);
      if (this.#handshake.length < end) {
        return false;
      }
      const type = this.#handshake.readUInt8(0);
      this.messages.set(type, this.#handshake.subarray(4, end));
      this.#handshake = this.#handshake.subarray(end);
      if (type === HELLO_DONE) {
        return true;
      }
    }
    return false;
  }
}

function read(messages: ReadonlyMap<number, Buffer>, clientRandom: Buffer): ServerGreeting {
  const hello = messages.get(SERVER_HELLO);
  if (hello === undefined || hello.length < 38) {
    throw new Error('the server sent no ServerHello');
  }
  const afterSession = 35 + hello.readUInt8(34);
  const certificates = certificatesIn(messages.get(CERTIFICATE) ?? Buffer.alloc(0));
  const exchange = messages.get(KEY_EXCHANGE);
  const [leaf] = certificates;
  return {
    suite: hello.readUInt16BE(afterSession),
    certificates,
    proven:
      leaf !== undefined &&
      exchange !== undefined &&
      isProven(leaf, exchange, Buffer.concat([clientRandom, hello.subarray(2, 34)])),
  };
}

function certificatesIn(message: Buffer): X509Certificate[] {
  const certificates: X509Certificate[] = [];
  for (let at = 3; at + 3 <= message.length;) {
    const length = message.readUIntBE(at, 3);
    certificates.push(new X509Certificate(message.subarray(at + 3, at + 3 + length)));
    at += 3 + length;
  }
  return certificates;
}

/** ServerKeyExchange of ECDHE: named curve, public point, and a signature over both random numbers and these (RFC 8422 5.4). */
function isProven(leaf: X509Certificate, exchange: Buffer, randoms: Buffer): boolean {
  const end = 4 + (exchange.length > 3 ? exchange.readUInt8(3) : 0);
  if (exchange.length < end + 4 || exchange.readUInt8(0) !== 3) {
    return false;
  }
  const scheme = SIGNATURES.get(exchange.readUInt16BE(end));
  if (scheme === undefined || leaf.publicKey.asymmetricKeyType !== 'rsa') {
    return false;
  }
  const signature = exchange.subarray(end + 4, end + 4 + exchange.readUInt16BE(end + 2));
  const verifier = createVerify(scheme.hash).update(randoms).update(exchange.subarray(0, end));
  return verifier.verify(
    scheme.pss
      ? { key: leaf.publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : leaf.publicKey,
    signature,
  );
}

function clientHello({ version, suites }: Hello, random: Buffer, serverName: string | undefined): Buffer {
  const number = VERSIONS[version];
  const named = serverName !== undefined && isIP(serverName) === 0 ? Buffer.from(serverName, 'ascii') : undefined;
  const extensions = Buffer.concat([
    ...(named === undefined ? [] : [extension(0, sized(2, Buffer.concat([Buffer.from([0]), sized(2, named)])))]),
    // supported_groups x25519, P-256, P-384; ec_point_formats; signature_algorithms; renegotiation_info
    extension(10, sized(2, words([0x001d, 0x0017, 0x0018]))),
    extension(11, Buffer.from([1, 0])),
    extension(13, sized(2, words([...SIGNATURES.keys()]))),
    extension(0xff01, Buffer.from([0])),
  ]);
  const body = Buffer.concat([
    words([number]),
    random,
    Buffer.from([0]),
    sized(2, words(suites)),
    Buffer.from([1, 0]),
    sized(2, extensions),
  ]);
  const message = Buffer.concat([Buffer.from([1]), sized(3, body)]);
  return Buffer.concat([Buffer.from([HANDSHAKE]), words([0x0301]), sized(2, message)]);
}

function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([words([type]), sized(2, content)]);
}

/** With its length in front, in so many bytes. */
function sized(bytes: number, content: Buffer): Buffer {
  const length = Buffer.alloc(bytes);
  length.writeUIntBE(content.length, 0, bytes);
  return Buffer.concat([length, content]);
}

function words(values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 2);
  values.forEach((value, index) => buffer.writeUInt16BE(value, index * 2));
  return buffer;
}
