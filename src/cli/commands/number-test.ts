/** `numbers test`: what a caller of a number would meet, without a call: every branch of the flow, and who would get it now. */
import { readConfiguration } from '../../config/documents/export-document';
import type { Document } from '../../config/documents/schema';
import type { AnnouncementRule, Range } from '../../flows/announcements';
import type { FlowStep } from '../../flows/flow';
import { MAX_STEPS_WITHOUT_WAIT, MENU_TRIES } from '../../flows/flow';
import { newId } from '../../lib/ids';
import { SidekickError } from '../../lib/errors';
import { decide } from '../../routing/decide';
import { explain } from '../../routing/explain';
import { store } from '../../store';
import type { Database, QueueSummary } from '../../store';
import { openAt, zoneOf } from '../configured/nouns';
import type { ItemOf } from '../configured/nouns';
import type { Context, ListOptions } from '../context';
import { withDatabase } from '../database';
import { didYouMean } from '../../config/documents/did-you-mean';
import { line } from '../io';
import { printData } from '../output/json';
import { outputFormat, shortDuration, visible } from '../output/list';
import { refusalText } from '../output/refusal-text';
import { inZone } from './hours';

export interface NumberTestOptions extends ListOptions {
  /** Milliseconds since the epoch; undefined: now. */
  readonly at?: number;
}

/** A line of the walk, with what lies below it. */
export interface Walked {
  readonly what: string;
  readonly below: readonly Walked[];
  /** A queue or number in which the caller ends here. */
  readonly ends?: string;
}

interface Walk {
  readonly document: Document;
  readonly tenant: string | undefined;
  readonly at: number;
  /** What is said of a queue, found before the walk. */
  readonly queues: ReadonlyMap<string, readonly Walked[]>;
  /** Flows that the walk is in: one that comes again is a loop. */
  readonly inside: readonly string[];
  readonly depth: number;
}

/** @throws SidekickError SK_NOT_FOUND for a number that is not configured */
export async function testNumber(context: Context, given: string, options: NumberTestOptions): Promise<number> {
  const format = outputFormat(context.io, options);
  const at = options.at ?? Date.now();
  return withDatabase(context, options, async (db) => {
    const document = await readConfiguration(db, ['tenants', 'prompts', 'hours', 'flows', 'queues', 'numbers']);
    const number = findNumber(document, given);
    const walk: Walk = {
      document,
      tenant: number.tenant,
      at,
      queues: await lookAtQueues(db, document, number.tenant, at),
      inside: [],
      depth: 0,
    };
    const steps = walkNumber(number, walk);
    const zone = document.tenants.find((t) => t.name === number.tenant)?.timeZone ?? 'UTC';
    if (
      !printData(context.io, format, {
        number: number.number,
        tenant: number.tenant ?? null,
        at: new Date(at).toISOString(),
        steps,
      })
    ) {
      line(context.io.stdout, `${number.number} of ${number.tenant ?? 'all'}, ${inZone(at, zone)} (${zone})`);
      steps.forEach((step) => print(context, step, 1));
    }
    return 0;
  });
}

function print({ io }: Context, { what, below }: Walked, depth: number): void {
  line(io.stdout, `${'   '.repeat(depth)}${visible(what)}`);
  below.forEach((step) => print({ io } as Context, step, depth + 1));
}

function findNumber(document: Document, given: string): ItemOf<'numbers'> {
  const wanted = given.replaceAll(/[\s()/-]/g, '').replace(/^00/, '+');
  const found = document.numbers.find((n) => n.number === wanted);
  if (found === undefined) {
    const meant = didYouMean(
      wanted,
      document.numbers.map((n) => n.number),
    );
    throw new SidekickError('SK_NOT_FOUND', `no call to ${given} would be taken`, {
      why: 'the number is not configured; a carrier gets 404',
      next: meant === undefined ? '`sidekick numbers list` shows the numbers' : `did you mean ${meant}?`,
    });
  }
  return found;
}

function walkNumber(number: ItemOf<'numbers'>, walk: Walk): Walked[] {
  const greeting = number.greeting === undefined ? [] : [note(`plays ${promptText(walk, number.greeting)}`)];
  return number.queue === undefined
    ? [...greeting, walkFlow(number.flow ?? '', walk)]
    : [...greeting, ...enqueued(number.queue, walk)];
}

const note = (what: string, below: readonly Walked[] = []): Walked => ({ what, below });

function promptText({ document, tenant }: Pick<Walk, 'document' | 'tenant'>, name: string): string {
  const prompt = document.prompts.find((p) => p.name === name && p.tenant === tenant);
  return prompt === undefined
    ? `${name} (there is no such prompt)`
    : `${name} (${prompt.file ?? prompt.tone ?? prompt.stream ?? ''})`;
}

