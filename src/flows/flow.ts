/**
 * Flow documents: what a caller hears and may choose before he waits, and what becomes of one who cannot wait any longer. Plain
 * data, as the configuration writes it; names are names of the caller's tenant.
 */

/** What an exit of a queue, or a key that a waiting caller presses, leads to. Exactly one of these. */
export type Action =
  /** The first of these queues that does not itself send the call away; the time waited so far counts on. */
  | { readonly queues: readonly string[] }
  | { readonly flow: string }
  /** Plays the prompt, then hangs up. */
  | { readonly announce: string }
  /** A number outside, E.164; only where a trunk of the tenant allows it. */
  | { readonly number: string }
  /** The caller leaves a message for this queue. */
  | { readonly voicemail: string }
  /** The caller is offered to be called back, with the place that he has in this queue. */
  | { readonly callback: string }
  | { readonly hangUp: true };

/** Why a call is sent on from a queue without having talked to an agent. */
export const EXIT_REASONS = ['closed', 'paused', 'full', 'noAgents', 'noPresence', 'maxWait', 'estimatedWait'] as const;
export type ExitReason = (typeof EXIT_REASONS)[number];

/** The exits of a queue: an action for each reason, and for keys that a waiting caller may press. */
export type QueueExits = { readonly [R in ExitReason]?: Action | undefined } & {
  /** By key: one of 0–9, `*`, `#`. */
  readonly keys?: Readonly<Record<string, Action>> | undefined;
};

export interface SkillNeed {
  readonly skill: string;
  /** 1–10. */
  readonly atLeast: number;
}

/** What a flow may say about the call; it counts in every queue that the call waits in afterwards. */
export interface CallTraits {
  /** 0–9; higher is strictly first. */
  readonly class?: number | undefined;
  /** Counts as time waited. */
  readonly headStartSeconds?: number | undefined;
  /** On top of what the queue needs. */
  readonly needs?: readonly SkillNeed[] | undefined;
  /** Names of agents who are asked first. */
  readonly preferAgents?: readonly string[] | undefined;
}

/** How callers leave messages for a queue. */
export interface VoicemailRules {
  /** Prompt before the tone; undefined: the tone alone. */
  readonly greeting?: string | undefined;
  /** Prompt after a message that is kept; undefined: the call ends at once. */
  readonly thanks?: string | undefined;
  /** Longest message. */
  readonly maxSeconds: number;
  /** So much silence ends the message. */
  readonly silenceSeconds: number;
  /** A message with less sound is thrown away. */
  readonly minSeconds: number;
  /** A message is deleted so long after it was left. */
  readonly keepDays: number;
}
/** How a queue calls back. */
export interface CallbackRules {
  /** Prompt that offers it, and names the key. */
  readonly ask: string;
  /** Key that accepts: one of 0–9, `*`, `#`. */
  readonly key: string;
  /** Prompt for a caller who will be called back; undefined: the call ends at once. */
  readonly confirm?: string | undefined;
  /** How often the customer is called. */
  readonly tries: number;
  /** From a try that did not reach him to the next. */
  readonly retryAfterSeconds: number;
  /** How long his telephone rings. */
  readonly ringSeconds: number;
  /** After so long it is given up. */
  readonly expireAfterSeconds: number;
}

export interface Menu {
  readonly prompt: string;
  /** By key: one of 0–9, `*`, `#`. After its steps the flow goes on. */
  readonly keys: Readonly<Record<string, readonly FlowStep[]>>;
  /** How often the prompt is played before `noInput`. Default 3. */
  readonly tries?: number | undefined;
  /** How long a key is waited for after each prompt. Default 5. */
  readonly timeoutSeconds?: number | undefined;
  /** Played after a key that leads nowhere. Default: the prompt is played again at once. */
  readonly invalid?: string | undefined;
  /** For a caller who pressed nothing, or nothing that leads anywhere, in all tries; the flow goes on afterwards. Default: hang-up. */
  readonly noInput?: readonly FlowStep[] | undefined;
}

export type FlowStep =
  | { readonly play: string }
  /** Goes on if the named hours are open; runs `closed` instead of the rest if they are not. */
  | { readonly hours: string; readonly closed: readonly FlowStep[] }
  | { readonly menu: Menu }
  | { readonly set: CallTraits }
  /** Runs another flow; if that comes to its end without an end of its own, this one goes on. */
  | { readonly flow: string }
  | { readonly enqueue: string }
  | { readonly number: string }
  /** The caller leaves a message for this queue; an end, as `enqueue` is. */
  | { readonly voicemail: string }
  /** The caller will be called back by this queue; an end, as `enqueue` is. Who cannot be called back waits there. */
  | { readonly callback: string }
  /** `sip`: the status that goes with it, where the caller was not answered yet. */
  | { readonly hangUp: { readonly sip?: number | undefined } };

export interface Flow {
  readonly name: string;
  /** A flow that comes to its end without `enqueue`, `number`, `voicemail` or `hangUp` hangs up. */
  readonly steps: readonly FlowStep[];
}

export const MENU_TRIES = 3;
export const MENU_TIMEOUT_SECONDS = 5;
/** Flows within flows, and menus back to themselves: more steps than this in a row without a wait are a loop. */
export const MAX_STEPS_WITHOUT_WAIT = 100;
