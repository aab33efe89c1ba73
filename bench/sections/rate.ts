/** More and more calls per second: up to which rate the system keeps up, and what becomes of the calls past it. */
import { countOutcomes, runShortCalls } from '../short-calls';
import type { ShortCall } from '../short-calls';
import { percentile, summarise } from '../statistics';
import type { Figure, SectionResult } from '../statistics';
import type { System } from '../system';
import { coreShare, startCpu } from '../usage';
import type { CpuUse } from '../usage';
import { sleep, until } from '../wait';

/** The system keeps up with a rate if every call is connected and 95 % of the agents' INVITEs come within this time. */
const KEEPS_UP_P95_MS = 250;
const DRAIN_MS = 15_000;

interface Step {
  readonly perSecond: number;
  readonly calls: readonly ShortCall[];
  readonly cpu: CpuUse;
  readonly nodeLoopP99Ms: number;
  readonly nodeLoopMaxMs: number;
  /** Calls that somebody still held 15 s after the last one. */
  readonly left: number;
}

export async function measureRate(
  system: System,
  options: { readonly rates: readonly number[]; readonly seconds: number },
): Promise<SectionResult> {
  await runShortCalls(system, { perSecond: 5, calls: 10 }); // Warms up; not counted.
  const steps: Step[] = [];
  for (const perSecond of options.rates) {
    steps.push(await oneStep(system, perSecond, options.seconds));
  }
  return { figures: figuresOf(steps), tables: [tableOf(system, steps)], goals: goalsOf(steps) };
}

async function oneStep(system: System, perSecond: number, seconds: number): Promise<Step> {
  await system.node.stats();
  const cpu = startCpu(system.parts);
  const calls = await runShortCalls(system, { perSecond, calls: Math.round(perSecond * seconds) });
  const used = cpu();
  const loop = await system.node.stats();
  await until(() => system.peers.live === 0, DRAIN_MS);
  let left = await system.openRows();
  for (const end = performance.now() + DRAIN_MS; left > 0 && performance.now() < end;) {
    await sleep(250);
    left = await system.openRows();
  }
  await sleep(500);
  return {
    perSecond,
    calls,
    cpu: used,
    nodeLoopP99Ms: loop.loopP99Ms,
    nodeLoopMaxMs: loop.loopMaxMs,
    left: left + system.peers.live,
  };
}

function agentInviteTimes(step: Step): number[] {
  return step.calls.flatMap(({ trace }) =>
    trace.agentInviteAt === undefined ? [] : [trace.agentInviteAt - trace.startedAt],
  );
}

function answerTimes(step: Step): number[] {
  return step.calls.flatMap(({ trace }) =>
    trace.answeredAt === undefined ? [] : [trace.answeredAt - trace.startedAt],
  );
}

function p95(values: readonly number[]): number {
  return percentile(
    [...values].sort((a, b) => a - b),
    95,
  );
}

function keepsUp(step: Step): boolean {
  return countOutcomes(step.calls).connected === step.calls.length && p95(agentInviteTimes(step)) <= KEEPS_UP_P95_MS;
}

function figuresOf(steps: readonly Step[]): Figure[] {
  const firstBehind = steps.findIndex((step) => !keepsUp(step));
  const within = firstBehind < 0 ? steps : steps.slice(0, firstBehind);
  const best = within.at(-1);
  const value = best?.perSecond ?? 0;
  const cheapest = steps[Math.min(1, steps.length - 1)];
  const perCall = cheapest && cheapest.cpu.totalMs / Math.max(1, countOutcomes(cheapest.calls).connected);
  const one = (x: number, n: number): Figure['values'] => ({ n, p50: x, p95: x, p99: x, max: x });
  return [
    {
      name: 'rate it keeps up with',
      unit: 'calls/s',
      values: one(value, steps.length),
      note:
        firstBehind < 0
          ? 'the highest step measured; it may do more'
          : `every call connected, agent INVITE p95 ≤ ${KEEPS_UP_P95_MS} ms; the next step did not`,
    },
    {
      name: 'CPU per call, all processes',
      unit: 'ms',
      values: perCall === undefined ? undefined : one(perCall, cheapest?.calls.length ?? 0),
      peers: 'app_queue 23, mod_callcenter 59',
      note: `short calls at ${cheapest?.perSecond ?? 0}/s: ${perPart(cheapest)}`,
    },
  ];
}

function perPart(step: Step | undefined): string {
  if (!step) {
    return '';
  }
  const calls = Math.max(1, countOutcomes(step.calls).connected);
  return [...step.cpu.byPart].map(([name, ms]) => `${name} ${(ms / calls).toFixed(1)}`).join(', ');
}

function goalsOf(steps: readonly Step[]): SectionResult['goals'] {
  const all = steps.flatMap((step) => step.calls);
  const counts = countOutcomes(all);
  const left = steps.reduce((sum, step) => sum + step.left, 0);
  const bad = counts.dropped + counts.forgotten;
  return [
    {
      name: 'answered callers',
      text: `nobody who was answered is lost (dropped ${counts.dropped}, without an agent for 15 s ${counts.forgotten})`,
      met: bad === 0,
    },
    {
      name: 'calls past the limit',
      text: `refused with 503 and Retry-After, never without an answer (unanswered ${counts.unanswered}, refused otherwise ${counts['refused-otherwise']})`,
      met: counts.unanswered + counts['refused-otherwise'] === 0,
    },
    { name: 'after each step', text: `nothing left behind (${left})`, met: left === 0 },
  ];
}

function tableOf(system: System, steps: readonly Step[]): SectionResult['tables'][number] {
  const text = (values: readonly number[]): string => {
    const summary = summarise(values);
    return summary ? `${summary.p50.toFixed(0)} / ${summary.p95.toFixed(0)} / ${summary.p99.toFixed(0)}` : '–';
  };
  return {
    title: 'Calls per second (short calls: connected for 0.5 s)',
    columns: [
      'rate/s',
      'calls',
      'connected',
      '503',
      'other',
      'unanswered',
      'dropped',
      'forgotten',
      'offers/call',
      'INVITE→200 ms',
      'INVITE→agent ms',
      'node loop p99/max ms',
      ...system.parts.map((part) => part.name),
      'peers',
      'others',
    ],
    rows: steps.map((step) => {
      const counts = countOutcomes(step.calls);
      const offers = step.calls.reduce((sum, { trace }) => sum + trace.offers, 0);
      return [
        String(step.perSecond),
        String(step.calls.length),
        String(counts.connected),
        String(counts.refused),
        String(counts['refused-otherwise']),
        String(counts.unanswered),
        String(counts.dropped),
        String(counts.forgotten),
        (offers / Math.max(1, counts.connected)).toFixed(2),
        text(answerTimes(step)),
        text(agentInviteTimes(step)),
        `${step.nodeLoopP99Ms.toFixed(0)} / ${step.nodeLoopMaxMs.toFixed(0)}`,
        ...system.parts.map((part) => coreShare(step.cpu.byPart.get(part.name) ?? 0, step.cpu.wallMs)),
        coreShare(step.cpu.peersMs, step.cpu.wallMs),
        coreShare(step.cpu.othersMs, step.cpu.wallMs),
      ];
    }),
    notes: [
      'times are p50 / p95 / p99; shares are of one core while the step ran, "others" is what else the machine did',
    ],
  };
}
