/** `calls trace`: what a call did, as a ladder between the caller, Sidekick and whoever was rung. */
import { store } from '../../store';
import type { CallRow, Database, StoredCallEvent } from '../../store';
import { eventView, callView } from '../../store/call-view';
import type { Context, ListOptions } from '../context';
import { withDatabase } from '../database';
import { line } from '../io';
import { printData } from '../output/json';
import { isoTime, outputFormat, visible } from '../output/list';
import { SidekickError } from '../../lib/errors';

export interface TraceOptions extends Omit<ListOptions, 'output'> {
  readonly output?: string;
}

/** One line of the ladder. Without `to` it is a note beside `from`. */
export interface Step {
  /** Since the call came in, milliseconds. */
  readonly ms: number;
  readonly from: string;
  readonly to?: string;
  readonly text: string;
}

const CALLER = 'Caller';
const US = 'Sidekick';

/** @throws SidekickError SK_NOT_FOUND */
export async function traceCall(context: Context, id: string, options: TraceOptions): Promise<number> {
  const mermaid = options.output === 'mermaid';
  const format = mermaid ? 'table' : outputFormat(context.io, options);
  const { call, events } = await withDatabase(context, options, (db) => readCall(db, id));
  const steps = ladder(call, events);
  if (mermaid) {
    context.io.stdout.write(mermaidOf(steps));
  } else if (!printData(context.io, format, { call: callView(call), steps, events: events.map(eventView) })) {
    if (format === 'table' || format === 'wide') {
      drawLadder(context, call, steps);
    } else {
      steps.forEach((s) =>
        line(context.io.stdout, [isoTime(call.createdAt + s.ms), s.from, s.to ?? '', visible(s.text)].join('\t')),
      );
    }
  }
  return 0;
}

/** @throws SidekickError SK_NOT_FOUND */
export async function readCall(
  db: Database,
  id: string,
): Promise<{ readonly call: CallRow; readonly events: readonly StoredCallEvent[] }> {
  const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id);
  const call = isUuid ? await store.findCall(db, id) : undefined;
  if (call === undefined) {
    throw new SidekickError('SK_NOT_FOUND', `there is no call ${id}`, {
      why: isUuid ? 'no call has this id' : 'the id of a call is a UUID',
      next: '`sidekick calls list --all` shows the ids',
    });
  }
  return { call, events: await store.callEvents(db, id) };
}

/** Turns facts into arrows and notes. What it does not know becomes a note, so that nothing is left out. */
export function ladder(call: CallRow, events: readonly StoredCallEvent[]): readonly Step[] {
  const agents = new Map<string, string>();
  for (const { data } of events) {
    if (typeof data['offerId'] === 'string' && typeof data['agent'] === 'string') {
      agents.set(data['offerId'], data['agent']);
    }
  }
  return events.map(({ at, kind, data }) => {
    const agent = typeof data['offerId'] === 'string' ? agents.get(data['offerId']) : undefined;
    return { ms: Math.round(at - call.createdAt), ...stepOf(kind, data, agent ?? 'Agent') };
  });
}

