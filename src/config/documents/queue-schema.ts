/** The rules of a queue. What they mean for the order of calls and agents is in docs/configuration.md. */
import { z } from 'zod';
import type { Range } from '../../flows/announcements';
import { STRATEGIES } from '../../routing/types';
import { agentName, e164, name, needs, phoneKey, seconds, skillLevel, tenant } from './schema-parts';

export const AVAILABILITIES = [
  'Available',
  'AvailableIdle',
  'Away',
  'BeRightBack',
  'Busy',
  'BusyIdle',
  'DoNotDisturb',
  'Offline',
] as const;

export const ACTIVITIES = [
  'Available',
  'Away',
  'BeRightBack',
  'Busy',
  'DoNotDisturb',
  'Focusing',
  'InACall',
  'InAConferenceCall',
  'Inactive',
  'InAMeeting',
  'Offline',
  'OffWork',
  'OutOfOffice',
  'Presenting',
  'UrgentInterruptionsOnly',
] as const;

/** An availability, or one of its activities: `Busy` or `Busy/InAMeeting`. */
export const PRESENCES: readonly [string, ...string[]] = [
  ...AVAILABILITIES,
  ...AVAILABILITIES.flatMap((availability) => ACTIVITIES.map((activity) => `${availability}/${activity}`)),
] as unknown as readonly [string, ...string[]];

const presenceSchema = z.strictObject({
  accept: z
    .array(z.enum(PRESENCES))
    .min(1, 'needs at least one presence value')
    .default(['Available', 'AvailableIdle'])
    .describe(
      'Teams availabilities with which an agent is offered calls, such as Available; one activity of an availability is Busy/InAMeeting.',
    ),
  staleAfterSeconds: seconds(1, 3600).default(30).describe('A presence read longer ago counts as unknown, seconds.'),
  unknown: z
    .enum(['accept', 'refuse'])
    .default('refuse')
    .describe('Whether an agent of unknown presence is offered calls.'),
  graceSeconds: seconds(0, 600)
    .default(15)
    .describe('For so long after a call with us, a Busy that Graph still shows from that call is ignored, seconds.'),
});

const retrySchema = z.strictObject({
  noAnswer: seconds(1, 3600).default(60).describe('The agent is not offered the same call again, seconds.'),
  declined: seconds(1, 3600).default(30).describe('The agent is offered nothing, seconds.'),
  busy: seconds(1, 3600).default(30).describe('The agent is offered nothing, seconds.'),
  unreachable: seconds(1, 3600).default(30).describe('The agent is offered nothing, seconds.'),
  failed: seconds(1, 3600).default(5).describe('The agent is offered nothing, seconds.'),
});

const memberSchema = z.strictObject({
  agent: agentName.describe('Name of the agent.'),
  level: z.int().min(1).max(1000).default(1).describe('Lower levels are asked first.'),
  position: z.int().min(1).max(100_000).optional().describe('Order among equals. Default: the place in this list.'),
  priority: z
    .int()
    .min(1)
    .max(1000)
    .default(1)
    .describe('An agent of several queues serves the one with the lowest number first.'),
  weight: z
    .int()
    .min(1)
    .max(1000)
    .default(1)
    .describe('Share of the draw of weighted-random: with twice the weight an agent is drawn twice as often.'),
});

const relaxationSchema = z.strictObject({
  afterSeconds: seconds(1, 86_400).describe('When the call has waited so long, seconds.'),
  skill: name.describe('Name of the skill.'),
  atLeast: skillLevel.optional().describe('Level that is needed from then on. Default: none, the need is dropped.'),
});

/** What is done with a call that cannot enter a queue, or may no longer stay. Told apart by the key. */
export const actionSchema = z
  .union([
    z.strictObject({
      queues: z
        .array(name)
        .min(1, 'needs at least one queue')
        .refine((list) => new Set(list).size === list.length, 'must name each queue once')
        .describe('The first of these queues that takes calls now; the call keeps its place by waiting time.'),
    }),
    z.strictObject({ flow: name.describe('The call goes on with this flow.') }),
    z.strictObject({ announce: name.describe('This prompt is played, then the call ends.') }),
    z.strictObject({
      number: e164.describe(
        'The call is sent to this number outside, E.164; the tenant must allow it with allowNumbers.',
      ),
    }),
    z.strictObject({
      voicemail: name.describe('The caller leaves a message for this queue, which must have `voicemail`.'),
    }),
    z.strictObject({
      callback: name.describe(
        'The caller may choose to be called back by this queue, which must have `callback`, and keeps the place by waiting time.',
      ),
    }),
    z.strictObject({ hangUp: z.literal(true).describe('The call ends.') }),
  ])
  .meta({ id: 'action' });

