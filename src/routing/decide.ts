import { dueAt } from './due-times';
import { dueExit, exitFor, exitsByEstimate, isRung, restsWhileClosed } from './exits';
import { matchCalls, type Match, type Seeker } from './match-calls';
import { excludedAgents, holdFor, preferenceOf } from './preferences';
import { countScarcity, prepare, type Prepared } from './prepare';
import type { ReasonCounts } from './queue-view';
import { statusByName } from './queue-status';
import { seatsOf } from './rings';
import { strategies } from './strategies';
import type { Assignment, CallSummary, Decision, Exit, Snapshot } from './types';

/**
 * Which call goes to which agents, which leave their queue, and why the others wait on. Pure: no clock, no randomness, no I/O.
 *
 * 1. Calls whose longest wait is over, or whose queue has had no agent for too long, leave.
 * 2. Every other call that nobody rings for is matched with one agent (`match-calls.ts`).
 * 3. Agents who are left ring as well, where the strategy rings several.
 * 4. Calls that got nobody and whose estimated wait is too long leave.
 */
export function decide(snapshot: Snapshot): Decision {
  const { now } = snapshot;
  const { views, calls } = prepare(snapshot);
  const statuses = statusByName(snapshot);
  const exits: Exit[] = [];
  const staying: Prepared[] = [];
  for (const prepared of calls) {
    const reason = dueExit(prepared.call, prepared.view, now);
    const exit = reason && exitFor(prepared.call, prepared.view, reason, statuses);
    if (exit) {
      exits.push(exit);
    } else {
      staying.push(prepared);
    }
  }
  const waiting = staying.filter(wantsAgents(now));
  const { chosen, holds } = match(waiting, snapshot);
  for (const view of views.values()) {
    const ofQueue = view.rules.estimatedWaitOverMs === undefined ? [] : staying.filter((p) => p.view === view);
    const served = new Set(
      ofQueue.filter(({ call }) => isRung(call) || chosen.has(call.callId)).map((p) => p.call.callId),
    );
    exits.push(
      ...exitsByEstimate(
        ofQueue.map((p) => p.call),
        served,
        view,
        statuses,
      ),
    );
  }
  const rank = new Map(exits.length > 1 ? calls.map((p) => [p.call.callId, p.rank] as const) : []);
  exits.sort((a, b) => (rank.get(a.callId) ?? 0) - (rank.get(b.callId) ?? 0));
  const gone = new Set(exits.map((exit) => exit.callId));
  const left = gone.size === 0 ? waiting : waiting.filter(({ call }) => !gone.has(call.callId));
  const explanations = left.map((p) =>
    summarise(p, chosen.get(p.call.callId) ?? NOBODY, holds.get(p.call.callId), now),
  );
  const due = dueAt(
    gone.size === 0 ? staying : staying.filter(({ call }) => !gone.has(call.callId)),
    chosen,
    holds,
    now,
  );
  return {
    assignments: assignmentsOf(left, chosen),
    explanations,
    exits,
    ...(due === undefined ? {} : { dueAt: due }),
    unknownPresence: unknownPresence(left, chosen),
  };
}

type Chosen = ReadonlyMap<string, readonly string[]>;
export type Holds = ReadonlyMap<string, { readonly agentId: string; readonly until: number }>;
const NOBODY: readonly string[] = [];

/** Nobody rings for it, or fewer than may. */
function wantsAgents(now: number): (prepared: Prepared) => boolean {
  return ({ call, view }) =>
    !restsWhileClosed(call, view) && (!isRung(call) || (call.openOffers?.length ?? 0) < seatsOf(call, view.rules, now));
}

