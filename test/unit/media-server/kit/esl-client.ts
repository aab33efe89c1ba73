/** A plain event socket client: sends text, collects replies and events. */
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

export interface EslMessage {
  readonly headers: Record<string, string>;
  readonly body: string;
}

export type EslEvent = Record<string, string>;

export class EslClient {
  readonly events: EslEvent[] = [];
  readonly messages: EslMessage[] = [];
  /** Headers of CHANNEL_DATA on an outbound connection. */
  data: Record<string, string> = {};
  closed = false;
  #buffer = Buffer.alloc(0);
  readonly #replies: ((message: EslMessage) => void)[] = [];
  readonly #watchers = new Set<() => void>();

  constructor(readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      while (this.#take()) {
        // Next message.
      }
      this.#tell();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
      this.#tell();
    });
  }

  static async inbound(port: number, secret: string): Promise<EslClient> {
    const client = new EslClient(connect(port, '127.0.0.1'));
    await client.until(() => client.messages.some((m) => m.headers['Content-Type'] === 'auth/request'));
    const reply = await client.send(`auth ${secret}`);
    if (reply.headers['Reply-Text'] !== '+OK accepted') {
      throw new Error(`not accepted: ${JSON.stringify(reply)}`);
    }
    return client;
  }

  /** Sends a command and resolves to its reply. */
  send(command: string): Promise<EslMessage> {
    return new Promise((resolve) => {
      this.#replies.push(resolve);
      this.socket.write(`${command}\n\n`);
    });
  }

  async api(command: string): Promise<string> {
    return (await this.send(`api ${command}`)).body;
  }

  /** `sendmsg … execute`; returns the Event-UUID. */
  async execute(uuid: string, app: string, arg = '', extra: Record<string, string> = {}): Promise<string> {
    const id = `app-${Math.random().toString(36).slice(2)}`;
    const more = Object.entries(extra).map(([k, v]) => `\n${k}: ${v}`);
    await this.send(
      `sendmsg ${uuid}\ncall-command: execute\nexecute-app-name: ${app}\nexecute-app-arg: ${arg}\nEvent-UUID: ${id}${more.join('')}`,
    );
    return id;
  }

  /** Runs an application to its end; resolves to CHANNEL_EXECUTE_COMPLETE. */
  async run(uuid: string, app: string, arg = '', extra: Record<string, string> = {}): Promise<EslEvent> {
    const id = await this.execute(uuid, app, arg, extra);
    return this.event((e) => e['Event-Name'] === 'CHANNEL_EXECUTE_COMPLETE' && e['Application-UUID'] === id);
  }

  /** The first event that fits, of the past or to come. */
  async event(fits: (event: EslEvent) => boolean, ms = 5000): Promise<EslEvent> {
    await this.until(() => this.events.some(fits), ms);
    return this.events.find(fits)!;
  }

  names(uuid?: string): string[] {
    return this.events.filter((e) => uuid === undefined || e['Unique-ID'] === uuid).map((e) => e['Event-Name']!);
  }

  until(test: () => boolean, ms = 5000): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(check);
        reject(new Error(`event socket: waited ${ms} ms in vain; last events ${this.names().slice(-8).join(' ')}`));
      }, ms);
      const check = (): void => {
        if (test()) {
          clearTimeout(timer);
          this.#watchers.delete(check);
          resolve();
        }
      };
      this.#watchers.add(check);
      check();
    });
  }

  close(): void {
    this.socket.destroy();
  }

  #tell(): void {
    for (const watcher of [...this.#watchers]) {
      watcher();
    }
  }

  #take(): boolean {
    const end = this.#buffer.indexOf('\n\n');
    if (end < 0) {
      return false;
    }
    const headers = parseLines(this.#buffer.toString('utf8', 0, end));
    const length = Number(headers['Content-Length'] ?? 0);
    if (this.#buffer.length < end + 2 + length) {
      return false;
    }
    const body = this.#buffer.toString('utf8', end + 2, end + 2 + length);
    this.#buffer = this.#buffer.subarray(end + 2 + length);
    this.#sort({ headers, body });
    return true;
  }

  #sort(message: EslMessage): void {
    const type = message.headers['Content-Type'];
    if (message.headers['Event-Name'] === 'CHANNEL_DATA') {
      this.data = Object.fromEntries(Object.entries(message.headers).map(([k, v]) => [k, decodeURIComponent(v)]));
      this.#replies.shift()?.(message);
    } else if (type === 'command/reply' || type === 'api/response') {
      this.#replies.shift()?.(message);
    } else if (type === 'text/event-json') {
      this.events.push(JSON.parse(message.body) as EslEvent);
    } else if (type === 'text/event-plain') {
      const [head = '', ...rest] = message.body.split('\n\n');
      const lines = Object.entries(parseLines(head)).map(([k, v]) => [k, decodeURIComponent(v)]);
      this.events.push({ ...(Object.fromEntries(lines) as EslEvent), _body: rest.join('\n\n') });
    } else {
      this.messages.push(message);
    }
  }
}

function parseLines(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const at = line.indexOf(': ');
    if (at > 0) {
      headers[line.slice(0, at)] = line.slice(at + 2);
    }
  }
  return headers;
}

/** Waits for the media server to dial in, as fsmrf does. */
export class EslListener {
  readonly #server: Server;
  readonly #waiting = new Map<string, (client: EslClient) => void>();
  readonly #came = new Map<string, EslClient>();
  readonly clients: EslClient[] = [];

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      const client = new EslClient(socket);
      this.clients.push(client);
      void client.send('connect').then(() => {
        const id = client.data['variable_sip_user_agent'] ?? '';
        this.#came.set(id, client);
        this.#waiting.get(id)?.(client);
      });
    });
  }

  static async listen(): Promise<EslListener> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new EslListener(server);
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** The connection of the endpoint with this User-Agent. */
  connection(userAgent: string): Promise<EslClient> {
    const client = this.#came.get(userAgent);
    return client === undefined
      ? new Promise((resolve) => this.#waiting.set(userAgent, resolve))
      : Promise.resolve(client);
  }

  async close(): Promise<void> {
    for (const client of this.clients) {
      client.close();
    }
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