function walkFlow(name: string, walk: Walk): Walked {
  const flow = walk.document.flows.find((f) => f.name === name && f.tenant === walk.tenant);
  if (flow === undefined) {
    return note(`flow ${name}: there is no such flow, the call ends`);
  }
  if (walk.inside.includes(name)) {
    return note(`flow ${name}: is gone through already, a loop`);
  }
  return note(`flow ${name}`, walkSteps(flow.steps, { ...walk, inside: [...walk.inside, name] }));
}

function walkSteps(steps: readonly FlowStep[], walk: Walk): Walked[] {
  if (walk.depth > MAX_STEPS_WITHOUT_WAIT) {
    return [note('goes on without end; the call is ended')];
  }
  const deeper = { ...walk, depth: walk.depth + 1 };
  const walked: Walked[] = [];
  for (const step of steps) {
    const { below, goesOn } = walkStep(step, deeper);
    walked.push(...below);
    if (!goesOn) {
      return walked;
    }
  }
  return walk.depth === 0 ? [...walked, note('hangs up: the flow has no more steps')] : walked;
}

function walkStep(step: FlowStep, walk: Walk): { readonly below: readonly Walked[]; readonly goesOn: boolean } {
  const on = (...below: readonly Walked[]) => ({ below, goesOn: true });
  const end = (...below: readonly Walked[]) => ({ below, goesOn: false });
  if ('play' in step) {
    return on(note(`plays ${promptText(walk, step.play)}`));
  }
  if ('hours' in step) {
    return walkHours(step, walk);
  }
  if ('menu' in step) {
    const { prompt, keys, tries = MENU_TRIES, noInput } = step.menu;
    const branches = Object.entries(keys).map(([key, inner]) => note(`key ${key}`, walkSteps(inner, walk)));
    const none = noInput === undefined ? [note('hangs up')] : walkSteps(noInput, walk);
    return on(note(`menu ${promptText(walk, prompt)}, ${tries} times`, [...branches, note('no key', none)]));
  }
  if ('set' in step) {
    return on(note(`sets ${JSON.stringify(step.set)}`));
  }
  if ('flow' in step) {
    return on(walkFlow(step.flow, walk));
  }
  if ('enqueue' in step) {
    return end(...enqueued(step.enqueue, walk));
  }
  if ('number' in step) {
    return end({ ...note(`is sent to ${step.number}`), ends: step.number });
  }
  if ('voicemail' in step) {
    return end(note(`leaves a message for queue ${step.voicemail}`));
  }
  if ('callback' in step) {
    return end(note(`is called back by queue ${step.callback}, or waits in it if that cannot be`));
  }
  return end(note(`hangs up${step.hangUp.sip === undefined ? '' : `, SIP ${step.hangUp.sip} if not answered yet`}`));
}

function walkHours(
  step: Extract<FlowStep, { readonly hours: string }>,
  walk: Walk,
): { readonly below: readonly Walked[]; readonly goesOn: boolean } {
  const { document, at, tenant } = walk;
  const hours = document.hours.find((h) => h.name === step.hours && h.tenant === tenant);
  if (hours === undefined) {
    return { below: [note(`hours ${step.hours}: there are none of that name, which counts as open`)], goesOn: true };
  }
  const state = openAt(document, hours, at);
  const until = state.nextChangeAt === undefined ? '' : ` until ${inZone(state.nextChangeAt, zoneOf(document, hours))}`;
  const text = `hours ${step.hours}: ${state.open ? 'open' : 'closed'}${until} (${state.reason})`;
  return state.open
    ? { below: [note(text)], goesOn: true }
    : { below: [note(text, walkSteps(step.closed, walk))], goesOn: false };
}

function enqueued(queue: string, walk: Walk): Walked[] {
  const below = walk.queues.get(queue);
  return below === undefined
    ? [note(`queue ${queue}: there is no such queue, the call ends`)]
    : [{ ...note(`waits in queue ${queue}`, below), ends: queue }];
}

/** What is to be said of each queue of the tenant. */
async function lookAtQueues(
  db: Database,
  document: Document,
  tenant: string | undefined,
  at: number,
): Promise<ReadonlyMap<string, readonly Walked[]>> {
  const summaries = (await store.queueSummaries(db)).filter((q) => q.tenant === tenant);
  const looks = summaries.map(async (summary) => {
    const queue = document.queues.find((q) => q.name === summary.name && q.tenant === tenant);
    const { lines, away } = entrance(document, summary, queue, at);
    const told = queue === undefined ? [] : whatIsTold(document, queue);
    return [summary.name, away ? lines : [...lines, ...told, ...(await whoWouldGetIt(db, summary.id))]] as const;
  });
  return new Map(await Promise.all(looks));
}

