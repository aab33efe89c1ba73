import { z } from 'zod';

/**
 * What a simulated agent does with a call. A script is data, so that the control API can change it while the tenant runs.
 * All times are milliseconds; those that begin with the answer say so.
 */
const ms = z.number().int().min(0).max(3_600_000);

const afterAnswer = {
  /** Puts the caller on hold this long after the answer (`a=inactive`, 1.7) … */
  holdAfterMs: ms.optional(),
  /** … and takes him back after this long. Without it the hold lasts to the end. */
  holdForMs: ms.optional(),
  /** Sends a session refresh, a re-INVITE with unchanged SDP, this long after the answer (1.7). */
  refreshAfterMs: ms.optional(),
  /** Sends REFER this long after the answer, to this number or user (1.8). */
  transferAfterMs: ms.optional(),
  transferTo: z.string().max(200).optional(),
  /** How: blind (BYE right after the 202, as since June 2026), or attended (BYE once NOTIFY reports 200). Default blind. */
  transferKind: z.enum(['blind', 'attended']).optional(),
  /** Presses these keys this long after the answer, as RFC 4733 events. */
  pressAfterMs: ms.optional(),
  press: z
    .string()
    .regex(/^[0-9*#]{1,32}$/)
    .optional(),
  /** Mutes this long after the answer: Teams then sends no RTP at all. */
  muteAfterMs: ms.optional(),
  /** Hangs up this long after the answer. */
  hangUpAfterMs: ms.optional(),
};

const ringing = {
  /** How many devices ring: each sends a 180 with a To-tag of its own (1.6). */
  devices: z.number().int().min(0).max(25).default(1),
  /** The 200 comes from a device that sent no 180 (1.6). */
  answerFromUnseenFork: z.boolean().default(false),
  /** 183 with SDP before the 200 (1.6). */
  earlyMedia: z.boolean().default(false),
};

export const agentScriptSchema = z.discriminatedUnion('kind', [
  /** Rings, answers, talks. */
  z.strictObject({ kind: z.literal('answer'), afterMs: ms.default(1500), ...ringing, ...afterAnswer }),
  /** Rings, then the agent presses decline: 603 (1.11). */
  z.strictObject({ kind: z.literal('decline'), afterMs: ms.default(1500), ...ringing }),
  /** Busy on busy: 486 at once (1.11). */
  z.strictObject({ kind: z.literal('busy') }),
  /** Rings until the caller's side gives up; at last 408 from Teams, when no voicemail is on. */
  z.strictObject({ kind: z.literal('ring-out'), giveUpAfterMs: ms.default(120_000), ...ringing }),
  /** The mailbox answers: after the unanswered delay, or at once with `afterMs: 0` as for a signed-out user (1.13). */
  z.strictObject({ kind: z.literal('voicemail'), afterMs: ms.default(20_000), ...ringing, ...afterAnswer }),
  /** Not signed in on any device: 480/10037 (1.11). */
  z.strictObject({ kind: z.literal('signed-out') }),
  /** Rings; answers with 200 at the moment the CANCEL arrives, so that both cross on the wire. */
  z.strictObject({ kind: z.literal('answer-on-cancel'), ...ringing }),
  /** Looks for the user: 100 at once, then nothing for this long, then rings and answers. Over TLS a trunk does not see why. */
  z.strictObject({
    kind: z.literal('slow'),
    locateMs: ms.default(6_000),
    afterMs: ms.default(500),
    ...ringing,
    ...afterAnswer,
  }),
  /** Forwards to this number: Teams sends a new INVITE on the trunk, and rings on (1.9). */
  z.strictObject({
    kind: z.literal('forward'),
    to: z.string().max(40),
    giveUpAfterMs: ms.default(120_000),
    ...ringing,
  }),
  /** The proxy takes the INVITE and never sends anything, not even 100. */
  z.strictObject({ kind: z.literal('silent') }),
  /** The data centre is busy: 503 with Retry-After (1.1). */
  z.strictObject({ kind: z.literal('unavailable'), retryAfterSeconds: z.number().int().min(0).max(3600).default(1) }),
  /** Any final code after ringing or at once, for codes that have no script of their own. */
  z.strictObject({
    kind: z.literal('refuse'),
    status: z.number().int().min(400).max(699),
    reason: z.string().max(100).optional(),
    afterMs: ms.default(0),
    ...ringing,
  }),
]);

export type AgentScript = z.output<typeof agentScriptSchema>;
export type AgentScriptInput = z.input<typeof agentScriptSchema>;

export const DEFAULT_SCRIPT: AgentScript = agentScriptSchema.parse({ kind: 'answer' });
