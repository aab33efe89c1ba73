/**
 * Offer and answer of one leg, the way FreeSWITCH does it: one codec, its own session version, and its rule for SDES keys
 * (wire reference 4.2, 8.1.2, 8.1.4, 8.4). Knows no sockets.
 */
import { SidekickError } from '../../../lib/errors';
import { isG711 } from '../../rtp/g711';
import type { G711Name } from '../../rtp/g711';
import { answerDirection, formatAudio, parseAudio } from '../../rtp/sdp';
import type { AudioDescription, Direction, RtpProfile } from '../../rtp/sdp';
import { newSdesKey, sameSdesKey } from '../../rtp/srtp';
import type { SdesCrypto } from '../../rtp/srtp';

/** FreeSWITCH numbers its crypto lines by suite; AES_CM_128_HMAC_SHA1_80 is the seventh. */
const OFFERED_TAG = 7;
const DEFAULT_EVENT_TYPE = 101;

export interface NegotiatedMedia {
  readonly codec: G711Name;
  readonly payloadType: number;
  readonly telephoneEvent: number | undefined;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** What we may do: the direction seen from our side. */
  readonly direction: Direction;
  /** The peer put us on hold: it sends only, or nothing, or gave 0.0.0.0 as its address. */
  readonly held: boolean;
  /** Held by direction, the kind for which the other leg gets music. */
  readonly heldByDirection: boolean;
  readonly localKey: SdesCrypto | undefined;
  readonly remoteKey: SdesCrypto | undefined;
}

export interface NegotiationOptions {
  readonly address: string;
  readonly port: number;
  /** Codecs in order of our preference. */
  readonly codecs: readonly G711Name[];
}

export interface OfferOptions {
  readonly profile: RtpProfile;
  readonly codecs: readonly G711Name[];
  /** Leaves comfort noise (13) out of the list. */
  readonly suppressCn: boolean;
  readonly direction?: Direction;
}

function refuse(what: string, why: string, next: string): SidekickError {
  return new SidekickError('SK_MEDIA_OFFER_REFUSED', what, { why, next });
}

export class Negotiation {
  readonly #options: NegotiationOptions;
  readonly #sessionId = String(Math.floor(Date.now() / 1000) - Math.floor(Math.random() * 30_000));
  #version: number;
  #lastBody = '';
  #offer: OfferOptions | undefined;
  #localKey: SdesCrypto | undefined;
  #remoteKey: SdesCrypto | undefined;
  #current: NegotiatedMedia | undefined;
  #remote: AudioDescription | undefined;
  /** Last SDP of each side, as text. */
  localSdp = '';
  remoteSdp = '';

  constructor(options: NegotiationOptions) {
    this.#options = options;
    this.#version = Number(this.#sessionId) + 1;
  }

  get current(): NegotiatedMedia | undefined {
    return this.#current;
  }

