import type { Codec, RecordedSound, RecordRequest } from '../calls/ports';
import { describeError, SidekickError } from '../lib/errors';
import type { Log } from '../lib/log';
import type { EslEvent, FsmrfEndpoint } from './fsmrf';
import type { MediaServerLink } from './media-server-link';
import { SOUND_LEVEL } from './recordings';

/** A soft tone every few seconds, made by the media server itself. */
const FALLBACK_MUSIC = 'tone_stream://%(400,4600,425);loops=-1';
/** Music that ended sooner than this is waited for a moment before it begins again, milliseconds. */
const MIN_MUSIC_MS = 500;
const MUSIC_AGAIN_MS = 100;
/** How long the end of what was broken off is waited for; FreeSWITCH takes one or two frames of 20 ms. */
const BREAK_WAIT_MS = 500;

/** What plays, or is about to. */
interface Sound {
  /** URI of endless music; undefined for a prompt. */
  readonly music: string | undefined;
  ended: Promise<void>;
}

/** The caller's channel on FreeSWITCH: prompts, music, renegotiation, end. `close()` is idempotent. */
export class CallerEndpoint {
  readonly #link: MediaServerLink;
  readonly #endpoint: FsmrfEndpoint;
  readonly #log: Log;
  #closed = false;
  #gone = false;
  #onLost: (() => void) | undefined;
  #current: Sound | undefined;
  #playing = 0;
  #questions = 0;
  readonly #onGone = new Set<() => void>();

  private constructor(link: MediaServerLink, endpoint: FsmrfEndpoint, log: Log) {
    this.#link = link;
    this.#endpoint = endpoint;
    this.#log = log.child({ channel: endpoint.uuid });
    endpoint.on('error', (error: unknown) => {
      this.#log.warn({ event: 'endpoint_error', reason: describeError(error) });
    });
    const gone = (): void => {
      this.#goneNow();
    };
    endpoint.on('destroy', gone);
    endpoint.dialog.on('destroy', gone);
    if (!endpoint.connected || !endpoint.dialog.connected) {
      setImmediate(gone);
    }
  }

  /** @throws SK_MEDIA_FAILED, SK_MEDIA_OFFER_REFUSED */
  static async create(
    link: MediaServerLink,
    offer: string,
    headers: Record<string, string>,
    log: Log,
  ): Promise<CallerEndpoint> {
    return new CallerEndpoint(link, await link.createEndpoint(offer, headers), log);
  }

  get server(): string {
    return this.#link.name;
  }

  get channel(): string {
    return this.#endpoint.uuid;
  }

  get dialogId(): string {
    return this.#endpoint.dialog.id;
  }

  /** FreeSWITCH's answer to the caller's offer. */
  get answerSdp(): string {
    return this.#endpoint.local.sdp;
  }

