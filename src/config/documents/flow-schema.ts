/** What a caller hears and chooses before waiting: steps that are told apart by the key they begin with. */
import { z } from 'zod';
import { MENU_TIMEOUT_SECONDS, MENU_TRIES, type FlowStep } from '../../flows/flow';
import { agentName, e164, name, needs, phoneKey, seconds, tenant } from './schema-parts';

const nested = z.lazy((): z.ZodType<readonly FlowStep[], readonly FlowStep[]> => stepsSchema);

const playStep = z.strictObject({ play: name.describe('Prompt that is played to its end.') });

const hoursStep = z.strictObject({
  hours: name.describe('Opening hours to look at.'),
  closed: nested.describe('Steps instead of the rest when it is closed. When it is open the flow goes on.'),
});

const menuStep = z.strictObject({
  menu: z
    .strictObject({
      prompt: name.describe('Prompt that names the choices.'),
      keys: z
        .record(phoneKey, nested)
        .refine((keys) => Object.keys(keys).length > 0, 'needs at least one key')
        .describe('Steps for each key of the telephone.'),
      tries: z.int().min(1).max(10).default(MENU_TRIES).describe('How often the prompt is played.'),
      timeoutSeconds: seconds(1, 60)
        .default(MENU_TIMEOUT_SECONDS)
        .describe('How long a key is waited for after the prompt, seconds.'),
      invalid: name
        .optional()
        .describe('Prompt after a key that leads nowhere. Default: the first prompt is played again at once.'),
      noInput: nested
        .optional()
        .describe('Steps for a caller who pressed no key of the menu in all tries. Default: the call ends.'),
    })
    .describe('Asks the caller to press a key.'),
});

const setStep = z.strictObject({
  set: z
    .strictObject({
      class: z.int().min(0).max(9).optional().describe('Priority class of the call; higher ones are strictly first.'),
      headStartSeconds: seconds(0, 86_400)
        .optional()
        .describe('The call counts as if it had waited so much longer, seconds.'),
      needs: needs.optional().describe('Skills that the call needs, in addition to those of the queue.'),
      preferAgents: z.array(agentName).max(100).optional().describe('Agents who are asked first.'),
    })
    .refine((values) => Object.keys(values).length > 0, 'needs at least one value to set')
    .describe('Sets what routing knows of the call.'),
});

const flowStep = z.strictObject({
  flow: name.describe('Another flow that is gone through; this one goes on if that comes to no end.'),
});

const enqueueStep = z.strictObject({ enqueue: name.describe('Queue in which the call waits. Ends the flow.') });

const numberStep = z.strictObject({
  number: e164.describe(
    'Number outside that the call is sent to, E.164; the tenant must allow it with allowNumbers. Ends the flow.',
  ),
});

const voicemailStep = z.strictObject({
  voicemail: name.describe('The caller leaves a message for this queue, which must have `voicemail`. Ends the flow.'),
});
const callbackStep = z.strictObject({
  callback: name.describe(
    'The caller hangs up and this queue, which must have `callback`, calls back; who cannot be called back waits in it. Ends the flow.',
  ),
});

const hangUpStep = z.strictObject({
  hangUp: z
    .strictObject({
      sip: z.int().min(400).max(699).optional().describe('SIP status, if the call was not answered yet.'),
    })
    .describe('Ends the call.'),
});

const stepSchema = z
  .union([
    playStep,
    hoursStep,
    menuStep,
    setStep,
    flowStep,
    enqueueStep,
    numberStep,
    voicemailStep,
    callbackStep,
    hangUpStep,
  ])
  .meta({ id: 'step' });

/** Typed as the runtime reads it: what is optional there may be left out, never undefined. */
export const stepsSchema = z.array(stepSchema).min(1, 'needs at least one step') as unknown as z.ZodType<
  readonly FlowStep[],
  readonly FlowStep[]
>;

export const flowSchema = z.strictObject({
  name: name.describe('Name of the flow; unique within its tenant.'),
  tenant,
  steps: stepsSchema.describe('What happens, in order.'),
});
