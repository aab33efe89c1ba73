/** One event socket connection, whoever dialled: reads commands, answers in order, delivers the events asked for. */
import type { Socket } from 'node:net';
import { newId } from '../../../lib/ids';
import { describeError } from '../../../lib/errors';
import { EslCommandReader } from './command-reader';
import type { EslCommand } from './command-reader';
import { apiResponse, commandReply, disconnectNotice, headerLines } from './encode';
import type { Headers } from './encode';
import type { EventHub, PublishedEvent } from './event-hub';
import { Subscriptions } from './subscriptions';

export interface ExecuteRequest {
  readonly app: string;
  readonly arg: string;
  /** `Event-UUID` of the command, shown as Application-UUID. */
  readonly appUuid: string;
  readonly loops: number;
  readonly eventLock: boolean;
}

/** What a connection needs of a channel. */
export interface EslChannel {
  readonly uuid: string;
  execute(request: ExecuteRequest): void;
  hangup(cause: string): void;
  /** Headers of CHANNEL_DATA. */
  data(): Headers;
  getVariable(name: string): string | undefined;
}

export interface EslServices {
  readonly hub: EventHub;
  runApi(command: string, args: string): string | Promise<string>;
  channel(uuid: string): EslChannel | undefined;
  /** Something a client sent was not understood or too much: counted. */
  rejected(why: string): void;
}

export interface EslConnectionOptions {
  /** Given for connections that dial in; those must authenticate. */
  readonly secret?: string;
  /** The channel that dialled out. */
  readonly own?: EslChannel;
  /** Outgoing without `full`: no api, event, filter. */
  readonly full?: boolean;
}

/** A client that does not read its events is cut off here instead of filling our memory. */
const MAX_UNSENT_BYTES = 32 * 1024 * 1024;

export class EslConnection {
  readonly #socket: Socket;
  readonly #services: EslServices;
  readonly #options: EslConnectionOptions;
  readonly #reader = new EslCommandReader();
  readonly #subscriptions = new Subscriptions();
  readonly #waiting: EslCommand[] = [];
  #unsubscribe: (() => void) | undefined;
  #authenticated: boolean;
  #busy = false;
  #closed = false;
  #lingerSeconds: number | undefined;
  #lingerTimer: NodeJS.Timeout | undefined;
  #onClose: (() => void) | undefined;

