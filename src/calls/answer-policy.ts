import type { AnswerPolicy } from './ports';

/** What is to be done with an agent's 200. */
export type AnswerVerdict = 'believe' | 'confirm' | 'refuse';

export interface AgentAnswer {
  /** From the INVITE to the 200, milliseconds. */
  readonly afterMs: number;
  /** True if the agent's platform had said that it rings. */
  readonly rang: boolean;
  /** Past this time after the INVITE the platform has taken the call away from the agent's devices, milliseconds. */
  readonly unansweredMs: number | undefined;
}

/**
 * Whether an answer may be a voicemail: it came without ringing and sooner than a person takes a call (a signed-out user's
 * mailbox answers at once), or after the platform stopped ringing the agent.
 */
export function isSuspicious(answer: AgentAnswer, suspiciousAnswerMs: number): boolean {
  const tooSoon = !answer.rang && answer.afterMs < suspiciousAnswerMs;
  return tooSoon || (answer.unansweredMs !== undefined && answer.afterMs >= answer.unansweredMs);
}

/** The queue's rule for this answer. Without a policy every answer is believed. */
export function judgeAnswer(answer: AgentAnswer, policy: AnswerPolicy | undefined): AnswerVerdict {
  if (!policy) {
    return 'believe';
  }
  if (isSuspicious(answer, policy.suspiciousAnswerMs)) {
    if (policy.suspicious !== 'accept') {
      return policy.suspicious;
    }
  }
  return policy.confirm === 'dtmf' ? 'confirm' : 'believe';
}