  /** The codec of the answer; the agent's leg is offered just this one, so that nothing is transcoded. */
  get codec(): Codec {
    return codecOf(this.#endpoint.local.sdp);
  }

  /** Called once if the channel goes away without `close()`. */
  onLost(handler: () => void): void {
    this.#onLost = handler;
  }

  /** Called for every key that the caller presses, whatever plays or whoever is talked to. */
  onKey(handler: (key: string) => void): void {
    this.#endpoint.on('dtmf', (event: { readonly dtmf?: string }) => {
      if (event.dtmf !== undefined) {
        handler(event.dtmf);
      }
    });
  }

  /** Plays to the end, instead of what plays. Resolves when played, when stopped, and, to false, when it cannot be played (logged). */
  async play(uri: string): Promise<boolean> {
    const played = await this.#sound(uri, async () => {
      const response = await this.#execute('playback', uri);
      if (response === 'FILE NOT FOUND') {
        this.#log.error({ event: 'prompt_not_played', uri, reason: response });
        return false;
      }
      return true;
    });
    return played ?? true;
  }

  /**
   * Starts endless music instead of what plays, and returns at once; the same music goes on without a gap. Music that ends by
   * itself begins again; music that the server does not have is replaced by a soft tone, so that nobody waits in silence.
   */
  startMusic(uri: string): void {
    if (this.#current?.music === uri) {
      return;
    }
    void this.#sound(
      uri,
      async (current) => {
        for (let file = uri; this.#current === current && !this.#gone;) {
          const startedAt = Date.now();
          const response = await this.#execute('playback', file);
          if (this.#current !== current) {
            break;
          }
          if (response === 'FILE NOT FOUND') {
            this.#log.error({ event: 'music_missing', uri: file });
            file = FALLBACK_MUSIC;
          }
          if (Date.now() - startedAt < MIN_MUSIC_MS) {
            await new Promise((resolve) => setTimeout(resolve, MUSIC_AGAIN_MS));
          }
        }
        return undefined;
      },
      uri,
    );
  }

  /**
   * Plays a prompt instead of what plays and takes one key, which ends the prompt; `timeoutMs` (at least 1,000) runs after it.
   * Undefined: none came, it was stopped, or the channel went away.
   */
  async askForKey(uri: string, timeoutMs: number): Promise<string | undefined> {
    return await this.#sound(uri, async () => {
      // A name of its own for each question: the answer to an earlier one must not be taken for this one's.
      const variable = `key_${++this.#questions}`;
      const prompt = uri.includes(' ') ? `'${uri}'` : uri;
      const args = `1 1 1 ${timeoutMs} none ${prompt} silence_stream://20 ${variable} [0-9*#] ${timeoutMs}`;
      let key: string | undefined;
      await this.#execute('play_and_get_digits', args, (event) => {
        key = event.getHeader(`variable_${variable}`);
      });
      return key === '' || key === '_undef_' ? undefined : key;
    });
  }

  /**
   * Records what the caller says instead of playing anything; undefined: nothing was recorded, or the channel went away. Ended by the
   * key, by silence, by the length, by `stopSound`.
   * @throws SK_MEDIA_FAILED where the server has no folder for recordings
   */
  async record({ file, maxSeconds, silenceSeconds, endKey }: RecordRequest): Promise<RecordedSound | undefined> {
    const folder = await this.#link.recordingsFolder();
    if (folder === undefined) {
      throw new SidekickError('SK_MEDIA_FAILED', `FreeSWITCH ${this.#link.name} has no folder for recordings`, {
        next: 'start FreeSWITCH with -recordings, as sbc-config does',
      });
    }
    // A caller whose platform sends nothing while he is silent: without it the pauses are cut out of the message.
    await this.setVariable('record_fill_cng', 'true');
    await this.setVariable('playback_terminators', endKey);
    const place = `${folder}/${file}`;
    const args = `${place.includes(' ') ? `'${place}'` : place} ${maxSeconds} ${SOUND_LEVEL} ${silenceSeconds}`;
    const recorded = await this.#sound(file, async () => {
      let sound: RecordedSound | undefined;
      await this.#execute('record', args, (event) => {
        const lengthMs = Number(event.getHeader('variable_record_ms') ?? NaN);
        sound = Number.isNaN(lengthMs)
          ? undefined
          : { lengthMs, endedBySilence: event.getHeader('variable_silence_hits_exhausted') === 'true' };
      });
      return sound;
    });
    if (!this.#gone && !this.#closed) {
      await this.setVariable('playback_terminators', 'none');
    }
    return recorded;
  }

  /** Ends what plays. */
  stopSound(): void {
    this.#break();
    this.#current = undefined;
  }

  /** The channel is being joined with another or taken off: what was started before plays no more. */
  soundGone(): void {
    this.#current = undefined;
  }

  /**
   * One sound at a time: what plays is broken off and has ended before the next one starts, since a playback that starts inside
   * another would leave that one to go on afterwards.
   */
  async #sound<T>(
    name: string,
    run: (current: Sound) => Promise<T | undefined>,
    music?: string,
  ): Promise<T | undefined> {
    const before = this.#current;
    const current: Sound = { music, ended: Promise.resolve() };
    this.#current = current;
    const started = (async (): Promise<T | undefined> => {
      if (before) {
        this.#break();
        await Promise.race([before.ended, new Promise((resolve) => setTimeout(resolve, BREAK_WAIT_MS))]);
      }
      return this.#current === current && !this.#gone ? await run(current) : undefined;
    })();
    current.ended = started.then(
      () => undefined,
      (error: unknown) => {
        this.#log.warn({ event: 'sound_failed', sound: name, reason: describeError(error) });
      },
    );
    const result = await started;
    if (this.#current === current) {
      this.#current = undefined;
    }
    return result;
  }

  #break(): void {
    if (this.#gone || this.#playing === 0) {
      return;
    }
    this.#link.api(`uuid_break ${this.channel}`).catch((error: unknown) => {
      this.#log.warn({ event: 'sound_not_stopped', reason: describeError(error) });
    });
  }

  /** Resolves to FreeSWITCH's word on it, or to undefined when the channel went away. */
  #execute(app: string, args: string, onEvent?: (event: EslEvent) => void): Promise<string | undefined> {
    return new Promise((resolve) => {
      if (this.#gone) {
        resolve(undefined);
        return;
      }
      this.#playing++;
      const over = (response: string | undefined): void => {
        if (this.#onGone.delete(gone)) {
          this.#playing--;
          resolve(response);
        }
      };
      const gone = (): void => {
        over(undefined);
      };
      this.#onGone.add(gone);
      this.#endpoint.execute(app, args, (error, event) => {
        if (!error) {
          onEvent?.(event);
        }
        over(error ? describeError(error) : event.getHeader('Application-Response'));
      });
    });
  }

  setVariable(name: string, value: string): Promise<string> {
    return this.#link.command(`uuid_setvar ${this.channel} ${name} ${value}`);
  }

  /** Sends a re-INVITE with the caller's new offer and gives FreeSWITCH's answer. @throws SK_MEDIA_OFFER_REFUSED */
  renegotiate(offer: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#endpoint.dialog.request(
        { method: 'INVITE', headers: { 'Content-Type': 'application/sdp' }, body: offer },
        (error, response) => {
          if (error || response.status !== 200) {
            const refusal = new SidekickError('SK_MEDIA_OFFER_REFUSED', 'the media server refused the new offer', {
              why: error ? describeError(error) : `status ${response.status}`,
            });
            reject(error ? refusal : Object.assign(refusal, { status: response.status }));
            return;
          }
          resolve(response.body);
        },
      );
    });
  }

  /** Ends the channel; nothing is waited for. */
  close(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    if (!this.#gone) {
      this.#link.killSoon(this.channel);
    }
  }

  #goneNow(): void {
    if (this.#gone) {
      return;
    }
    this.#gone = true;
    this.#link.endpointGone();
    for (const resolve of [...this.#onGone]) {
      resolve();
    }
    if (!this.#closed) {
      this.#onLost?.();
    }
  }
}

/** The first payload type of the audio line decides. */
export function codecOf(sdp: string): Codec {
  const payload = /^m=audio \d+ \S+ (\d+)/m.exec(sdp)?.[1];
  return payload === '0' ? 'PCMU' : 'PCMA';
}
