import { SidekickError } from '../../lib/errors';
import type { AgentScript, AgentScriptInput } from './scripts';
import { agentScriptSchema } from './scripts';
import type { Presence } from './presence-values';

/** One simulated Teams user, as given to `startTeamsTenant`. */
export interface TeamsUserSpec {
  /** Short name for the control API, for example `anna`. */
  readonly name: string;
  readonly displayName: string;
  /** E.164 with the plus. */
  readonly number: string;
  readonly entraUserId: string;
  /** What the user's Teams client shows. Default Available. */
  readonly presence?: Presence;
  readonly script?: AgentScriptInput;
  /** The tone that stands for the agent's voice. */
  readonly toneHz: number;
  /** False: the number is assigned but Enterprise Voice is off (403/510560). Default true. */
  readonly voiceEnabled?: boolean;
}

export interface MissedCall {
  /** ISO 8601. */
  readonly at: string;
  readonly from: string;
  readonly sipCallId: string;
}

/** A user while the tenant runs. */
export interface TeamsUser {
  readonly name: string;
  readonly displayName: string;
  readonly number: string;
  readonly entraUserId: string;
  readonly toneHz: number;
  readonly voiceEnabled: boolean;
  script: AgentScript;
  /** The user's activity feed: calls that rang and were not taken (1.10). */
  readonly missedCalls: MissedCall[];
}

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function isGuid(text: unknown): text is string {
  return typeof text === 'string' && GUID.test(text);
}

/** @throws SidekickError SK_USAGE for a user that Teams could not have */
export function makeUser(spec: TeamsUserSpec): TeamsUser {
  const problem =
    (!/^[a-z0-9][a-z0-9._-]*$/.test(spec.name) &&
      `its name ${JSON.stringify(spec.name)} is not lower case letters and digits`) ||
    (!/^\+[1-9]\d{5,14}$/.test(spec.number) && `its number ${JSON.stringify(spec.number)} is not E.164 with a plus`) ||
    (!isGuid(spec.entraUserId) && `its entraUserId ${JSON.stringify(spec.entraUserId)} is not a GUID`) ||
    (!(spec.toneHz >= 200 && spec.toneHz <= 3400) && `its tone of ${spec.toneHz} Hz is outside 200–3,400 Hz`);
  if (problem) {
    throw new SidekickError('SK_USAGE', `The simulated Teams user ${spec.displayName} cannot be made`, {
      why: problem,
    });
  }

  return {
    name: spec.name,
    displayName: spec.displayName,
    number: spec.number,
    entraUserId: spec.entraUserId.toLowerCase(),
    toneHz: spec.toneHz,
    voiceEnabled: spec.voiceEnabled ?? true,
    script: parseScript(spec.script ?? { kind: 'answer' }),
    missedCalls: [],
  };
}

/** @throws SidekickError SK_USAGE that names each field that is wrong */
export function parseScript(input: unknown): AgentScript {
  const parsed = agentScriptSchema.safeParse(input);
  if (!parsed.success) {
    throw new SidekickError('SK_USAGE', 'Not a script for a simulated agent', {
      why: parsed.error.issues.map((issue) => `${issue.path.join('.') || 'script'}: ${issue.message}`).join('; '),
      next: 'docs/simulated-teams.md lists the scripts.',
    });
  }

  return parsed.data;
}

/** The caller's tone in demonstrations. */
export const DEMO_CALLER_TONE_HZ = 700;

/** The five agents of the demonstration. Ids and numbers never change, so that saved configuration stays right. */
export function demoUsers(): TeamsUserSpec[] {
  const people = [
    ['anna', 'Anna Albrecht', 1100],
    ['ben', 'Ben Brandt', 1300],
    ['clara', 'Clara Conrad', 1500],
    ['david', 'David Dietz', 1700],
    ['emma', 'Emma Engel', 1900],
  ] as const;

  return people.map(([name, displayName, toneHz], i) => ({
    name,
    displayName,
    number: `+493010002${String(i + 1).padStart(2, '0')}`,
    entraUserId: `5a7f0c1e-0000-4000-8000-00000000020${i + 1}`,
    presence: { availability: 'Available', activity: 'Available' },
    script: { kind: 'answer', afterMs: 1500 },
    toneHz,
  }));
}

/** The users by name, number and id. */
export class Directory {
  readonly #users: readonly TeamsUser[];

  /** @throws SidekickError SK_USAGE when two users share a name, a number or an id */
  constructor(specs: readonly TeamsUserSpec[]) {
    this.#users = specs.map(makeUser);
    for (const key of ['name', 'number', 'entraUserId'] as const) {
      const values = this.#users.map((user) => user[key]);
      const twice = values.find((value, i) => values.indexOf(value) !== i);
      if (twice !== undefined) {
        throw new SidekickError('SK_USAGE', `Two simulated Teams users have the ${key} ${twice}`);
      }
    }
  }

  all(): readonly TeamsUser[] {
    return this.#users;
  }

  byName(name: string): TeamsUser | undefined {
    return this.#users.find((user) => user.name === name.toLowerCase());
  }

  byNumber(number: string): TeamsUser | undefined {
    return this.#users.find((user) => user.number === number);
  }

  byId(id: string): TeamsUser | undefined {
    return this.#users.find((user) => user.entraUserId === id.toLowerCase());
  }
}
