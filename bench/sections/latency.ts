/** One call after the other on an idle system: how long each step of a call takes. */
import { Caller } from '../caller';
import { QUIET } from '../document';
import type { SectionResult } from '../statistics';
import { timing } from '../statistics';
import type { System } from '../system';
import { sleep, until } from '../wait';

const STEP_TIMEOUT_MS = 5_000;
const TALK_MS = 400;

interface Samples {
  readonly answer: number[];
  readonly agentInvite: number[];
  readonly audioAtCaller: number[];
  readonly audioAtAgent: number[];
  readonly audioBoth: number[];
  readonly delayToAgent: number[];
  readonly delayToCaller: number[];
  readonly callerBye: number[];
  readonly agentBye: number[];
  readonly failures: string[];
}

/** @param calls how many calls, one after the other */
export async function measureLatency(system: System, calls: number): Promise<SectionResult> {
  const samples: Samples = {
    answer: [],
    agentInvite: [],
    audioAtCaller: [],
    audioAtAgent: [],
    audioBoth: [],
    delayToAgent: [],
    delayToCaller: [],
    callerBye: [],
    agentBye: [],
    failures: [],
  };
  system.peers.agents.plan = { answerAfterMs: 0, withAudio: true };
  // The first calls load code and fill caches; they are not counted.
  const warmUp = Math.min(5, calls);
  for (let i = 0; i < warmUp + calls; i++) {
    const into = i < warmUp ? undefined : samples;
    const failure = await oneCall(system, i % 2 === 0, into);
    if (failure !== undefined) {
      samples.failures.push(failure);
    }
    await sleep(30);
  }
  return { figures: figuresOf(samples), tables: [], goals: [] };
}

async function oneCall(system: System, callerHangsUp: boolean, into: Samples | undefined): Promise<string | undefined> {
  const caller = await Caller.dial(system.peers, QUIET, true);
  const { trace } = caller;
  const floor = system.peers.agents;
  try {
    if (!(await until(() => trace.agentAnsweredAt !== undefined || caller.over, STEP_TIMEOUT_MS)) || caller.over) {
      return `no agent answered (status ${trace.status})`;
    }
    const agent = floor.calls.get(trace.number);
    const heard = (): boolean => caller.audio?.firstAt !== undefined && agent?.audio?.firstAt !== undefined;
    if (!(await until(heard, STEP_TIMEOUT_MS)) || !agent) {
      return 'no audio both ways';
    }
    await sleep(TALK_MS);
    if (callerHangsUp) {
      caller.hangUp();
    } else {
      agent.hangUp();
    }
    if (!(await until(() => caller.over && !agent.live, STEP_TIMEOUT_MS))) {
      return 'the hang-up did not reach the other side';
    }
    record(into, caller, agent.audio?.firstAt ?? Number.NaN, agent.audio?.delays ?? []);
    return undefined;
  } finally {
    caller.hangUp();
    await until(() => caller.over, STEP_TIMEOUT_MS);
  }
}

function record(into: Samples | undefined, caller: Caller, agentHeardAt: number, toAgent: readonly number[]): void {
  if (!into) {
    return;
  }
  const t = caller.trace;
  const since = (list: number[], to: number | undefined, from: number | undefined): void => {
    if (to !== undefined && from !== undefined) {
      list.push(to - from);
    }
  };
  since(into.answer, t.answeredAt, t.startedAt);
  since(into.agentInvite, t.agentInviteAt, t.startedAt);
  const callerHeardAt = caller.audio?.firstAt ?? Number.NaN;
  since(into.audioAtCaller, callerHeardAt, t.agentAnsweredAt);
  since(into.audioAtAgent, agentHeardAt, t.agentAnsweredAt);
  since(into.audioBoth, Math.max(callerHeardAt, agentHeardAt), t.agentAnsweredAt);
  into.delayToAgent.push(...toAgent);
  into.delayToCaller.push(...(caller.audio?.delays ?? []));
  since(into.callerBye, t.agentByeReceivedAt, t.callerByeSentAt);
  since(into.agentBye, t.callerByeReceivedAt, t.agentByeSentAt);
}

function figuresOf(samples: Samples): SectionResult['figures'] {
  const failed = samples.failures.length;
  const note = failed === 0 ? {} : { note: `${failed} calls failed: ${[...new Set(samples.failures)].join('; ')}` };
  return [
    timing('caller INVITE → 200', samples.answer, note),
    timing('caller INVITE → agent INVITE', samples.agentInvite, {
      p95: 50,
      peers: 'app_queue 3.3 / 6.6, mod_callcenter 67 / 110',
    }),
    timing('agent 200 → audio at caller', samples.audioAtCaller),
    timing('agent 200 → audio at agent', samples.audioAtAgent),
    timing('agent 200 → audio both ways', samples.audioBoth, {
      p95: 60,
      peers: 'app_queue 23 / 25, mod_callcenter 88 / 99',
    }),
    timing('one-way audio, caller → agent', samples.delayToAgent),
    timing('one-way audio, agent → caller', samples.delayToCaller),
    timing('caller BYE → agent BYE', samples.callerBye, { p95: 20, peers: 'app_queue 2 / 4, mod_callcenter 22 / 28' }),
    timing('agent BYE → caller BYE', samples.agentBye, { p95: 20, peers: 'app_queue 2 / 4, mod_callcenter 22 / 28' }),
  ];
}