  /**
   * Answers an offer: the first of our codecs that the peer offers, the peer's payload type for keys, one crypto line for
   * RTP/SAVP. Throws SK_MEDIA_OFFER_REFUSED (488) and changes nothing when it cannot be answered.
   */
  answer(offer: string): string {
    const remote = parseAudio(offer);
    const first = this.#current === undefined;
    const codec = this.#chooseCodec(remote);
    const remoteKey = remote.profile === 'RTP/SAVP' ? remote.crypto[0] : undefined;
    if (remote.profile === 'RTP/SAVP' && remoteKey === undefined) {
      throw refuse(
        'SRTP offer has no key we can use',
        `it has ${remote.otherSuites?.join(', ') || 'no a=crypto line'}`,
        'offer AES_CM_128_HMAC_SHA1_80',
      );
    }
    this.#takeRemoteKey(remoteKey);
    const direction = remote.connectionHold ? remote.direction : answerDirection(remote.direction);
    this.#settle(offer, remote, codec, direction);
    this.localSdp = this.#write({
      ...remote,
      codecs: [codec],
      direction,
      crypto:
        this.#localKey === undefined || remoteKey === undefined ? [] : [{ ...this.#localKey, tag: remoteKey.tag }],
      writeDirection: first || direction !== 'sendrecv',
    });
    return this.localSdp;
  }

  /** Makes an offer; the keys of an earlier one are kept. */
  makeOffer(options: OfferOptions): string {
    this.#offer = options;
    const secure = options.profile === 'RTP/SAVP';
    if (secure) {
      this.#localKey ??= newSdesKey(OFFERED_TAG);
    }
    const codecs = options.codecs.map((name) => ({ name, payloadType: name === 'PCMA' ? 8 : 0, rate: 8000 }));
    this.localSdp = this.#write({
      address: this.#options.address,
      port: this.#options.port,
      profile: options.profile,
      codecs: options.suppressCn ? codecs : [...codecs, { name: 'CN', payloadType: 13, rate: 8000 }],
      telephoneEvent: DEFAULT_EVENT_TYPE,
      direction: options.direction ?? 'sendrecv',
      crypto: secure && this.#localKey !== undefined ? [{ ...this.#localKey, tag: OFFERED_TAG }] : [],
      writeDirection: options.direction !== undefined,
      connectionHold: false,
    });
    return this.localSdp;
  }

  /** Takes the answer to our last offer. Throws SK_MEDIA_OFFER_REFUSED when it does not fit the offer. */
  takeAnswer(answer: string): NegotiatedMedia {
    const remote = parseAudio(answer);
    const offer = this.#offer;
    if (offer === undefined) {
      throw refuse('an answer came without an offer', 'nothing was offered on this leg', 'send an offer instead');
    }
    if (remote.profile !== offer.profile) {
      throw refuse(
        'the answer changes the profile',
        `offered ${offer.profile}, answered ${remote.profile}`,
        'answer with the profile offered',
      );
    }
    const remoteKey = offer.profile === 'RTP/SAVP' ? remote.crypto[0] : undefined;
    if (offer.profile === 'RTP/SAVP' && remoteKey === undefined) {
      throw refuse(
        'the answer has no key we can use',
        `it has ${remote.otherSuites?.join(', ') || 'no a=crypto line'}`,
        'answer the suite offered',
      );
    }
    const codec = remote.codecs.find((c) => isG711(c.name) && offer.codecs.includes(c.name));
    if (codec === undefined) {
      throw refuse(
        'the answer has no codec that was offered',
        remote.codecs.map((c) => c.name).join(', '),
        `answer ${offer.codecs.join(' or ')}`,
      );
    }
    this.#remoteKey = remoteKey;
    return this.#settle(answer, remote, codec, answerDirection(remote.direction, offer.direction ?? 'sendrecv'));
  }

  /** True while an offer of ours waits for its answer in an ACK or a response. */
  get offered(): boolean {
    return this.#offer !== undefined && this.#current === undefined;
  }

  #chooseCodec(remote: AudioDescription): AudioDescription['codecs'][number] {
    for (const wanted of this.#options.codecs) {
      const found = remote.codecs.find((c) => c.name === wanted && c.rate === 8000);
      if (found !== undefined) {
        return found;
      }
    }
    throw refuse(
      'no codec in common',
      `offered ${remote.codecs.map((c) => c.name).join(', ') || 'none'}`,
      `offer ${this.#options.codecs.join(' or ')}`,
    );
  }

  /** FreeSWITCH's rule: the same key again keeps ours, another one makes a new one of ours. */
  #takeRemoteKey(remoteKey: SdesCrypto | undefined): void {
    if (remoteKey === undefined) {
      this.#localKey = undefined;
    } else if (this.#localKey === undefined || !sameSdesKey(remoteKey, this.#remoteKey)) {
      this.#localKey = newSdesKey(remoteKey.tag);
    }
    this.#remoteKey = remoteKey;
  }

  #settle(
    text: string,
    remote: AudioDescription,
    codec: AudioDescription['codecs'][number],
    direction: Direction,
  ): NegotiatedMedia {
    this.remoteSdp = text;
    this.#remote = remote;
    const heldByDirection = remote.direction === 'sendonly' || remote.direction === 'inactive';
    this.#current = {
      codec: codec.name === 'PCMU' ? 'PCMU' : 'PCMA',
      payloadType: codec.payloadType,
      telephoneEvent: remote.telephoneEvent,
      remoteAddress: remote.address,
      remotePort: remote.port,
      direction,
      held: heldByDirection || remote.connectionHold,
      heldByDirection,
      localKey: this.#localKey,
      remoteKey: this.#remoteKey,
    };
    return this.#current;
  }

  get localAddress(): string {
    return this.#options.address;
  }

  get remote(): AudioDescription | undefined {
    return this.#remote;
  }

  #write(audio: AudioDescription): string {
    const { address, port } = this.#options;
    const body = (version: number): string =>
      formatAudio({
        ...audio,
        address,
        port,
        ptime: 20,
        connectionHold: false,
        origin: { username: 'FreeSWITCH', sessionId: this.#sessionId, version, address },
        sessionName: 'FreeSWITCH',
      });
    // The version counts changes (RFC 3264 8): the same description again keeps it.
    const unchanged = body(0) === this.#lastBody;
    this.#lastBody = body(0);
    if (!unchanged && this.localSdp !== '') {
      this.#version++;
    }
    return body(this.#version);
  }
}
