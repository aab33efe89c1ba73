/** Every event of the media server goes through here once and is written at most once per format. */
import { newId } from '../../../lib/ids';
import { encodeEvent } from './encode';
import type { EventFormat, Headers } from './encode';

export interface MediaEvent {
  readonly name: string;
  readonly subclass: string | undefined;
  readonly headers: Headers;
  readonly body: string | undefined;
}

export interface EventListener {
  /** Cheap test by name, before anything is built. */
  wants(name: string, subclass: string | undefined, uuid: string | undefined): boolean;
  deliver(event: PublishedEvent): void;
}

export interface Identity {
  readonly coreUuid: string;
  readonly hostname: string;
  readonly switchname: string;
  readonly address: string;
}

/** An event with its wire forms, made when first asked for. */
export class PublishedEvent implements MediaEvent {
  readonly #wire = new Map<EventFormat, string>();

  constructor(
    readonly name: string,
    readonly subclass: string | undefined,
    readonly headers: Headers,
    readonly body: string | undefined,
  ) {}

  wire(format: EventFormat): string {
    let text = this.#wire.get(format);
    if (text === undefined) {
      text = encodeEvent(this, format);
      this.#wire.set(format, text);
    }
    return text;
  }
}

export interface PublishOptions {
  readonly subclass?: string;
  readonly body?: string;
  /** The channel that the event is about. */
  readonly uuid?: string;
}

export class EventHub {
  readonly #listeners = new Set<EventListener>();
  readonly identity: Identity;
  #sequence = 0;

  constructor(identity: Partial<Identity> = {}) {
    this.identity = {
      coreUuid: newId(),
      hostname: 'embedded',
      switchname: 'embedded',
      address: '127.0.0.1',
      ...identity,
    };
  }

  subscribe(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Sends an event to all who want it. `build` makes its own headers and is called only if someone does. */
  publish(name: string, build: () => Headers, options: PublishOptions = {}): void {
    this.#sequence++;
    let event: PublishedEvent | undefined;
    for (const listener of this.#listeners) {
      if (listener.wants(name, options.subclass, options.uuid)) {
        event ??= new PublishedEvent(
          name,
          options.subclass,
          Object.assign(this.commonHeaders(name, options.subclass), build()),
          options.body,
        );
        listener.deliver(event);
      }
    }
  }

  /** The headers that begin each event. */
  commonHeaders(name: string, subclass?: string): Record<string, string> {
    const now = new Date();
    const iso = now.toISOString();
    return {
      'Event-Name': name,
      ...(subclass === undefined ? {} : { 'Event-Subclass': subclass }),
      'Core-UUID': this.identity.coreUuid,
      'FreeSWITCH-Hostname': this.identity.hostname,
      'FreeSWITCH-Switchname': this.identity.switchname,
      'FreeSWITCH-IPv4': this.identity.address,
      'FreeSWITCH-IPv6': '::1',
      'Event-Date-Local': `${iso.slice(0, 10)} ${iso.slice(11, 19)}`,
      'Event-Date-GMT': now.toUTCString(),
      'Event-Date-Timestamp': String(now.getTime() * 1000),
      'Event-Calling-File': 'embedded',
      'Event-Calling-Function': 'publish',
      'Event-Calling-Line-Number': '1',
      'Event-Sequence': String(this.#sequence),
    };
  }
}
