/**
 * The configuration document: one YAML file that says what a contact center should be. docs/configuration.md describes every
 * key; a test keeps it equal to this file.
 */
import { z } from 'zod';
import { flowSchema } from './flow-schema';
import { hoursSchema } from './hours-schema';
import { queueSchema } from './queue-schema';
import { agentName, e164, name, seconds, skillLevel, tenant, timeZone } from './schema-parts';
import { carrierSettings, pbxSettings, teamsSettings, webSettings } from './trunk-settings';

export const API_VERSION = 'sidekick/v1';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isCountry(code: string): boolean {
  return (
    /^[A-Z]{2}$/.test(code) &&
    new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' }).of(code) !== undefined
  );
}

const tenantSchema = z.strictObject({
  name: name.describe('Name of the tenant.'),
  country: z
    .string()
    .refine(isCountry, 'must be an ISO 3166 country code of two capital letters, such as DE')
    .describe('Country by which national numbers are read, ISO 3166.'),
  timeZone: timeZone.describe('Time zone of the tenant, IANA; decides what "today" means.'),
  allowNumbers: z
    .array(z.string().regex(/^\+[1-9]\d{0,14}$/, 'must be the beginning of a number in E.164, such as "+49"'))
    .default([])
    .describe('Beginnings of the numbers outside that calls may be sent to. Default: to none.'),
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

const maxRing = (fallback: string): z.ZodOptional<z.ZodInt> =>
  seconds(3, 300).optional().describe(`Cap on the ring timeout of the queue, seconds. Default: ${fallback}.`);

const entraUserId = z.string().regex(UUID, 'must be the object id of the user in Entra, a UUID').toLowerCase();
const otherUserId = entraUserId
  .optional()
  .describe(
    'Object id of the user in Entra, for somebody who is in Teams too: presence counts, and Teams can show calls taken here. Default: not in Teams.',
  );

const endpointSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('teams').describe('A Teams user.'),
    trunk: name.describe('A trunk of kind teams.'),
    number: e164.describe('Number that is assigned to the user, E.164.'),
    entraUserId: entraUserId.describe('Object id of the user in Entra, by which presence is read.'),
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
    entraUserId: otherUserId,
    maxRingSeconds: maxRing('no cap'),
  }),
  z.strictObject({
    kind: z.literal('web').describe('A browser.'),
    entraUserId: otherUserId,
    maxRingSeconds: maxRing('no cap'),
  }),
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
  skills: z.record(name, skillLevel).default({}).describe('What the agent knows, from 1 to 10.'),
});

const numberSchema = z
  .strictObject({
    number: e164.describe('The number that callers dial, E.164.'),
    tenant,
    queue: name.optional().describe('Queue in which its callers wait. A number has a queue or a flow.'),
    flow: name.optional().describe('Flow that its callers go through. A number has a queue or a flow.'),
    greeting: name.optional().describe('Prompt that is played once before waiting. Default: none.'),
  })
  .refine((number) => (number.queue === undefined) !== (number.flow === undefined), {
    message: 'needs exactly one of queue, flow',
  });

const skillSchema = z.strictObject({
  name: name.describe('Name of the skill; unique within its tenant.'),
  tenant,
  description: z.string().max(500).default('').describe('For people.'),
});

export const documentSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION).describe(`Version of this format: ${API_VERSION}.`),
  tenants: z
    .array(tenantSchema)
    .min(1, 'needs at least one tenant')
    .describe('Organisations whose calls are kept apart.'),
  trunks: z.array(trunkSchema).default([]).describe('Ways in and out.'),
  prompts: z.array(promptSchema).default([]).describe('Sounds that callers hear.'),
  hours: z.array(hoursSchema).default([]).describe('Opening hours.'),
  skills: z
    .array(skillSchema)
    .default([])
    .describe('What agents can know. Default: whatever agents have; with a list, only what is in it.'),
  flows: z.array(flowSchema).default([]).describe('What callers hear and choose before waiting.'),
  queues: z.array(queueSchema).default([]).describe('Lines of waiting callers.'),
  agents: z.array(agentSchema).default([]).describe('People who take calls.'),
  numbers: z.array(numberSchema).default([]).describe('Numbers that callers dial.'),
});

/** As written, defaults left out. */
export type DocumentInput = z.input<typeof documentSchema>;
/** Checked, with every default filled in. */
export type Document = z.output<typeof documentSchema>;
