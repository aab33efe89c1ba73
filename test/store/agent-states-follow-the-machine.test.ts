import fc from 'fast-check';
import { newAgent, stepAgent, WRAP_UP_LIMIT_MS } from '../../src/agents/agent-state';
import type { AgentInput, AgentState, OfferRules } from '../../src/agents/agent-state';
import { store } from '../../src/store';
import type { OfferOutcome } from '../../src/store';
import { emptyDatabase, testDatabase, type TestDatabase } from '../support/database';
import { makeScenario, reserve, waitingCall, type Scenario } from '../support/scenario';

let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase();
});
afterAll(async () => {
  await test.close();
});

/** Delays long enough that none ends by itself within a history; `due` lets them end. */
const QUEUE = {
  misses_before_not_ready: 2,
  no_answer_retry_seconds: 600,
  declined_retry_seconds: 500,
  busy_retry_seconds: 400,
  unreachable_retry_seconds: 300,
  failed_retry_seconds: 200,
};
const RULES: OfferRules = {
  missesBeforeNotReady: 2,
  retryMs: { 'no-answer': 600_000, declined: 500_000, busy: 400_000, unreachable: 300_000, failed: 200_000 },
};

const STEPS = [
  'sign-in',
  'sign-out',
  'ready',
  'pause',
  'end-wrap-up',
  'extend-wrap-up',
  'force-paused',
  'force-ready',
  'force-signed-out',
  'pause-queue',
  'resume-queue',
  'sign-out-queue',
  'sign-in-queue',
  'due',
  'reserve',
  'reserve',
  'reserve',
  'ring',
  'answer',
  'answer',
  'no-answer',
  'no-answer',
  'declined',
  'busy',
  'unreachable',
  'failed',
  'cancel',
  'end-call',
  'end-call',
] as const;
type Step = (typeof STEPS)[number];

/** Drives one agent by statements and by the machine at once. */
class Twin {
  readonly #scenario: Scenario;
  readonly #agentId: string;
  readonly #after: 'wrap-up' | 'manual-ready';
  #state: AgentState;
  #offerId: string | undefined;

