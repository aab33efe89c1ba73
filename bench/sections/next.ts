/** More callers than agents: how soon the next caller is offered when an agent's call ends. */
import type { AgentCall } from '../agents';
import { Caller } from '../caller';
import { BUSY, BUSY_AGENTS } from '../document';
import type { SectionResult } from '../statistics';
import { timing } from '../statistics';
import type { System } from '../system';
import { sleep, until } from '../wait';

/** Callers in the queue besides those who talk. */
const WAITING = 5;
const TALK_MS = { least: 150, most: 450 };
const TIMEOUT_MS = 60_000;

/** @param samples how many ends of calls are measured */
export async function measureNext(system: System, samples: number): Promise<SectionResult> {
  const { peers } = system;
  const values: number[] = [];
  /** Ends of agents' calls that no INVITE has followed yet. */
  const freed: number[] = [];
  const callers = new Set<Caller>();
  let stopping = false;

  const dial = async (): Promise<void> => {
    const caller = await Caller.dial(peers, BUSY, false);
    callers.add(caller);
    void caller.ended.then(() => {
      callers.delete(caller);
      return stopping ? undefined : dial();
    });
  };
  const talk = async (call: AgentCall): Promise<void> => {
    await until(() => call.trace.agentAnsweredAt !== undefined || !call.live, TIMEOUT_MS);
    await sleep(TALK_MS.least + Math.random() * (TALK_MS.most - TALK_MS.least));
    if (call.live && !stopping) {
      call.hangUp();
      freed.push(call.trace.agentByeSentAt ?? performance.now());
    }
  };
  peers.agents.plan = { answerAfterMs: 0, withAudio: false };
  peers.agents.onInvite = (call, at) => {
    const since = freed.shift();
    if (since !== undefined) {
      values.push(at - since);
    }
    void talk(call);
  };
  try {
    await Promise.all(Array.from({ length: BUSY_AGENTS + WAITING }, dial));
    await until(() => values.length >= samples, TIMEOUT_MS);
  } finally {
    stopping = true;
    peers.agents.onInvite = undefined;
    for (const caller of callers) {
      caller.hangUp();
    }
    await until(() => callers.size === 0, 10_000);
  }
  return {
    figures: [
      timing("agent's BYE → next INVITE at any agent", values, {
        p95: 30,
        peers: 'app_queue 459 / 906, mod_callcenter 635 / 1081',
        ...(values.length < samples
          ? { note: `only ${values.length} of ${samples} within ${TIMEOUT_MS / 1000} s` }
          : {}),
      }),
    ],
    tables: [],
    goals: [],
  };
}
