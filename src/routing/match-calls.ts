/**
 * Stable matching by deferred acceptance: each call asks agents in its order of preference; an agent keeps the call that comes first
 * for this agent and sends others on to their next choice. What comes out has no call and agent who would both rather have each other,
 * does not depend on the order of asking, and with one queue is "calls in order, each takes the first free agent".
 *
 * Calls with the same preferences are asked for in their order, so a later one would be turned down by every agent whom an earlier one
 * has asked: it starts where the earlier ones have come to (the frontier). That keeps a thousand calls from asking the same thousand
 * agents each.
 */
import { compareForAgent, type Wanted } from './order-calls';
import type { Preference } from './preferences';
import type { Profile } from './profile';
import type { Entry } from './strategies/strategy';
import type { Membership } from './types';

/** A call that wants agents. */
export interface Seeker extends Wanted {
  readonly profile: Profile;
  readonly preference: Preference;
  /** How many more agents it may be given. */
  seats: number;
}

interface Round {
  readonly seeker: Seeker;
  seats: number;
  /** Place among the preferred ones, then in the order. */
  first: number;
  place: number;
  /** Turned away by an agent, waiting to go on. */
  queued: boolean;
}

export interface Match {
  readonly seeker: Seeker;
  readonly entry: Entry;
}

/**
 * Gives agents to seekers. Agents who are in `taken` (by place in the snapshot) are left alone.
 *
 * @param seekers in the order of rank
 * @returns by place of the agent in the snapshot
 */
export function matchCalls(seekers: readonly Seeker[], taken: ReadonlyMap<number, Match>): Map<number, Match> {
  const held = new Map<number, { readonly round: Round; readonly entry: Entry }>();
  for (const { profile } of seekers) {
    profile.frontier.starving = 0;
    profile.frontier.other = 0;
  }
  for (const seeker of seekers) {
    const frontier = seeker.starving ? 'starving' : 'other';
    const place = seeker.preference.order ? 0 : seeker.profile.frontier[frontier];
    const asking: Round[] = [{ seeker, seats: seeker.seats, first: 0, place, queued: true }];
    for (let round = asking.pop(); round; round = asking.pop()) {
      round.queued = false;
      while (round.seats > 0) {
        const entry = nextEntry(round);
        if (!entry) {
          break;
        }
        if (taken.has(entry.index)) {
          continue;
        }
        const holder = held.get(entry.index);
        if (holder && !prefers(round.seeker, entry.member, holder.round.seeker, holder.entry.member)) {
          continue;
        }
        held.set(entry.index, { round, entry });
        round.seats--;
        if (holder) {
          holder.round.seats++;
          if (!holder.round.queued) {
            holder.round.queued = true;
            asking.push(holder.round);
          }
        }
      }
      advanceFrontier(round);
    }
  }
  const matches = new Map<number, Match>();
  for (const [index, { round, entry }] of held) {
    matches.set(index, { seeker: round.seeker, entry });
  }
  return matches;
}

function prefers(a: Seeker, ofA: Membership, b: Seeker, ofB: Membership): boolean {
  return compareForAgent(a, ofA, b, ofB) < 0;
}

/** The next agent whom the call has not asked yet. */
function nextEntry(round: Round): Entry | undefined {
  const { preference, profile } = round.seeker;
  if (round.first < preference.first.length) {
    return preference.first[round.first++];
  }
  for (;;) {
    const place = round.place++;
    const entry = preference.order ? preference.order[place] : profile.ranking().at(place);
    if (!entry || preference.plain) {
      return entry;
    }
    if (!preference.excluded.has(entry.agent.agentId) && !preference.first.includes(entry)) {
      return entry;
    }
  }
}

function advanceFrontier({ seeker, place }: Round): void {
  if (seeker.preference.plain) {
    const { frontier } = seeker.profile;
    const kind = seeker.starving ? 'starving' : 'other';
    frontier[kind] = Math.max(frontier[kind], place);
  }
}
