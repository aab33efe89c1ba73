/** A media server with what drives it: a SIP user agent in the place of drachtio, event sockets, phones. */
import { newId } from '../../../../src/lib/ids';
import { tickerRunning } from '../../../../src/embedded/rtp/clock';
import { startMediaServer } from '../../../../src/embedded/media-server/media-server';
import type { EmbeddedMediaServer, MediaServerOptions } from '../../../../src/embedded/media-server/media-server';
import { SipStack } from '../../../../src/embedded/sip/stack';
import type { IncomingSession, OutgoingSession } from '../../../../src/embedded/sip/types';
import { UserAgent } from '../../../../src/embedded/sip/user-agent';
import { EslClient, EslListener } from './esl-client';
import { RtpPhone } from './rtp-phone';
import type { PhoneOptions } from './rtp-phone';

const SECRET = 'lab-secret';
/** What fsmrf asks for on each endpoint's connection. */
const FSMRF_EVENTS =
  'event json CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_PROGRESS_MEDIA CHANNEL_CALLSTATE CHANNEL_ANSWER DTMF DETECTED_TONE SWITCH_EVENT_PLAYBACK_START SWITCH_EVENT_PLAYBACK_STOP CUSTOM conference::maintenance BACKGROUND_JOB';

export interface Endpoint {
  readonly uuid: string;
  readonly session: OutgoingSession;
  readonly esl: EslClient;
  readonly phone: RtpPhone;
}

export interface AgentLeg {
  readonly uuid: string;
  readonly session: IncomingSession;
  readonly phone: RtpPhone;
  readonly reply: Promise<string>;
}

/** The media server as the lab drives it. */
type Served = Pick<EmbeddedMediaServer, 'close' | 'channels' | 'stats'> & {
  readonly esl: { readonly port: number };
  readonly sip: { readonly port: number };
};

export class Lab {
  readonly #phones: RtpPhone[] = [];
  readonly #clients: EslClient[] = [];
  readonly #invites: IncomingSession[] = [];
  #onInvite: ((session: IncomingSession) => void) | undefined;

  private constructor(
    readonly server: Served,
    readonly stack: SipStack,
    readonly userAgent: UserAgent,
    readonly listener: EslListener,
    readonly control: EslClient,
    readonly log: string[],
  ) {
    this.#clients.push(control);
    userAgent.onInvite((session) => {
      if (this.#onInvite === undefined) {
        this.#invites.push(session);
      } else {
        this.#onInvite(session);
      }
    });
  }

  static async start(options: Partial<MediaServerOptions> = {}): Promise<Lab> {
    const log: string[] = [];
    const server = await startMediaServer({
      sip: { host: '127.0.0.1', port: 0 },
      esl: { host: '127.0.0.1', port: 0, secret: SECRET },
      rtpHost: '127.0.0.1',
      log: (event, details) => log.push(`${event} ${JSON.stringify(details)}`),
      ...options,
    });
    return Lab.#drive(server, await EslClient.inbound(server.esl.port, SECRET), log);
  }

  /** The real one that SIDEKICK_TEST_FREESWITCH names, else an embedded one with this folder of recordings. */
  static async startRealOrEmbedded(recordings: string): Promise<Lab> {
    const [host, port, secret] = (process.env['SIDEKICK_TEST_FREESWITCH'] ?? '').split(':');
    if (host !== '127.0.0.1' || port === undefined || secret === undefined) {
      return Lab.start({ globals: { recordings_dir: recordings } });
    }
    const control = await EslClient.inbound(Number(port), secret);
    const status = await control.api('sofia status profile drachtio_mrf');
    const sipPort = Number(/^URL\s+sip:\S+?:(\d+)/m.exec(status)?.[1] ?? NaN);
    const server = {
      esl: { port: Number(port) },
      sip: { port: sipPort },
      channels: 0,
      stats: (): never => {
        throw new Error('a real media server tells no figures');
      },
      close: () => Promise.resolve(),
    };
    return Lab.#drive(server, control, []);
  }