const exitsSchema = z.strictObject({
  closed: actionSchema.optional().describe('Outside the opening hours.'),
  paused: actionSchema.optional().describe('While the queue is paused.'),
  full: actionSchema.optional().describe('When maxWaiting calls wait already.'),
  noAgents: actionSchema
    .optional()
    .describe('When no agent is signed in, on entry or for noAgentsAfterSeconds while waiting.'),
  noPresence: actionSchema.optional().describe('When no agent has a presence with which calls are offered, on entry.'),
  maxWait: actionSchema.optional().describe('After maxWaitSeconds. Default: the call ends.'),
  estimatedWait: actionSchema.optional().describe('When the estimated wait is over estimatedWaitOverSeconds.'),
  keys: z.record(phoneKey, actionSchema).default({}).describe('Keys that a waiting caller may press.'),
});

const voicemailSchema = z.strictObject({
  greeting: name.optional().describe('Prompt that callers hear before the tone. Default: the tone alone.'),
  thanks: name.optional().describe('Prompt after a message that is kept. Default: the call ends at once.'),
  maxSeconds: seconds(5, 1800).default(180).describe('Longest message, seconds.'),
  silenceSeconds: seconds(1, 60).default(5).describe('So much silence ends the message, seconds.'),
  minSeconds: seconds(0, 30).default(2).describe('A message with less sound is thrown away, seconds.'),
  keepDays: z.int().min(1).max(3650).default(90).describe('A message is deleted so long after it was left, days.'),
});
const callbackSchema = z.strictObject({
  ask: name.describe(
    'Prompt that offers the callback and names the key. Not played to a caller who asked for it by a key.',
  ),
  key: phoneKey.default('1').describe('Key that accepts.'),
  confirm: name
    .optional()
    .describe('Prompt for a caller who will be called back; then the call ends. Default: it ends at once.'),
  tries: z.int().min(1).max(10).default(3).describe('How often the customer is called.'),
  retryAfterSeconds: seconds(1, 86_400)
    .default(300)
    .describe('From a try that did not reach the customer to the next, seconds.'),
  ringSeconds: seconds(5, 120).default(30).describe("How long the customer's telephone rings, seconds."),
  expireAfterSeconds: seconds(60, 604_800).default(28_800).describe('After so long it is given up, seconds.'),
});

/** From the first to the last that counts. */
const range = (low: number, high: number, from: string, to: string): z.ZodOptional<z.ZodType<Range>> =>
  z
    .strictObject({
      from: z.int().min(low).max(high).optional().describe(from),
      to: z.int().min(low).max(high).optional().describe(to),
    })
    .refine(({ from: first, to: last }) => first !== undefined || last !== undefined, 'needs from, to or both')
    .refine(({ from: first = low, to: last = high }) => first <= last, 'must not end before it begins')
    .optional();

const announcementsSchema = z.strictObject({
  firstAfterSeconds: seconds(0, 3600)
    .default(30)
    .describe('The first announcement, since the place was taken, seconds.'),
  everySeconds: seconds(10, 3600)
    .default(60)
    .describe('Music between the end of an announcement and the next, seconds.'),
  rules: z
    .array(
      z.strictObject({
        prompt: name.describe('Prompt that is played.'),
        place: range(
          1,
          100_000,
          'Best place for which it is said; 1: next.',
          'Last place for which it is said.',
        ).describe('Only at these places in the order of service. Default: at every place.'),
        estimatedWaitSeconds: range(
          0,
          86_400,
          'Shortest estimated wait for which it is said, seconds.',
          'Longest estimated wait for which it is said, seconds.',
        ).describe(
          'Only where the wait from now on is estimated so. Default: whatever it is, and where it is not known.',
        ),
        onlyIfBetter: z
          .boolean()
          .default(false)
          .describe('Only where the place is better than any that the caller was told in this queue.'),
      }),
    )
    .min(1, 'needs at least one rule')
    .max(20)
    .describe('Tried in order: the first that holds is said; where none holds, nothing is.'),
});

