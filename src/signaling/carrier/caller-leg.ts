import type { CallerCause, CallerHandles, CallerLeg, RecordedSound, RecordRequest } from '../../calls/ports';
import { describeError, SidekickError } from '../../lib/errors';
import type { Log } from '../../lib/log';
import { CallerEndpoint } from '../../media/caller-endpoint';
import type { MediaPool } from '../../media/media-pool';
import { endDialog } from '../end-dialog';
import { relayReinvites } from '../reinvite';
import type { Reinvites } from '../reinvite';
import { isSipError } from '../srf';
import type { SipDialog, SipMessage, SipRequest, SipResponse, Srf } from '../srf';

export interface CallerLegOptions {
  readonly srf: Srf;
  readonly pool: MediaPool;
  readonly request: SipRequest;
  readonly response: SipResponse;
  /** Headers of the 200: session timer, Allow. */
  readonly answerHeaders: Readonly<Record<string, string>>;
  /** Headers of the INVITE to FreeSWITCH: which node owns the channel. */
  readonly mediaHeaders: Readonly<Record<string, string>>;
  readonly mediaTimeoutMs: number;
  readonly log: Log;
}

/** The caller's leg of a carrier call: the carrier's dialog and the FreeSWITCH endpoint behind it. */
export class CarrierCallerLeg implements CallerLeg {
  readonly #o: CallerLegOptions;
  #endpoint: CallerEndpoint | undefined;
  #dialog: SipDialog | undefined;
  #reinvites: Reinvites | undefined;
  #left: CallerCause | undefined;
  #hangUp: { readonly sip: number; readonly q850: number } | undefined;
  #answering = false;
  #closed = false;
  #onLeft: ((cause: CallerCause) => void) | undefined;
  #onMediaLost: (() => void) | undefined;
  #onKey: ((key: string) => void) | undefined;

  /** To be made at once when the INVITE arrives, so that no CANCEL is missed. */
  constructor(options: CallerLegOptions) {
    this.#o = options;
    options.request.on('cancel', () => {
      this.#callerLeft('cancelled');
    });
  }

  /** True once the caller hung up or cancelled. */
  get gone(): boolean {
    return this.#left !== undefined;
  }

