/** Values that stand in several lists of the document. */
import { z } from 'zod';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const E164 = /^\+[1-9][0-9]{5,14}$/;

export const name = z
  .string()
  .regex(
    NAME,
    'must start with a letter or digit and hold only letters, digits, dots, underscores and hyphens, 63 at most',
  );

export const e164 = z
  .string()
  .regex(E164, 'must be a number in E.164: a plus, the country code, digits only, such as "+49301000100"');

export const seconds = (low: number, high: number): z.ZodInt => z.int().min(low).max(high);

export const tenant = name.optional().describe('Tenant it belongs to. Default: the only tenant of the document.');

export const agentName = z
  .string()
  .max(100)
  .refine((text) => text !== '' && text === text.trim(), 'must not be empty or begin or end with a space');

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

export const timeZone = z.string().refine(isTimeZone, 'must be an IANA time zone, such as Europe/Berlin');

/** How good an agent is at something. */
export const skillLevel = z.int().min(1).max(10);

export const need = z.strictObject({
  skill: name.describe('Name of the skill.'),
  atLeast: skillLevel.default(1).describe('Level that the agent needs at least.'),
});

/** A list of needs that names each skill once. */
export const needs = z
  .array(need)
  .max(20)
  .refine((list) => new Set(list.map((item) => item.skill)).size === list.length, 'must name each skill once');

/** A key of a telephone. */
export const phoneKey = z.string().regex(/^[0-9*#]$/, 'must be one key of a telephone: 0 to 9, * or #');
