import type { CallerIdentity } from '../../calls/ports';
import type { Clock } from '../../lib/clock';
import { describeError, isSidekickError } from '../../lib/errors';
import type { Log } from '../../lib/log';
import type { Metrics } from '../../lib/metrics';
import type { MediaPool } from '../../media/media-pool';
import { AGENT_ALLOW } from '../agent-invite';
import type { SipRequest, SipResponse, Srf } from '../srf';
import { callerIdentity, toE164, userOf } from './caller-identity';
import { CarrierCallerLeg } from './caller-leg';
import type { DigestChallenger } from './digest';
import type { Admission } from './admission';
import { offerProblem } from './offer-check';
import { answerSessionTimer } from './session-timer';
import type { CarrierTrunk, TrunkRegistry } from './trunk-registry';

export interface InboundDeps {
  readonly srf: Srf;
  readonly pool: MediaPool;
  readonly registry: TrunkRegistry;
  readonly digest: DigestChallenger;
  readonly admission: Admission;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly nodeId: string;
  readonly mediaTimeoutMs: number;
  /** True while the node drains: new calls get 503. */
  readonly stopping: () => boolean;
  /** Country by which a trunk without one reads numbers. */
  readonly countryOf: (trunk: CarrierTrunk) => string;
  /** Password of a trunk's digest, from the environment; undefined if it is not set there. */
  readonly secret: (from: string, tenantId?: string) => string | undefined;
}

/** A caller whose INVITE passed every check; what he dialled is for the caller of this room to look up. */
export interface InboundCall {
  readonly trunk: CarrierTrunk;
  readonly dialled: string;
  readonly caller: CallerIdentity;
  readonly sipCallId: string;
  readonly leg: CarrierCallerLeg;
  /** To be called once, when the call is over: frees its place in the trunk's limit. */
  readonly release: () => void;
  /** To be called when the call is answered and stored as such; `release` implies it. */
  readonly setUp: () => void;
}

export type InboundHandler = (call: InboundCall) => Promise<'taken' | 'unknown-number'>;

/** The door: recognises carriers, refuses strangers cheaply, and hands on calls that may come in. */
export class CarrierInbound {
  readonly #deps: InboundDeps;
  readonly #onCall: InboundHandler;

  constructor(deps: InboundDeps, onCall: InboundHandler) {
    this.#deps = deps;
    this.#onCall = onCall;
  }

  /** Answers OPTIONS: a carrier's health check gets 200, or 503 while the node drains; a stranger gets 403. */
  options(request: SipRequest, response: SipResponse): void {
    if (!this.#deps.registry.recognise(request.source_address)) {
      this.#refuse(response, 403, 'options-source');
      return;
    }
    if (this.#deps.stopping()) {
      response.send(503, { headers: { 'Retry-After': '30' } });
      return;
    }
    response.send(200, { headers: { Allow: AGENT_ALLOW, Accept: 'application/sdp', Supported: 'timer' } });
  }

  invite(request: SipRequest, response: SipResponse): void {
    const trunk = this.#deps.registry.recognise(request.source_address);
    if (!trunk) {
      this.#refuse(response, 403, 'source');
      return;
    }
    if (this.#deps.stopping()) {
      this.#refuse(response, 503, 'stopping', { 'Retry-After': '30' });
      return;
    }
    if (!request.has('Contact')) {
      this.#refuse(response, 400, 'no-contact');
      return;
    }
    if (!this.#authenticate(trunk, request, response)) {
      return;
    }
    const timer = answerSessionTimer(
      {
        sessionExpires: request.get('Session-Expires'),
        supported: request.get('Supported'),
        minSe: request.get('Min-SE'),
      },
      trunk.sessionExpiresSeconds,
    );
    if (timer.kind === 'too-small') {
      this.#refuse(response, 422, 'session-timer', { 'Min-SE': String(timer.minSeconds) });
      return;
    }
    const problem = offerProblem(request.body);
    if (problem !== undefined) {
      this.#refuse(response, 488, 'offer', { Warning: `399 sidekick "${problem}"` });
      return;
    }
    const admitted = this.#deps.admission.enter(this.#deps.clock.now());
    if (admitted.refused) {
      const { reason, retryAfterSeconds } = admitted.refused;
      this.#refuse(response, 503, reason, { 'Retry-After': String(retryAfterSeconds) });
      return;
    }
    const limits = this.#deps.registry.limits(trunk.id);
    const refusal = limits?.take(this.#deps.clock.now());
    if (refusal) {
      admitted.done();
      this.#refuse(response, 503, refusal.reason, { 'Retry-After': String(refusal.retryAfterSeconds) });
      return;
    }
    this.#take(
      trunk,
      request,
      response,
      timer.headers,
      once(() => {
        admitted.done();
        limits?.release();
      }),
      admitted.done,
    );
  }

