/**
 * The configuration document: one YAML file that says what a contact center should be. docs/configuration.md describes every
 * key; a test keeps it equal to this file.
 */
import { z } from 'zod';
import { carrierSettings, pbxSettings, teamsSettings, webSettings } from './trunk-settings';

export const API_VERSION = 'sidekick/v1';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const E164 = /^\+[1-9][0-9]{5,14}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const name = z
  .string()
  .regex(
    NAME,
    'must start with a letter or digit and hold only letters, digits, dots, underscores and hyphens, 63 at most',
  );
const e164 = z
  .string()
  .regex(E164, 'must be a number in E.164: a plus, the country code, digits only, such as "+49301000100"');
const seconds = (low: number, high: number): z.ZodInt => z.int().min(low).max(high);
const tenant = name.optional().describe('Tenant it belongs to. Default: the only tenant of the document.');

export function isCountry(code: string): boolean {
  return (
    /^[A-Z]{2}$/.test(code) &&
    new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' }).of(code) !== undefined
  );
}

export function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return zone.includes('/') || zone === 'UTC';
  } catch (error) {
    if (error instanceof RangeError) {
      return false;
    }
    throw error;
  }
}

const tenantSchema = z.strictObject({
  name: name.describe('Name of the tenant.'),
  country: z
    .string()
    .refine(isCountry, 'must be an ISO 3166 country code of two capital letters, such as DE')
    .describe('Country by which national numbers are read, ISO 3166.'),
  timeZone: z
    .string()
    .refine(isTimeZone, 'must be an IANA time zone, such as Europe/Berlin')
    .describe('Time zone of the tenant, IANA; decides what "today" means.'),
});

const trunkBase = {
  name: name.describe('Name of the trunk; unique in the whole document.'),
  tenant: name.optional().describe('Only this tenant uses the trunk. Default: all tenants share it.'),
  enabled: z.boolean().default(true).describe('False: no calls in or out.'),
};

const trunkSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...trunkBase,
    kind: z.literal('carrier').describe('Callers come in here.'),
    ...carrierSettings.shape,
  }),
  z.strictObject({
    ...trunkBase,
    kind: z.literal('teams').describe('Agents in Microsoft Teams are rung here.'),
    ...teamsSettings.shape,
  }),
  z.strictObject({
    ...trunkBase,
    kind: z.literal('pbx').describe('Agents on a PBX are rung here.'),
    ...pbxSettings.shape,
  }),
  z.strictObject({
    ...trunkBase,
    kind: z.literal('web').describe('Agents in a browser are rung here.'),
    ...webSettings.shape,
  }),
]);

const promptSchema = z
  .strictObject({
    name: name.describe('Name of the prompt.'),
    tenant,
    file: z.string().min(1).max(1000).optional().describe('Path of a WAV file that the media server can read.'),
    tone: z
      .string()
      .min(1)
      .max(1000)
      .optional()
      .describe('Tone pattern, such as "%(400,200,440)": milliseconds on, off, and Hz.'),
    stream: name.optional().describe('Name of an endless music stream of the media server, such as moh.'),
  })
  .refine((prompt) => [prompt.file, prompt.tone, prompt.stream].filter((source) => source !== undefined).length === 1, {
    message: 'needs exactly one of file, tone, stream',
  });

/** What Graph may say; PresenceUnknown is decided by `unknown`. */
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

