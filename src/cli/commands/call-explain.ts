/** `calls explain`: why a call went as it went, in words. */
import { callView } from '../../store/call-view';
import { store } from '../../store';
import type { Database, StoredDecision } from '../../store';
import type { Context, ListOptions } from '../context';
import { withDatabase } from '../database';
import { tellStory } from '../explain/story';
import { line } from '../io';
import { printData } from '../output/json';
import { isoTime, outputFormat, visible } from '../output/list';
import { readCall } from './call-trace';

const PAGE = 200;

/** @throws SidekickError SK_NOT_FOUND */
export async function explainCall(context: Context, id: string, options: ListOptions): Promise<number> {
  const format = outputFormat(context.io, options);
  const { call, events, decisions, timeZone } = await withDatabase(context, options, async (db) => {
    const found = await readCall(db, id);
    const tenants = await store.loadTenants(db);
    return {
      ...found,
      decisions: await decisionsOf(db, id),
      timeZone: tenants.find((tenant) => tenant.id === found.call.tenantId)?.timeZone ?? 'UTC',
    };
  });
  const story = tellStory(call, events, decisions, Date.now());
  const at = clockIn(timeZone);
  const withTimes = (text: string): string =>
    text.replace(/\{(\d+(?:\.\d+)?)\}/g, (_all, ms: string) => at(Number(ms)));
  const value = {
    call: callView(call),
    summary: withTimes(story.summary),
    story: story.lines.map((one) => ({ at: isoTime(one.at), text: withTimes(one.text) })),
    decisions: decisions.map((decision) => ({
      at: isoTime(decision.at),
      queue: decision.queue,
      trigger: decision.trigger,
      explanation: decision.explanations.find((one) => one.callId === id) ?? null,
      agents: Object.fromEntries(decision.snapshot.agents.map((agent) => [agent.agentId, agent.name])),
    })),
  };
  if (printData(context.io, format, value)) {
    return 0;
  }
  const { stdout } = context.io;
  if (format === 'tsv' || format === 'csv' || format === 'name') {
    value.story.forEach((one) => line(stdout, `${one.at}\t${visible(one.text)}`));
    return 0;
  }
  line(
    stdout,
    `${visible(call.callerNumber ?? 'anonymous')} → ${visible(call.dialledNumber)}, ${day(timeZone, call.createdAt)} (${timeZone})`,
  );
  line(stdout, visible(value.summary));
  line(stdout);
  for (const [i, one] of story.lines.entries()) {
    line(stdout, `  ${at(one.at)}  ${visible(value.story[i]?.text ?? '')}`);
  }
  if (decisions.length === 0) {
    line(stdout);
    line(
      stdout,
      '  No decision about this call is stored (any more): it never waited, or it is older than decisions are kept.',
    );
  }
  return 0;
}

async function decisionsOf(db: Database, callId: string): Promise<readonly StoredDecision[]> {
  const all: StoredDecision[] = [];
  for (;;) {
    const last = all.at(-1);
    const page = await store.decisions(db, {
      callId,
      limit: PAGE,
      ...(last === undefined ? {} : { after: { at: last.at, id: last.id } }),
    });
    all.push(...page);
    if (page.length < PAGE) {
      return all;
    }
  }
}

function clockIn(timeZone: string): (at: number) => string {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 1,
    hourCycle: 'h23',
  });
  return (at) => format.format(at);
}

function day(timeZone: string, at: number): string {
  return new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'full' }).format(at);
}
