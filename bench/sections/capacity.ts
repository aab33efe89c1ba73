/** More and more calls with audio both ways at once: up to how many the audio stays whole. */
import { Caller } from '../caller';
import { LARGE } from '../document';
import type { Heard, MarkedAudio } from '../marked-audio';
import { summarise } from '../statistics';
import type { SectionResult, Summary } from '../statistics';
import type { System } from '../system';
import { coreShare, startCpu } from '../usage';
import type { CpuUse } from '../usage';
import { sleep, until } from '../wait';

const RAMP_PER_SECOND = 15;
const SETTLE_MS = 1_500;
/** Audio suffers if more calls than this have a gap over 60 ms or a lost frame. */
const SUFFERING_SHARE = 0.01;
/** Of a side's frames: fewer missing ones, 20 ms each and scattered, are not heard. */
const AUDIBLE_LOSS_SHARE = 0.01;
const GOAL_CALLS = 100;

interface Step {
  readonly wanted: number;
  readonly calls: number;
  readonly suffering: number;
  /** With a gap, or more than 1 % of the frames missing on one side. */
  readonly audible: number;
  readonly lost: number;
  readonly gaps: number;
  readonly worstGapMs: number;
  readonly delay: Summary | undefined;
  readonly cpu: CpuUse;
  readonly lateTicks: number | undefined;
  readonly worstTickMs: number | undefined;
  /** Late beats of the benchmark itself; with many of them the step says little about the system. */
  readonly ownLate: number;
}

export async function measureCapacity(
  system: System,
  options: { readonly loads: readonly number[]; readonly seconds: number },
): Promise<SectionResult> {
  system.peers.agents.plan = { answerAfterMs: 0, withAudio: true };
  const callers: Caller[] = [];
  const steps: Step[] = [];
  try {
    for (const wanted of options.loads) {
      await raise(system, callers, wanted);
      steps.push(await oneStep(system, callers, wanted, options.seconds));
    }
  } finally {
    for (const caller of callers) {
      caller.hangUp();
    }
    await until(() => system.peers.live === 0, 15_000);
  }
  return resultOf(system, steps);
}

async function raise(system: System, callers: Caller[], wanted: number): Promise<void> {
  while (callers.length < wanted) {
    callers.push(await Caller.dial(system.peers, LARGE, true));
    await sleep(1000 / RAMP_PER_SECOND);
  }
  await until(() => callers.every((caller) => caller.over || bothHear(system, caller)), 10_000);
  await sleep(SETTLE_MS);
}

function agentAudio(system: System, caller: Caller): MarkedAudio | undefined {
  return system.peers.agents.calls.get(caller.trace.number)?.audio;
}

function bothHear(system: System, caller: Caller): boolean {
  return caller.audio?.firstAt !== undefined && agentAudio(system, caller)?.firstAt !== undefined;
}

async function oneStep(system: System, callers: readonly Caller[], wanted: number, seconds: number): Promise<Step> {
  const live = callers.filter((caller) => !caller.over && bothHear(system, caller));
  const pairs = live.map((caller) => [caller.audio, agentAudio(system, caller)] as const);
  for (const audio of pairs.flat()) {
    audio?.takeHeard();
    audio?.delays.splice(0);
  }
  system.peers.pacer.takeStats();
  const mediaBefore = await system.media?.stats();
  const cpu = startCpu(system.parts);
  await sleep(seconds * 1000);
  const used = cpu();
  const now = performance.now();
  const own = system.peers.pacer.takeStats();
  const mediaAfter = await system.media?.stats();
  const delays: number[] = [];
  const heard = pairs.map((pair) =>
    pair.map((audio): Heard & { readonly silentMs: number } => {
      delays.push(...(audio?.delays.splice(0) ?? []));
      const taken = audio?.takeHeard() ?? { frames: 0, lost: 0, gaps: 0, worstGapMs: 0 };
      return { ...taken, silentMs: audio?.silentMs(now) ?? Number.POSITIVE_INFINITY };
    }),
  );
  const sides = heard.flat();
  const suffers = (side: (typeof sides)[number]): boolean => side.gaps > 0 || side.lost > 0 || side.silentMs > 200;
  const audible = (side: (typeof sides)[number]): boolean =>
    side.gaps > 0 || side.silentMs > 200 || side.lost > (side.frames + side.lost) * AUDIBLE_LOSS_SHARE;
  const late = (stats: typeof mediaBefore): number | undefined => stats?.own['lateTicks'];
  const lateAfter = late(mediaAfter);
  return {
    wanted,
    calls: live.length,
    suffering: heard.filter((pair) => pair.some(suffers)).length,
    audible: heard.filter((pair) => pair.some(audible)).length,
    lost: sides.reduce((sum, side) => sum + side.lost, 0),
    gaps: sides.reduce((sum, side) => sum + side.gaps, 0),
    worstGapMs: Math.max(0, ...sides.map((side) => side.worstGapMs)),
    delay: summarise(delays),
    cpu: used,
    lateTicks: lateAfter === undefined ? undefined : lateAfter - (late(mediaBefore) ?? 0),
    worstTickMs: mediaAfter?.loopMaxMs,
    ownLate: own.late,
  };
}

