import { newToken } from '../../lib/ids';
import type { SipMessage } from '../sip/message';
import type { Broken } from './rules';
import type { TeamsUser } from './users';

/** How a transfer that an agent asked for went on, as Teams sees it. */
export interface TransferView {
  /** Refer-To, as it was sent. */
  readonly to: string;
  /** Answer to the REFER; 0 = none yet. */
  readonly status: number;
  /** SIP status in each NOTIFY, in order. */
  readonly notified: readonly number[];
  /** True once the new INVITE of the trunk has come. */
  readonly invited: boolean;
}

interface Pending {
  readonly uri: string;
  readonly referredBy: string;
  readonly target: TeamsUser | undefined;
  status: number;
  readonly notified: number[];
  invited: boolean;
}

/** The REFERs that were sent, and the INVITEs that they must lead to (1.8). */
export class TransferBook {
  readonly #pending: Pending[] = [];
  readonly #tenantId: string;

  constructor(tenantId: string) {
    this.#tenantId = tenantId;
  }

  /** Headers of a REFER from `by` to a user or a number. A user is named by his id alone, without a user part (1.8). */
  begin(
    by: TeamsUser,
    to: string,
    target: TeamsUser | undefined,
  ): { headers: Record<string, string>; pending: Transfer } {
    const user = to.startsWith('+') ? `${to}@` : '';
    const id = target?.entraUserId ?? by.entraUserId;
    const proxy = 'sip.pstnhub.microsoft.com:5061;transport=tls';
    const pending: Pending = {
      uri: `sip:${user}${proxy};x-m=8:orgid:${id};x-t=${this.#tenantId}`,
      referredBy: `<sip:${by.number}@${proxy};x-m=8:orgid:${by.entraUserId};x-t=${this.#tenantId};x-ti=${newToken(12)};x-tt=c2lwJTNB>`,
      target,
      status: 0,
      notified: [],
      invited: false,
    };
    this.#pending.push(pending);
    if (this.#pending.length > 200) {
      this.#pending.shift();
    }

    return {
      headers: { 'Refer-To': `<${pending.uri}>`, 'Referred-By': pending.referredBy },
      pending: new Transfer(pending),
    };
  }

  /** The transfer that an INVITE carries out: by its URI, or by the Referred-By that only one transfer has. */
  of(invite: SipMessage): { readonly target: TeamsUser | undefined; readonly refused: Broken | undefined } | undefined {
    const referredBy = invite.get('referred-by');
    const exact = this.#pending.find((p) => !p.invited && p.uri === invite.uri);
    const found =
      exact ?? this.#pending.find((p) => !p.invited && referredBy !== undefined && p.referredBy === referredBy);
    if (!found) {
      return undefined;
    }
    found.invited = true;
    if (found.uri !== invite.uri) {
      return { target: found.target, refused: { rule: 'refer-to-changed', offending: invite.uri } };
    }
    const refused: Broken | undefined =
      referredBy === found.referredBy
        ? undefined
        : { rule: 'referred-by-changed', offending: (referredBy ?? 'no Referred-By').slice(0, 300) };

    return { target: found.target, refused };
  }
}

/** One transfer, for the call that began it. */
export class Transfer {
  readonly #pending: Pending;

  constructor(pending: Pending) {
    this.#pending = pending;
  }

  answered(status: number): void {
    this.#pending.status = status;
  }

  /** A NOTIFY of the trunk; gives the status in its body, undefined for a body that is no sipfrag. */
  notified(body: string): number | undefined {
    const status = Number(/^SIP\/2\.0\s+(\d{3})/.exec(body.trim())?.[1]);
    if (!Number.isInteger(status)) {
      return undefined;
    }
    this.#pending.notified.push(status);

    return status;
  }

  view(): TransferView {
    const { uri, status, notified, invited } = this.#pending;

    return { to: uri, status, notified: [...notified], invited };
  }
}
