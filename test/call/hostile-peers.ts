import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { connect } from 'node:net';
import type { Socket as TcpSocket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { CarrierCall } from '../../src/embedded/carrier/carrier-call';
import type { Peer } from '../../src/embedded/sip/types';
import { AGENT_TONES, CALLER_TONE } from '../support/call-lab';
import type { LabSuite } from '../support/lab-suite';

const ANNA = AGENT_TONES['anna'] ?? 0;
const BASELINE_MS = 1_500;
/** After this long nothing of an attack may be left in any buffer. */
const SETTLE_MS = 60_000;
/** A gap that nobody minds, milliseconds; more only if the call had such gaps before. */
const GAP_MS = 600;
/** Share of the calm time's sound that must still be heard; the attackers run on the same two cores. */
const UNDISTURBED = 0.6;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Hearing {
  readonly callerShare: number;
  readonly agentShare: number;
  readonly longestGapMs: number;
}

/**
 * Runs `attack` while a caller talks to anna and checks that neither of them noticed: both went on hearing each other, without
 * gaps that the call did not have before, and it ended as the caller wished. Without `heardMeanwhile` they must hear each other
 * again once it is over, and nothing is said of the time before.
 */
export async function undisturbed(
  suite: LabSuite,
  attack: (call: CarrierCall) => Promise<void>,
  { heardMeanwhile = true } = {},
): Promise<void> {
  const { lab } = suite;
  const call = await lab.dial();
  const teams = await suite.bothHear(call, 'anna');
  const agentHeard = (): number =>
    lab.tenant.call(teams.id)?.heardTones.find((tone) => tone.hz === CALLER_TONE)?.ms ?? 0;
  const measure = async (during: () => Promise<void>): Promise<Hearing> => {
    const startedAt = Date.now();
    const before = { caller: call.heardMs(ANNA), agent: agentHeard() };
    await during();
    const ms = Date.now() - startedAt;
    const gaps = [...call.report().gaps, ...(lab.tenant.call(teams.id)?.gaps ?? [])];
    return {
      callerShare: (call.heardMs(ANNA) - before.caller) / ms,
      agentShare: (agentHeard() - before.agent) / ms,
      longestGapMs: Math.max(0, ...gaps.filter((gap) => gap.at + gap.ms > startedAt).map((gap) => gap.ms)),
    };
  };
  const calm = await measure(() => pause(BASELINE_MS));
  if (!heardMeanwhile) {
    await attack(call);
    await recovered(() => measure(() => pause(1_000)), calm);
  }
  const stormy = await measure(async () => {
    await (heardMeanwhile ? attack(call) : Promise.resolve());
    await pause(BASELINE_MS);
  });
  expect(call.state).toBe('confirmed');
  expect(stormy.callerShare).toBeGreaterThan(calm.callerShare * UNDISTURBED);
  expect(stormy.agentShare).toBeGreaterThan(calm.agentShare * UNDISTURBED);
  expect(stormy.longestGapMs).toBeLessThanOrEqual(Math.max(GAP_MS, 2 * calm.longestGapMs));
  await call.hangUp();
  expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
}

/** Waits until both hear each other as before. */
async function recovered(listen: () => Promise<Hearing>, calm: Hearing): Promise<void> {
  const until = Date.now() + SETTLE_MS;
  for (;;) {
    const now = await listen();
    if (now.callerShare > calm.callerShare * UNDISTURBED && now.agentShare > calm.agentShare * UNDISTURBED) {
      return;
    }
    if (Date.now() > until) {
      throw new Error(`${SETTLE_MS} ms after the attack they still do not hear each other: ${JSON.stringify(now)}`);
    }
  }
}

/** A UDP socket that sends what it likes and counts what comes back, by SIP status; 0 = something else. */
export class RawUdp {
  readonly answers = new Map<number, number>();
  /** The newest 200 that came. */
  accepted = '';
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const status = Number(/^SIP\/2\.0 (\d{3}) /.exec(data.toString('latin1', 0, 16))?.[1] ?? 0);
      this.answers.set(status, this.count(status) + 1);
      if (status === 200) {
        this.accepted = data.toString('latin1');
      }
    });
    // ICMP of ports that are closed by now.
    socket.on('error', () => undefined);
  }

  static async open(address = '127.0.0.1'): Promise<RawUdp> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ address, port: 0 }, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    return new RawUdp(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  get address(): string {
    return this.#socket.address().address;
  }

  send(data: Buffer | string, to: Pick<Peer, 'address' | 'port'>): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.send(typeof data === 'string' ? Buffer.from(data, 'latin1') : data, to.port, to.address, () => {
        resolve();
      });
    });
  }

  /** Sends one after the other, so many per second. */
  async flood(
    count: number,
    perSecond: number,
    to: Pick<Peer, 'address' | 'port'>,
    make: (i: number) => Buffer | string,
  ) {
    const startedAt = Date.now();
    for (let i = 0; i < count; i++) {
      void this.send(make(i), to);
      const ahead = (i * 1000) / perSecond - (Date.now() - startedAt);
      if (ahead > 5) {
        await pause(ahead);
      }
    }
  }

  /** How many responses had this status, those that came again too. */
  count(status: number): number {
    return this.answers.get(status) ?? 0;
  }

  close(): void {
    this.#socket.close();
  }
}

