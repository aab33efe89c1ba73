import { mutantsOf, type Rule } from '../rule';

const STORE = 'test/store/offers.test.ts';
const end = mutantsOf('src/store/sql/end-offer.ts', STORE);
const agent = mutantsOf('src/agents/agent-state.ts', 'test/property/agent-state.test.ts');
const policy = mutantsOf('src/calls/answer-policy.ts', 'test/unit/calls/answer-policy.test.ts');
const confirm = mutantsOf('src/calls/offer-state.ts', 'test/unit/calls/answer-policy.test.ts');

const sentOn = mutantsOf('src/store/sql/queue-visits.ts', 'test/store/scope-and-places.test.ts');
const SENT_ON = 'whoever sent the caller on is not asked for a while, unless nobody else is there';
const DELAY = 'spares the agent for the delay of that outcome';
const delays: readonly [outcome: string, own: string, other: string][] = [
  ['declined', 'declined_retry_seconds', 'busy_retry_seconds'],
  ['busy', 'busy_retry_seconds', 'unreachable_retry_seconds'],
  ['unreachable', 'unreachable_retry_seconds', 'failed_retry_seconds'],
  ['failed', 'failed_retry_seconds', 'declined_retry_seconds'],
];

export const OFFERS: readonly Rule[] = [
  {
    rule: 'ring timeout',
    says: 'An agent rings for `ringTimeoutSeconds` of the queue, and never longer than `maxRingSeconds` of his endpoint',
    mutants: [
      mutantsOf('src/store/sql/insert-offers.ts', STORE)(
        'least(w.ring_timeout_seconds, coalesce(e.max_ring_seconds, w.ring_timeout_seconds))',
        'w.ring_timeout_seconds',
        'has all that is needed to ring the agent, and the shorter of the two ring timeouts',
      ),
      mutantsOf('src/store/sql/insert-offers.ts', STORE)(
        'least(w.ring_timeout_seconds, coalesce(e.max_ring_seconds, w.ring_timeout_seconds))',
        'coalesce(e.max_ring_seconds, w.ring_timeout_seconds)',
        'has all that is needed to ring the agent, and the shorter of the two ring timeouts',
      ),
      mutantsOf('src/config/documents/schema.ts', 'test/unit/config/document-mistakes.test.ts')(
        'maxRingSeconds: seconds(3, 300)\n      .default(15)',
        'maxRingSeconds: seconds(3, 300)\n      .default(20)',
        'the ring timeout of a Teams endpoint is capped at 15 s where nothing is said',
      ),
      confirm(
        "return ending({ kind: 'refused', outcome: 'no-answer' });",
        "return ending({ kind: 'canceled', why: 'withdrawn' });",
        'that does not come within the ring timeout is no answer',
      ),
    ],
  },
  {
    rule: 'answer',
    says: 'talks; then wrap-up or `manual-ready`',
    mutants: [
      mutantsOf('src/store/sql/offers.ts', STORE)(
        'set missed_in_row = 0 from mine',
        'set missed_in_row = s.missed_in_row from mine',
        'an answer wins the call, ends the waiting, and forgets the misses',
      ),
      mutantsOf('src/store/sql/offers.ts', STORE)(
        "outcome = 'answered'\n  from won",
        "outcome = 'moved'\n  from won",
        'an answer wins the call, ends the waiting, and forgets the misses',
      ),
      agent(
        "{ ...staged(state, open, 'in-call'), missedInRow: 0 }",
        "staged(state, open, 'in-call')",
        'an answer forgets the misses',
      ),
    ],
  },
  {
    rule: 'missesBeforeNotReady',
    says: 'not offered this call for `retryAfterSeconds.noAnswer`; after `missesBeforeNotReady` in a row not ready',
    mutants: [
      end(
        'l.missed_in_row + 1 < q.misses_before_not_ready',
        'l.missed_in_row < q.misses_before_not_ready',
        'missesBeforeNotReady: makes the agent not ready at the limit, until he says otherwise',
      ),
      end(
        'l.missed_in_row + 1 < q.misses_before_not_ready',
        'false',
        'missesBeforeNotReady: below it the offer keeps the agent from the same call only',
      ),
      end(
        "when $2 = 'no-answer' then null else r.retry_at end",
        'else r.retry_at end',
        'missesBeforeNotReady: makes the agent not ready at the limit, until he says otherwise',
      ),
      end(
        "when 'no-answer' then q.no_answer_retry_seconds",
        "when 'no-answer' then q.declined_retry_seconds",
        'missesBeforeNotReady: below it the offer keeps the agent from the same call only',
      ),
      end(
        "r.missed_in_row + case when $2 = 'no-answer' then 1 else 0 end",
        'r.missed_in_row + 1',
        'because it was declined spares the agent for the delay of that outcome, and is none of missesBeforeNotReady',
      ),
      agent(
        'missedInRow < rules.missesBeforeNotReady',
        'missedInRow <= rules.missesBeforeNotReady',
        'missesBeforeNotReady: at the limit not ready, below it kept from the same call only',
      ),
      agent(
        'missedInRow < rules.missesBeforeNotReady',
        'false',
        'missesBeforeNotReady: at the limit not ready, below it kept from the same call only',
      ),
    ],
  },
  ...delays.map(([outcome, own, other]) => ({
    rule: outcome,
    says: 'offered nothing for the delay of that outcome',
    mutants: [
      end(
        outcome === 'failed' ? `else q.${own} end as` : `when '${outcome}' then q.${own}`,
        outcome === 'failed' ? `else q.${other} end as` : `when '${outcome}' then q.${other}`,
        `because it was ${outcome} ${DELAY}`,
      ),
    ],
  })),
  {
    rule: 'canceled',
    says: '| completed elsewhere, caller gone, withdrawn | nothing',
    mutants: [
      end(
        "from rule r where s.agent_id = r.agent_id and $2 <> 'canceled'",
        'from rule r where s.agent_id = r.agent_id',
        'because it was canceled (elsewhere) costs the agent nothing',
      ),
      agent(
        "return open.stage === 'in-call' ? undefined : freed(without(state, open));",
        "return open.stage === 'in-call' ? undefined : freed({ ...without(state, open), readySince: input.at });",
        'an offer that is canceled costs nothing, whatever the agent said meanwhile',
      ),
    ],
  },
  {
    rule: 'caller who leaves',
    says: 'A caller who leaves stops the ringing at once.',
    mutants: [
      mutantsOf('src/calls/call-end.ts', 'test/property/call-machines.test.ts')(
        "const why = by === 'caller' ? 'caller-gone' : 'withdrawn';",
        "const why = 'withdrawn' as 'caller-gone' | 'withdrawn';",
        'a caller who leaves stops the ringing of everybody in the same step',
      ),
    ],
  },
  {
    rule: 'rung a second time',
    says: 'Whatever changes meanwhile, presence or configuration, nobody is rung a second time beside it.',
    mutants: [
      mutantsOf('src/routing/eligibility.ts', 'test/unit/routing/complaints.test.ts')(
        'openOfferRefusal(agent) ??\n',
        '\n',
        'an agent who changes status while being rung is not rung a second time',
      ),
    ],
  },
  {
    rule: 'sent the caller on',
    says: 'An agent who sends a caller on to a queue is not offered that caller there for `retryAfterSeconds.noAnswer`, unless nobody else who serves the queue is signed in.',
    mutants: [
      sentOn("last.ended_by = 'agent' and exists", 'false and exists', SENT_ON),
      sentOn("last.ended_by = 'agent' and exists", 'exists', SENT_ON),
      sentOn("and m.agent_id <> last.agent_id and m.signed_in and s.state <> 'signed-out')", ')', SENT_ON),
      sentOn(
        'moment.now + target.no_answer_retry_seconds',
        'moment.now + 10 * target.no_answer_retry_seconds',
        SENT_ON,
      ),
    ],
  },
  {
    rule: 'confirm',
    says: '`confirm: dtmf` asks the agent to press a key before the caller is joined, and `suspiciousAnswer` says what becomes of an answer that a mailbox may have given',
    mutants: [
      policy(
        "return policy.confirm === 'dtmf' ? 'confirm' : 'believe';",
        "return 'believe';",
        'confirm: dtmf asks every agent for a key',
      ),
      policy(
        "if (policy.suspicious !== 'accept') {",
        'if (false) {',
        'that is suspicious is refused, to be confirmed or believed, as the queue says',
      ),
      policy(
        '!answer.rang && answer.afterMs < suspiciousAnswerMs',
        'answer.afterMs < suspiciousAnswerMs',
        'is suspicious, and perhaps to be confirmed, too soon without ringing, or after the platform took the call away',
      ),
      policy(
        'answer.afterMs >= answer.unansweredMs',
        'false',
        'is suspicious, and perhaps to be confirmed, too soon without ringing, or after the platform took the call away',
      ),
      confirm(
        "state: { kind: 'confirming', asked: false },",
        "state: { kind: 'answering', claimed: false, mediaReady: false },",
        'that is to be confirmed wins nothing before the key',
      ),
      confirm('if (!input.pressed) {', 'if (input.pressed) {', 'that is to be confirmed wins nothing before the key'),
    ],
  },
];
