/** One dialog that the server keeps for an application, and the table of all of them. */
import type { AnswerKeeper } from '../sip/answer-keeper';
import type { Dialog } from '../sip/dialog';
import type { SipMessage } from '../sip/message';
import type { SessionTimer } from '../sip/session-timer';
import type { Peer } from '../sip/types';
import type { AdminClient } from './admin-client';
import type { ReliableProvisional } from './reliable-provisional';

/** A 2xx to an INVITE of ours, waiting for the application's ACK. */
export interface Answered {
  readonly response: SipMessage;
  /** The INVITE was cancelled before: ACK, then BYE. */
  readonly cancelled: boolean;
}

export interface ServerDialog {
  /** `<Call-ID>;from-tag=<tag of the INVITE's sender>`. */
  readonly id: string;
  readonly role: 'uac' | 'uas';
  /** INVITE or SUBSCRIBE. */
  readonly method: string;
  sip: Dialog;
  state: 'early' | 'confirmed' | 'ended';
  owner: AdminClient;
  readonly timer: SessionTimer;
  /** SDP sent last, for refreshes. */
  localSdp: string | undefined;
  /** UAC: where the application wants it sent until the 2xx has shown the way. */
  route: Peer | undefined;
  /** UAS: transaction id of the INVITE, which its ACK carries. */
  inviteTransactionId: string;
  keeper: AnswerKeeper | undefined;
  /** Incoming INVITE that the application has not answered. */
  pendingInvite: boolean;
  readonly unacked: Answered[];
  /** ACKs sent, by CSeq and tag of their 2xx. */
  readonly acks: Map<string, () => void>;
  /** UAS: the provisional that waits for its PRACK. */
  reliable: ReliableProvisional | undefined;
}

export function dialogIdOf(callId: string, fromTag: string): string {
  return `${callId};from-tag=${fromTag}`;
}

export class DialogTable {
  readonly #byId = new Map<string, ServerDialog>();
  readonly #byTag = new Map<string, ServerDialog>();

  get size(): number {
    return this.#byId.size;
  }

  add(dialog: ServerDialog): void {
    this.#byId.set(dialog.id, dialog);
    this.#byTag.set(tagKey(dialog.sip.callId, dialog.sip.localTag), dialog);
  }

  get(id: string): ServerDialog | undefined {
    return this.#byId.get(id);
  }

  /** The dialog of a request from the network: Call-ID and both tags (RFC 3261 12.2.2). */
  find(request: SipMessage): ServerDialog | undefined {
    const dialog = this.#byTag.get(tagKey(request.callId, request.toTag));
    return dialog?.sip.remoteTag === request.fromTag ? dialog : undefined;
  }

  /** Idempotent. */
  remove(dialog: ServerDialog): void {
    dialog.state = 'ended';
    dialog.timer.stop();
    dialog.keeper?.close();
    dialog.keeper = undefined;
    dialog.acks.clear();
    dialog.unacked.length = 0;
    dialog.reliable?.close();
    dialog.reliable = undefined;
    if (this.#byId.get(dialog.id) === dialog) {
      this.#byId.delete(dialog.id);
      this.#byTag.delete(tagKey(dialog.sip.callId, dialog.sip.localTag));
    }
  }

  all(): ServerDialog[] {
    return [...this.#byId.values()];
  }
}

function tagKey(callId: string, tag: string | undefined): string {
  return `${callId};${tag ?? ''}`;
}
