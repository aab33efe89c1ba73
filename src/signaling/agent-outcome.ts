import type { OfferOutcome } from '../calls/offer-state';

type Refusal = Exclude<OfferOutcome, 'canceled'>;

export interface RefusalContext {
  /** True if the platform had said that it rings. */
  readonly rang?: boolean;
  /** Reads single statuses otherwise; from the trunk's settings. */
  readonly overrides?: Readonly<Record<string, Refusal>>;
}

/**
 * What a final response of the agent's platform says about the agent. Which retry rule follows is the queue's business.
 * docs/teams.md has the same table with Microsoft's subcodes, and a test keeps both equal.
 */
export function refusalOutcome(status: number, { rang = false, overrides = {} }: RefusalContext = {}): Refusal {
  const override = overrides[String(status)];
  if (override !== undefined) {
    return override;
  }
  switch (status) {
    case 486:
    case 600: {
      return 'busy';
    }
    case 603:
    case 607:
    case 608: {
      return 'declined';
    }
    case 408:
    case 487: {
      return 'no-answer';
    }
    case 480: {
      // With voicemail switched off by policy, a call that nobody took ends so (subcode 10191); without ringing nobody is signed in.
      return rang ? 'no-answer' : 'unreachable';
    }
    case 403:
    case 404:
    case 412:
    case 484:
    case 604: {
      return 'unreachable';
    }
    default: {
      return 'failed';
    }
  }
}
