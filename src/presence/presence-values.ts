/**
 * Presence values as Microsoft Graph documents them (presence resource type, page of December 2025). Graph has changed the
 * spelling before, so values are compared without case; an unknown value is kept as it is, and queues treat it as "not in the
 * accepted list".
 */
import { ACTIVITIES, AVAILABILITIES } from '../config/documents/queue-schema';

const UNKNOWN = 'PresenceUnknown';

const byLowerCase = (values: readonly string[]): ReadonlyMap<string, string> =>
  new Map(values.map((value) => [value.toLowerCase(), value]));

const AVAILABILITY = byLowerCase([...AVAILABILITIES, UNKNOWN]);
const ACTIVITY = byLowerCase([...ACTIVITIES, UNKNOWN]);

/** Longest value that is kept; anything longer is not a presence value. */
const MAX_LENGTH = 64;

export function availabilityOf(value: unknown): string {
  return known(value, AVAILABILITY);
}

export function activityOf(value: unknown): string {
  return known(value, ACTIVITY);
}

function known(value: unknown, spelling: ReadonlyMap<string, string>): string {
  if (typeof value !== 'string' || value.trim() === '' || value.length > MAX_LENGTH) {
    return UNKNOWN;
  }
  const text = value.trim();
  return spelling.get(text.toLowerCase()) ?? text;
}
