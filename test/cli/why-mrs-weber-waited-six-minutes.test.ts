import { ladder } from '../../src/cli/commands/call-trace';
import { tellStory } from '../../src/cli/explain/story';
import { decide } from '../../src/routing/decide';
import { explain } from '../../src/routing/explain';
import type { Candidate } from '../../src/routing/types';
import type { CallRow, StoredCallEvent, StoredDecision } from '../../src/store';
import { aCall, anAgent, aQueue, aSnapshot, NOW, SECOND } from '../support/snapshots';

const CAME = NOW;
const rings = { openOffer: { offerId: 'x', callId: 'other', connected: true } };

/** What stands in the database of a decision that was made so many seconds after she came. */
function decided(seconds: number, agents: readonly Candidate[], heldFor?: string): StoredDecision {
  const last = heldFor === undefined ? {} : { lastAgent: { agentId: heldFor, endedAt: CAME - SECOND } };
  const rules = heldFor === undefined ? {} : { preferLastAgent: { withinMs: 9_000 * SECOND, waitMs: 60 * SECOND } };
  const now = CAME + seconds * SECOND;
  const calls = [aCall('weber', { firstQueuedAt: CAME, ...last })];
  const snapshot = aSnapshot(calls, agents, aQueue('support', rules), { now });
  const decision = decide(snapshot);
  const explanations = decision.explanations.map((one) => explain(snapshot, decision, one.callId));
  return { at: now, queue: 'support', snapshot, explanations } as unknown as StoredDecision;
}

const call = {
  id: 'weber',
  queuedAt: CAME,
  connectedAt: CAME + 362 * SECOND,
  endedAt: CAME + 482 * SECOND,
  reason: 'caller-hung-up',
} as unknown as CallRow;
const events: StoredCallEvent[] = [
  { at: CAME, kind: 'call:waiting', data: { queue: 'support', position: 1 } },
  { at: CAME + 360 * SECOND, kind: 'call:offered', data: { offerId: 'o', agent: 'Clara' } },
  { at: CAME + 362 * SECOND, kind: 'call:connected', data: { offerId: 'o' } },
  { at: CAME + 482 * SECOND, kind: 'call:ended', data: { reason: 'caller-hung-up' } },
];
const paused: Partial<Candidate> = { workState: { kind: 'paused', reason: 'lunch' } };

describe('why did Mrs. Weber wait six minutes?', () => {
  const everybodyAway = [
    anAgent('Anna', paused),
    anAgent('Ben', paused),
    anAgent('Clara', rings),
    anAgent('Emma', { workState: { kind: 'signed-out' } }),
  ];
  const claraIsFree = [
    ...everybodyAway.filter((agent) => agent.name !== 'Clara'),
    anAgent('Clara', { presence: 'none' }),
  ];
  const story = tellStory(call, events, [decided(0, everybodyAway), decided(360, claraIsFree)], NOW);

  it('is answered in two sentences: how long, with whom then, and who was where meanwhile', () => {
    expect(story.summary).toBe(
      'The caller waited 6 min, then talked with Clara for 2 min. Most of that time (6 min) nobody could take it: ' +
        'Anna and Ben were paused, Clara was talking with others, Emma was signed out.',
    );
  });

  it('says what the caller was told, at which place, and what could not be played', () => {
    const told = [
      { at: NOW, kind: 'call:announced', data: { prompt: 'soon', place: 3, estimatedWaitSeconds: 90 } },
      { at: NOW, kind: 'call:announced', data: { prompt: 'next', place: 1 } },
      { at: NOW, kind: 'call:announcement-failed', data: { prompt: 'next' } },
    ];
    expect(tellStory(call, told, [], NOW).lines.map((line) => line.text)).toEqual([
      'the caller hears the announcement "soon", being at place 3, with an estimated 90 s to wait',
      'the caller hears the announcement "next", being at place 1',
      'the announcement "next" could not be played; the music went on',
    ]);
    expect(ladder(call, told).map((step) => step.text)).toEqual([
      'announces soon: place 3, estimated wait 90 s',
      'announces next: place 1',
      'announcement next could not be played',
    ]);
  });

  it('is told moment by moment, without words of machines', () => {
    expect(story.lines.map((line) => line.text)).toEqual([
      'decided in "support": nobody could take it. Anna, Ben: paused (lunch); Clara: in a call; Emma: signed out.',
      'the caller waits in "support" at position 1',
      'decided in "support": Clara is rung. Not asked: Anna, Ben: paused (lunch); Emma: signed out.',
      'it rings at Clara',
      'Clara and the caller talk',
      'the call is over: caller hung up',
    ]);
  });

  it('names the one agent for whom the call was kept', () => {
    const kept = tellStory(call, [], [decided(0, [anAgent('Clara', rings), anAgent('Dora')], 'Clara')], NOW);
    expect(kept.summary).toContain('the call was kept for Clara, who spoke with this caller before');
  });

  it('counts people where there are many', () => {
    const many = Array.from({ length: 12 }, (_, i) => anAgent(`a${i}`, rings));
    expect(tellStory(call, [], [decided(0, many)], NOW).summary).toContain(
      'nobody could take it: 12 agents were talking with others.',
    );
  });
});