/** What a call meets at the door; `away`: it is sent on, whoever is free. */
function entrance(
  document: Document,
  summary: QueueSummary,
  queue: ItemOf<'queues'> | undefined,
  at: number,
): { readonly lines: readonly Walked[]; readonly away: boolean } {
  const lines: Walked[] = [];
  const exits: (object | undefined)[] = [];
  const hours = document.hours.find((h) => h.name === queue?.hours && h.tenant === summary.tenant);
  const state = hours && openAt(document, hours, at);
  if (hours !== undefined && state !== undefined) {
    const leads = state.open ? '' : `: leads to ${actionText(queue?.exits.closed)}`;
    lines.push(note(`hours ${hours.name}: ${state.open ? 'open' : 'closed'} (${state.reason})${leads}`));
    exits.push(state.open ? undefined : queue?.exits.closed);
  }
  if (summary.paused !== undefined) {
    const since = shortDuration(Date.now() - summary.paused.at);
    lines.push(note(`paused for ${since}: leads to ${actionText(queue?.exits.paused)}`));
    exits.push(queue?.exits.paused);
  }
  if (summary.maxWaiting !== undefined && summary.waiting >= summary.maxWaiting) {
    const full = `${summary.waiting} of ${summary.maxWaiting} wait`;
    lines.push(note(`full, ${full}: leads to ${actionText(queue?.exits.full)}`));
    exits.push(queue?.exits.full);
  }
  return { lines, away: exits.some((action) => action !== undefined) };
}

/** What a caller is told who waits. */
function whatIsTold(document: Document, { announcements, tenant }: ItemOf<'queues'>): readonly Walked[] {
  if (announcements === undefined) {
    return [];
  }
  const { firstAfterSeconds, everySeconds, rules } = announcements;
  return [
    note(
      `is told after ${firstAfterSeconds} s, and again after ${everySeconds} s of music each, the first that holds:`,
      rules.map((rule) => note(`${promptText({ document, tenant }, rule.prompt)}${ruleText(rule)}`)),
    ),
  ];
}

/** `: at place 2 to 3, with 60 s or more to wait, if that is better than before` */
function ruleText({ place, estimatedWaitSeconds, onlyIfBetter }: AnnouncementRule): string {
  const conditions = [
    ...(place === undefined ? [] : [`at place ${rangeText(place)}`]),
    ...(estimatedWaitSeconds === undefined
      ? []
      : [`where the estimated wait is ${rangeText(estimatedWaitSeconds)} seconds`]),
    ...(onlyIfBetter === true ? ['if the place is better than what was told before'] : []),
  ];
  return conditions.length === 0 ? '' : `: ${conditions.join(', ')}`;
}

function rangeText({ from, to }: Range): string {
  if (from === to) {
    return String(from);
  }
  if (from === undefined) {
    return `up to ${to}`;
  }
  return to === undefined ? `${from} or more` : `${from} to ${to}`;
}

/** An action in words. */
function actionText(action: object | undefined): string {
  if (action === undefined) {
    return 'nothing, the call waits';
  }
  const [entry] = Object.entries(action as Readonly<Record<string, unknown>>);
  const [kind, to]: readonly [string, unknown] = entry ?? ['', undefined];
  switch (kind) {
    case 'queues': {
      return `queue ${(to as string[]).join(', else ')}`;
    }
    case 'hangUp': {
      return 'a hang-up';
    }
    case 'announce': {
      return `prompt ${String(to)}, then a hang-up`;
    }
    default: {
      return `${kind} ${String(to)}`;
    }
  }
}

/** A call that is not there is put into the snapshot, and the rules are asked. */
async function whoWouldGetIt(db: Database, queueId: string): Promise<Walked[]> {
  const snapshot = await store.snapshotQueue(db, queueId);
  if (snapshot === undefined) {
    return [];
  }
  const callId = newId();
  const { now } = snapshot;
  const call = { callId, queueId, nodeId: newId(), class: 0, headStartMs: 0, firstQueuedAt: now, queuedAt: now };
  const asked = { ...snapshot, calls: [...snapshot.calls, call] };
  const decision = decide(asked);
  const exit = decision.exits.find((one) => one.callId === callId);
  if (exit !== undefined) {
    return [note(`is sent on at once (${exit.reason}): ${actionText(exit.action)}`)];
  }
  const { position, chosen, candidates, refusals } = explain(asked, decision, callId);
  const names = new Map(snapshot.agents.map((agent) => [agent.agentId, agent.name]));
  const nameOf = (agentId: string): string => names.get(agentId) ?? agentId;
  const free = candidates.filter((id) => !chosen.includes(id) && !refusals.some((r) => r.agentId === id));
  return [
    note(
      chosen.length > 0
        ? `now: ${chosen.map(nameOf).join(', ')} would be rung`
        : `now: nobody could take it; it would wait at position ${position}`,
    ),
    ...(free.length === 0 ? [] : [note(`then: ${free.map(nameOf).join(', ')}`)]),
    ...refusals.map(({ agentId, refusal }) => note(`not ${nameOf(agentId)}: ${refusalText(refusal, now)}`)),
  ];
}