  onLeft(handler: (cause: CallerCause) => void): void {
    this.#onLeft = handler;
    if (this.#left) {
      handler(this.#left);
    }
  }

  onMediaLost(handler: () => void): void {
    this.#onMediaLost = handler;
  }

  async prepare(): Promise<CallerHandles> {
    const offer = this.#o.request.body;
    const endpoint = await CallerEndpoint.create(this.#o.pool.pick(), offer, this.#o.mediaHeaders, this.#o.log);
    this.#endpoint = endpoint;
    if (this.#closed) {
      endpoint.close();
      throw new SidekickError('SK_LEG_GONE', 'the caller left before the media was ready');
    }
    endpoint.onKey((key) => {
      this.#onKey?.(key);
    });
    endpoint.onLost(() => {
      if (!this.#left && !this.#closed) {
        this.#onMediaLost?.();
      }
    });
    return {
      mediaServer: endpoint.server,
      mediaChannel: endpoint.channel,
      mediaDialog: endpoint.dialogId,
      carrierDialog: `${this.#o.request.get('Call-ID') ?? ''};from-tag=${fromTag(this.#o.request)}`,
      sdpToCarrier: endpoint.answerSdp,
      sdpFromCarrier: offer,
      codec: endpoint.codec,
    };
  }

  answer(): Promise<void> {
    const endpoint = this.#endpoint;
    if (this.#left || !endpoint || this.#closed) {
      return Promise.reject(new SidekickError('SK_LEG_GONE', 'the caller left before the answer'));
    }
    this.#answering = true;
    return new Promise((resolve, reject) => {
      this.#o.srf.createUAS(
        this.#o.request,
        this.#o.response,
        { localSdp: endpoint.answerSdp, headers: { ...this.#o.answerHeaders } },
        (error, dialog) => {
          this.#answering = false;
          if (error) {
            reject(answerError(error));
            return;
          }
          this.#adoptDialog(dialog, endpoint);
          resolve();
        },
      );
    });
  }

  #adoptDialog(dialog: SipDialog, endpoint: CallerEndpoint): void {
    this.#dialog = dialog;
    dialog.on('destroy', (message: SipMessage | undefined, reason?: string) => {
      const text = `${message?.get('Reason') ?? ''} ${reason ?? ''}`;
      this.#callerLeft(/ACK timeout/i.test(text) ? 'no-ack' : 'hung-up');
    });
    if (!dialog.connected) {
      this.#callerLeft('hung-up');
      return;
    }
    if (this.#hangUp) {
      this.#bye(this.#hangUp.q850);
      return;
    }
    this.#reinvites = relayReinvites(dialog, endpoint, { mediaTimeoutMs: this.#o.mediaTimeoutMs, log: this.#o.log });
  }

  play(uri: string): Promise<boolean> {
    return this.#endpoint?.play(uri) ?? Promise.resolve(true);
  }

  startMusic(uri: string): void {
    this.#endpoint?.startMusic(uri);
  }

  askForKey(uri: string, timeoutMs: number): Promise<string | undefined> {
    return this.#endpoint?.askForKey(uri, timeoutMs) ?? Promise.resolve(undefined);
  }

  async record(request: RecordRequest): Promise<RecordedSound | undefined> {
    return await this.#endpoint?.record(request);
  }

  stopSound(): void {
    this.#endpoint?.stopSound();
  }

  steady<T>(work: () => Promise<T>): Promise<T> {
    return this.#reinvites?.between(work) ?? work();
  }

  soundGone(): void {
    this.#endpoint?.soundGone();
  }

  onKey(handler: (key: string) => void): void {
    this.#onKey = handler;
  }

  hangUp(sip: number, q850: number): void {
    if (this.#left || this.#hangUp) {
      return;
    }
    this.#hangUp = { sip, q850 };
    if (this.#dialog) {
      this.#bye(q850);
    } else if (!this.#answering) {
      this.#reject(sip, q850);
    }
  }

  close(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.#endpoint?.close();
  }

  #bye(q850: number): void {
    const dialog = this.#dialog;
    this.#dialog = undefined;
    if (!dialog) {
      return;
    }
    endDialog(this.#o.srf, dialog, { Reason: `Q.850;cause=${q850}` }, (error) => {
      if (error) {
        // Their BYE crossed ours: the dialog is over either way.
        this.#o.log.debug({ event: 'caller_bye_late', reason: describeError(error) });
      }
    });
  }

  #reject(sip: number, q850: number): void {
    if (this.#o.response.finalResponseSent) {
      return;
    }
    const headers: Record<string, string> = { Reason: `Q.850;cause=${q850}` };
    if (sip === 503) {
      headers['Retry-After'] = '5';
    }
    this.#o.response.send(sip, { headers }, (error) => {
      if (error) {
        this.#o.log.debug({ event: 'caller_reject_late', reason: describeError(error) });
      }
    });
  }

  #callerLeft(cause: CallerCause): void {
    if (this.#left) {
      return;
    }
    this.#left = cause;
    this.#dialog = undefined;
    this.#onLeft?.(cause);
  }
}

function answerError(error: unknown): SidekickError {
  return isSipError(error) && error.status === 487
    ? new SidekickError('SK_LEG_GONE', 'the caller cancelled before the answer', { cause: error })
    : new SidekickError('SK_INTERNAL', 'the 200 could not be sent', { why: describeError(error), cause: error });
}

function fromTag(request: SipRequest): string {
  return /;\s*tag=([^;\s>]+)/i.exec(request.get('From') ?? '')?.[1] ?? '';
}
