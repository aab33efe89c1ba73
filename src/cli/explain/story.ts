/** The story of a call in plain words, from its facts and from the decisions that were made about it. Pure. */
import type { Explanation } from '../../routing/types';
import type { CallRow, StoredCallEvent, StoredDecision } from '../../store';
import { shortDuration } from '../output/list';
import { groupedRefusals } from './refusals';
import { whyNobody } from './why-nobody';

/** One thing that happened, or that was decided. */
export interface StoryLine {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly text: string;
}

export interface Story {
  /** How long the caller waited, what came then, and what the longest part of the wait was for. */
  readonly summary: string;
  readonly lines: readonly StoryLine[];
}

/** `now`: for a call that is not over. */
export function tellStory(
  call: CallRow,
  events: readonly StoredCallEvent[],
  decisions: readonly StoredDecision[],
  now: number,
): Story {
  const agents = new Map<string, string>();
  const happened = events.flatMap((event) => {
    const { offerId, agent } = event.data;
    if (typeof offerId === 'string' && typeof agent === 'string') {
      agents.set(offerId, agent);
    }
    const text = eventText(event, typeof offerId === 'string' ? (agents.get(offerId) ?? 'the agent') : 'the agent');
    return text === undefined ? [] : [{ at: event.at, text }];
  });
  const decided = decisions.flatMap((decision) => {
    const explanation = decision.explanations.find((one) => one.callId === call.id);
    return explanation === undefined ? [] : [{ at: decision.at, text: decisionText(decision, explanation) }];
  });
  // What was decided comes before what came of it in the same millisecond.
  const lines = [...decided, ...happened].sort((a, b) => a.at - b.at);
  const talked = events.find((event) => event.kind === 'call:connected')?.data['offerId'];
  const agent = typeof talked === 'string' ? agents.get(talked) : undefined;
  return { summary: summaryOf(call, decisions, now, agent), lines };
}

function summaryOf(
  call: CallRow,
  decisions: readonly StoredDecision[],
  now: number,
  agent: string | undefined,
): string {
  if (call.queuedAt === undefined) {
    return call.endedAt === undefined
      ? 'The caller has not come to a queue yet.'
      : `The caller never waited in a queue: ${inWords(call.reason)}.`;
  }
  const until = call.connectedAt ?? call.endedAt ?? now;
  const waited = shortDuration(until - call.queuedAt);
  const end =
    call.connectedAt !== undefined
      ? `then talked with ${agent ?? 'an agent'}${call.endedAt === undefined ? '' : ` for ${shortDuration(call.endedAt - call.connectedAt)}`}`
      : call.endedAt !== undefined
        ? `then the call ended: ${inWords(call.reason)}`
        : 'and still waits';
  const why = mainReason(call, decisions, call.queuedAt, until);
  return `The caller waited ${waited}, ${end}.${why === undefined ? '' : ` Most of that time (${shortDuration(why.ms)}) ${why.text}.`}`;
}

/** What stood in the way for the longest part of the wait, by the decision that was in force then. */
function mainReason(
  call: CallRow,
  decisions: readonly StoredDecision[],
  from: number,
  until: number,
): { readonly text: string; readonly ms: number } | undefined {
  const spent = new Map<string, number>();
  for (const [i, decision] of decisions.entries()) {
    const explanation = decision.explanations.find((one) => one.callId === call.id);
    const next = Math.min(until, decisions[i + 1]?.at ?? until);
    const length = next - Math.max(from, decision.at);
    if (explanation !== undefined && length > 0) {
      const names = new Map(decision.snapshot.agents.map((one) => [one.agentId, one.name]));
      const reason = whyNobody(explanation, (id) => names.get(id) ?? id);
      spent.set(reason, (spent.get(reason) ?? 0) + length);
    }
  }
  const [longest] = [...spent].sort((a, b) => b[1] - a[1]);
  return longest !== undefined && longest[1] > 1000 ? { text: longest[0], ms: longest[1] } : undefined;
}

function decisionText(decision: StoredDecision, explanation: Explanation): string {
  const names = new Map(decision.snapshot.agents.map((agent) => [agent.agentId, agent.name]));
  const nameOf = (id: string): string => names.get(id) ?? id;
  const { chosen, candidates, refusals, position, heldFor } = explanation;
  const why = groupedRefusals(refusals, nameOf, decision.at);
  const others = why.length === 0 ? '' : ` Not asked: ${why.join('; ')}.`;
  if (chosen.length > 0) {
    const rest = candidates.filter((id) => !chosen.includes(id)).map(nameOf);
    const after = rest.length === 0 ? '' : ` (after them: ${listed(rest)})`;
    return `decided in "${decision.queue}": ${listed(chosen.map(nameOf))} ${chosen.length === 1 ? 'is' : 'are'} rung${after}.${others}`;
  }
  const place = position > 1 ? `${position - 1} in front of this caller; ` : '';
  if (heldFor !== undefined) {
    return `decided in "${decision.queue}": ${place}${nameOf(heldFor.agentId)}, who spoke with this caller before, is waited for until ${clock(heldFor.until)}.`;
  }
  const changes = refusals.flatMap(({ refusal }) =>
    'changesAt' in refusal && refusal.changesAt !== undefined ? [refusal.changesAt] : [],
  );
  const next = changes.length === 0 ? '' : ` The first of that changes by itself at ${clock(Math.min(...changes))}.`;
  return `decided in "${decision.queue}": ${place}nobody could take it. ${why.length === 0 ? 'The queue has no members.' : `${capital(why.join('; '))}.`}${next}`;
}

