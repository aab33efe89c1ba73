import { CallbackRegistry } from './calls/callback-registry';
import { CallRegistry } from './calls/call-registry';
import { CommandRunner } from './calls/command-runner';
import type { ReservedOffer, TransferRequest } from './calls/ports';
import { VoicemailKeeper } from './calls/voicemail-keeper';
import { Dispatcher } from './dispatch/dispatcher';
import type { Clock } from './lib/clock';
import { describeError } from './lib/errors';
import type { Log } from './lib/log';
import type { Metrics } from './lib/metrics';
import type { MediaPool } from './media/media-pool';
import type { NodeConfig } from './node-config';
import type { NodeTeams } from './node-teams';
import { AgentLegService } from './signaling/agent-legs';
import { Admission } from './signaling/carrier/admission';
import { DigestChallenger } from './signaling/carrier/digest';
import { CarrierInbound } from './signaling/carrier/inbound';
import type { TrunkRegistry } from './signaling/carrier/trunk-registry';
import type { DrachtioLink } from './signaling/drachtio-link';
import type { NodeStore } from './store/node-store';

export interface NodeCallsDeps {
  readonly nodeId: string;
  readonly store: NodeStore;
  readonly link: DrachtioLink;
  readonly pool: MediaPool;
  readonly config: NodeConfig;
  readonly teams: NodeTeams;
  readonly registry: TrunkRegistry;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Finds secrets that the configuration names, for a tenant or for a trunk that all share. */
  readonly secret: (from: string, tenantId?: string) => string | undefined;
  /** True once the node takes no new calls. */
  readonly stopping: () => boolean;
  /** Reads the presence of these agents again; false where this node reads none. */
  readonly refreshPresence: (agentIds: readonly string[]) => Promise<boolean>;
}

/** What a node does with calls: who lets them in, where they live, who matches them, how agents are rung. */
export interface NodeCalls {
  readonly calls: CallRegistry;
  readonly callbacks: CallbackRegistry;
  /** True when no call is left and nobody talks for a callback; false if some still do after `timeoutMs`. */
  waitUntilEmpty(timeoutMs: number): Promise<boolean>;
  readonly legs: AgentLegService;
  readonly dispatcher: Dispatcher;
  /** Carries out what people ask for calls of this node. */
  readonly commands: CommandRunner;
  readonly voicemails: VoicemailKeeper;
}

/** Puts the rooms of a call together and takes the INVITEs and OPTIONS of the SIP server. */
export function wireCalls(deps: NodeCallsDeps): NodeCalls {
  const { clock, link, log, metrics, nodeId, pool, store } = deps;
  const admission = new Admission();
  const dispatcher: Dispatcher = new Dispatcher({
    store,
    clock,
    log,
    nodeId,
    onMatched: (tookMs) => {
      admission.matchTook(tookMs, clock.now());
    },
    onOffer: (offer) => {
      const answer = deps.config.answerPolicy(offer.queueId);
      const full = answer === undefined ? offer : { ...offer, answer };
      const taken = calls.offer(full);
      return taken === 'no-call' ? callbacks.offer(full) : taken;
    },
    onOrphan: (offer) => {
      giveBack(deps, dispatcher, offer);
    },
    onExit: (exit) => {
      calls.exit(exit);
    },
    refreshPresence: deps.refreshPresence,
    onSweepFound: (what) => {
      metrics.sweepFound(what);
    },
  });
  store.travelWith(dispatcher);
  const legs = new AgentLegService({
    link,
    pool,
    log,
    trunk: (trunkId) => deps.config.agentTrunk(trunkId, deps.secret),
    trunkNamed: (name) => deps.config.agentTrunkNamed(name, deps.secret),
    mediaTimeoutMs: AGENT_MEDIA_TIMEOUT_MS,
    metrics,
    health: deps.teams.health,
    refer: (trunk) => deps.teams.refer(trunk),
  });
  const common = { store, legs, media: pool, matcher: dispatcher, clock, log, metrics };
  const callbacks: CallbackRegistry = new CallbackRegistry({
    ...common,
    plan: (tenantId) => deps.config.plan(tenantId),
  });
  const calls: CallRegistry = new CallRegistry({ ...common, callbacks });
  store.foretell({
    prepare: (offer) => {
      calls.prepare(offer);
    },
    forget: (offerId) => {
      legs.forget(offerId);
    },
  });
  const inbound = carrierInbound(deps, admission, calls);
  link.srf.invite((request, response) => {
    if (!legs.takeMediaInvite(request, response) && !deps.teams.inbound.invite(request, response)) {
      inbound.invite(request, response);
    }
  });
  link.srf.options((request, response) => {
    if (!deps.teams.inbound.options(request, response)) {
      inbound.options(request, response);
    }
  });
  const owners = {
    hangUp: (callId: string): boolean => calls.hangUp(callId) || callbacks.hangUp(callId),
    transfer: (callId: string, request: TransferRequest): boolean => calls.transfer(callId, request),
  };
  return {
    calls,
    callbacks,
    waitUntilEmpty: async (timeoutMs) => {
      const until = clock.now() + timeoutMs;
      const empty = await calls.waitUntilEmpty(timeoutMs);
      return (await callbacks.waitUntilIdle(until - clock.now())) && empty;
    },
    legs,
    dispatcher,
    commands: new CommandRunner({ store, calls: owners, clock, log }),
    voicemails: new VoicemailKeeper({
      store,
      media: pool,
      remove: (mediaServer, file) => pool.recordings.remove(mediaServer, file),
      clock,
      log,
    }),
  };
}

/** Silence on a leg that ends it, milliseconds. It is the only clean-up after a crash, so it must not be missing; Teams sends nothing while muted. */
const CALLER_MEDIA_TIMEOUT_MS = 300_000;
const AGENT_MEDIA_TIMEOUT_MS = 7_200_000;

function carrierInbound(deps: NodeCallsDeps, admission: Admission, calls: CallRegistry): CarrierInbound {
  const { clock, config, link, log, metrics, nodeId, pool, registry, secret, stopping } = deps;
  return new CarrierInbound(
    {
      srf: link.srf,
      pool,
      registry,
      digest: new DigestChallenger('sidekick'),
      admission,
      clock,
      metrics,
      log,
      nodeId,
      mediaTimeoutMs: CALLER_MEDIA_TIMEOUT_MS,
      stopping,
      countryOf: (trunk) => config.countryOf(trunk),
      secret,
    },
    async ({ trunk, dialled, caller, sipCallId, leg, release, setUp }) => {
      const route = await config.route(dialled, trunk);
      if (!route) {
        return 'unknown-number';
      }
      calls.take(route, caller, sipCallId, leg, { setUp, over: release });
      return 'taken';
    },
  );
}

/** A reserved offer whose call is not here: the agent must not stay reserved for it. */
function giveBack({ store, log }: NodeCallsDeps, dispatcher: Dispatcher, offer: ReservedOffer): void {
  store.closeOffer(offer.offerId, { kind: 'canceled', why: 'caller-gone' }).then(
    () => {
      dispatcher.requestMatch(offer.queueId);
    },
    (error: unknown) => {
      log.warn({ event: 'orphan_not_released', offerId: offer.offerId, reason: describeError(error) });
    },
  );
}