/** Agents for calls: first one for each call that nobody rings for, then more where several ring. */
function match(waiting: readonly Prepared[], snapshot: Snapshot): { readonly chosen: Chosen; readonly holds: Holds } {
  const { now } = snapshot;
  countScarcity(waiting, now);
  const topWeight = Math.max(0, ...snapshot.queues.map((queue) => queue.weight));
  const holds = new Map<string, { readonly agentId: string; readonly until: number }>();
  const first: Seeker[] = [];
  const ringing: Seeker[] = [];
  for (const { call, view, profile, rank, starving } of waiting) {
    const { rules } = view;
    const hold = rules.preferLastAgent && !isRung(call) ? holdFor(call, profile, snapshot) : undefined;
    if (hold) {
      holds.set(call.callId, hold);
      continue;
    }
    const preference = preferenceOf(call, profile, now);
    const weight = starving ? topWeight : rules.weight;
    const seeker: Seeker = { call, profile, preference, rank, starving, weight, seats: 1 };
    if (!isRung(call)) {
      first.push(seeker);
    }
    if (strategies[rules.strategy].rings) {
      ringing.push(seeker);
    }
  }
  const matches = matchCalls(first, NO_MATCHES);
  if (ringing.length > 0) {
    fillRings(ringing, matches, snapshot);
  }
  const found: Match[] = [...matches.values()];
  const chosen = new Map<string, string[]>();
  for (const { seeker, entry } of found) {
    const agents = chosen.get(seeker.call.callId);
    if (agents) {
      agents.push(entry.agent.agentId);
    } else {
      chosen.set(seeker.call.callId, [entry.agent.agentId]);
    }
  }
  return { chosen, holds };
}

const NO_MATCHES: ReadonlyMap<number, Match> = new Map();

/** A call whom the first round gave nobody finds nobody here either; the others fill up. */
function fillRings(ringing: readonly Seeker[], matches: Map<number, Match>, { now }: Snapshot): void {
  const given = new Set<Seeker>();
  for (const { seeker } of matches.values()) {
    given.add(seeker);
  }
  for (const seeker of ringing) {
    const ring = (seeker.call.openOffers?.length ?? 0) + (given.has(seeker) ? 1 : 0);
    seeker.seats = seatsOf(seeker.call, seeker.profile.view.rules, now) - ring;
  }
  for (const [index, more] of matchCalls(ringing, matches)) {
    matches.set(index, more);
  }
}

function assignmentsOf(waiting: readonly Prepared[], chosen: Chosen): Assignment[] {
  const assignments: Assignment[] = [];
  for (const { call } of waiting) {
    const { callId, queueId } = call;
    for (const agentId of chosen.get(callId) ?? NOBODY) {
      assignments.push({ callId, queueId, agentId });
    }
  }
  return assignments;
}

/** Counts for one call: those of its profile, and its own exclusions. */
export function summarise(
  { call, profile }: Prepared,
  chosen: readonly string[],
  heldFor: { readonly agentId: string; readonly until: number } | undefined,
  now: number,
): CallSummary {
  let eligible = profile.entries.length;
  let refused: ReasonCounts = profile.refused;
  if (call.excluded && call.excluded.length > 0) {
    let usable = 0;
    let outOfHours = 0;
    for (const agentId of excludedAgents(call, now)) {
      usable += profile.mentioned.has(agentId) ? 1 : 0;
      outOfHours += profile.outOfHours.has(agentId) ? 1 : 0;
    }
    eligible -= usable;
    refused = withCount(refused, 'excluded-for-this-call', usable + outOfHours);
    refused = withCount(refused, 'outside-working-hours', -outOfHours);
  }
  return {
    callId: call.callId,
    queueId: call.queueId,
    chosen,
    eligible,
    refused,
    ...(heldFor ? { heldFor } : {}),
  };
}

function withCount(counts: ReasonCounts, reason: keyof ReasonCounts, more: number): ReasonCounts {
  if (more === 0) {
    return counts;
  }
  const { [reason]: before = 0, ...rest } = counts;
  return before + more === 0 ? rest : { ...rest, [reason]: before + more };
}

function unknownPresence(waiting: readonly Prepared[], chosen: Chosen): string[] {
  const agents = new Set<string>();
  const views = new Set(waiting.filter(({ call }) => !chosen.has(call.callId)).map(({ view }) => view));
  for (const view of views) {
    for (const agentId of view.unknownPresence) {
      agents.add(agentId);
    }
  }
  return [...agents].sort();
}
