/** Short calls at a steady rate, and what became of each. */
import { Caller } from './caller';
import type { CallTrace } from './call-trace';
import { LARGE } from './document';
import type { System } from './system';
import { sleep, until } from './wait';

/** No final response in this time: lost. */
const ANSWER_TIMEOUT_MS = 10_000;
/** Answered, and no agent in this time: forgotten. */
const AGENT_TIMEOUT_MS = 15_000;
const TALK_MS = 500;

export type Outcome =
  /** Answered, connected to an agent, ended by us. */
  | 'connected'
  /** 503 with Retry-After. */
  | 'refused'
  /** Any other refusal. */
  | 'refused-otherwise'
  /** No final response at all. */
  | 'unanswered'
  /** Answered by us, then ended by us before it was over. */
  | 'dropped'
  /** Answered by us, then no agent within 15 s. */
  | 'forgotten';

export interface ShortCall {
  readonly trace: CallTrace;
  readonly outcome: Outcome;
  /** For refusals: the status. */
  readonly status: number;
}

export interface ShortCallOptions {
  readonly perSecond: number;
  readonly calls: number;
}

/** Dials at the given rate and resolves when every call has come to its end. */
export async function runShortCalls(system: System, options: ShortCallOptions): Promise<ShortCall[]> {
  system.peers.agents.plan = { answerAfterMs: 0, withAudio: false };
  const running: Promise<ShortCall>[] = [];
  const start = performance.now();
  for (let i = 0; i < options.calls; i++) {
    const due = start + (i * 1000) / options.perSecond;
    const wait = due - performance.now();
    if (wait > 1) {
      await sleep(wait);
    }
    running.push(shortCall(system, i % 2 === 0));
  }
  return Promise.all(running);
}

async function shortCall(system: System, callerHangsUp: boolean): Promise<ShortCall> {
  const { peers } = system;
  const caller = await Caller.dial(peers, LARGE, false);
  const { trace } = caller;
  const outcome = await followCall(system, caller, callerHangsUp);
  if (!caller.over) {
    caller.hangUp();
    await until(() => caller.over, 5_000);
  }
  return { trace, outcome, status: trace.status };
}

async function followCall(system: System, caller: Caller, callerHangsUp: boolean): Promise<Outcome> {
  const { trace } = caller;
  await happened(trace, 'answered', () => trace.answeredAt !== undefined, ANSWER_TIMEOUT_MS);
  if (trace.answeredAt === undefined) {
    if (trace.status === 0 || !caller.over) {
      return 'unanswered';
    }
    return trace.status === 503 && trace.retryAfter ? 'refused' : 'refused-otherwise';
  }
  await happened(trace, 'agent-answered', () => trace.agentAnsweredAt !== undefined, AGENT_TIMEOUT_MS);
  if (trace.agentAnsweredAt === undefined) {
    return caller.over ? 'dropped' : 'forgotten';
  }
  await sleep(TALK_MS);
  if (caller.over) {
    return 'dropped';
  }
  if (callerHangsUp) {
    caller.hangUp();
  } else {
    system.peers.agents.calls.get(trace.number)?.hangUp();
  }
  await until(() => caller.over, 5_000);
  return 'connected';
}

/** Waits for an event of the call, for its end, or for the time to pass. */
async function happened(
  trace: CallTrace,
  event: 'answered' | 'agent-answered',
  already: () => boolean,
  timeoutMs: number,
): Promise<void> {
  if (already()) {
    return;
  }
  await new Promise<void>((resolve) => {
    const offs: (() => void)[] = [];
    const done = (): void => {
      clearTimeout(timer);
      for (const off of offs) {
        off();
      }
      resolve();
    };
    const timer = setTimeout(done, timeoutMs);
    offs.push(trace.events.once(event, done), trace.events.once('caller-ended', done));
  });
}

export function countOutcomes(calls: readonly ShortCall[]): Readonly<Record<Outcome, number>> {
  const counts: Record<Outcome, number> = {
    connected: 0,
    refused: 0,
    'refused-otherwise': 0,
    unanswered: 0,
    dropped: 0,
    forgotten: 0,
  };
  for (const { outcome } of calls) {
    counts[outcome]++;
  }
  return counts;
}
