import { isSuspicious, judgeAnswer } from '../../../src/calls/answer-policy';
import { initialOfferState, stepOffer, type OfferInput, type OfferState } from '../../../src/calls/offer-state';

const person = { afterMs: 5_000, rang: true, unansweredMs: 17_000 };
const mailbox = { afterMs: 300, rang: false, unansweredMs: 17_000 };
const policy = { confirm: 'none', suspicious: 'accept', suspiciousAnswerMs: 1_000 } as const;

function offerAfter(...inputs: OfferInput[]): OfferState {
  return inputs.reduce((state, input) => stepOffer(state, input)?.state ?? state, initialOfferState);
}

describe('an answer of an agent', () => {
  it('confirm: dtmf asks every agent for a key', () => {
    const asks = { ...policy, confirm: 'dtmf' } as const;
    expect([judgeAnswer(person, asks), judgeAnswer(mailbox, asks)]).toEqual(['confirm', 'confirm']);
    expect([judgeAnswer(person, policy), judgeAnswer(mailbox, policy)]).toEqual(['believe', 'believe']);
  });

  it('that is suspicious is refused, to be confirmed or believed, as the queue says', () => {
    for (const suspicious of ['refuse', 'confirm'] as const) {
      expect(judgeAnswer(mailbox, { ...policy, suspicious })).toBe(suspicious);
      expect(judgeAnswer(person, { ...policy, suspicious })).toBe('believe');
    }
  });

  it('is suspicious, and perhaps to be confirmed, too soon without ringing, or after the platform took the call away', () => {
    expect(isSuspicious(mailbox, 1_000)).toBe(true);
    expect(isSuspicious({ ...mailbox, afterMs: 1_000 }, 1_000)).toBe(false);
    expect(isSuspicious({ ...mailbox, rang: true }, 1_000)).toBe(false);
    expect(isSuspicious({ ...person, afterMs: 17_000 }, 1_000)).toBe(true);
    expect(isSuspicious({ ...person, afterMs: 16_999 }, 1_000)).toBe(false);
  });

  it('that is to be confirmed wins nothing before the key', () => {
    const answered: OfferInput[] = [
      { kind: 'start' },
      { kind: 'ringing' },
      { kind: 'answered', verdict: 'confirm' },
      { kind: 'media-ready' },
    ];
    expect(offerAfter(...answered)).toMatchObject({ kind: 'confirming' });
    expect(offerAfter(...answered, { kind: 'claimed', won: true })).toMatchObject({ kind: 'confirming' });
    expect(offerAfter(...answered, { kind: 'key', pressed: true })).toMatchObject({ kind: 'answering' });
    expect(offerAfter(...answered, { kind: 'key', pressed: false })).toMatchObject({
      closing: { kind: 'refused', outcome: 'no-answer' },
    });
  });

  it('that does not come within the ring timeout is no answer', () => {
    expect(offerAfter({ kind: 'start' }, { kind: 'ringing' }, { kind: 'ring-timeout' })).toMatchObject({
      closing: { kind: 'refused', outcome: 'no-answer' },
    });
  });
});
