import type { ForecastOffer, OfferForecast } from '../calls/ports';
import type { Assignment, Snapshot } from '../routing/types';

/** The offers of one match that were told while they were written down, until it is known what became of them. */
export class ForetoldOffers {
  readonly #forecast: OfferForecast | undefined;
  readonly #nodeId: string;
  readonly #open = new Set<string>();

  constructor(forecast: OfferForecast | undefined, nodeId: string) {
    this.#forecast = forecast;
    this.#nodeId = nodeId;
  }

  /** Tells those for calls of this node. */
  tell(snapshot: Snapshot, wanted: readonly (Assignment & { readonly offerId: string })[]): void {
    if (!this.#forecast || wanted.length === 0) {
      return;
    }
    for (const offer of ofNode(this.#nodeId, snapshot, wanted)) {
      this.#open.add(offer.offerId);
      this.#forecast.prepare(offer);
    }
  }

  /** These were written down; the others came to nothing. */
  written(offers: readonly { readonly offerId: string }[]): void {
    for (const { offerId } of offers) {
      this.#open.delete(offerId);
    }
    this.forget();
  }

  /** None was written down, or that is not known. */
  forget(): void {
    for (const offerId of this.#open) {
      this.#forecast?.forget(offerId);
    }
    this.#open.clear();
  }
}

function ofNode(
  nodeId: string,
  snapshot: Snapshot,
  wanted: readonly (Assignment & { readonly offerId: string })[],
): ForecastOffer[] {
  const agents = new Set(wanted.map(({ agentId }) => agentId));
  const trunks = new Map(
    snapshot.agents.flatMap((agent) => (agents.has(agent.agentId) ? [[agent.agentId, agent.endpoint.trunk]] : [])),
  );
  const own = new Set(snapshot.calls.flatMap((call) => (call.nodeId === nodeId ? [call.callId] : [])));
  return wanted.flatMap(({ offerId, callId, queueId, agentId }) => {
    const trunk = trunks.get(agentId);
    return trunk !== undefined && own.has(callId) ? [{ offerId, callId, queueId, trunk }] : [];
  });
}