/** Why callers leave a queue (`call:exit`), as people say it. */
const EXITS: Readonly<Record<string, string>> = {
  closed: 'it is closed',
  paused: 'it is paused',
  full: 'it is full',
  noAgents: 'nobody is signed in',
  noPresence: 'nobody is there',
  maxWait: 'the longest wait is over',
  estimatedWait: 'the wait would be too long',
  key: 'the caller pressed a key',
};

/** `caller-hung-up` as people say it. */
function inWords(reason: string | undefined): string {
  return (reason ?? 'ended').replaceAll('-', ' ');
}

/** What ops would say of a fact; undefined for what adds nothing to the story. */
function eventText({ kind, data }: StoredCallEvent, agent: string): string | undefined {
  const text = (key: string): string => {
    const value = data[key];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  switch (kind) {
    case 'call:arrived': {
      return `the call came in for ${text('number')}`;
    }
    case 'call:answered': {
      return 'the caller was answered';
    }
    case 'call:waiting': {
      return `the caller waits in "${text('queue')}" at position ${text('position')}`;
    }
    case 'call:offered': {
      return `it rings at ${text('agent')}`;
    }
    case 'offer:refused': {
      return `${agent} did not take it: ${inWords(text('outcome'))}${text('sipStatus') === '' ? '' : ` (SIP ${text('sipStatus')})`}`;
    }
    case 'offer:closed': {
      return closedText(data, agent);
    }
    case 'call:connected': {
      return `${agent} and the caller talk`;
    }
    case 'call:exit': {
      return `the caller leaves "${text('queue')}" for ${text('to')}: ${EXITS[text('reason')] ?? inWords(text('reason'))}`;
    }
    case 'call:announced': {
      return `the caller hears the announcement "${text('prompt')}"${standingText(text)}`;
    }
    case 'call:announcement-failed': {
      return `the announcement "${text('prompt')}" could not be played; the music went on`;
    }
    case 'call:key': {
      return `the caller presses ${text('key')}`;
    }
    case 'voicemail:greeting': {
      return `the caller hears the greeting of the voicemail of "${text('queue')}"`;
    }
    case 'voicemail:recording': {
      return 'the caller leaves a message';
    }
    case 'voicemail:left': {
      return `the message is kept: ${shortDuration(Number(data['lengthMs'] ?? 0))}, ${text('voicemailId')}`;
    }
    case 'voicemail:discarded': {
      return 'no message: it was too short, or only silence';
    }
    case 'voicemail:failed': {
      return `no message could be left: ${text('why')}`;
    }
    case 'callback:not-possible': {
      return `a callback is passed over: ${text('why')}`;
    }
    case 'callback:offered': {
      return `the caller is asked whether "${text('queue')}" may call back`;
    }
    case 'callback:declined': {
      return 'the caller wants no callback, and has the place again';
    }
    case 'callback:booked': {
      return text('callback') === ''
        ? `it keeps the place of call ${text('from')}, whose caller is to be called back`
        : `the caller is to be called back: ${data['known'] === true ? 'that was so already, ' : ''}callback ${text('callback')}`;
    }
    case 'callback:dialled': {
      return "the customer's telephone is called, while the agent hears music";
    }
    case 'callback:refused': {
      return `the customer did not take it: ${inWords(text('outcome'))}${text('sipStatus') === '' ? '' : ` (SIP ${text('sipStatus')})`}`;
    }
    case 'callback:not-reached': {
      return `the customer was not reached, ${text('tries')} ${text('tries') === '1' ? 'time' : 'times'} by now; the next try is due in ${shortDuration(Number(text('nextTryInMs')))}`;
    }
    case 'callback:no-media': {
      return 'no media server is there; it waits for one';
    }
    case 'callback:lost': {
      return "the agent's leg failed; the customer is called again";
    }
    case 'call:ended': {
      return `the call is over: ${inWords(text('reason'))}`;
    }
    case 'flow:started': {
      return `flow "${text('flow')}" begins`;
    }
    case 'flow:menu': {
      return `the caller hears the menu "${text('prompt')}"`;
    }
    case 'transfer:started': {
      return `the call is sent on to ${text('to')}`;
    }
    default: {
      return undefined;
    }
  }
}

/** `, being at place 3, with about 90 s to wait` */
function standingText(text: (key: string) => string): string {
  const wait = text('estimatedWaitSeconds');
  const about = wait === '' ? '' : `, with an estimated ${shortDuration(Number(wait) * 1_000)} to wait`;
  return `, being at place ${text('place')}${about}`;
}

function closedText(data: StoredCallEvent['data'], agent: string): string | undefined {
  if (data['kind'] === 'canceled') {
    const why = {
      elsewhere: 'another agent was faster',
      'caller-gone': 'the caller was gone',
      withdrawn: 'taken back',
    };
    return `${agent} rings no more: ${why[data['why'] as keyof typeof why] ?? 'taken back'}`;
  }
  return data['kind'] === 'refused' && data['outcome'] === 'no-answer' ? `${agent} let it ring out` : undefined;
}

function listed(names: readonly string[]): string {
  return names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Filled in with the caller's clock by who prints it. */
export function clock(at: number): string {
  return `{${at}}`;
}