const presenceSchema = z.strictObject({
  accept: z
    .array(z.enum(AVAILABILITIES))
    .min(1)
    .default(['Available', 'AvailableIdle'])
    .describe('Teams availabilities with which an agent is offered calls.'),
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

const agentName = z
  .string()
  .max(100)
  .refine((text) => text !== '' && text === text.trim(), 'must not be empty or begin or end with a space');

const memberSchema = z.strictObject({
  agent: agentName.describe('Name of the agent.'),
  level: z.int().min(1).max(1000).default(1).describe('Lower levels are asked first.'),
  position: z.int().min(1).max(100_000).optional().describe('Order among equals. Default: the place in this list.'),
});

const queueSchema = z.strictObject({
  name: name.describe('Name of the queue; unique within its tenant.'),
  tenant,
  strategy: z.enum(['longest-idle']).default('longest-idle').describe('Which agent gets the next call.'),
  ringTimeoutSeconds: seconds(3, 300)
    .default(20)
    .describe('How long one agent is rung, seconds; the endpoint may allow less.'),
  wrapUpSeconds: seconds(0, 3600).default(10).describe('Rest of an agent after a call, seconds.'),
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
  maxWaitSeconds: seconds(1, 86_400)
    .optional()
    .describe('A caller waits at most so long, seconds. Default: without limit.'),
  music: name.optional().describe('Prompt that waiting callers hear. Default: the music of the media server.'),
  prioritySeconds: seconds(0, 86_400)
    .default(0)
    .describe('Calls of this queue count as if they had waited so much longer, seconds.'),
  members: z.array(memberSchema).default([]).describe('Agents who serve the queue.'),
});

const maxRing = (fallback: string): z.ZodOptional<z.ZodInt> =>
  seconds(3, 300).optional().describe(`Cap on the ring timeout of the queue, seconds. Default: ${fallback}.`);

const endpointSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('teams').describe('A Teams user.'),
    trunk: name.describe('A trunk of kind teams.'),
    number: e164.describe('Number that is assigned to the user, E.164.'),
    entraUserId: z
      .string()
      .regex(UUID, 'must be the object id of the user in Entra, a UUID')
      .toLowerCase()
      .describe('Object id of the user in Entra, by which presence is read.'),
    maxRingSeconds: seconds(3, 300)
      .default(15)
      .describe(
        'Cap on the ring timeout of the queue, seconds; below 20, where the own unanswered rule of a user may start.',
      ),
  }),
  z.strictObject({
    kind: z.literal('pbx').describe('A user of a PBX.'),
    trunk: name.describe('A trunk of kind pbx.'),
    user: z
      .string()
      .regex(/^[^\s\p{Cc}@;<>"]{1,128}$/u, 'must be the user part of a SIP address, such as 4711')
      .describe('User part of the SIP address.'),
    maxRingSeconds: maxRing('no cap'),
  }),
  z.strictObject({ kind: z.literal('web').describe('A browser.'), maxRingSeconds: maxRing('no cap') }),
]);

const agentSchema = z.strictObject({
  name: agentName.describe('Name of the agent; unique within the tenant.'),
  tenant,
  displayName: z.string().min(1).max(200).optional().describe('How the agent is shown. Default: the name.'),
  signedIn: z
    .boolean()
    .default(false)
    .describe("Whether a new agent starts signed in and ready. Later changes are the agent's own."),
  endpoints: z
    .array(endpointSchema)
    .min(1, 'needs an endpoint')
    .max(1, 'may hold one endpoint only in this version')
    .describe('Where the agent is rung.'),
});

const numberSchema = z.strictObject({
  number: e164.describe('The number that callers dial, E.164.'),
  tenant,
  queue: name.describe('Queue in which its callers wait.'),
  greeting: name.optional().describe('Prompt that is played once before waiting. Default: none.'),
});

export const documentSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION).describe(`Version of this format: ${API_VERSION}.`),
  tenants: z
    .array(tenantSchema)
    .min(1, 'needs at least one tenant')
    .describe('Organisations whose calls are kept apart.'),
  trunks: z.array(trunkSchema).default([]).describe('Ways in and out.'),
  prompts: z.array(promptSchema).default([]).describe('Sounds that callers hear.'),
  queues: z.array(queueSchema).default([]).describe('Lines of waiting callers.'),
  agents: z.array(agentSchema).default([]).describe('People who take calls.'),
  numbers: z.array(numberSchema).default([]).describe('Numbers that callers dial.'),
});

/** As written, defaults left out. */
export type DocumentInput = z.input<typeof documentSchema>;
/** Checked, with every default filled in. */
export type Document = z.output<typeof documentSchema>;

/** Keys that the format will get; they are refused with a word of their own. */
export const LATER_KEYS: Readonly<Record<string, string>> = {
  flows: 'flows come in a later version; for now a number leads to a greeting and a queue',
  hours: 'opening hours come in a later version; for now a number is always open',
};
