import type {
  AgentLeg,
  AgentLegHandlers,
  AgentLegRequest,
  AgentLegs,
  AgentTarget,
  Codec,
  LegForecast,
  OutsideLegRequest,
} from '../calls/ports';
import { SidekickError, describeError } from '../lib/errors';
import type { Log } from '../lib/log';
import type { Metrics } from '../lib/metrics';
import type { MediaPool } from '../media/media-pool';
import type { AgentInvite } from './agent-invite';
import { OriginatedLeg } from './agent-leg';
import type { DrachtioLink } from './drachtio-link';
import type { ReferPolicy } from './agent-refer';
import { legOf, originateArguments } from './originate';
import { PreparedChannel } from './prepared-channel';
import { pbxInvite } from './pbx/pbx-invite';
import type { PbxTrunk } from './pbx/pbx-invite';
import type { SipRequest, SipResponse } from './srf';
import { referredInvites, teamsInvites } from './teams/teams-invite';
import type { TeamsTrunk } from './teams/teams-trunk';
import type { TrunkHealth } from './teams/trunk-health';

/** A trunk that agents are reached over. */
export type AgentTrunk =
  | ({ readonly kind: 'teams' } & TeamsTrunk)
  | ({ readonly kind: 'pbx'; readonly name: string; readonly maxCalls: number; readonly srtp: boolean } & PbxTrunk)
  /** Numbers outside. */
  | ({ readonly kind: 'carrier'; readonly name: string; readonly maxCalls: number; readonly srtp: boolean } & PbxTrunk);

/** A leg that FreeSWITCH originates, whoever is called. */
interface LegPlan {
  readonly channel: string;
  readonly trunkId: string;
  readonly trunk: AgentTrunk;
  readonly codec: Codec;
  readonly mediaServer: string;
  readonly musicUri: string;
  readonly ringTimeoutMs: number;
  readonly invites: AgentInvite[];
}

export interface AgentLegsDeps {
  readonly link: DrachtioLink;
  readonly pool: MediaPool;
  readonly log: Log;
  /** The trunk as configured now; undefined if it is gone or switched off. */
  readonly trunk: (trunkId: string) => AgentTrunk | undefined;
  /** The only trunk of that name, so that legs can begin early; undefined: none, or several. */
  readonly trunkNamed?: (name: string) => AgentTrunk | undefined;
  /** Silence on an agent's leg that ends it, milliseconds. Long: Teams sends nothing while an agent is muted. */
  readonly mediaTimeoutMs: number;
  readonly metrics: Pick<Metrics, 'teamsFailover'>;
  /** What REFER may do on a trunk that takes it. */
  readonly refer?: (trunk: TeamsTrunk) => ReferPolicy;
  /** What is known of the proxies of Teams trunks. Without it they are tried as configured. */
  readonly health?: Pick<TrunkHealth, 'order' | 'peer'>;
}

/** Starts agents' legs and gives each the INVITE that FreeSWITCH sends for it. */
export class AgentLegService implements AgentLegs {
  readonly #deps: AgentLegsDeps;
  readonly #legs = new Map<string, OriginatedLeg>();
  readonly #active = new Map<string, number>();
  readonly #prepared = new Map<string, PreparedChannel>();

  constructor(deps: AgentLegsDeps) {
    this.#deps = deps;
  }

  /** Legs whose signalling is not over yet; zero when nothing is left behind. */
  get open(): number {
    return this.#legs.size;
  }

  ringLimitMs({ endpoint }: AgentTarget): number | undefined {
    const trunk = endpoint.kind === 'teams' ? this.#deps.trunk(endpoint.trunkId) : undefined;
    return trunk?.kind === 'teams' ? trunk.ringLimitMs : undefined;
  }