/** The calls of the last step before the first at which too many calls were bad; and whether there was such a step. */
function highest(steps: readonly Step[], bad: (step: Step) => number): { calls: number; limit: boolean } {
  const first = steps.findIndex((step) => step.calls !== step.wanted || bad(step) > step.calls * SUFFERING_SHARE);
  return { calls: (first < 0 ? steps : steps.slice(0, first)).at(-1)?.calls ?? 0, limit: first >= 0 };
}

function resultOf(system: System, steps: readonly Step[]): SectionResult {
  const strict = highest(steps, (step) => step.suffering);
  const heard = highest(steps, (step) => step.audible);
  const one = (calls: number): Summary => ({ n: steps.length, p50: calls, p95: calls, p99: calls, max: calls });
  const most = (limit: boolean): string => (limit ? '' : '; the highest step measured');
  const goal =
    Math.max(0, ...steps.map((step) => step.wanted)) < GOAL_CALLS
      ? {}
      : { goal: { text: `≥ ${GOAL_CALLS}`, met: strict.calls >= GOAL_CALLS } };
  return {
    figures: [
      {
        name: 'calls with audio at once',
        unit: 'calls',
        values: one(strict.calls),
        ...goal,
        note: `a gap over 60 ms or a single lost frame in at most 1 % of the calls${most(strict.limit)}`,
      },
      {
        name: 'calls with audio at once, none heard to suffer',
        unit: 'calls',
        values: one(heard.calls),
        note: `a gap over 60 ms or more than 1 % of the frames lost in at most 1 % of the calls${most(heard.limit)}`,
      },
    ],
    tables: [tableOf(system, steps)],
    goals: [],
  };
}

function tableOf(system: System, steps: readonly Step[]): SectionResult['tables'][number] {
  return {
    title: 'Calls with audio both ways at once',
    columns: [
      'wanted',
      'calls',
      'suffering',
      'heard to',
      'lost frames',
      'gaps > 60 ms',
      'worst gap ms',
      'one-way ms',
      'late ticks',
      'worst stall ms',
      'own late beats',
      ...system.parts.map((part) => part.name),
      'peers',
      'others',
    ],
    rows: steps.map((step) => [
      String(step.wanted),
      String(step.calls),
      `${step.suffering} (${((100 * step.suffering) / Math.max(1, step.calls)).toFixed(1)} %)`,
      String(step.audible),
      String(step.lost),
      String(step.gaps),
      step.worstGapMs.toFixed(0),
      step.delay ? `${step.delay.p50.toFixed(0)} / ${step.delay.p95.toFixed(0)} / ${step.delay.p99.toFixed(0)}` : '–',
      step.lateTicks === undefined ? '–' : String(step.lateTicks),
      step.worstTickMs?.toFixed(0) ?? '–',
      String(step.ownLate),
      ...system.parts.map((part) => coreShare(step.cpu.byPart.get(part.name) ?? 0, step.cpu.wallMs)),
      coreShare(step.cpu.peersMs, step.cpu.wallMs),
      coreShare(step.cpu.othersMs, step.cpu.wallMs),
    ]),
    notes: [
      'a call suffers if either side has a gap over 60 ms or misses a single frame, and is heard to if a gap or over 1 % of the frames; one-way is p50 / p95 / p99 of both directions',
      '"own late beats" are the benchmark\'s own (over 10 ms late): the machine was too busy to measure fairly',
    ],
  };
}
