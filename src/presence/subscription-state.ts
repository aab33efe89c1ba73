/**
 * The life of one subscription to presence (Microsoft's pages on the subscription resource and on lifecycle events, 2026).
 *
 *            create            created
 *   none ─────────────▶ creating ──────▶ live ◀──────────────────────────────┐
 *    ▲  ▲                  │             │ │ │                                │
 *    │  └── create-failed ─┘    renew ◀──┘ │ └──▶ reauthorize                 │
 *    │                            │        │        │                         │
 *    │                        renewing     │   reauthorizing ── done, failed ─┤
 *    │                            │        │                                  │
 *    │                            ├── renewed, failed for now ────────────────┘
 *    │  removed                   │ refused
 *    └────────────── removing ◀───┴──── silent, other users        removing again and again until Graph has taken it
 *
 * - none: Graph was not asked, or is asked again at `retryAt`.
 * - live: lives for an hour at most. Renewed in its last third; re-created when that is refused, when the users change, and
 *   when it has gone silent. One that has ended is forgotten.
 * - renewing and reauthorizing are kept ten minutes apart, as Microsoft demands.
 *
 * Pure: the time comes in with each input, milliseconds.
 */
export interface Live {
  readonly id: string;
  readonly expiresAt: number;
  /** Which users it covers. */
  readonly users: string;
  readonly patchedAt: number | undefined;
  readonly reauthorizedAt: number | undefined;
  /** Not renewed before, after an attempt that failed. */
  readonly retryAt: number;
}

export type SubscriptionState =
  | { readonly kind: 'none'; readonly retryAt: number; readonly failures: number }
  | { readonly kind: 'creating'; readonly failures: number }
  | ({ readonly kind: 'live' | 'renewing' | 'reauthorizing' } & Live)
  | { readonly kind: 'removing'; readonly id: string; readonly retryAt: number };

export type SubscriptionInput =
  | {
      readonly kind: 'tick';
      readonly now: number;
      /** Users that should be covered; empty: nobody. */
      readonly users: string;
      /** Graph waits for a renewed authorization since then. */
      readonly reauthorizeAt: number | undefined;
      readonly silent: boolean;
    }
  | { readonly kind: 'created'; readonly id: string; readonly expiresAt: number; readonly users: string }
  | { readonly kind: 'create-failed'; readonly now: number; readonly waitMs: number | undefined }
  | { readonly kind: 'renewed'; readonly now: number; readonly expiresAt: number }
  | {
      readonly kind: 'renew-failed';
      readonly now: number;
      readonly refused: boolean;
      readonly waitMs: number | undefined;
    }
  | { readonly kind: 'reauthorized'; readonly now: number }
  | { readonly kind: 'reauthorize-failed'; readonly now: number }
  | { readonly kind: 'removed'; readonly now: number }
  | { readonly kind: 'remove-failed'; readonly now: number };

export type SubscriptionEffect =
  | { readonly kind: 'create'; readonly users: string }
  | { readonly kind: 'renew' | 'reauthorize' | 'remove'; readonly id: string };

export interface SubscriptionStep {
  readonly state: SubscriptionState;
  readonly effect?: SubscriptionEffect;
}

/** Asked for; Graph allows an hour. */
export const LIFETIME_MS = 59 * 60_000;
const RENEW_BEFORE_MS = 20 * 60_000;
/** Between a renewal and a reauthorization. */
export const APART_MS = 10 * 60_000;
const RETRY_MS = 30_000;
const RETRY_CAP_MS = 900_000;

export const NO_SUBSCRIPTION: SubscriptionState = { kind: 'none', retryAt: 0, failures: 0 };

