/** `agents why`: why an agent gets no calls right now, queue by queue. */
import { newId } from '../../lib/ids';
import { decide } from '../../routing/decide';
import { explain } from '../../routing/explain';
import type { Refusal, Snapshot } from '../../routing/types';
import { store } from '../../store';
import type { AgentRow, Database } from '../../store';
import type { Context, ListOptions } from '../context';
import { withDatabase } from '../database';
import { findAgent } from '../find';
import { line } from '../io';
import { printData } from '../output/json';
import { outputFormat, visible } from '../output/list';
import { refusalText } from '../output/refusal-text';

export interface WhyOptions extends ListOptions {
  readonly tenant?: string;
}

interface QueueAnswer {
  readonly queue: string;
  /** Why the agent could not take a new call of this queue; null: he could. */
  readonly refusal: Refusal | null;
  /** Which place the agent has among those who could take a new call, from 1; null: none. */
  readonly place: number | null;
  readonly waiting: number;
  readonly text: string;
}

/** Exit code 0: the agent can be given calls; 1: of no queue. @throws SidekickError SK_NOT_FOUND, SK_CONFLICT */
export async function whyNoCalls(context: Context, name: string, options: WhyOptions): Promise<number> {
  const format = outputFormat(context.io, options);
  const { agent, answers } = await withDatabase(context, options, async (db) => {
    const found = await findAgent(db, name, options.tenant);
    return { agent: found, answers: await answersFor(db, found) };
  });
  const able = answers.some((answer) => answer.refusal === null);
  const summary = summaryOf(agent, answers);
  if (!printData(context.io, format, { agent: agent.name, canTakeCalls: able, summary, queues: answers })) {
    const { stdout } = context.io;
    if (format === 'table' || format === 'wide') {
      line(stdout, visible(summary));
      answers.forEach((answer) => line(stdout, `  ${visible(answer.queue)}: ${visible(answer.text)}`));
    } else {
      answers.forEach((answer) => line(stdout, `${visible(answer.queue)}\t${visible(answer.text)}`));
    }
  }
  return able ? 0 : 1;
}

async function answersFor(db: Database, agent: AgentRow): Promise<QueueAnswer[]> {
  const queues = (await store.loadQueues(db)).filter((queue) => agent.memberships.some((m) => m.queue === queue.name));
  const answers: QueueAnswer[] = [];
  for (const queue of queues) {
    const snapshot = await store.snapshotQueue(db, queue.id);
    if (snapshot?.agents.some((candidate) => candidate.agentId === agent.id) === true) {
      answers.push(answer(queue.name, queue.id, agent.id, snapshot));
    }
  }
  return answers;
}

/** A call that just came is put into the snapshot, and the rules are asked about it. */
function answer(queue: string, queueId: string, agentId: string, snapshot: Snapshot): QueueAnswer {
  const { now } = snapshot;
  const callId = newId();
  const call = { callId, queueId, nodeId: '', class: 9, headStartMs: 0, firstQueuedAt: now, queuedAt: now };
  const asked: Snapshot = {
    ...snapshot,
    // Whether a call would leave the queue at once is another question.
    queues: snapshot.queues.map((rules) => ({ ...rules, exits: {} })),
    calls: [...snapshot.calls.filter((one) => one.queueId === queueId && (one.openOffers?.length ?? 0) > 0), call],
  };
  const { candidates, refusals } = explain(asked, decide(asked), callId);
  const refusal = refusals.find((one) => one.agentId === agentId)?.refusal ?? null;
  const waiting = snapshot.calls.filter((one) => one.queueId === queueId && (one.openOffers?.length ?? 0) === 0).length;
  const place = refusal === null ? candidates.indexOf(agentId) + 1 : null;
  return { queue, refusal, place, waiting, text: textOf(refusal, place, candidates.length, waiting, now) };
}

function textOf(refusal: Refusal | null, place: number | null, able: number, waiting: number, now: number): string {
  const calls =
    waiting === 1
      ? '1 call waits'
      : `${waiting === 0 ? 'no call' : String(waiting)} ${waiting === 0 ? 'waits' : 'calls wait'}`;
  if (refusal !== null) {
    return `${refusalText(refusal, now)}; ${calls}`;
  }
  return `could take the next call, ${place ?? 0}. of ${able} in line; ${calls}`;
}

function summaryOf(agent: AgentRow, answers: readonly QueueAnswer[]): string {
  if (answers.length === 0) {
    return `${agent.name} serves no queue, so no call can come. \`sidekick queues members add QUEUE ${agent.name}\` changes that.`;
  }
  const able = answers.filter((one) => one.refusal === null);
  if (able.length === answers.length) {
    const waiting = able.some((one) => one.waiting > 0);
    return `${agent.name} can take calls${waiting ? '; the calls that wait need something else' : '; none waits'}.`;
  }
  if (able.length > 0) {
    return `${agent.name} can take calls of ${able.map((one) => one.queue).join(', ')}, not of the others.`;
  }
  const [first] = answers;
  return `${agent.name} gets no calls: ${first?.refusal ? nextStep(agent.name, first.refusal) : 'no queue can offer any'}.`;
}

/** What is in the way, and who can end it. */
function nextStep(name: string, refusal: Refusal): string {
  switch (refusal.reason) {
    case 'signed-out': {
      return `signed out${refusal.here ? ' of the queue' : ''}; \`sidekick agents sign-in ${name}\` changes that`;
    }
    case 'paused': {
      return `paused (${refusal.detail}); \`sidekick agents ready ${name}\` ends it`;
    }
    case 'not-ready': {
      return `not ready (${refusal.detail})${refusal.changesAt === undefined ? `; \`sidekick agents ready ${name}\` ends it` : ', which ends by itself'}`;
    }
    case 'wrap-up': {
      return `in wrap-up; it ends by itself, or by \`sidekick agents wrap-up end ${name}\``;
    }
    case 'presence': {
      return `Teams shows ${refusal.value}, which the queue does not accept (presence.accept)`;
    }
    case 'presence-unknown': {
      return `the presence in Teams is not known; \`sidekick presence show ${name}\` and \`sidekick doctor\` tell more`;
    }
    case 'endpoint-down': {
      return `the trunk ${refusal.trunk} does not answer; \`sidekick doctor\` tells more`;
    }
    case 'in-call': {
      return 'in a call';
    }
    case 'reserved': {
      return 'being rung for a call';
    }
    default: {
      return refusal.reason;
    }
  }
}
