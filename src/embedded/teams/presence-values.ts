/**
 * The values of the Graph presence resource (teams-direct-routing-and-graph.md 3.1) and the pairs and durations that an
 * application may set (3.3).
 */
export const AVAILABILITIES = [
  'Available',
  'AvailableIdle',
  'Away',
  'BeRightBack',
  'Busy',
  'BusyIdle',
  'DoNotDisturb',
  'Offline',
  'PresenceUnknown',
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
  'PresenceUnknown',
  'Presenting',
  'UrgentInterruptionsOnly',
] as const;

export type Availability = (typeof AVAILABILITIES)[number];
export type Activity = (typeof ACTIVITIES)[number];

export interface Presence {
  readonly availability: Availability;
  readonly activity: Activity;
}

/** What `setPresence` takes (3.3). */
const SETTABLE: readonly Presence[] = [
  { availability: 'Available', activity: 'Available' },
  { availability: 'Busy', activity: 'InACall' },
  { availability: 'Busy', activity: 'InAConferenceCall' },
  { availability: 'Away', activity: 'Away' },
  { availability: 'DoNotDisturb', activity: 'Presenting' },
];

/** What `setUserPreferredPresence` takes (3.3). */
const PREFERABLE: readonly Presence[] = [
  { availability: 'Available', activity: 'Available' },
  { availability: 'Busy', activity: 'Busy' },
  { availability: 'DoNotDisturb', activity: 'DoNotDisturb' },
  { availability: 'BeRightBack', activity: 'BeRightBack' },
  { availability: 'Away', activity: 'Away' },
  { availability: 'Offline', activity: 'OffWork' },
];

export function settable(availability: unknown, activity: unknown): Presence | undefined {
  return SETTABLE.find((pair) => pair.availability === availability && pair.activity === activity);
}

export function preferable(availability: unknown, activity: unknown): Presence | undefined {
  return PREFERABLE.find((pair) => pair.availability === availability && pair.activity === activity);
}

export const MIN_SESSION_MS = 5 * 60_000;
export const MAX_SESSION_MS = 240 * 60_000;

/**
 * Reads an ISO 8601 duration of days, hours, minutes and seconds in milliseconds; undefined for anything else (a month has
 * no fixed length and Graph has no use for one here).
 */
export function durationMs(text: unknown): number | undefined {
  const match = typeof text === 'string' ? /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(text) : null;
  if (!match || match.slice(1).every((part) => part === undefined)) {
    return undefined;
  }
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));

  return ((((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000;
}
