import type { AgentScript } from './scripts';

/**
 * What a script does and when: a script is unrolled into steps before the call and again at the answer. Pure, so that every
 * script can be read and tested without a call.
 */
export type Step =
  /** 180 of the n-th device, each with a To-tag of its own. */
  | { readonly afterMs: number; readonly do: 'ring'; readonly device: number }
  | { readonly afterMs: number; readonly do: 'early-media' }
  | { readonly afterMs: number; readonly do: 'answer'; readonly voicemail: boolean }
  | { readonly afterMs: number; readonly do: 'refuse'; readonly refusal: Refusal }
  | { readonly afterMs: number; readonly do: 'hold' | 'unhold' | 'refresh' | 'hang-up' }
  | { readonly afterMs: number; readonly do: 'press'; readonly keys: string }
  | { readonly afterMs: number; readonly do: 'mute' }
  /** A new INVITE on the trunk to this number. */
  | { readonly afterMs: number; readonly do: 'forward'; readonly to: string }
  | { readonly afterMs: number; readonly do: 'transfer'; readonly to: string; readonly attended: boolean };

export interface Refusal {
  readonly status: number;
  readonly reason?: string;
  readonly subcode?: number;
  /** Q.850 cause of the Reason header. */
  readonly cause: number;
  readonly retryAfterSeconds?: number;
  /** The user finds a missed call in the activity feed (1.10). */
  readonly missed: boolean;
}

/** Devices ring one after the other, as their notifications reach them. */
const DEVICE_STEP_MS = 40;

/** The steps from the INVITE on. No step answers or refuses: the call waits for the trunk's side. */
export function planOffer(script: AgentScript): Step[] {
  const end = endOf(script);

  const forward: Step[] = script.kind === 'forward' ? [{ afterMs: 200, do: 'forward', to: script.to }] : [];

  return [...rings(script), ...forward, ...(end ? [end] : [])].sort((a, b) => a.afterMs - b.afterMs);
}

function endOf(script: AgentScript): Step | undefined {
  switch (script.kind) {
    case 'answer':
      return { afterMs: script.afterMs, do: 'answer', voicemail: false };
    case 'voicemail':
      return { afterMs: script.afterMs, do: 'answer', voicemail: true };
    case 'decline':
      return refuse(script.afterMs, { status: 603, reason: 'Decline', cause: 21, missed: true });
    case 'busy': {
      // Teams was seen to give cause 34 here, which makes carriers try again (1.11).
      const reason = 'User is busy and currently active on another call';

      return refuse(0, { status: 486, reason, cause: 34, missed: false });
    }
    case 'signed-out':
      return refuse(0, { status: 480, subcode: 10037, cause: 18, missed: true });
    case 'slow':
      return { afterMs: script.locateMs + script.afterMs, do: 'answer', voicemail: false };
    case 'forward':
    case 'ring-out':
      return refuse(script.giveUpAfterMs, { status: 480, subcode: 10191, cause: 18, missed: true });
    case 'unavailable':
      return refuse(0, {
        status: 503,
        subcode: 10320,
        cause: 41,
        retryAfterSeconds: script.retryAfterSeconds,
        missed: false,
      });
    case 'refuse': {
      const reason = script.reason === undefined ? {} : { reason: script.reason };

      return refuse(script.afterMs, { status: script.status, ...reason, cause: 31, missed: false });
    }
    case 'answer-on-cancel':
    case 'silent':
      return undefined;
  }
}

/** The steps from the answer on. */
export function planTalk(script: AgentScript): Step[] {
  if (script.kind !== 'answer' && script.kind !== 'voicemail' && script.kind !== 'slow') {
    return [];
  }
  const { pressAfterMs, press, muteAfterMs, transferKind } = script;
  const { holdAfterMs, holdForMs, refreshAfterMs, transferAfterMs, transferTo, hangUpAfterMs } = script;
  const steps: Step[] = [];
  if (holdAfterMs !== undefined) {
    steps.push({ afterMs: holdAfterMs, do: 'hold' });
    if (holdForMs !== undefined) {
      steps.push({ afterMs: holdAfterMs + holdForMs, do: 'unhold' });
    }
  }
  if (refreshAfterMs !== undefined) {
    steps.push({ afterMs: refreshAfterMs, do: 'refresh' });
  }
  if (transferAfterMs !== undefined && transferTo !== undefined) {
    steps.push({ afterMs: transferAfterMs, do: 'transfer', to: transferTo, attended: transferKind === 'attended' });
  }
  if (pressAfterMs !== undefined && press !== undefined) {
    steps.push({ afterMs: pressAfterMs, do: 'press', keys: press });
  }
  if (muteAfterMs !== undefined) {
    steps.push({ afterMs: muteAfterMs, do: 'mute' });
  }
  if (hangUpAfterMs !== undefined) {
    steps.push({ afterMs: hangUpAfterMs, do: 'hang-up' });
  }

  return steps.sort((a, b) => a.afterMs - b.afterMs);
}

function rings(script: AgentScript): Step[] {
  if (!('devices' in script) || (script.kind === 'refuse' && script.afterMs === 0)) {
    return [];
  }
  // A mailbox that answers at once rings nowhere (1.13).
  const devices = script.kind === 'voicemail' && script.afterMs === 0 ? 0 : script.devices;
  const firstMs = script.kind === 'slow' ? script.locateMs : 0;
  const steps: Step[] = Array.from({ length: devices }, (_, device) => ({
    afterMs: firstMs + device * DEVICE_STEP_MS,
    do: 'ring',
    device,
  }));
  if (script.earlyMedia) {
    steps.push({ afterMs: firstMs, do: 'early-media' });
  }

  return steps;
}

function refuse(afterMs: number, refusal: Refusal): Step {
  return { afterMs, do: 'refuse', refusal };
}
