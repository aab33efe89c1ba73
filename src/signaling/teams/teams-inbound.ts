import { describeError } from '../../lib/errors';
import type { Log } from '../../lib/log';
import type { Metrics } from '../../lib/metrics';
import { AddressRanges } from '../address-ranges';
import { allowFor } from '../agent-invite';
import type { SipRequest, SipResponse } from '../srf';
import type { TeamsTrunk } from './teams-trunk';

export interface TeamsInboundDeps {
  readonly metrics: Pick<Metrics, 'teamsRefused'>;
  readonly log: Log;
  /** True while the node drains. */
  readonly stopping: () => boolean;
}

interface Door {
  readonly trunk: TeamsTrunk;
  readonly ranges: AddressRanges;
}

/** Why a request in the name of Teams is refused. */
export type TeamsRefusal = 'source' | 'forwarded-call' | 'replaces' | 'outgoing-call';

/**
 * The door for requests that Teams sends outside a dialog: OPTIONS, by which it watches the trunk, and INVITEs, which we do not
 * serve. A request is from Teams when it came over TLS and its request URI names the SBC of one of our trunks, which also says
 * which tenant it concerns; the address must then be one of the trunk's ranges. drachtio-server has checked by then that the
 * peer's certificate chains to one of the roots in chain.pem; it does not tell us whose name is in it.
 */
export class TeamsInbound {
  readonly #deps: TeamsInboundDeps;
  #doors = new Map<string, Door>();
  /** Certified SBCs in front, which ask whether we live before they route calls. */
  #inFront: readonly Door[] = [];

  constructor(deps: TeamsInboundDeps) {
    this.#deps = deps;
  }

  load(trunks: readonly TeamsTrunk[]): void {
    this.#doors = new Map(
      trunks
        .filter((trunk) => trunk.form === 'direct')
        .map((trunk) => [trunk.sbcName.toLowerCase(), { trunk, ranges: new AddressRanges(trunk.sources) }]),
    );
    this.#inFront = trunks
      .filter((trunk) => trunk.form === 'behind-sbc')
      .map((trunk) => ({ trunk, ranges: new AddressRanges(trunk.sources) }));
  }

  /** Answers OPTIONS of Teams, or of an SBC in front. False: it is from neither, somebody else has to answer. */
  options(request: SipRequest, response: SipResponse): boolean {
    const door = this.#door(request) ?? this.#inFront.find(({ ranges }) => ranges.has(request.source_address));
    if (!door) {
      return false;
    }
    if (!this.#admitted(door, request, response)) {
      return true;
    }
    if (this.#deps.stopping()) {
      response.send(503, { headers: { 'Retry-After': '30' } });
      return true;
    }
    response.send(200, {
      headers: { Allow: allowFor(door.trunk.refer), Accept: 'application/sdp', Supported: 'timer' },
    });
    return true;
  }

  /** Refuses an INVITE of Teams. False: it is not from Teams. */
  invite(request: SipRequest, response: SipResponse): boolean {
    const door = this.#door(request);
    if (!door) {
      return false;
    }
    if (this.#admitted(door, request, response)) {
      const why = inviteRefusal(request);
      this.#deps.log.warn({ event: 'teams_call_refused', trunk: door.trunk.name, reason: why });
      this.#refuse(response, 403, why);
    }
    return true;
  }

  #door(request: SipRequest): Door | undefined {
    const host = /^sips?:(?:[^@]*@)?([a-z0-9.-]+)/i.exec(request.uri)?.[1];
    return request.protocol === 'tls' && host !== undefined ? this.#doors.get(host.toLowerCase()) : undefined;
  }

  #admitted({ ranges, trunk }: Door, request: SipRequest, response: SipResponse): boolean {
    if (ranges.has(request.source_address)) {
      return true;
    }
    this.#deps.log.warn({ event: 'teams_source_refused', trunk: trunk.name, source: request.source_address });
    this.#refuse(response, 403, 'source');
    return false;
  }

  #refuse(response: SipResponse, status: number, why: TeamsRefusal): void {
    this.#deps.metrics.teamsRefused(why);
    response.send(status, { headers: { Warning: `399 sidekick "${TEXT[why]}"` } }, (error) => {
      if (error) {
        this.#deps.log.debug({ event: 'refusal_not_sent', reason: describeError(error) });
      }
    });
  }
}

const TEXT: Readonly<Record<TeamsRefusal, string>> = {
  source: 'requests of Teams must come from its published addresses',
  'forwarded-call': 'a queue call that was forwarded is not taken back; the queue offers it to the next agent',
  replaces: 'INVITE with Replaces is not supported; let transfers come as REFER',
  'outgoing-call': 'this trunk carries no calls from Teams to numbers',
};

/**
 * Why an INVITE of Teams is refused. A call of a queue that an agent's forwarding or simultaneous ringing sends out of the
 * tenant comes back on the trunk as a new INVITE: with a cause in the request URI (RFC 4458), with History-Info (RFC 7044) or
 * with Diversion. A 403 is final for Teams: it tries no other trunk.
 */
export function inviteRefusal(request: Pick<SipRequest, 'uri' | 'has'>): Exclude<TeamsRefusal, 'source'> {
  if (request.has('Replaces')) {
    return 'replaces';
  }
  const diverted = /;cause=\d{3}\b/i.test(request.uri) || request.has('History-Info') || request.has('Diversion');
  return diverted ? 'forwarded-call' : 'outgoing-call';
}