  #take(
    trunk: CarrierTrunk,
    request: SipRequest,
    response: SipResponse,
    timerHeaders: Readonly<Record<string, string>>,
    release: () => void,
    setUp: () => void,
  ): void {
    const country = this.#deps.countryOf(trunk);
    const dialled = toE164(userOf(request.uri) ?? '', country);
    if (dialled === undefined) {
      release();
      this.#refuse(response, 404, 'number');
      return;
    }
    const leg = new CarrierCallerLeg({
      srf: this.#deps.srf,
      pool: this.#deps.pool,
      request,
      response,
      answerHeaders: { Allow: AGENT_ALLOW, Supported: 'timer', ...timerHeaders },
      mediaHeaders: { 'X-sidekick-node': this.#deps.nodeId },
      mediaTimeoutMs: this.#deps.mediaTimeoutMs,
      log: this.#deps.log,
    });
    const caller = callerIdentity(
      {
        from: request.get('From'),
        assertedIdentity: request.get('P-Asserted-Identity'),
        privacy: request.get('Privacy'),
      },
      country,
    );
    this.#onCall({ trunk, dialled, caller, sipCallId: request.get('Call-ID') ?? '', leg, release, setUp }).then(
      (result) => {
        if (result === 'unknown-number') {
          release();
          this.#refuse(response, 404, 'number');
        }
      },
      (error: unknown) => {
        release();
        this.#deps.log.error({ event: 'call_not_taken', reason: describeError(error) });
        this.#refuse(response, isSidekickError(error) ? error.kind.sip : 503, 'unavailable', { 'Retry-After': '5' });
      },
    );
  }

  #authenticate(trunk: CarrierTrunk, request: SipRequest, response: SipResponse): boolean {
    if (!trunk.digest) {
      return true;
    }
    const password = this.#deps.secret(trunk.digest.passwordFrom, trunk.tenantId);
    if (password === undefined) {
      this.#deps.log.error({ event: 'trunk_password_missing', trunk: trunk.name, variable: trunk.digest.passwordFrom });
      this.#refuse(response, 503, 'password-not-set', { 'Retry-After': '60' });
      return false;
    }
    const now = this.#deps.clock.now();
    const check = this.#deps.digest.check(
      request.get('Authorization'),
      request.method,
      { username: trunk.digest.username, password },
      now,
    );
    switch (check) {
      case 'ok': {
        return true;
      }
      case 'wrong': {
        this.#refuse(response, 403, 'digest');
        return false;
      }
      case 'missing':
      case 'stale': {
        response.send(401, { headers: { 'WWW-Authenticate': this.#deps.digest.challenge(now, check === 'stale') } });
        return false;
      }
    }
  }

  #refuse(response: SipResponse, status: number, reason: string, headers: Record<string, string> = {}): void {
    this.#deps.metrics.carrierRefused(reason);
    response.send(status, { headers }, (error) => {
      if (error) {
        this.#deps.log.debug({ event: 'refusal_not_sent', reason: describeError(error) });
      }
    });
  }
}

function once(fn: () => void): () => void {
  let done = false;
  return () => {
    if (!done) {
      done = true;
      fn();
    }
  };
}