export const queueSchema = z.strictObject({
  name: name.describe('Name of the queue; unique within its tenant.'),
  tenant,
  strategy: z.enum(STRATEGIES).default('longest-idle').describe('Which agent gets the next call.'),
  levels: z
    .enum(['strict', 'merged'])
    .default('strict')
    .describe('strict: the lowest open level with a free agent; merged: open levels compete as one.'),
  levelAfterSeconds: z
    .record(z.string().regex(/^[1-9]\d{0,3}$/, 'must be a level, such as "2"'), seconds(0, 86_400))
    .default({})
    .describe('By level: it opens when the call has waited so long, seconds. A level without entry is open at once.'),
  skipEmptyLevels: z
    .boolean()
    .default(true)
    .describe('Whether a level opens early when nobody on a lower level is signed in.'),
  maxParallel: z
    .int()
    .min(1)
    .max(50)
    .default(5)
    .describe('ring-all, ring-progressively: most agents that ring for one call at once.'),
  stepAgents: z.int().min(1).max(50).default(1).describe('ring-progressively: so many agents join with each step.'),
  stepSeconds: seconds(1, 300).default(5).describe('ring-progressively: length of a step, seconds.'),
  ringTimeoutSeconds: seconds(3, 300)
    .default(20)
    .describe('How long one agent is rung, seconds; the endpoint may allow less.'),
  afterCall: z
    .enum(['wrap-up', 'manual-ready'])
    .default('wrap-up')
    .describe('What follows a call: wrap-up, or not ready until the agent says so.'),
  wrapUpSeconds: seconds(0, 3600).default(10).describe('Rest of an agent after a call, seconds.'),
  confirm: z
    .enum(['none', 'dtmf'])
    .default('none')
    .describe('dtmf: the agent must press a key before the caller is connected.'),
  suspiciousAnswer: z
    .enum(['accept', 'confirm', 'refuse'])
    .default('accept')
    .describe('What is done with an answer that comes faster than a person can give it.'),
  suspiciousAnswerMs: z
    .int()
    .min(1)
    .max(10_000)
    .default(1000)
    .describe('An answer sooner than this is suspicious, milliseconds.'),
  presence: presenceSchema.prefault({}).describe('Which Teams presence lets an agent be offered calls.'),
  missesBeforeNotReady: z
    .int()
    .min(1)
    .max(100)
    .default(2)
    .describe('Unanswered offers in a row after which the agent is made not ready.'),
  retryAfterSeconds: retrySchema
    .prefault({})
    .describe('How long an agent is spared after an offer that came to nothing, by its outcome.'),
  priorityClass: z.int().min(0).max(9).default(0).describe('Calls of a higher class are strictly first.'),
  prioritySeconds: seconds(0, 86_400)
    .default(0)
    .describe('Calls of this queue count as if they had waited so much longer, seconds.'),
  weight: z
    .int()
    .min(0)
    .max(1000)
    .default(0)
    .describe('An agent of several queues takes calls of the heavier queue first.'),
  ageCapSeconds: seconds(1, 86_400)
    .optional()
    .describe('A call that waited longer is served before priority and weight of queues, seconds. Default: never.'),
  needs: needs.default([]).describe('Skills that an agent needs for a call of this queue.'),
  relaxations: z
    .array(relaxationSchema)
    .max(20)
    .default([])
    .describe('Lowers or drops needs of calls that have waited.'),
  preferLastAgent: z
    .strictObject({
      withinDays: z.int().min(1).max(365).default(30).describe('So long ago at most, days.'),
      waitSeconds: seconds(0, 3600).default(0).describe('Waits for that agent for so long, seconds.'),
    })
    .optional()
    .describe('Asks the agent first who spoke to this caller last. Default: no.'),
  spareScarceAgents: z
    .boolean()
    .default(false)
    .describe('Among equals takes the agent whom fewest other waiting calls could use.'),
  resumeWithinSeconds: seconds(0, 3600)
    .default(0)
    .describe('A caller who calls back so soon keeps the place, seconds; 0: never.'),
  hours: name.optional().describe('Opening hours. Default: always open.'),
  maxWaiting: z.int().min(1).max(100_000).optional().describe('Most calls that wait at once. Default: without limit.'),
  maxWaitSeconds: seconds(1, 86_400)
    .optional()
    .describe('A caller waits at most so long, seconds. Default: without limit.'),
  letRingFinish: z
    .boolean()
    .default(false)
    .describe('Whether an agent who is being rung may still answer after maxWaitSeconds.'),
  noAgentsAfterSeconds: seconds(1, 86_400)
    .optional()
    .describe('A call leaves when no agent was there for so long, seconds. Default: it stays.'),
  estimatedWaitOverSeconds: seconds(1, 86_400)
    .optional()
    .describe('A call leaves when its estimated wait is longer, seconds. Default: it stays.'),
  serviceLevelSeconds: seconds(1, 3600).default(20).describe('An answer within so many seconds counts as in time.'),
  exits: exitsSchema.prefault({}).describe('Where calls go that cannot enter or stay, by reason.'),
  voicemail: voicemailSchema
    .optional()
    .describe('How callers leave messages for the queue. Default: they cannot, and nothing may lead there.'),
  callback: callbackSchema
    .optional()
    .describe('How the queue calls back. Default: it does not, and nothing may lead there.'),
  announcements: announcementsSchema
    .optional()
    .describe('What callers are told while they wait. Default: nothing, they hear music.'),
  music: name.optional().describe('Prompt that waiting callers hear. Default: the music of the media server.'),
  members: z.array(memberSchema).default([]).describe('Agents who serve the queue.'),
});