  static async #drive(server: Served, control: EslClient, log: string[]): Promise<Lab> {
    const stack = await SipStack.start({ listen: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }] });
    await control.send('event json ALL');
    return new Lab(server, stack, new UserAgent(stack), await EslListener.listen(), control, log);
  }

  get secret(): string {
    return SECRET;
  }

  async phone(options: PhoneOptions = {}): Promise<RtpPhone> {
    const phone = await RtpPhone.open(options);
    this.#phones.push(phone);
    return phone;
  }

  async client(): Promise<EslClient> {
    const client = await EslClient.inbound(this.server.esl.port, SECRET);
    this.#clients.push(client);
    return client;
  }

  invite(sdp: string | undefined, headers: Record<string, string>): OutgoingSession {
    return this.userAgent.invite(`sip:drachtio@127.0.0.1:${this.server.sip.port}`, {
      ...(sdp === undefined ? {} : { sdp }),
      headers,
    });
  }

  /** An endpoint as fsmrf makes it: INVITE, 200, ACK, and the event socket that the server dials. */
  async endpoint(options: PhoneOptions = {}, headers: Record<string, string> = {}, sdp?: string): Promise<Endpoint> {
    const phone = await this.phone(options);
    const userAgent = `drachtio-fsmrf:${newId()}`;
    const session = this.invite(sdp ?? phone.sdp(), {
      'User-Agent': userAgent,
      'X-esl-outbound': `127.0.0.1:${this.listener.port}`,
      ...headers,
    });
    await session.answered;
    phone.connect(session.remoteSdp!);
    const esl = await this.listener.connection(userAgent);
    const uuid = esl.data['Unique-ID']!;
    await esl.send(FSMRF_EVENTS);
    await esl.send(`filter Unique-ID ${uuid}`);
    return { uuid, session, esl, phone };
  }

  /** Originates an agent leg with SRTP and answers it. */
  async agent(options: PhoneOptions = { secure: true }, variables = ''): Promise<AgentLeg> {
    const { uuid, invite, reply } = this.originate(
      `rtp_secure_media_outbound=${options.secure === false ? 'false' : 'mandatory:AES_CM_128_HMAC_SHA1_80'},` +
        `absolute_codec_string=${options.codec ?? 'PCMA'},suppress_cng=true,ignore_early_media=true,` +
        `hangup_after_bridge=false,park_after_bridge=true${variables === '' ? '' : `,${variables}`}`,
    );
    const session = await invite;
    const phone = await this.phone(options);
    phone.connect(session.remoteSdp!);
    void session.accept(phone.sdp());
    await reply;
    return { uuid, session, phone, reply };
  }

  /** Originates to the lab's own user agent. */
  originate(
    variables: string,
    target = '&park()',
  ): { uuid: string; invite: Promise<IncomingSession>; reply: Promise<string> } {
    const uuid = newId();
    const invite = this.nextInvite();
    const job = newId();
    const reply = this.control
      .send(
        `bgapi originate {origination_uuid=${uuid},${variables}}sofia/drachtio_mrf/agent@127.0.0.1:${this.sipPort} ${target}\nJob-UUID: ${job}`,
      )
      .then(() => this.control.event((e) => e['Event-Name'] === 'BACKGROUND_JOB' && e['Job-UUID'] === job, 15_000))
      .then((event) => event['_body']!.trim());
    return { uuid, invite, reply };
  }

  nextInvite(): Promise<IncomingSession> {
    const waiting = this.#invites.shift();
    if (waiting !== undefined) {
      return Promise.resolve(waiting);
    }
    return new Promise((resolve) => {
      this.#onInvite = (session) => {
        this.#onInvite = undefined;
        resolve(session);
      };
    });
  }

  get sipPort(): number {
    return this.stack.listening[0]!.port;
  }

  /** Ends everything and fails if anything is left. */
  async close(): Promise<void> {
    for (const client of this.#clients) {
      client.close();
    }
    await this.server.close();
    const { channels } = this.server;
    for (const phone of this.#phones) {
      phone.close();
    }
    this.userAgent.close();
    await this.stack.close();
    await this.listener.close();
    expect({ channels, ticker: tickerRunning() }).toEqual({ channels: 0, ticker: false });
  }
}

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Forgets what the phones heard, listens until each that is sent anything has got `ms` of audio, and tells who heard what for
 * most of that audio. Measured in audio, not in time, so that a busy machine changes nothing.
 */
export async function listen(phones: Record<string, RtpPhone>, ms = 500): Promise<Record<string, number[]>> {
  const all = Object.values(phones);
  const audioMs = (phone: RtpPhone): number => phone.packets.filter((p) => p.payloadType !== 101).length * 20;
  for (const phone of all) {
    phone.heard.reset();
    phone.packets.length = 0;
  }
  await wait(ms);
  for (let more = 0; more < 40 && all.some((p) => audioMs(p) > 0 && audioMs(p) < ms); more++) {
    await wait(50);
  }
  return Object.fromEntries(
    Object.entries(phones).map(([name, phone]) => [
      name,
      phone.heard
        .report()
        .filter((r) => r.ms >= audioMs(phone) * 0.6)
        .map((r) => r.frequency)
        .sort((a, b) => a - b),
    ]),
  );
}
