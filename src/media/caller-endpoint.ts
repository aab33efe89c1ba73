import type { Codec } from '../calls/ports';
import { describeError, SidekickError } from '../lib/errors';
import type { Log } from '../lib/log';
import type { FsmrfEndpoint } from './fsmrf';
import type { MediaServerLink } from './media-server-link';

/** A soft tone every few seconds, made by the media server itself. */
const FALLBACK_MUSIC = 'tone_stream://%(400,4600,425);loops=-1';

/** The caller's channel on FreeSWITCH: prompts, music, renegotiation, end. `close()` is idempotent. */
export class CallerEndpoint {
  readonly #link: MediaServerLink;
  readonly #endpoint: FsmrfEndpoint;
  readonly #log: Log;
  #closed = false;
  #gone = false;
  #onLost: (() => void) | undefined;
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

  /** Plays to the end. Resolves when played, when the channel goes away, and when the file cannot be played (logged). */
  async play(uri: string): Promise<void> {
    const response = await this.#playback(uri);
    if (response === 'FILE NOT FOUND' || response === 'PLAYBACK ERROR') {
      this.#log.error({ event: 'prompt_not_played', uri, reason: response });
    }
  }

  /**
   * Starts endless music and returns at once. Music that the server does not have is replaced by a soft tone, so that nobody
   * waits in silence. (Music that a bridge interrupts ends as an error of another kind, which is as it should be.)
   */
  startMusic(uri: string): void {
    void this.#playback(uri).then((response) => {
      if (response === 'FILE NOT FOUND' && !this.#gone && uri !== FALLBACK_MUSIC) {
        this.#log.error({ event: 'music_missing', uri });
        this.startMusic(FALLBACK_MUSIC);
      }
    });
  }

  /** Resolves to FreeSWITCH's word on it, or to undefined when the channel went away. */
  #playback(uri: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      if (this.#gone) {
        resolve(undefined);
        return;
      }
      const gone = (): void => {
        resolve(undefined);
      };
      this.#onGone.add(gone);
      this.#endpoint.execute('playback', uri, (error, event) => {
        this.#onGone.delete(gone);
        resolve(error ? describeError(error) : event.getHeader('Application-Response'));
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
            reject(
              new SidekickError('SK_MEDIA_OFFER_REFUSED', 'the media server refused the new offer', {
                why: error ? describeError(error) : `status ${response.status}`,
              }),
            );
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
      this.#link.kill(this.channel);
    }
  }

  #goneNow(): void {
    if (this.#gone) {
      return;
    }
    this.#gone = true;
    this.#link.endpointGone();
    for (const resolve of this.#onGone) {
      resolve();
    }
    this.#onGone.clear();
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
