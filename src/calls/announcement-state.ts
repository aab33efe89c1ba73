/**
 * When a caller who waits in a queue is told something. Pure: `stepAnnouncement(state, input)` gives the next state and what to do,
 * or undefined where the input is not expected.
 *
 *   quiet ──due──▶ asking ──a rule holds──▶ saying ──said──▶ quiet
 *     │  ▲            │ no rule holds, no place known           ▲
 *     │  └────────────┘                                         │
 *     └──due, but an agent rings──▶ held ──nobody rings, or it took too long──▶ asking
 *
 *   quiet    the caller hears music. `since`: the place was taken, or the last announcement was over
 *   held     due, but an agent who rings may answer any moment: it would only be cut off
 *   asking   the caller's place is being read
 *   saying   the prompt plays; an agent who answers is joined with the caller all the same
 *
 * The clock of the first announcement runs from the place on, that of each later one from the end of the one before it, so that there
 * is always music in between. Times are milliseconds since the epoch.
 */
import { asksForEstimate, ruleFor, tellsPlace } from '../flows/announcements';
import type { AnnouncementRule, Announcements, Standing } from '../flows/announcements';

/** An announcement that is due waits for agents who ring, but not longer than this: most who take a call do so sooner. */
export const HELD_MS = 10_000;
/** How often is looked whether those who ring have stopped. */
const HELD_LOOK_MS = 1_000;
/** How often is looked whether the configuration has changed. */
export const LOOK_MS = 5_000;

export type AnnouncementState =
  | { readonly kind: 'quiet'; readonly since: number; readonly first: boolean; readonly told: number | undefined }
  | { readonly kind: 'held'; readonly dueAt: number; readonly told: number | undefined }
  | { readonly kind: 'asking'; readonly dueAt: number; readonly told: number | undefined }
  | { readonly kind: 'saying'; readonly told: number | undefined };

/** Whether the caller is about to talk: an agent rings; or one has answered, or the call leaves as soon as nobody rings. */
export type Ringing = 'nobody' | 'rings' | 'leaving';

/** What the configuration says now, and who rings. */
interface Now {
  readonly at: number;
  readonly ringing: Ringing;
  /** Undefined: the queue announces nothing. */
  readonly announcements: Announcements | undefined;
}

export type AnnouncementInput =
  | ({ readonly kind: 'look' } & Now)
  /** `standing` undefined: it could not be read, or the place is not there. */
  | ({ readonly kind: 'place-read'; readonly standing: Standing | undefined } & Now)
  | ({ readonly kind: 'said' } & Now);

export type AnnouncementEffect =
  /** Give a `look` then. */
  | { readonly kind: 'look-at'; readonly at: number }
  | { readonly kind: 'read-place'; readonly estimate: boolean }
  | { readonly kind: 'say'; readonly rule: AnnouncementRule; readonly standing: Standing };

export interface AnnouncementStep {
  readonly state: AnnouncementState;
  /** One: something is always on its way. */
  readonly effect: AnnouncementEffect;
}

export function stepAnnouncement(state: AnnouncementState, input: AnnouncementInput): AnnouncementStep | undefined {
  switch (state.kind) {
    case 'quiet': {
      return input.kind === 'look' ? look(state, input) : undefined;
    }
    case 'held': {
      return input.kind === 'look' ? due(state.dueAt, state.told, input) : undefined;
    }
    case 'asking': {
      return input.kind === 'place-read' ? choose(state, input) : undefined;
    }
    case 'saying': {
      return input.kind === 'said' ? quiet(input, state.told) : undefined;
    }
  }
}

/** The beginning of a stay, or, with `told`, of what is left of it after a connection that came to nothing. */
export function beginAnnouncements(
  now: Now,
  before: { readonly told: number | undefined } | undefined,
): AnnouncementStep {
  return look({ kind: 'quiet', since: now.at, first: before === undefined, told: before?.told }, now);
}

function look(state: Extract<AnnouncementState, { kind: 'quiet' }>, now: Now): AnnouncementStep {
  const { announcements, at } = now;
  const later = (when: number): AnnouncementStep => ({
    state,
    effect: { kind: 'look-at', at: Math.min(when, at + LOOK_MS) },
  });
  if (!announcements) {
    return later(Infinity);
  }
  const { firstAfterSeconds, everySeconds } = announcements;
  const dueAt = state.since + (state.first ? firstAfterSeconds : everySeconds) * 1_000;
  return at < dueAt ? later(dueAt) : due(at, state.told, now);
}

function due(dueAt: number, told: number | undefined, now: Now): AnnouncementStep {
  const { announcements, at, ringing } = now;
  if (!announcements) {
    return quiet(now, told);
  }
  if (ringing === 'leaving' || (ringing === 'rings' && at < dueAt + HELD_MS)) {
    return { state: { kind: 'held', dueAt, told }, effect: { kind: 'look-at', at: at + HELD_LOOK_MS } };
  }
  return {
    state: { kind: 'asking', dueAt, told },
    effect: { kind: 'read-place', estimate: asksForEstimate(announcements.rules) },
  };
}

function choose(
  { dueAt, told }: Extract<AnnouncementState, { kind: 'asking' }>,
  input: Extract<AnnouncementInput, { kind: 'place-read' }>,
): AnnouncementStep {
  const { announcements, standing } = input;
  const rule = announcements && standing && ruleFor(announcements.rules, standing, told);
  if (!standing || !rule) {
    return quiet(input, told);
  }
  if (input.ringing === 'leaving' || (input.ringing === 'rings' && input.at < dueAt + HELD_MS)) {
    return due(dueAt, told, input);
  }
  const best = tellsPlace(rule) ? Math.min(standing.place, told ?? Infinity) : told;
  return { state: { kind: 'saying', told: best }, effect: { kind: 'say', rule, standing } };
}

/** Music, until the next one is due. */
function quiet(now: Now, told: number | undefined): AnnouncementStep {
  return look({ kind: 'quiet', since: now.at, first: false, told }, now);
}