/** What an input makes of the state; undefined: not expected here. */
export function stepSubscription(state: SubscriptionState, input: SubscriptionInput): SubscriptionStep | undefined {
  switch (state.kind) {
    case 'none': {
      return input.kind === 'tick' && input.users !== '' && input.now >= state.retryAt
        ? { state: { kind: 'creating', failures: state.failures }, effect: { kind: 'create', users: input.users } }
        : undefined;
    }
    case 'creating': {
      return creating(state.failures, input);
    }
    case 'live': {
      return input.kind === 'tick' ? live(state, input) : undefined;
    }
    case 'renewing': {
      return renewing(state, input);
    }
    case 'reauthorizing': {
      return reauthorizing(state, input);
    }
    case 'removing': {
      return removing(state, input);
    }
  }
}

function creating(failures: number, input: SubscriptionInput): SubscriptionStep | undefined {
  if (input.kind === 'created') {
    const { id, expiresAt, users } = input;
    return {
      state: { kind: 'live', id, expiresAt, users, patchedAt: undefined, reauthorizedAt: undefined, retryAt: 0 },
    };
  }
  if (input.kind === 'create-failed') {
    const wait = input.waitMs ?? Math.min(RETRY_CAP_MS, RETRY_MS * 2 ** Math.min(failures, 10));
    return { state: { kind: 'none', retryAt: input.now + wait, failures: failures + 1 } };
  }
  return undefined;
}

type LiveState = Extract<SubscriptionState, { kind: 'live' | 'renewing' | 'reauthorizing' }>;

function live(state: LiveState, input: Extract<SubscriptionInput, { kind: 'tick' }>): SubscriptionStep | undefined {
  const { now } = input;
  const apart = (at: number | undefined): boolean => at === undefined || now - at >= APART_MS;
  if (state.expiresAt <= now) {
    return { state: { kind: 'none', retryAt: now, failures: 0 } };
  }
  if (input.silent || input.users !== state.users) {
    return remove(state.id);
  }
  // A renewal after it was asked for has authorized anew, too.
  const answeredAt = Math.max(state.reauthorizedAt ?? 0, state.patchedAt ?? 0);
  const asked = input.reauthorizeAt !== undefined && input.reauthorizeAt > answeredAt;
  if (asked && apart(state.patchedAt) && now >= state.retryAt) {
    return { state: { ...state, kind: 'reauthorizing' }, effect: { kind: 'reauthorize', id: state.id } };
  }
  if (state.expiresAt - now <= RENEW_BEFORE_MS && apart(state.reauthorizedAt) && now >= state.retryAt) {
    return { state: { ...state, kind: 'renewing' }, effect: { kind: 'renew', id: state.id } };
  }
  return undefined;
}

function renewing(state: LiveState, input: SubscriptionInput): SubscriptionStep | undefined {
  if (input.kind === 'renewed') {
    return { state: { ...state, kind: 'live', expiresAt: input.expiresAt, patchedAt: input.now } };
  }
  if (input.kind === 'renew-failed') {
    return input.refused
      ? remove(state.id)
      : { state: { ...state, kind: 'live', retryAt: input.now + (input.waitMs ?? RETRY_MS) } };
  }
  return undefined;
}

function reauthorizing(state: LiveState, input: SubscriptionInput): SubscriptionStep | undefined {
  if (input.kind === 'reauthorized') {
    return { state: { ...state, kind: 'live', reauthorizedAt: input.now } };
  }
  if (input.kind === 'reauthorize-failed') {
    return { state: { ...state, kind: 'live', retryAt: input.now + RETRY_MS } };
  }
  return undefined;
}

function remove(id: string): SubscriptionStep {
  return { state: { kind: 'removing', id, retryAt: Infinity }, effect: { kind: 'remove', id } };
}

function removing(
  state: Extract<SubscriptionState, { kind: 'removing' }>,
  input: SubscriptionInput,
): SubscriptionStep | undefined {
  switch (input.kind) {
    case 'removed': {
      return { state: { kind: 'none', retryAt: input.now, failures: 0 } };
    }
    case 'remove-failed': {
      return { state: { ...state, retryAt: input.now + RETRY_MS } };
    }
    case 'tick': {
      return input.now >= state.retryAt ? remove(state.id) : undefined;
    }
    default: {
      return undefined;
    }
  }
}
