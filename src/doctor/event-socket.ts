/** As much of FreeSWITCH's event socket as a look at the server needs: sign in, run commands, read what they print. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { HostPortSecret } from '../config/settings';
import { formatHostPort } from '../config/settings-values';
import { describeError, SidekickError } from '../lib/errors';
import { withTimeout } from '../lib/timeout';
import type { MediaBench } from './ports';

interface Message {
  readonly headers: string;
  readonly body: string;
}

/** @throws SidekickError SK_FREESWITCH_UNREACHABLE where nobody answers or the secret is refused */
export async function openEventSocket(address: HostPortSecret, timeoutMs: number): Promise<MediaBench> {
  const reader = new Reader(connect({ host: address.host, port: address.port }));
  const late = (): Error => new Error(`no answer within ${timeoutMs} ms`);
  const ask = (command: string): Promise<Message> => {
    reader.send(command);
    return withTimeout(reader.next(), timeoutMs, late);
  };
  try {
    await withTimeout(reader.next(), timeoutMs, late); // it asks who we are
    const { headers } = await ask(`auth ${address.secret}`);
    if (!/^Reply-Text: \+OK/m.test(headers)) {
      throw new Error('the secret is refused');
    }
  } catch (error) {
    reader.close();
    throw new SidekickError('SK_FREESWITCH_UNREACHABLE', `FreeSWITCH at ${formatHostPort(address)} cannot be used`, {
      why: describeError(error),
      next: 'check SIDEKICK_FREESWITCH (host:port:secret), that FreeSWITCH runs, and the ACL of its event socket',
      cause: error,
    });
  }
  return {
    api: async (command) => (await ask(`api ${command}`)).body,
    close: () => {
      reader.close();
    },
  };
}

/** Cuts the stream into messages: headers, an empty line, and a body of Content-Length bytes. */
class Reader {
  readonly #socket: Socket;
  readonly #messages: Message[] = [];
  readonly #waiting: { readonly resolve: (message: Message) => void; readonly reject: (error: Error) => void }[] = [];
  #buffer = Buffer.alloc(0);
  #failure: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      this.#cut();
    });
    socket.on('error', (error) => {
      this.#fail(error);
    });
    socket.on('close', () => {
      this.#fail(new Error('the connection was closed'));
    });
  }

  send(command: string): void {
    this.#socket.write(`${command}\n\n`);
  }

  next(): Promise<Message> {
    const message = this.#messages.shift();
    if (message !== undefined) {
      return Promise.resolve(message);
    }
    return this.#failure === undefined
      ? new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
      : Promise.reject(this.#failure);
  }

  close(): void {
    this.#socket.destroy();
  }

  #cut(): void {
    for (;;) {
      const end = this.#buffer.indexOf('\n\n');
      const headers = this.#buffer.subarray(0, Math.max(0, end)).toString('utf8');
      const length = Number(/^Content-Length: (\d+)/im.exec(headers)?.[1] ?? 0);
      if (end < 0 || this.#buffer.length < end + 2 + length) {
        return;
      }
      const message = { headers, body: this.#buffer.subarray(end + 2, end + 2 + length).toString('utf8') };
      this.#buffer = this.#buffer.subarray(end + 2 + length);
      const waiting = this.#waiting.shift();
      if (waiting) {
        waiting.resolve(message);
      } else {
        this.#messages.push(message);
      }
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#waiting.splice(0).forEach(({ reject }) => {
      reject(error);
    });
  }
}
