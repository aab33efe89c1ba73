import { describeError } from '../lib/errors';
import type { Log } from '../lib/log';
import { MIN_SESSION_SECONDS } from './carrier/session-timer';
import { isTooLong, MAX_SDP_BYTES } from './sdp-limit';
import { isSipError } from './srf';
import type { SipDialog, SipRequest, SipResponse } from './srf';

/** `media_timeout` while a peer is on hold and sends nothing, milliseconds: an hour, so that no held call is cut off. */
const HELD_MEDIA_TIMEOUT_MS = 3_600_000;

export interface ReinviteTarget {
  /** Sends the peer's offer to the media server and gives its answer. @throws SipError when the media server refuses it. */
  renegotiate(offer: string): Promise<string>;
  setVariable(name: string, value: string): Promise<unknown>;
}

/** True if the offer asks us to stop sending or says that the peer will send nothing. */
export function isHoldOffer(sdp: string): boolean {
  return /^a=(inactive|sendonly)\s*$/m.test(sdp) || /^c=IN IP4 0\.0\.0\.0\s*$/m.test(sdp);
}

export interface Reinvites {
  /** Runs this when no re-INVITE is being answered; those that come meanwhile wait for it. */
  between<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * Answers the peer's re-INVITEs (hold, unhold, session refresh) with what the media server says to them, one at a time. The
 * media server's answer is passed on unchanged: it carries the key and direction that the media server really uses. Before a
 * hold the silence limit of the channel is raised, before an unhold it is set back; the media server reads it at the
 * renegotiation (its own limit for holds has no effect on a re-INVITE).
 */
export function relayReinvites(
  dialog: SipDialog,
  target: ReinviteTarget,
  options: {
    readonly mediaTimeoutMs: number;
    readonly contact?: string;
    /** Teams looks at Allow of every message for whether REFER may be sent. */
    readonly allow?: string;
    readonly log: Log;
  },
): Reinvites {
  let chain: Promise<unknown> = Promise.resolve();
  let held = false;
  dialog.on('modify', (request: SipRequest, response: SipResponse) => {
    chain = chain.then(() => answer(request, response));
  });
  return {
    between: (work) => {
      const done = chain.then(work);
      chain = done.catch(() => undefined); // told to whoever asked for it
      return done;
    },
  };

  async function answer(request: SipRequest, response: SipResponse): Promise<void> {
    const headers: Record<string, string> = {
      ...(options.contact === undefined ? {} : { Contact: options.contact }),
      ...(options.allow === undefined ? {} : { Allow: options.allow }),
      ...refreshHeaders(request.get('Session-Expires')),
    };
    if (!request.body) {
      response.send(200, { headers, body: dialog.local.sdp });
      return;
    }
    if (isTooLong(request.body)) {
      response.send(488, {
        headers: { Warning: `399 sidekick "the SDP offer is longer than ${MAX_SDP_BYTES} bytes"` },
      });
      return;
    }
    const hold = isHoldOffer(request.body);
    try {
      if (hold !== held) {
        await target.setVariable('media_timeout', String(hold ? HELD_MEDIA_TIMEOUT_MS : options.mediaTimeoutMs));
      }
      const body = await target.renegotiate(request.body);
      response.send(200, { headers, body });
      held = hold;
    } catch (error) {
      options.log.warn({ event: 'reinvite_refused', reason: describeError(error) });
      // 491 is no refusal: the media server is changing the session itself, and the peer tries again soon (RFC 3261 14.1, 14.2).
      response.send(isSipError(error) && error.status === 491 ? 491 : 488);
    }
  }
}

/**
 * Headers of the 200 that refreshes a session (RFC 4028 9): without Session-Expires the peer takes the timer for switched off.
 * Who refreshes stays as the peer asks; where it says nothing it is the peer, who has just done it.
 */
export function refreshHeaders(sessionExpires: string | undefined): Record<string, string> {
  const asked = /^\s*(\d+)\s*(?:;(.*))?$/.exec(sessionExpires ?? '');
  if (!asked) {
    return {};
  }
  const seconds = Math.max(MIN_SESSION_SECONDS, Number(asked[1]));
  const weRefresh = /refresher\s*=\s*uas/i.test(asked[2] ?? '');
  return {
    'Session-Expires': `${seconds};refresher=${weRefresh ? 'uas' : 'uac'}`,
    Supported: 'timer',
    ...(weRefresh ? {} : { Require: 'timer' }),
  };
}
