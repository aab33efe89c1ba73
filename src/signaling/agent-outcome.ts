import type { OfferOutcome } from '../calls/offer-state';

/** What a final response of the agent's platform says about the agent. Which retry rule follows is the queue's business. */
export function refusalOutcome(status: number): Exclude<OfferOutcome, 'canceled'> {
  switch (status) {
    case 486:
    case 600: {
      return 'busy';
    }
    case 603: {
      return 'declined';
    }
    case 408:
    case 487: {
      return 'no-answer';
    }
    case 403:
    case 404:
    case 410:
    case 412:
    case 480:
    case 484:
    case 604: {
      return 'unreachable';
    }
    default: {
      return 'failed';
    }
  }
}

/** True where the next proxy may be tried: no answer at all, or a data centre that is busy. Never after another refusal. */
export function mayTryNextProxy(status: number, sawProvisional: boolean): boolean {
  return !sawProvisional && (status === 503 || status === 408);
}
