/** Requests that the server sends in a dialog by its own will: BYE where a call cannot go on, re-INVITE to refresh the session. */
import type { Dialog } from '../sip/dialog';
import { parseSessionExpires, type SessionExpires } from '../sip/header-values';
import type { SipMessage } from '../sip/message';
import { SessionTimer } from '../sip/session-timer';
import type { ServerContext } from './server-context';
import { metaOf } from './meta';
import type { ServerDialog } from './server-dialog';
import { orderForWire } from './wire-order';

export type OwnByeReason =
  'ACK timeout' | 'Session timer expired' | 'ACK-BYE due to cancel race condition' | 'CANCEL after 200 OK';

export class OwnRequests {
  readonly #context: ServerContext;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  /** Ends the dialog with a BYE and tells its application (`unsolicited`). */
  bye(dialog: ServerDialog, reason: OwnByeReason): void {
    if (dialog.state === 'ended') {
      return;
    }
    this.#context.counters.ownByes++;
    const bye = dialog.sip.request('BYE').set('Reason', `SIP;cause=200;text="${reason}"`);
    this.#context.dialogs.remove(dialog);
    const target = this.#hop(dialog.sip);
    this.#context.stack.send(orderForWire(bye), target).onResponse(() => undefined);
    dialog.owner.sip(metaOf('application', bye, target), 'unsolicited', dialog.id, '|', bye);
  }

  /** ACK and BYE for a 2xx that nobody wants any more. */
  refuseAnswer(dialog: Dialog, response: SipMessage): void {
    const target = this.#hop(dialog);
    this.#context.stack.sendStateless(orderForWire(dialog.request('ACK', response.cseq.number)), target);
    this.#context.stack.send(orderForWire(dialog.request('BYE')), target).onResponse(() => undefined);
  }

  /** The session timer of a dialog; it needs `dialog` only when it fires. */
  timerFor(dialog: () => ServerDialog): SessionTimer {
    return new SessionTimer(
      {
        refresh: () => {
          this.#refresh(dialog());
        },
        expired: () => {
          this.bye(dialog(), 'Session timer expired');
        },
      },
      false,
    );
  }

  /** Starts the timer that a 2xx agreed on. The interval counts at least the minimum, whatever the header says. */
  startTimer(dialog: ServerDialog, agreed: SessionExpires | undefined, weAreUac: boolean): void {
    if (agreed !== undefined && dialog.state !== 'ended') {
      const weRefresh = (agreed.refresher ?? 'uac') === (weAreUac ? 'uac' : 'uas');
      dialog.timer.start(Math.max(agreed.seconds, this.#context.minSessionExpires), weRefresh);
    }
  }

  /** re-INVITE with the SDP sent last; the application is not told. */
  #refresh(dialog: ServerDialog): void {
    const seconds = dialog.timer.seconds;
    const invite = dialog.sip
      .request('INVITE')
      .set('Session-Expires', `${seconds};refresher=uac`)
      .set('Min-SE', this.#context.minSessionExpires);
    if (dialog.localSdp !== undefined) {
      invite.set('Content-Type', 'application/sdp');
      invite.body = dialog.localSdp;
    }
    const transaction = this.#context.stack.send(orderForWire(invite), this.#hop(dialog.sip));
    let ackAgain: (() => void) | undefined;
    transaction.onResponse((response) => {
      if (response.status < 200 || (response.status < 300 && ackAgain !== undefined)) {
        ackAgain?.();
        return;
      }
      if (response.status < 300) {
        const ack = orderForWire(dialog.sip.request('ACK', response.cseq.number));
        ackAgain = this.#context.stack.sendStateless(ack, this.#hop(dialog.sip));
        dialog.sip.refreshTarget(response);
        const agreed = parseSessionExpires(response.get('session-expires'));
        this.startTimer(dialog, agreed ?? { seconds, refresher: 'uac' }, true);
      } else if (dialog.state === 'ended') {
        return;
      } else if (response.status === 491 || response.status === 500) {
        dialog.timer.retry(2100 + Math.random() * 1900);
      } else {
        this.bye(dialog, 'Session timer expired');
      }
    });
  }

  #hop(dialog: Dialog): ReturnType<Dialog['nextHop']> {
    return dialog.nextHop((peer) => this.#context.stack.hasFlow(peer));
  }
}
