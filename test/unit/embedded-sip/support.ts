import { createSocket, type Socket } from 'node:dgram';
import { SipStack } from '../../../src/embedded/sip/stack';
import type { ListenOptions, Peer, Protocol, StackOptions } from '../../../src/embedded/sip/types';
import { UserAgent } from '../../../src/embedded/sip/user-agent';
import type { UserAgentOptions } from '../../../src/embedded/sip/types';

export const SDP =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n';

const open: (() => Promise<void>)[] = [];

export function listen(protocol: Protocol): ListenOptions {
  return { protocol, host: '127.0.0.1', port: 0 };
}

export async function startStack(options: Partial<StackOptions> = {}): Promise<SipStack> {
  const stack = await SipStack.start({ listen: [listen('udp'), listen('tcp')], ...options });
  open.push(() => stack.close());
  return stack;
}

export async function startAgent(
  options: UserAgentOptions = {},
  stackOptions: Partial<StackOptions> = {},
): Promise<UserAgent> {
  const agent = new UserAgent(await startStack(stackOptions), options);
  open.push(async () => {
    agent.close();
  });
  return agent;
}

export function peerOf(stack: SipStack, protocol: Protocol = 'udp'): Peer {
  const peer = stack.localFor(protocol);
  if (peer === undefined) {
    throw new Error(`no ${protocol} listener`);
  }
  return peer;
}

export function uriOf(agent: UserAgent, protocol: Protocol = 'udp', user = 'bob'): string {
  const peer = peerOf(agent.stack, protocol);
  return `sip:${user}@${peer.address}:${peer.port}${protocol === 'udp' ? '' : `;transport=${protocol}`}`;
}

/** A bare UDP socket that speaks SIP by hand. */
export class RawPeer {
  readonly received: string[] = [];
  #waiting: (() => void)[] = [];

  private constructor(
    readonly socket: Socket,
    readonly port: number,
  ) {
    socket.on('message', (data) => {
      this.received.push(data.toString());
      for (const wake of this.#waiting.splice(0)) {
        wake();
      }
    });
  }

  static async open(): Promise<RawPeer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const peer = new RawPeer(socket, socket.address().port);
    open.push(
      () =>
        new Promise((resolve) => {
          socket.close(() => {
            resolve();
          });
        }),
    );
    return peer;
  }

  send(text: string, to: Peer): void {
    this.socket.send(text, to.port, to.address);
  }

  /** Waits for a message that matches and takes it out. */
  async next(match: (text: string) => boolean = () => true, ms = 3000): Promise<string> {
    const end = Date.now() + ms;
    for (;;) {
      const at = this.received.findIndex(match);
      if (at !== -1) {
        return this.received.splice(at, 1)[0] ?? '';
      }
      const left = end - Date.now();
      if (left <= 0) {
        throw new Error(`nothing matched in ${ms} ms; received:\n${this.received.join('\n---\n')}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }
}

export async function until(condition: () => boolean, ms = 5000): Promise<void> {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) {
      throw new Error('the condition did not come true');
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** For afterEach: closes everything that these helpers opened, last first. */
export async function closeAll(): Promise<void> {
  for (const close of open.splice(0).reverse()) {
    await close();
  }
}

/** For teardown of things made elsewhere. */
export function onClose(close: () => Promise<void>): void {
  open.push(close);
}