  constructor(scenario: Scenario, after: 'wrap-up' | 'manual-ready') {
    this.#scenario = scenario;
    this.#agentId = scenario.agents['Anna']!;
    this.#after = after;
    this.#state = {
      ...newAgent(true, 0),
      members: { [scenario.queueId]: { signedIn: true, paused: undefined } },
    };
  }

  #feed(input: AgentInput): void {
    this.#state = stepAgent(this.#state, input)?.state ?? this.#state;
  }

  async run(step: Step, at: number): Promise<void> {
    const { db } = test;
    const member = { agentId: this.#agentId, queueId: this.#scenario.queueId, by: 'Anna' };
    const offerId = this.#offerId ?? 'none';
    switch (step) {
      case 'sign-in': {
        await store.signIn(db, this.#agentId, 'Anna');
        this.#feed({ kind: step, at });
        return;
      }
      case 'sign-out': {
        await store.signOut(db, this.#agentId, 'Anna');
        this.#feed({ kind: step, at });
        return;
      }
      case 'ready': {
        await store.ready(db, this.#agentId, 'Anna');
        this.#feed({ kind: step, at });
        return;
      }
      case 'end-wrap-up': {
        await store.endWrapUp(db, this.#agentId, 'Anna');
        this.#feed({ kind: step, at });
        return;
      }
      case 'pause': {
        await store.pause(db, this.#agentId, 'lunch', 'Anna');
        this.#feed({ kind: step, reason: 'lunch', at });
        return;
      }
      case 'extend-wrap-up': {
        await store.extendWrapUp(db, this.#agentId, 60_000, 'Anna');
        this.#feed({ kind: step, byMs: 60_000, limitMs: WRAP_UP_LIMIT_MS, at });
        return;
      }
      case 'force-paused': {
        await store.forceState(db, this.#agentId, { kind: 'paused', reason: 'training' }, 'chief');
        this.#feed({ kind: 'force', to: { kind: 'paused', reason: 'training' }, by: 'chief', at });
        return;
      }
      case 'force-ready': {
        await store.forceState(db, this.#agentId, { kind: 'ready' }, 'chief');
        this.#feed({ kind: 'force', to: { kind: 'ready' }, by: 'chief', at });
        return;
      }
      case 'force-signed-out': {
        await store.forceState(db, this.#agentId, { kind: 'signed-out' }, 'chief');
        this.#feed({ kind: 'force', to: { kind: 'signed-out' }, by: 'chief', at });
        return;
      }
      case 'pause-queue': {
        await store.pauseInQueue(db, member, 'mail');
        this.#feed({ kind: step, queueId: member.queueId, reason: 'mail', at });
        return;
      }
      case 'resume-queue': {
        await store.resumeInQueue(db, member);
        this.#feed({ kind: step, queueId: member.queueId, at });
        return;
      }
      case 'sign-out-queue': {
        await store.signOutQueue(db, member);
        this.#feed({ kind: step, queueId: member.queueId, at });
        return;
      }
      case 'sign-in-queue': {
        await store.signInQueue(db, member);
        this.#feed({ kind: step, queueId: member.queueId, at });
        return;
      }
      case 'due': {
        await db.query(`update agent_states set until = clock_timestamp() where until is not null`);
        await store.expireDueStates(db);
        this.#feed({ kind: step, at: Number.MAX_SAFE_INTEGER });
        return;
      }
      default: {
        await this.#runOffer(step, offerId, at);
      }
    }
  }

  async #runOffer(step: Step, offerId: string, at: number): Promise<void> {
    const { db } = test;
    if (step === 'reserve') {
      const callId = await waitingCall(db, this.#scenario);
      const made = await reserve(db, this.#scenario, callId, this.#agentId);
      const { queueId } = this.#scenario;
      const member = this.#state.members[queueId];
      // The statement looks at the queue as well, which for the machine is the question of `isAble`.
      if (member?.signedIn === true && member.paused === undefined) {
        const id = made ?? 'refused';
        this.#feed({ kind: 'offer-reserved', offerId: id, callId, medium: 'voice', at });
        expect(this.#state.engagements.some((e) => e.offerId === id)).toBe(made !== undefined);
      } else {
        expect(made).toBeUndefined();
      }
      this.#offerId = made ?? this.#offerId;
      return;
    }
    if (offerId === 'none') {
      return;
    }
    switch (step) {
      case 'ring': {
        await store.markRinging(db, offerId);
        this.#feed({ kind: 'offer-ringing', offerId, at });
        return;
      }
      case 'answer': {
        await store.markAnswered(db, offerId);
        this.#feed({ kind: 'offer-answered', offerId, at });
        return;
      }
      case 'end-call': {
        await store.endConnection(db, offerId, 'agent');
        const after =
          this.#after === 'wrap-up' ? ({ kind: 'wrap-up', ms: 300_000 } as const) : ({ kind: this.#after } as const);
        this.#feed({ kind: 'call-ended', offerId, after, at });
        return;
      }
      default: {
        await this.#refuse(step, offerId, at);
      }
    }
  }

  /** Ends that are for offers which were not answered; an answered one ends otherwise. */
  async #refuse(step: Step, offerId: string, at: number): Promise<void> {
    if (this.#state.engagements.some((e) => e.offerId === offerId && e.stage === 'in-call')) {
      return;
    }
    if (step === 'cancel') {
      await store.endOffer(test.db, offerId, { outcome: 'canceled', reason: 'withdrawn' });
      this.#feed({ kind: 'offer-canceled', offerId, at });
      return;
    }
    const outcome = step as OfferOutcome;
    await store.endOffer(test.db, offerId, { outcome });
    this.#feed({ kind: 'offer-refused', offerId, outcome, rules: RULES, at });
  }

  /** What both say: how long a rest lasts is compared, not when it began, since each has a clock of its own. */
  async compare(): Promise<void> {
    const { work, missedInRow, forced, engagements, members } = this.#state;
    const row = (await store.agentByName(test.db, 'Anna'))!;
    const stages = { reserved: 'reserved', ringing: 'ringing', 'in-call': 'connected' } as const;
    expect({
      state: row.state,
      reason: row.reason,
      rests: row.until !== undefined,
      missedInRow: row.missedInRow,
      forcedBy: row.forcedBy,
      offer: row.offer?.state,
      member: row.memberships[0] && [row.memberships[0].signedIn, row.memberships[0].pauseReason],
    }).toEqual({
      state: work.kind,
      reason: 'reason' in work ? work.reason : undefined,
      rests: 'until' in work && work.until !== undefined,
      missedInRow,
      forcedBy: forced?.by,
      offer: engagements[0] && stages[engagements[0].stage],
      member: [members[this.#scenario.queueId]!.signedIn, members[this.#scenario.queueId]!.paused],
    });
  }
}

describe('the statements about an agent', () => {
  it.each(['wrap-up', 'manual-ready'] as const)(
    'do what the machine does, over any history (%s after calls)',
    async (after) => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.constantFrom(...STEPS), { minLength: 10, maxLength: 40 }), async (history) => {
          await emptyDatabase(test.db);
          const queue = { ...QUEUE, after_call: after, wrap_up_seconds: 300 };
          const scenario = await makeScenario(test.db, { agents: ['Anna'], queue });
          const twin = new Twin(scenario, after);
          let at = 1_000;
          for (const step of history) {
            await twin.run(step, (at += 10));
            await twin.compare();
          }
        }),
        { numRuns: 12 },
      );
    },
  );
});