  constructor(socket: Socket, services: EslServices, options: EslConnectionOptions) {
    this.#socket = socket;
    this.#services = services;
    this.#options = options;
    this.#authenticated = options.secret === undefined;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#receive(chunk);
    });
    socket.on('error', () => {
      this.close();
    });
    socket.on('close', () => {
      this.close();
    });
    socket.on('end', () => {
      this.close();
    });
    if (options.secret !== undefined) {
      this.#send('Content-Type: auth/request\n\n');
    }
  }

  onClose(handler: () => void): void {
    this.#onClose = handler;
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    clearTimeout(this.#lingerTimer);
    this.#unsubscribe?.();
    this.#waiting.length = 0;
    this.#socket.end();
    this.#socket.destroySoon();
    this.#onClose?.();
  }

  /** The own channel is gone: says goodbye, and closes now or after the time that `linger` asked for. */
  channelGone(): void {
    if (this.#closed) {
      return;
    }
    this.#send(disconnectNotice(this.#options.own?.uuid, this.#lingerSeconds));
    if (this.#lingerSeconds === undefined) {
      this.close();
      return;
    }
    this.#lingerTimer = setTimeout(() => {
      this.close();
    }, this.#lingerSeconds * 1000);
  }

  get lingers(): boolean {
    return this.#lingerSeconds !== undefined;
  }

  #receive(chunk: Buffer): void {
    if (this.#closed) {
      return;
    }
    try {
      this.#waiting.push(...this.#reader.push(chunk));
    } catch (error) {
      this.#services.rejected(describeError(error));
      this.close();
      return;
    }
    this.#work();
  }

  /** Answers strictly one after the other: an `api` that takes time holds up what comes behind it. */
  #work(): void {
    while (!this.#busy && !this.#closed) {
      const command = this.#waiting.shift();
      if (command === undefined) {
        return;
      }
      const reply = this.#handle(command);
      if (typeof reply === 'string') {
        this.#send(reply);
        continue;
      }
      this.#busy = true;
      void reply
        .catch((error: unknown) => apiResponse(`-ERR ${describeError(error)}\n`))
        .then((text) => {
          this.#busy = false;
          this.#send(text);
          this.#work();
        });
    }
  }

  #handle(command: EslCommand): string | Promise<string> {
    const [, verb = '', rest = ''] = /^(\S+)\s*([^]*)$/.exec(command.line) ?? [];
    if (verb === 'exit' || verb === '...') {
      this.#send(commandReply('+OK bye'));
      this.#send(disconnectNotice());
      this.close();
      return '';
    }
    if (!this.#authenticated) {
      return this.#authenticate(verb, rest);
    }
    const full = this.#options.full !== false;
    switch (verb) {
      case 'api':
        return full ? this.#api(rest) : notFound();
      case 'bgapi':
        return full ? this.#bgapi(rest, command.headers) : notFound();
      case 'event':
      case 'myevents':
      case 'nixevent':
      case 'noevents':
      case 'filter':
        return full ? this.#events(verb, rest) : notFound();
      case 'sendmsg':
        return this.#sendmsg(rest.trim(), command);
      case 'sendevent':
        return this.#sendevent(rest.trim(), command);
      case 'log':
        return commandReply(`+OK log level ${rest.trim()} [${rest.trim()}]`);
      case 'nolog':
        return commandReply('+OK no longer logging');
      default:
        return this.#own(verb, rest.trim());
    }
  }

  #authenticate(verb: string, rest: string): string {
    if (verb !== 'auth') {
      this.#services.rejected('command before auth');
      return commandReply('-ERR command not found');
    }
    if (rest.trim() === this.#options.secret) {
      this.#authenticated = true;
      return commandReply('+OK accepted');
    }
    this.#services.rejected('wrong secret');
    this.#send(commandReply('-ERR invalid'));
    this.#send(disconnectNotice());
    this.close();
    return '';
  }

  #api(rest: string): string | Promise<string> {
    const [, command = '', args = ''] = /^(\S+)\s*([^]*)$/.exec(rest.trim()) ?? [];
    if (command === '') {
      return commandReply('-ERR command not found');
    }
    const result = this.#services.runApi(command, args);
    return typeof result === 'string' ? apiResponse(result) : result.then(apiResponse);
  }

  #bgapi(rest: string, headers: ReadonlyMap<string, string>): string {
    const job = headers.get('job-uuid') ?? newId();
    const [, command = '', args = ''] = /^(\S+)\s*([^]*)$/.exec(rest.trim()) ?? [];
    if (command === '') {
      return commandReply('-ERR command not found');
    }
    setImmediate(() => {
      const done = (body: string): void => {
        const header = { 'Job-UUID': job, 'Job-Command': command, ...(args === '' ? {} : { 'Job-Command-Arg': args }) };
        this.#services.hub.publish('BACKGROUND_JOB', () => header, { body: body === '' ? '-ERR no reply\n' : body });
      };
      void Promise.resolve()
        .then(() => this.#services.runApi(command, args))
        .then(done, (error: unknown) => {
          done(`-ERR ${describeError(error)}\n`);
        });
    });
    return commandReply(`+OK Job-UUID: ${job}`, `Job-UUID: ${job}\n`);
  }

  #events(verb: string, rest: string): string {
    const words = rest.split(/[\s,]+/).filter((w) => w !== '');
    if (verb === 'noevents') {
      this.#subscriptions.clear();
      return commandReply('+OK no longer listening for events');
    }
    if (verb === 'nixevent') {
      this.#subscriptions.remove(words);
      return commandReply('+OK events nixed');
    }
    if (verb === 'filter') {
      return this.#filter(rest.trim());
    }
    const format = /^(json|plain|xml)$/i.test(words[0] ?? '') ? (words.shift() ?? '').toLowerCase() : 'plain';
    if (verb === 'myevents') {
      const own = this.#options.own;
      if (own === undefined) {
        return notFound();
      }
      this.#subscriptions.add(['ALL']);
      this.#subscriptions.addFilter('Unique-ID', own.uuid);
    } else if (!this.#subscriptions.add(words)) {
      return commandReply('-ERR no keywords supplied');
    }
    this.#subscriptions.format = format === 'json' ? 'json' : 'plain';
    this.#unsubscribe ??= this.#services.hub.subscribe({
      wants: (name, subclass, uuid) => this.#subscriptions.wants(name, subclass, uuid),
      deliver: (event) => {
        this.#deliver(event);
      },
    });
    return commandReply(verb === 'myevents' ? '+OK Events Enabled' : `+OK event listener enabled ${format}`);
  }

  #filter(rest: string): string {
    const remove = /^delete\s+(\S+)(?:\s+([^]+))?$/i.exec(rest);
    if (remove !== null) {
      const [, header = '', value] = remove;
      this.#subscriptions.removeFilter(header, value);
      return commandReply(`+OK filter deleted. [${header}][${value ?? ''}]`);
    }
    const [, header, value] = /^(?:add\s+)?(\S+)\s+([^]+)$/i.exec(rest) ?? [];
    if (header === undefined || value === undefined) {
      return commandReply('-ERR invalid syntax');
    }
    this.#subscriptions.addFilter(header, value);
    return commandReply(`+OK filter added. [${header}]=[${value}]`);
  }

  #sendmsg(uuid: string, command: EslCommand): string {
    const channel = uuid === '' ? this.#options.own : this.#services.channel(uuid);
    if (channel === undefined) {
      return commandReply(`-ERR invalid session id [${uuid}]`);
    }
    const { headers } = command;
    const what = headers.get('call-command') ?? '';
    if (what === 'hangup') {
      channel.hangup(headers.get('hangup-cause') ?? 'NORMAL_CLEARING');
    } else if (what === 'execute') {
      const loops = Number(headers.get('loops') ?? '1');
      channel.execute({
        app: headers.get('execute-app-name') ?? '',
        arg: command.body !== '' ? command.body : (headers.get('execute-app-arg') ?? ''),
        appUuid: headers.get('event-uuid') ?? newId(),
        loops: Number.isInteger(loops) && loops !== 0 ? loops : 1,
        eventLock: headers.get('event-lock') === 'true' || headers.get('event-lock-pri') === 'true',
      });
    }
    return commandReply('+OK');
  }

  #sendevent(name: string, command: EslCommand): string {
    if (name === '') {
      return commandReply('-ERR command not found');
    }
    const id = newId();
    const headers: Record<string, string> = { 'Event-UUID': id };
    for (const [header, value] of command.headers) {
      if (header !== 'content-length') {
        headers[header.replace(/(^|-)[a-z]/g, (c) => c.toUpperCase())] = value;
      }
    }
    const subclass = headers['Event-Subclass'];
    this.#services.hub.publish(name.toUpperCase(), () => headers, {
      ...(subclass === undefined ? {} : { subclass }),
      ...(command.body === '' ? {} : { body: command.body }),
    });
    return commandReply(`+OK ${id}`);
  }

  /** Commands that only make sense on a channel's own connection. */
  #own(verb: string, rest: string): string {
    const own = this.#options.own;
    if (verb === 'linger' || verb === 'nolinger') {
      if (own === undefined) {
        return commandReply('-ERR not controlling a session');
      }
      this.#lingerSeconds =
        verb === 'linger' ? Math.min(3600, Math.max(0, Number.parseInt(rest, 10) || 30)) : undefined;
      return commandReply(
        verb === 'linger' ? `+OK will linger${rest === '' ? '' : ` ${rest} seconds`}` : '+OK will not linger',
      );
    }
    if (own === undefined) {
      this.#services.rejected(`unknown command ${verb.slice(0, 20)}`);
      return notFound();
    }
    switch (verb) {
      case 'connect':
        return `${headerLines({ ...own.data() })}Content-Type: command/reply\nReply-Text: %2BOK%0A\nSocket-Mode: async\nControl: ${this.#options.full === false ? 'single-channel' : 'full'}\n\n`;
      case 'getvar':
        return commandReply(own.getVariable(rest) ?? '');
      case 'resume':
      case 'divert_events':
        return commandReply('+OK');
      default:
        this.#services.rejected(`unknown command ${verb.slice(0, 20)}`);
        return notFound();
    }
  }

  #deliver(event: PublishedEvent): void {
    if (this.#subscriptions.passes(event)) {
      this.#send(event.wire(this.#subscriptions.format));
    }
  }

  #send(text: string): void {
    if (text === '' || this.#closed) {
      return;
    }
    this.#socket.write(text);
    if (this.#socket.writableLength > MAX_UNSENT_BYTES) {
      this.#services.rejected('client does not read');
      this.close();
    }
  }
}

function notFound(): string {
  return commandReply('-ERR command not found');
}