/** A TCP connection that says what it likes. */
export class RawTcp {
  readonly #socket: TcpSocket;
  #received = '';
  #closed = false;

  private constructor(socket: TcpSocket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = (this.#received + chunk.toString('latin1')).slice(-100_000);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#closed = true;
    });
  }

  static async open(to: Pick<Peer, 'address' | 'port'>): Promise<RawTcp> {
    const socket = connect(to.port, to.address);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RawTcp(socket);
  }

  get port(): number {
    return this.#socket.localPort ?? 0;
  }

  get received(): string {
    return this.#received;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when the system took it, or when the peer wants no more. */
  send(data: Buffer | string): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closed || this.#socket.destroyed) {
        resolve();
        return;
      }
      this.#socket.once('close', resolve);
      this.#socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data, () => {
        this.#socket.off('close', resolve);
        resolve();
      });
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

let collect: (() => void) | undefined;

/** Bytes in use in this process after garbage was collected: heap and buffers. */
export function memoryInUse(): number {
  if (!collect) {
    setFlagsFromString('--expose_gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

export interface SipParts {
  readonly method?: string;
  readonly uri?: string;
  readonly via?: string;
  readonly from?: string;
  readonly to?: string;
  readonly callId?: string;
  readonly cseq?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
  readonly contentLength?: string | number;
  readonly protocol?: 'UDP' | 'TCP';
}

let serial = 0;

/** Writes a SIP request from where `port` listens; every part can be replaced by something wrong. */
export function sipRequest(self: { readonly address: string; readonly port: number }, parts: SipParts = {}): string {
  const id = `${process.pid}-${++serial}`;
  const method = parts.method ?? 'INVITE';
  const body = parts.body ?? '';
  const at = `${self.address}:${self.port}`;
  return [
    `${method} ${parts.uri ?? 'sip:+49301000100@127.0.0.1'} SIP/2.0`,
    parts.via ?? `Via: SIP/2.0/${parts.protocol ?? 'UDP'} ${at};branch=z9hG4bK${id};rport`,
    'Max-Forwards: 70',
    parts.from ?? `From: <sip:stranger@${at}>;tag=${id}`,
    parts.to ?? 'To: <sip:+49301000100@127.0.0.1>',
    parts.callId ?? `Call-ID: ${id}@hostile`,
    parts.cseq ?? `CSeq: 1 ${method}`,
    `Contact: <sip:stranger@${at}>`,
    ...(parts.headers ?? []),
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${parts.contentLength ?? Buffer.byteLength(body, 'latin1')}`,
    '',
    body,
  ].join('\r\n');
}

export function offer(port = 40_000): string {
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${port} RTP/AVP 8`,
    'a=rtpmap:8 PCMA/8000',
    '',
  ].join('\r\n');
}
