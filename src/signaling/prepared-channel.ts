import type { MediaServerLink } from '../media/media-server-link';
import type { SipRequest, SipResponse } from './srf';

/** FreeSWITCH's INVITE for a leg. */
export interface MediaInvite {
  readonly request: SipRequest;
  readonly response: SipResponse;
}

/** Nobody has wanted the channel for so long: whoever was to is gone, milliseconds. */
const UNWANTED_AFTER_MS = 3_000;

/**
 * A channel that FreeSWITCH begins while the offer that it is for is still being written down. FreeSWITCH needs as long for its INVITE
 * as Postgres for the offer, so that one is there when the other is. Nobody is called before the offer stands: the INVITE is held
 * until then, and refused if the offer comes to nothing.
 */
export class PreparedChannel {
  /** Of the `originate` that was sent. */
  readonly arguments: string;
  /** FreeSWITCH's answer to it. */
  readonly reply: Promise<string>;
  readonly #media: MediaServerLink;
  readonly #channel: string;
  readonly #unwanted: NodeJS.Timeout;
  #invite: MediaInvite | undefined;

  /** @throws SK_MEDIA_FAILED where the media server is not connected */
  constructor(media: MediaServerLink, channel: string, originate: string, onUnwanted: () => void) {
    this.arguments = originate;
    this.#media = media;
    this.#channel = channel;
    this.reply = media.originate(originate);
    this.reply.catch(() => undefined); // whoever takes the channel over sees it
    this.#unwanted = setTimeout(onUnwanted, UNWANTED_AFTER_MS);
    this.#unwanted.unref();
  }

  hold(invite: MediaInvite): void {
    this.#invite = invite;
    invite.request.on('cancel', () => {
      this.#invite = undefined;
    });
  }

  /** The offer stands. The INVITE, if it is here already. */
  adopt(): MediaInvite | undefined {
    clearTimeout(this.#unwanted);
    const invite = this.#invite;
    this.#invite = undefined;
    return invite;
  }

  /** Ends the channel; resolves when it is gone, so that another may have its id. */
  async abandon(): Promise<void> {
    const invite = this.adopt();
    invite?.response.send(487);
    this.#media.kill(this.#channel, 'ORIGINATOR_CANCEL');
    await this.reply.catch(() => undefined); // gone with its server
  }
}
