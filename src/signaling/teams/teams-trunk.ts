import type { OfferOutcome } from '../../calls/offer-state';
import type { TeamsSettings } from '../../config/documents/trunk-settings';
import { MICROSOFT, TEAMS_TLS_PORT } from './microsoft';

export type AgentRefusal = Exclude<OfferOutcome, 'canceled'>;

export interface TeamsProxy {
  /** Name that stands in the request URI. */
  readonly host: string;
  readonly port: number;
  /** host:port to connect to instead. */
  readonly address?: string | undefined;
}

/** A trunk of kind `teams` as the SIP side uses it, with the defaults of its cloud filled in. */
export interface TeamsTrunk {
  readonly id: string;
  readonly name: string;
  readonly form: 'direct' | 'behind-sbc';
  readonly sbcName: string;
  readonly proxies: readonly TeamsProxy[];
  /** CIDR ranges that requests may come from. */
  readonly sources: readonly string[];
  readonly transport: 'udp' | 'tcp' | 'tls';
  readonly srtp: boolean;
  readonly optionsMs: number;
  readonly showCaller: 'name' | 'number' | 'queue-and-number' | 'queue-and-name';
  readonly refer: boolean;
  /** Longest time that an agent is rung, milliseconds: below the delay after which Teams takes the call elsewhere. */
  readonly ringLimitMs: number;
  /** Final responses that are read otherwise than by default. */
  readonly outcomes: Readonly<Record<string, AgentRefusal>>;
  readonly uriParameters: string | undefined;
  readonly maxCalls: number;
}

/** Time that a CANCEL needs to overtake voicemail, milliseconds. */
const RING_MARGIN_MS = 3_000;

/** A trunk's settings with what Microsoft publishes for its cloud. */
export function teamsTrunk(id: string, name: string, settings: TeamsSettings): TeamsTrunk {
  const facts = MICROSOFT[settings.cloud];
  const direct = settings.form === 'direct';
  return {
    id,
    name,
    form: settings.form,
    sbcName: settings.sbcName,
    // Without a named SBC in front there is nowhere to call; the document check asks for it.
    proxies: settings.proxies ?? (direct ? facts.proxies.map((host) => ({ host, port: TEAMS_TLS_PORT })) : []),
    sources: settings.sources ?? (direct ? facts.sources : []),
    transport: direct ? 'tls' : settings.transport,
    srtp: direct || settings.media === 'srtp',
    optionsMs: settings.optionsSeconds * 1_000,
    showCaller: settings.showCaller,
    refer: settings.refer,
    ringLimitMs: settings.unansweredDelaySeconds * 1_000 - RING_MARGIN_MS,
    outcomes: settings.outcomes ?? {},
    uriParameters: settings.uriParameters,
    maxCalls: settings.maxCalls,
  };
}

/** Where requests to a proxy are sent, whatever their URI says. */
export function routeTo(trunk: Pick<TeamsTrunk, 'transport'>, proxy: TeamsProxy): string {
  const transport = trunk.transport === 'udp' ? '' : `;transport=${trunk.transport}`;
  return `sip:${proxy.address ?? `${proxy.host}:${proxy.port}`}${transport};lr`;
}