function stepOf(kind: string, data: StoredCallEvent['data'], agent: string): Omit<Step, 'ms'> {
  const text = (key: string): string => {
    const value = data[key];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  switch (kind) {
    case 'call:arrived': {
      return { from: CALLER, to: US, text: `INVITE ${text('number')}` };
    }
    case 'call:answered': {
      return { from: US, to: CALLER, text: '200 OK' };
    }
    case 'call:waiting': {
      return { from: US, text: `waits in ${text('queue')}, position ${text('position')}` };
    }
    case 'call:announced': {
      const wait = text('estimatedWaitSeconds');
      const about = wait === '' ? '' : `, estimated wait ${wait} s`;
      return { from: US, text: `announces ${text('prompt')}: place ${text('place')}${about}` };
    }
    case 'call:announcement-failed': {
      return { from: US, text: `announcement ${text('prompt')} could not be played` };
    }
    case 'call:offered': {
      const presence = data['presence'] === undefined ? '' : ` (${presenceIn(data['presence'])})`;
      return { from: US, to: agent, text: `INVITE${presence}` };
    }
    case 'offer:ringing': {
      return { from: agent, to: US, text: '180 Ringing' };
    }
    case 'offer:answered': {
      return { from: agent, to: US, text: '200 OK' };
    }
    case 'offer:refused': {
      return {
        from: agent,
        to: US,
        text: `${text('sipStatus') || 'no final response'} ${text('outcome')} ${text('detail')}`.trim(),
      };
    }
    case 'call:connected': {
      return { from: CALLER, to: agent, text: 'talk' };
    }
    case 'voicemail:greeting': {
      return { from: US, to: CALLER, text: `greeting and tone of ${text('queue')}` };
    }
    case 'voicemail:recording': {
      return { from: CALLER, to: US, text: 'message' };
    }
    case 'voicemail:left': {
      return { from: US, text: `message ${text('voicemailId')} kept, ${text('lengthMs')} ms` };
    }
    case 'call:ended': {
      return { from: US, to: CALLER, text: `BYE: ${text('result')}, ${text('reason')}` };
    }
    default: {
      return { from: US, text: `${kind} ${details(data)}`.trim() };
    }
  }
}

function presenceIn(value: unknown): string {
  if (typeof value === 'string') {
    return `presence ${value}`;
  }
  const { availability, activity } = value as { readonly availability?: string; readonly activity?: string };
  return [availability, activity].filter((part, i, all) => part !== undefined && all.indexOf(part) === i).join('/');
}

function details(data: StoredCallEvent['data']): string {
  return Object.entries(data)
    .filter(([key]) => key !== 'offerId')
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}

/** Those who take part, in order of appearance, we in the middle. */
function lanesOf(steps: readonly Step[]): readonly string[] {
  const others = new Set(steps.flatMap((s) => [s.from, s.to ?? s.from]));
  others.delete(CALLER);
  others.delete(US);
  return [CALLER, US, ...others];
}

const LANE = 28;

function drawLadder({ io }: Context, call: CallRow, steps: readonly Step[]): void {
  const lanes = lanesOf(steps);
  const margin = ' '.repeat(13);
  line(
    io.stdout,
    `${visible(call.callerNumber ?? 'anonymous')} → ${visible(call.dialledNumber)}, ${isoTime(call.createdAt)}, SIP Call-ID ${visible(call.sipCallId)}`,
  );
  line(io.stdout, `${margin}${lanes.map((lane) => centered(visible(lane), LANE)).join('')}`.trimEnd());
  for (const step of steps) {
    const time = `${(step.ms / 1000).toFixed(3).padStart(9)} s  `;
    const body = step.to === undefined ? noteRow(lanes, step) : arrowRow(lanes, step, step.to);
    line(io.stdout, `${time} ${body}`.trimEnd());
  }
}

/** Bars at each lane, a text beside one of them. */
function noteRow(lanes: readonly string[], step: Step): string {
  const at = Math.max(0, lanes.indexOf(step.from));
  return `${bars(at + 1)} ${visible(step.text)}`;
}

function arrowRow(lanes: readonly string[], step: Step, to: string): string {
  const a = Math.max(0, lanes.indexOf(step.from));
  const b = Math.max(0, lanes.indexOf(to));
  const [left, right] = a <= b ? [a, b] : [b, a];
  const width = Math.max(1, (right - left) * LANE - 1);
  const label = ` ${visible(step.text)} `.slice(0, Math.max(0, width - 3));
  const dashes = '─'.repeat(Math.max(0, width - label.length - 1));
  const arrow = a <= b ? `${label}${dashes}>` : `<${dashes}${label}`;
  const before = left === 0 ? `${' '.repeat(LANE / 2)}│` : bars(left + 1);
  const after = Array.from({ length: lanes.length - 1 - right }, () => `${' '.repeat(LANE - 1)}│`).join('');
  return `${before}${arrow}│${after}`;
}

/** `n` lanes' bars, up to the last bar. */
function bars(n: number): string {
  return Array.from({ length: n }, (_, i) => `${' '.repeat(i === 0 ? LANE / 2 : LANE - 1)}│`).join('');
}

function centered(text: string, width: number): string {
  const short = text.slice(0, width - 2);
  const left = Math.max(0, Math.floor((width - short.length) / 2));
  return `${' '.repeat(left)}${short}`.padEnd(width);
}

/** A sequence diagram for mermaid. */
function mermaidOf(steps: readonly Step[]): string {
  const lanes = lanesOf(steps);
  const id = (lane: string): string => `p${Math.max(0, lanes.indexOf(lane))}`;
  // A semicolon ends a statement, and a hash begins an entity.
  const safe = (text: string): string => visible(text).replaceAll(/[;#]/g, ',');
  const rows = steps.map((s) => {
    const label = `${safe(s.text)} (${(s.ms / 1000).toFixed(3)} s)`;
    return s.to === undefined ? `Note over ${id(s.from)}: ${label}` : `${id(s.from)}->>${id(s.to)}: ${label}`;
  });
  return ['sequenceDiagram', ...lanes.map((lane) => `participant ${id(lane)} as ${safe(lane)}`), ...rows]
    .map((row, i) => `${i === 0 ? '' : '  '}${row}\n`)
    .join('');
}