  prepare(forecast: LegForecast): void {
    const { offerId, mediaServer, trunk: name, codec, musicUri, queueRingTimeoutMs } = forecast;
    const trunk = this.#deps.trunkNamed?.(name);
    if (!trunk) {
      return;
    }
    const leg = { channel: offerId, trunk, codec, musicUri, ringTimeoutMs: queueRingTimeoutMs };
    try {
      const media = this.#deps.pool.byName(mediaServer);
      const channel = new PreparedChannel(media, offerId, this.#originateArguments(leg), () => {
        this.forget(offerId);
      });
      this.#prepared.set(offerId, channel);
    } catch (error) {
      // The leg itself will say so.
      this.#deps.log.debug({ event: 'agent_leg_not_prepared', offerId, reason: describeError(error) });
    }
  }

  forget(offerId: string): void {
    const channel = this.#prepared.get(offerId);
    this.#prepared.delete(offerId);
    void channel?.abandon();
  }

  start(request: AgentLegRequest, handlers: AgentLegHandlers): AgentLeg {
    const log = this.#deps.log.child({ callId: request.callId, offerId: request.offerId });
    return this.#safely(request.offerId, handlers, log, () => this.#toAgent(request, handlers, log));
  }

  dial(request: OutsideLegRequest, handlers: AgentLegHandlers): AgentLeg {
    const log = this.#deps.log.child({ callId: request.callId, legId: request.legId });
    return this.#safely(request.legId, handlers, log, () => this.#toOutside(request, handlers, log));
  }

  /** What cannot even be started is refused like everything else, after the caller of this has the leg in hand. */
  #safely(channel: string, handlers: AgentLegHandlers, log: Log, start: () => AgentLeg): AgentLeg {
    try {
      return start();
    } catch (error) {
      this.forget(channel);
      log.error({ event: 'agent_leg_not_started', reason: describeError(error) });
      setImmediate(() => {
        handlers.refused('failed', undefined, describeError(error));
        handlers.over();
      });
      return {
        drop: () => {
          handlers.over();
        },
      };
    }
  }

  #toAgent(request: AgentLegRequest, handlers: AgentLegHandlers, log: Log): AgentLeg {
    const { endpoint } = request.target;
    if (endpoint.kind === 'web') {
      throw new SidekickError('SK_CONFIG_INVALID', `agent "${request.target.agentName}" uses the browser phone`, {
        why: 'calls to browser phones are not served by this version',
        next: 'give the agent a teams or pbx endpoint',
      });
    }
    const trunk = this.#deps.trunk(endpoint.trunkId);
    if (!trunk) {
      throw new SidekickError(
        'SK_NOT_FOUND',
        `trunk "${endpoint.trunk}" of agent "${request.target.agentName}" is not configured`,
      );
    }
    const { codec, mediaServer, musicUri, offerId, target } = request;
    return this.#originate(
      {
        channel: offerId,
        trunkId: endpoint.trunkId,
        trunk,
        codec,
        mediaServer,
        musicUri,
        ringTimeoutMs: request.queueRingTimeoutMs ?? target.ringTimeoutMs,
        invites: this.#invites(trunk, request),
      },
      handlers,
      log,
    );
  }

  #toOutside(request: OutsideLegRequest, handlers: AgentLegHandlers, log: Log): AgentLeg {
    const { to, legId, codec, mediaServer, musicUri, ringTimeoutMs } = request;
    const trunk = this.#deps.trunk(to.trunkId);
    if (to.kind === 'refer' && trunk?.kind === 'teams') {
      const call = { caller: request.caller, queue: '', port: this.#portOf(trunk) };
      const invites = this.#inOrder(trunk.id, referredInvites(trunk, to, call));
      return this.#originate(
        { channel: legId, trunkId: to.trunkId, trunk, codec, mediaServer, musicUri, ringTimeoutMs, invites },
        handlers,
        log,
      );
    }
    if (to.kind !== 'number' || trunk?.kind !== 'carrier') {
      throw new SidekickError('SK_CONFIG_INVALID', 'the target cannot be called on this trunk', {
        why: trunk ? `it is of kind ${trunk.kind}` : 'the trunk is not configured, or may not call outside',
        context: { target: to.kind, trunkId: to.trunkId },
      });
    }
    const invites = [pbxInvite(trunk, to.e164, request.caller)];
    return this.#originate(
      { channel: legId, trunkId: to.trunkId, trunk, codec, mediaServer, musicUri, ringTimeoutMs, invites },
      handlers,
      log,
    );
  }

  #originate(plan: LegPlan, handlers: AgentLegHandlers, log: Log): AgentLeg {
    const { channel, trunk, trunkId } = plan;
    const active = this.#active.get(trunkId) ?? 0;
    if (active >= trunk.maxCalls) {
      throw new SidekickError('SK_TRUNK_LIMIT', `trunk "${trunk.name}" is full`, {
        why: `${active} of ${trunk.maxCalls} legs are up`,
      });
    }
    const media = this.#deps.pool.byName(plan.mediaServer);
    const prepared = this.#prepared.get(channel);
    this.#prepared.delete(channel);
    const originate = this.#originateArguments(plan);
    const begun = prepared?.arguments === originate;
    const leg = new OriginatedLeg(
      {
        srf: this.#deps.link.srf,
        media,
        channel,
        originate: async () => {
          if (begun) {
            return await prepared.reply;
          }
          // What was begun is not what is wanted: configuration changed in between.
          await prepared?.abandon();
          return await media.originate(originate);
        },
        invites: plan.invites,
        outcomes: trunk.kind === 'teams' ? trunk.outcomes : {},
        ...(trunk.kind === 'teams' && trunk.refer ? { refer: this.#deps.refer?.(trunk) } : {}),
        onFailover: (reason) => this.#deps.metrics.teamsFailover(trunk.name, reason),
        mediaTimeoutMs: this.#deps.mediaTimeoutMs,
        log,
      },
      handlers,
      () => {
        this.#legs.delete(channel);
        this.#active.set(trunkId, Math.max(0, (this.#active.get(trunkId) ?? 1) - 1));
      },
    );
    this.#active.set(trunkId, active + 1);
    this.#legs.set(channel, leg);
    const invite = begun ? prepared.adopt() : undefined;
    if (invite) {
      // Whoever starts the leg has it in hand first.
      queueMicrotask(() => {
        leg.mediaInvite(invite.request, invite.response);
      });
    }
    return leg;
  }

  #originateArguments(
    plan: Pick<LegPlan, 'channel' | 'codec' | 'musicUri' | 'ringTimeoutMs'> & { trunk: Pick<AgentTrunk, 'srtp'> },
  ): string {
    return originateArguments({
      channel: plan.channel,
      codecs: [plan.codec],
      srtp: plan.trunk.srtp,
      musicUri: plan.musicUri,
      mediaTimeoutMs: this.#deps.mediaTimeoutMs,
      ringTimeoutMs: plan.ringTimeoutMs,
      sipServer: this.#deps.link.originateTarget,
    });
  }

  /** Takes an INVITE that FreeSWITCH sent for one of our legs. False: it is not such an INVITE. */
  takeMediaInvite(request: SipRequest, response: SipResponse): boolean {
    const channel = legOf(request.uri);
    if (channel === undefined || !this.#deps.pool.isMediaSource(request.source_address)) {
      return false;
    }
    const leg = this.#legs.get(channel);
    const prepared = this.#prepared.get(channel);
    if (leg) {
      leg.mediaInvite(request, response);
    } else if (prepared) {
      prepared.hold({ request, response });
    } else {
      response.send(481);
    }
    return true;
  }

  /** The port that Teams, or the SBC in front, reaches us on. */
  #portOf(trunk: TeamsTrunk): number {
    const port = this.#deps.link.transports.find((t) => t.protocol === trunk.transport)?.port;
    if (port === undefined) {
      throw new SidekickError(
        'SK_DRACHTIO_UNREACHABLE',
        `drachtio-server has no ${trunk.transport.toUpperCase()} transport, which trunk "${trunk.name}" needs`,
        { next: 'add such a contact to drachtio.conf.xml; for TLS with the SBC certificate' },
      );
    }
    return port;
  }

  /** The proxies that answer come first; each INVITE knows whom it goes to. */
  #inOrder(trunkId: string, invites: readonly AgentInvite[]): AgentInvite[] {
    const { health } = this.#deps;
    const order = health?.order(trunkId) ?? invites.map((_, index) => index);
    return order.flatMap((index) => {
      const invite = invites[index];
      const peer = health?.peer(trunkId, index);
      return invite ? [{ ...invite, ...(peer === undefined ? {} : { peer }) }] : [];
    });
  }

  #invites(trunk: AgentTrunk, request: AgentLegRequest): AgentInvite[] {
    const { endpoint } = request.target;
    if (trunk.kind === 'teams' && endpoint.kind === 'teams') {
      const port = this.#portOf(trunk);
      const { caller, queueDisplayName } = request;
      return this.#inOrder(trunk.id, teamsInvites(trunk, endpoint.number, { caller, queue: queueDisplayName, port }));
    }
    if (trunk.kind === 'pbx' && endpoint.kind === 'pbx') {
      return [pbxInvite(trunk, endpoint.user, request.caller)];
    }
    throw new SidekickError(
      'SK_CONFIG_INVALID',
      `agent "${request.target.agentName}" has an endpoint that trunk "${trunk.name}" cannot reach`,
      {
        why: `the endpoint is of kind ${endpoint.kind}, the trunk of kind ${trunk.kind}`,
      },
    );
  }
}
