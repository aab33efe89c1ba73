import type { Clock, TimerHandle } from '../../lib/clock';
import { describeError } from '../../lib/errors';
import type { Log } from '../../lib/log';
import type { InvitePeer } from '../agent-invite';
import type { SipResponse, Srf } from '../srf';
import { optionsRequest } from './options-request';
import { initialProxyState, stepProxy } from './proxy-state';
import type { ProxyInput, ProxyState } from './proxy-state';
import type { TeamsProxy, TeamsTrunk } from './teams-trunk';

export interface ProxyMonitorDeps {
  readonly srf: Pick<Srf, 'request'>;
  readonly clock: Clock;
  readonly log: Log;
  /** The port that the far end reaches us on; undefined while the SIP server has no such transport. */
  readonly port: (transport: TeamsTrunk['transport']) => number | undefined;
  readonly onChange: () => void;
}

/** An OPTIONS without an answer in this time counts as silence, milliseconds. */
const OPTIONS_WAIT_MS = 4_000;
/** A call that waits for a sign of life waits for this long only, milliseconds. */
const ALIVE_WAIT_MS = 1_500;

/** Watches one proxy: sends it OPTIONS when the machine says so, and hears from calls how it behaves. */
export class ProxyMonitor implements InvitePeer {
  readonly proxy: TeamsProxy;
  readonly #trunk: TeamsTrunk;
  readonly #deps: ProxyMonitorDeps;
  #state: ProxyState = initialProxyState;
  #timer: TimerHandle | undefined;
  #running = false;
  #lastAnswerMs: number | undefined;

  constructor(trunk: TeamsTrunk, proxy: TeamsProxy, deps: ProxyMonitorDeps) {
    this.#trunk = trunk;
    this.proxy = proxy;
    this.#deps = deps;
  }

  get name(): string {
    return this.proxy.host;
  }

  get state(): ProxyState {
    return this.#state;
  }

  /** How long the last answered OPTIONS took, milliseconds. */
  get answerMs(): number | undefined {
    return this.#lastAnswerMs;
  }

  start(): void {
    if (!this.#running) {
      this.#running = true;
      this.#input({ kind: 'start', now: this.#deps.clock.now() });
    }
  }

  stop(): void {
    this.#running = false;
    this.#timer?.clear();
    this.#timer = undefined;
  }

  alive(): Promise<boolean> {
    return this.#ask(ALIVE_WAIT_MS, (input) => {
      this.#input(input);
      return input.kind === 'answered' && input.status !== 503;
    });
  }

  /** A provisional response or a refusal of a call proves life and no more; a 503 says that the data centre is busy. */
  answered(status: number, retryAfterSeconds: number | undefined): void {
    const known = status === 503 ? status : 200;
    if (known === 200 && this.#state.kind === 'active') {
      return;
    }
    this.#input({
      kind: 'answered',
      now: this.#deps.clock.now(),
      status: known,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
  }

  silent(): void {
    this.#input({ kind: 'silent', now: this.#deps.clock.now(), what: 'INVITE' });
  }

  unreachable(detail: string): void {
    this.#input({ kind: 'unreachable', now: this.#deps.clock.now(), detail });
  }

  #input(input: ProxyInput): void {
    if (!this.#running) {
      return;
    }
    const before = this.#state;
    const step = stepProxy(before, input, { periodMs: this.#trunk.optionsMs });
    this.#state = step.state;
    if (step.probeInMs !== undefined) {
      this.#plan(step.probeInMs);
    }
    if (before.kind !== step.state.kind || before.detail !== step.state.detail) {
      const { kind, detail } = step.state;
      const log = kind === 'down' ? this.#deps.log.warn : this.#deps.log.info;
      if (input.kind !== 'start') {
        log.call(this.#deps.log, {
          event: 'teams_proxy',
          trunk: this.#trunk.name,
          proxy: this.name,
          state: kind,
          detail,
        });
      }
      this.#deps.onChange();
    }
  }

  #plan(inMs: number): void {
    this.#timer?.clear();
    this.#timer = this.#deps.clock.setTimeout(() => {
      void this.#ask(OPTIONS_WAIT_MS, (input) => {
        this.#input(input);
        return true;
      });
    }, inMs);
  }

  /** Sends one OPTIONS; `done` gets what came of it, at most once. Resolves to what `done` says, false if it was stopped. */
  #ask(waitMs: number, done: (input: ProxyInput) => boolean): Promise<boolean> {
    const { srf, clock, port } = this.#deps;
    const began = clock.now();
    return new Promise((resolve) => {
      let over = false;
      const finish = (input: ProxyInput): void => {
        if (!over) {
          over = true;
          timer.clear();
          resolve(this.#running && done(input));
        }
      };
      const timer = clock.setTimeout(() => finish({ kind: 'silent', now: clock.now(), what: 'OPTIONS' }), waitMs);
      const ours = port(this.#trunk.transport);
      if (ours === undefined) {
        finish({
          kind: 'unreachable',
          now: clock.now(),
          detail: `drachtio-server has no ${this.#trunk.transport} transport`,
        });
        return;
      }
      const { uri, proxy, headers } = optionsRequest(this.#trunk, this.proxy, ours);
      const failed = (error: unknown): void =>
        finish({ kind: 'unreachable', now: clock.now(), detail: describeError(error) });
      try {
        srf.request(uri, { method: 'OPTIONS', headers, proxy }, (error, request) => {
          if (error) {
            failed(error);
            return;
          }
          request.on('response', (response: SipResponse) => {
            const input = answerOf(response, clock.now());
            if (input.kind === 'answered') {
              this.#lastAnswerMs = clock.now() - began;
            }
            finish(input);
          });
        });
      } catch (error) {
        failed(error);
      }
    });
  }
}

/** What a response says of the proxy. One that the SIP server made itself (no source address) says that nobody answered. */
function answerOf(response: SipResponse, now: number): ProxyInput {
  if (!isFromNetwork(response)) {
    return response.status === 408
      ? { kind: 'silent', now, what: 'OPTIONS' }
      : { kind: 'unreachable', now, detail: `${response.status} ${response.reason}`.trim() };
  }
  const retryAfterSeconds = retryAfter(response);
  return {
    kind: 'answered',
    now,
    status: response.status,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

/** False for finals that drachtio makes by itself: 408 after its timer, 503 where it got no connection or no address. */
export function isFromNetwork(response: Pick<SipResponse, 'source_address'>): boolean {
  return response.source_address !== undefined && response.source_address !== '';
}

/** Seconds of Retry-After, without its comment and parameters (RFC 3261 20.33). */
export function retryAfter(message: { get(name: string): string | undefined }): number | undefined {
  const seconds = /^\s*(\d{1,6})/.exec(message.get('Retry-After') ?? '')?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}
