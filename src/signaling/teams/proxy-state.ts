/**
 * What we know of one Direct Routing proxy (or of the certified SBC in front). Pure, as the machines of calls/.
 *
 *             ┌────────── 2xx ──────────┐          ┌───────────── 2xx ─────────────┐
 *             │                         ▼          │                               │
 *   ──▶ probing ◀── a first failure ── active ◀────┘                           recovered
 *             │                         │                                        ▲     │
 *             │ a failure               │ 503                                2xx │     │ a failure
 *             └────────────────────▶  down  ─────────────────────────────────────┘     │
 *                                       ▲────────────────────────────────────────────────┘
 *
 *   probing    nothing is known yet, or one OPTIONS or INVITE failed and is being checked again soon; used after active ones
 *   active     answered the last OPTIONS with 2xx; used in the configured order
 *   down       silent, not reachable, busy (503) or refusing us; used only if no other is left
 *   recovered  answered once after it was down; used after active ones until it answers a second time, so that one that
 *              comes and goes does not take calls with it
 *
 * A 503 to OPTIONS or INVITE means that the data centre is down until it answers 2xx; its Retry-After says when to ask again.
 * Any other answer shows that somebody is there. A 4xx to OPTIONS is a fault of pairing (403: our name is unknown), which does
 * not prove that calls fail, so such a proxy counts as answering.
 */
export type ProxyDownReason = 'silent' | 'unreachable' | 'busy' | 'refused';

export type ProxyState =
  | { readonly kind: 'probing'; readonly failures: number; readonly since: number; readonly detail: string }
  | { readonly kind: 'active'; readonly since: number; readonly detail: string }
  | { readonly kind: 'down'; readonly reason: ProxyDownReason; readonly since: number; readonly detail: string }
  | { readonly kind: 'recovered'; readonly since: number; readonly detail: string };

export type ProxyInput =
  | { readonly kind: 'start'; readonly now: number }
  | { readonly kind: 'answered'; readonly now: number; readonly status: number; readonly retryAfterSeconds?: number }
  /** No answer at all: the timer ran out. */
  | { readonly kind: 'silent'; readonly now: number; readonly what: 'OPTIONS' | 'INVITE' }
  /** No connection, no address, or TLS refused. */
  | { readonly kind: 'unreachable'; readonly now: number; readonly detail: string };

export interface ProxyStep {
  readonly state: ProxyState;
  /** When to send the next OPTIONS, milliseconds from now; undefined: what is planned already stays. */
  readonly probeInMs: number | undefined;
}

export interface ProxyTimes {
  /** Between two OPTIONS to a proxy that answers, milliseconds. Microsoft asks for 60 to 180 s. */
  readonly periodMs: number;
}

/** A first failure is checked again after this long, milliseconds. */
const RECHECK_MS = 5_000;
/** A proxy that is down is asked at least this often, milliseconds. */
const DOWN_MS = 30_000;
/** A busy data centre asks for one second; asking each second would not help it. Milliseconds. */
const MIN_RETRY_MS = 5_000;

export const initialProxyState: ProxyState = { kind: 'probing', failures: 0, since: 0, detail: 'not asked yet' };

/** Next state and when to ask again. Every input is expected in every state. */
export function stepProxy(state: ProxyState, input: ProxyInput, times: ProxyTimes): ProxyStep {
  const recheck = Math.min(RECHECK_MS, times.periodMs);
  switch (input.kind) {
    case 'start': {
      return { state: { ...initialProxyState, since: input.now }, probeInMs: 0 };
    }
    case 'answered': {
      return answered(state, input, times);
    }
    case 'silent': {
      const detail = `no answer to ${input.what}`;
      return failed(state, 'silent', detail, input.now, recheck, times);
    }
    case 'unreachable': {
      return failed(state, 'unreachable', input.detail, input.now, recheck, times);
    }
  }
}

function answered(state: ProxyState, input: Extract<ProxyInput, { kind: 'answered' }>, times: ProxyTimes): ProxyStep {
  const detail = `answered ${input.status}`;
  if (input.status >= 200 && input.status < 300) {
    const kind = state.kind === 'down' ? 'recovered' : 'active';
    return {
      state: { kind, since: state.kind === kind ? state.since : input.now, detail },
      probeInMs: kind === 'recovered' ? Math.min(RECHECK_MS, times.periodMs) : times.periodMs,
    };
  }
  if (input.status === 503) {
    const asked = (input.retryAfterSeconds ?? 0) * 1_000;
    const retryMs = Math.min(Math.max(asked, MIN_RETRY_MS), Math.max(asked, DOWN_MS), times.periodMs);
    return { state: down(state, 'busy', detail, input.now), probeInMs: retryMs };
  }
  return { state: down(state, 'refused', detail, input.now), probeInMs: Math.min(DOWN_MS, times.periodMs) };
}

function failed(
  state: ProxyState,
  reason: ProxyDownReason,
  detail: string,
  now: number,
  recheck: number,
  times: ProxyTimes,
): ProxyStep {
  if (state.kind === 'active' || (state.kind === 'probing' && state.failures === 0)) {
    return { state: { kind: 'probing', failures: 1, since: now, detail }, probeInMs: recheck };
  }
  return { state: down(state, reason, detail, now), probeInMs: Math.min(DOWN_MS, times.periodMs) };
}

function down(state: ProxyState, reason: ProxyDownReason, detail: string, now: number): ProxyState {
  const since = state.kind === 'down' && state.reason === reason ? state.since : now;
  return { kind: 'down', reason, since, detail };
}

/** True where somebody answers there, so that agents behind the trunk may be offered calls. */
export function isUsable(state: ProxyState): boolean {
  return state.kind !== 'down' || state.reason === 'refused';
}

const RANK: Readonly<Record<ProxyState['kind'], number>> = { active: 0, recovered: 1, probing: 1, down: 2 };

/** Indexes of proxies in the order in which they are to be tried; the configured order decides between equals. */
export function orderProxies(states: readonly ProxyState[]): number[] {
  return states
    .map((state, index) => ({ index, rank: RANK[state.kind] }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map(({ index }) => index);
}
