/** The file that `sidekick simulate` reads. Queues are written as in a configuration document, or taken from one. */
import { z } from 'zod';
import { queueSchema } from '../../config/documents/queue-schema';
import { needs } from '../../config/documents/schema-parts';
import { skillLevel } from '../../config/documents/schema-parts';

const positive = z.number().positive();
const text = z.string().min(1).max(200);

const distribution = z
  .strictObject({
    distribution: z
      .enum(['constant', 'exponential', 'lognormal', 'erlang', 'uniform', 'never'])
      .default('exponential')
      .describe('Shape of the times; never: a caller who does not give up.'),
    meanSeconds: positive.optional().describe('Mean, seconds; not for uniform and never.'),
    cv: positive.max(10).default(1).describe('lognormal: standard deviation as a multiple of the mean.'),
    phases: z.int().min(1).max(100).default(2).describe('erlang: count of phases.'),
    fromSeconds: z.number().min(0).optional().describe('uniform: shortest, seconds.'),
    toSeconds: positive.optional().describe('uniform: longest, seconds.'),
    recordedSeconds: z
      .array(z.number().min(0))
      .min(1, 'needs at least one value')
      .optional()
      .describe('One of these values each time, instead of a distribution.'),
  })
  .refine(
    (given) =>
      given.recordedSeconds !== undefined ||
      (given.distribution === 'uniform'
        ? (given.fromSeconds ?? 0) < (given.toSeconds ?? 0)
        : given.distribution === 'never' || given.meanSeconds !== undefined),
    { message: 'needs meanSeconds; uniform needs fromSeconds below toSeconds' },
  );

const shift = z
  .string()
  .regex(/^([01]\d|2[0-4]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d$/, 'must be a time span such as "08:00-16:30"');

const staffSchema = z.strictObject({
  name: text.describe('Name of the group, or of the agent.'),
  count: z.int().min(0).max(100_000).default(1).describe('So many agents of this kind.'),
  queues: z
    .array(
      z.strictObject({
        queue: text.describe('Name of the queue.'),
        level: z.int().min(1).max(1000).default(1).describe('Lower levels are asked first.'),
        priority: z.int().min(1).max(1000).default(1).describe('Which queue is served first: the lowest number.'),
        weight: z.int().min(1).max(1000).default(1).describe('Share of the draw of weighted-random.'),
      }),
    )
    .min(1, 'needs at least one queue')
    .describe('What the group serves.'),
  skills: z.record(text, skillLevel).default({}).describe('What the group knows, from 1 to 10.'),
  shifts: z
    .array(shift)
    .default([])
    .describe('When the group is signed in, each day from the beginning of the run. Default: always.'),
});

const behaviourSchema = z.strictObject({
  answer: distribution
    .prefault({ distribution: 'constant', meanSeconds: 4 })
    .describe('From ringing to the answer of an agent.'),
  refuse: z.number().min(0).max(1).default(0).describe('Share of the offers that an agent lets ring out.'),
  otherWork: z
    .strictObject({
      perHour: positive.max(60).describe('How often an agent who is free turns to something else.'),
      lasts: distribution.describe('How long that takes.'),
    })
    .optional()
    .describe('Calls and meetings outside of the contact center.'),
  presenceLagSeconds: z
    .number()
    .min(0)
    .max(3600)
    .default(15)
    .describe('How late presence tells of other work, seconds.'),
});

const trafficSchema = z
  .strictObject({
    queue: text.describe('Queue that the calls arrive in.'),
    perHour: z.number().min(0).optional().describe('Calls an hour, the same all day.'),
    byInterval: z
      .strictObject({
        minutes: z.int().min(1).max(1440).default(30).describe('Length of an interval.'),
        calls: z
          .array(z.number().min(0))
          .min(1, 'needs at least one interval')
          .describe('Mean calls of each interval.'),
      })
      .optional()
      .describe('Calls by interval, from the beginning of the run; after the last it begins again.'),
    atSeconds: z.array(z.number().min(0)).optional().describe('These very moments, seconds from the beginning.'),
    patience: distribution.prefault({ distribution: 'never' }).describe('How long a caller waits before giving up.'),
    handling: distribution.describe('How long a caller talks with an agent; wrap-up comes on top.'),
    class: z.int().min(0).max(9).optional().describe('Class of the calls. Default: that of the queue.'),
    needs: needs.default([]).describe('Skills that these calls need on top of those of the queue.'),
  })
  .refine((t) => [t.perHour, t.byInterval, t.atSeconds].filter((given) => given !== undefined).length === 1, {
    message: 'needs exactly one of perHour, byInterval, atSeconds',
  });

const variantSchema = z.strictObject({
  name: text.describe('What is different, in words.'),
  queues: z.array(queueSchema).default([]).describe('Queues that are otherwise, whole entries.'),
  staff: z.array(staffSchema).default([]).describe('Groups that are otherwise, whole entries, by name.'),
});

export const scenarioSchema = z.strictObject({
  apiVersion: z.literal('sidekick/v1').describe('Version of this format: sidekick/v1.'),
  kind: z.literal('simulation').describe('simulation'),
  name: text.default('as it is').describe('Title of the report.'),
  hours: positive
    .max(24 * 366)
    .default(24)
    .describe('Length of a run, hours.'),
  warmUpMinutes: z.number().min(0).default(0).describe('Calls before are not counted, minutes.'),
  runs: z.int().min(1).max(1000).default(10).describe('Independent runs; from 2 on there are confidence intervals.'),
  seed: z.int().min(0).max(2_147_483_647).default(1).describe('The same seed gives the same result.'),
  configuration: text
    .optional()
    .describe('Configuration document with the queues and their members, relative to this file.'),
  queues: z.array(queueSchema).default([]).describe('Queues, as in a configuration document; members are not needed.'),
  staff: z.array(staffSchema).default([]).describe('Groups of agents, besides members of the configuration.'),
  agents: behaviourSchema.prefault({}).describe('How agents behave.'),
  traffic: z.array(trafficSchema).min(1, 'needs at least one kind of calls').describe('Who calls.'),
  variants: z.array(variantSchema).default([]).describe('What is to be compared.'),
});

export type Scenario = z.output<typeof scenarioSchema>;
export type ScenarioStaff = z.output<typeof staffSchema>;
export type ScenarioQueue = z.output<typeof queueSchema>;
export type ScenarioDistribution = z.output<typeof distribution>;
